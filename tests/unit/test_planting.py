"""Planting: toes that stand stop creeping, and nothing above the hips changes."""

import numpy as np
import pytest

from backend.corpus.planting import planted, toe_steps
from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets, rest_height

TOES = [JOINT["left_foot"], JOINT["right_foot"]]
FEET = [JOINT["left_ankle"], JOINT["right_ankle"], *TOES]


@pytest.fixture
def creeping() -> Motion:
    """Somebody with bent knees who sways, and whose feet creep forward at 0.1 m/s."""
    frames = 25
    time = np.arange(frames) / 30
    offsets = neutral_offsets()[None]
    rotations = np.tile(rot.IDENTITY, (frames, 1, 22, 1))
    for side in ("left", "right"):
        for name, degrees in (("hip", -25), ("knee", 50), ("ankle", -25)):
            turn = rot.from_axis_angle(np.array([1.0, 0, 0]), np.radians(degrees))
            rotations[:, 0, JOINT[f"{side}_{name}"]] = turn
    rotations[:, 0, JOINT["left_shoulder"]] = rot.from_axis_angle(np.array([0.0, 0, 1.0]), np.sin(time))
    root = np.zeros((frames, 1, 3))
    root[:, 0, 2] = 0.1 * time
    root[:, 0, 1] = rest_height(offsets)[0] - 2 * 0.42 * (1 - np.cos(np.radians(25)))
    return Motion(30, root, rotations, offsets)


def slide(motion: Motion) -> float:
    """Mean speed of the toes, metres a second."""
    toes = motion.positions()[:, 0, TOES]
    return float(np.linalg.norm(np.diff(toes, axis=0), axis=-1).mean() * motion.fps)


def test_creeping_toes_stand_still(creeping):
    assert slide(creeping) == pytest.approx(0.1, abs=0.01)
    assert slide(planted(creeping)) < 0.003


def test_only_the_legs_change_and_bones_keep_their_length(creeping):
    after = planted(creeping)
    np.testing.assert_array_equal(after.root, creeping.root)
    np.testing.assert_array_equal(after.offsets, creeping.offsets)
    legs = {JOINT[f"{side}_{name}"] for side in ("left", "right") for name in ("hip", "knee", "ankle")}
    others = [joint for joint in range(22) if joint not in legs]
    np.testing.assert_allclose(after.rotations[:, :, others], creeping.rotations[:, :, others], atol=1e-6)


def test_feet_keep_their_direction_and_knees_their_side(creeping):
    before, after = (motion.forward_kinematics() for motion in (creeping, planted(creeping)))
    agreement = np.abs(np.sum(before[1][:, 0, FEET] * after[1][:, 0, FEET], axis=-1))
    assert agreement.min() > 1 - 1e-5
    knee, hip, ankle = (after[0][:, 0, JOINT[f"left_{name}"]] for name in ("knee", "hip", "ankle"))
    assert (knee[:, 2] > (hip[:, 2] + ankle[:, 2]) / 2 + 0.05).all()


def test_feet_that_stand_already_are_left_alone():
    offsets = neutral_offsets()[None]
    root = np.tile([[[0.0, rest_height(offsets)[0], 0.0]]], (30, 1, 1))
    motion = Motion(30, root, np.tile(rot.IDENTITY, (30, 1, 22, 1)), offsets)
    moved = np.linalg.norm(planted(motion).positions() - motion.positions(), axis=-1)
    assert moved.max() < 0.003


def test_a_swinging_toe_is_eased_between_its_two_places():
    toe = np.zeros((40, 3))
    toe[:15, 0] = np.linspace(0, 0.03, 15)
    toe[15:25, 0] = np.linspace(0.1, 0.6, 10)
    toe[15:25, 1] = 0.1
    toe[25:, 0] = np.linspace(0.65, 0.68, 15)
    step = toe_steps(toe, 30)
    still = toe + step
    assert np.ptp(still[3:12], axis=0).max() < 1e-9
    assert np.ptp(still[28:37], axis=0).max() < 1e-9
    assert np.abs(np.diff(step, axis=0)).max() < 0.02


def test_a_toe_that_really_slides_is_not_nailed_down():
    toe = np.zeros((60, 3))
    toe[:, 0] = np.linspace(0, 0.6, 60)
    assert np.abs(toe_steps(toe, 30)).max() < 0.06


def test_a_toe_in_the_air_is_left_alone():
    toe = np.tile([0.0, 0.3, 0.0], (30, 1))
    assert not toe_steps(toe, 30).any()
