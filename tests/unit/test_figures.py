"""Stick figures and AMASS-style files, without Blender."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blender_addon import amass, figures
from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT
from tests.fake_backend import two_wave


def solid(picture: np.ndarray) -> np.ndarray:
    return picture[..., 3] > 0.5


def test_a_picture_shows_a_in_orange_on_the_left_and_b_in_blue_on_the_right():
    picture = figures.picture(two_wave(60))
    assert picture.shape == (figures.SIZE, figures.SIZE, 4)
    assert 0 <= picture.min() <= picture.max() <= 1
    orange = solid(picture) & (picture[..., 0] > picture[..., 2] + 0.3)
    blue = solid(picture) & (picture[..., 2] > picture[..., 0] + 0.3)
    assert np.nonzero(orange)[1].mean() < figures.SIZE / 2 < np.nonzero(blue)[1].mean()


def test_whom_a_picture_shows_stands_upright_and_is_in_it_whole():
    for motion in (two_wave(60), two_wave(60, persons=1), far_apart()):
        seen = solid(figures.picture(motion))
        rows, columns = np.nonzero(seen)
        assert 0 < rows.min() < figures.SIZE / 4
        assert columns.min() > 0
        assert columns.max() < figures.SIZE - 1
        assert rows.max() < figures.SIZE - 1


def far_apart() -> Motion:
    made = two_wave(60)
    root = made.root.copy()
    root[:, 1] += (3.0, 0.0, 4.0)
    return Motion(made.fps, root, made.rotations, made.offsets)


def test_the_frame_that_is_shown_is_the_one_with_raised_hands():
    made = two_wave(60)
    rotations = made.rotations.copy()
    up = np.zeros(60, np.float32)
    up[20:25] = -1.4
    rotations[:, 0, JOINT["right_shoulder"]] = rot.from_axis_angle(np.array([0.0, 0.0, 1.0], np.float32), up)
    rotations[:, 1, JOINT["right_shoulder"]] = (1, 0, 0, 0)
    assert 20 <= figures.telling_frame(Motion(made.fps, made.root, rotations, made.offsets)) < 25


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_shortest_motions_have_a_picture(frames):
    assert solid(figures.picture(two_wave(60).slice(0, frames))).any()


def test_an_amass_file_holds_the_motion_with_z_up(tmp_path: Path):
    made = two_wave(30)
    path = tmp_path / "b.npz"
    amass.write(made, 1, path)
    with np.load(path, allow_pickle=False) as file:
        assert file["mocap_framerate"] == 30
        assert str(file["gender"]) == "neutral"
        assert (file["poses"].shape, file["trans"].shape) == ((30, 156), (30, 3))
        assert (file["betas"].shape, file["dmpls"].shape) == ((16,), (30, 8))
        x, y, z = made.root[:, 1].T
        np.testing.assert_allclose(file["trans"], np.stack((x, -z, y), axis=1), atol=1e-5)
        poses = file["poses"].reshape(30, 52, 3)
    angle = np.linalg.norm(poses, axis=-1, keepdims=True)
    turns = rot.from_axis_angle(poses / np.maximum(angle, 1e-9), angle[..., 0])
    np.testing.assert_allclose(
        rot.to_matrix(turns[:, 1:22]), rot.to_matrix(made.rotations[:, 1, 1:].astype(float)), atol=1e-5
    )
    upright = rot.rotate(turns[:, 0], np.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(upright, np.broadcast_to((0.0, 0.0, 1.0), upright.shape), atol=1e-5)
    assert not poses[:, 22:].any()
