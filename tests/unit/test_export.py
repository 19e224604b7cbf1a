"""Motions to files and back: nothing is lost, and broken files are refused with a clear sentence."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.corpus.bvh import read_bvh
from backend.export import read_motion, read_npz, write_bvh, write_npz
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.skeleton import JOINT_NAMES, neutral_offsets


def random_motion(seed: int = 0, frames: int = 12, persons: int = 2) -> Motion:
    random = np.random.default_rng(seed)
    rotations = rot.normalize(random.normal(size=(frames, persons, 22, 4)))
    offsets = np.stack([neutral_offsets(scale) for scale in (1.0, 0.9, 1.1)[:persons]])
    return Motion(30, random.normal(size=(frames, persons, 3)), rotations, offsets)


def degrees_apart(a: np.ndarray, b: np.ndarray) -> float:
    between = rot.multiply(rot.inverse(rot.normalize(a.astype(float))), rot.normalize(b.astype(float)))
    return float(np.degrees(2 * np.linalg.norm(between[..., 1:], axis=-1)).max())


def assert_same(one: Motion, other: Motion) -> None:
    assert one.fps == other.fps
    assert np.abs(one.positions() - other.positions()).max() < 1e-4
    assert degrees_apart(one.rotations, other.rotations) < 0.01
    np.testing.assert_allclose(one.offsets, other.offsets, atol=1e-6)


def refusal_of(path) -> DuologueError:
    with pytest.raises(DuologueError) as refusal:
        read_motion(path)
    return refusal.value


def test_npz_round_trip_is_exact(tmp_path):
    motion = random_motion()
    back = read_motion(write_npz(motion, tmp_path / "new folder" / "m.npz"))
    for name in ("root", "rotations", "offsets"):
        np.testing.assert_array_equal(getattr(back, name), getattr(motion, name))


def test_npz_holds_world_positions_and_joint_names_without_pickle(tmp_path):
    motion = random_motion()
    with np.load(write_npz(motion, tmp_path / "m.npz"), allow_pickle=False) as arrays:
        assert set(arrays.files) == {"fps", "root", "rotations", "offsets", "positions", "joint_names"}
        np.testing.assert_allclose(arrays["positions"], motion.positions())
        assert tuple(arrays["joint_names"]) == JOINT_NAMES


def test_a_pair_becomes_two_bvh_files_in_one_world(tmp_path):
    motion = random_motion()
    paths = write_bvh(motion, tmp_path / "pair")
    assert [path.name for path in paths] == ["pair_a.bvh", "pair_b.bvh"]
    assert_same(read_motion(paths), motion)


def test_a_lone_person_becomes_one_bvh_file_and_its_ending_may_be_given(tmp_path):
    motion = random_motion(persons=1)
    assert write_bvh(motion, tmp_path / "one.bvh") == [tmp_path / "one.bvh"]
    assert_same(read_motion(tmp_path / "one.bvh"), motion)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_rotation_survives_bvh(seed, tmp_path_factory):
    motion = random_motion(seed, frames=4, persons=1)
    path = tmp_path_factory.mktemp("bvh") / "m"
    assert_same(read_motion(write_bvh(motion, path)), motion)


@pytest.mark.parametrize("sign", [1, -1])
def test_gimbal_lock_survives_bvh(tmp_path, sign):
    motion = random_motion(frames=3, persons=1)
    lock = rot.from_axis_angle(np.array([1.0, 0, 0]), sign * np.pi / 2)
    rotations = np.broadcast_to(rot.multiply(rot.from_axis_angle(np.array([0, 0, 1.0]), 0.7), lock), (3, 1, 22, 4))
    motion = Motion(30, motion.root, rotations, motion.offsets)
    assert_same(read_motion(write_bvh(motion, tmp_path / "m")), motion)


def test_bvh_angles_of_a_steady_turn_never_jump(tmp_path):
    turn = rot.from_axis_angle(np.array([0.3, 1.0, 0.2]), np.linspace(0, 9 * np.pi, 200))
    motion = random_motion(frames=200, persons=1)
    motion = Motion(30, motion.root, np.broadcast_to(turn[:, None, None], (200, 1, 22, 4)), motion.offsets)
    angles = read_bvh(write_bvh(motion, tmp_path / "m")[0]).values[:, 3:]
    assert np.abs(np.diff(angles, axis=0)).max() < 30


def test_bvh_ends_in_end_sites_for_other_programs(tmp_path):
    clip = read_bvh(write_bvh(random_motion(persons=1), tmp_path / "m")[0])
    ends = [name for name in clip.names if name.endswith("_end")]
    assert sorted(ends) == sorted(f"{n}_end" for n in ("head", "left_foot", "right_foot", "left_wrist", "right_wrist"))
    assert all(np.linalg.norm(clip.offsets[clip.joint(name)]) > 0.05 for name in ends)


def test_a_partner_is_read_only_when_named(tmp_path):
    paths = write_bvh(random_motion(), tmp_path / "pair")
    assert read_motion(paths[0]).persons == 1
    assert read_motion(paths).persons == 2


def test_files_of_unequal_length_are_not_joined(tmp_path):
    a = write_bvh(random_motion(frames=5, persons=1), tmp_path / "a")
    b = write_bvh(random_motion(frames=6, persons=1), tmp_path / "b")
    assert refusal_of([*a, *b]).code == "motion_mismatch"


def test_a_missing_array_is_named(tmp_path):
    np.savez(tmp_path / "m.npz", fps=30.0, root=np.zeros((1, 1, 3)))
    error = refusal_of(tmp_path / "m.npz")
    assert error.code == "npz_keys"
    assert "rotations, offsets" in error.message


def _arrays(**changes: object) -> dict[str, Any]:
    motion = random_motion(persons=1)
    return {"fps": 30.0, "root": motion.root, "rotations": motion.rotations, "offsets": motion.offsets, **changes}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"root": np.full((12, 1, 3), np.nan)}, "motion_not_finite"),
        ({"root": np.zeros((12, 2, 3))}, "motion_shape"),
        ({"rotations": np.zeros((12, 1, 22, 4))}, "motion_rotations"),
        ({"fps": 0.0}, "motion_fps"),
        ({"fps": np.array([30.0, 30.0])}, "npz_broken"),
        ({"root": np.array([["a"]])}, "npz_broken"),
        ({"joint_names": np.array(["hip", "head"])}, "npz_joints"),
    ],
)
def test_unsound_arrays_are_refused(tmp_path, changes, code):
    np.savez(tmp_path / "m.npz", **_arrays(**changes))
    assert refusal_of(tmp_path / "m.npz").code == code


def test_object_arrays_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "m.npz", **_arrays(root=np.array([print, print], dtype=object)))
    assert refusal_of(tmp_path / "m.npz").code == "npz_broken"


def test_an_altered_file_is_refused(tmp_path):
    path = write_npz(random_motion(frames=60), tmp_path / "m.npz")
    content = bytearray(path.read_bytes())
    middle = len(content) // 4
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    assert refusal_of(path).code == "npz_broken"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(tmp_path, share):
    whole = write_npz(random_motion(), tmp_path / "m.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: int(len(whole) * share)])
    error = refusal_of(tmp_path / "cut.npz")
    assert error.code == "npz_broken"
    assert error.hint


def test_a_single_array_is_not_a_motion(tmp_path):
    with (tmp_path / "m.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    assert refusal_of(tmp_path / "m.npz").code == "npz_broken"


def test_a_missing_file_and_an_unknown_ending_are_refused(tmp_path):
    assert refusal_of(tmp_path / "none.npz").code == "file_missing"
    assert refusal_of(tmp_path / "none.bvh").code == "file_missing"
    assert refusal_of(tmp_path / "m.fbx").code == "file_type"


def test_read_npz_is_what_read_motion_uses(tmp_path):
    path = write_npz(random_motion(), tmp_path / "m.npz")
    np.testing.assert_array_equal(read_npz(path).root, read_motion(path).root)
