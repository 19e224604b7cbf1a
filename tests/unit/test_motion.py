"""`Motion` refuses what is not a motion, and its transforms keep what they promise to keep."""

import numpy as np
import pytest

from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion, joined_as_persons, joined_in_time
from protocol.skeleton import JOINT, MIRROR, PARENTS, neutral_offsets, rest_height


def random_motion(frames: int = 12, persons: int = 2, seed: int = 0) -> Motion:
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=(frames, persons, 22, 4)) * 0.05, axis=0) + rng.normal(size=(persons, 22, 4))
    return Motion(
        fps=30,
        root=np.cumsum(rng.normal(size=(frames, persons, 3)) * 0.02, axis=0),
        rotations=rot.normalize(walk),
        offsets=np.stack([neutral_offsets(1 + 0.1 * person) for person in range(persons)]),
    )


def bone_lengths(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[..., 1:, :] - positions[..., list(PARENTS[1:]), :], axis=-1)


def test_rest_pose_is_a_t_pose_facing_forward_with_left_at_plus_x() -> None:
    rest = Motion(30, np.zeros((1, 1, 3)), np.tile(rot.IDENTITY, (1, 1, 22, 1)), neutral_offsets()[None])
    joints = rest.positions()[0, 0]
    assert joints[JOINT["left_wrist"], 0] > 0.6
    assert joints[JOINT["left_wrist"], 1] == pytest.approx(joints[JOINT["left_shoulder"], 1])
    assert joints[JOINT["left_foot"], 2] > joints[JOINT["left_ankle"], 2]
    assert joints[JOINT["head"], 1] > 0.5
    assert rest_height(rest.offsets)[0] == pytest.approx(0.97)


def test_three_persons_are_as_good_as_two() -> None:
    assert random_motion(persons=3).positions().shape == (12, 3, 22, 3)


def test_bone_lengths_never_change() -> None:
    motion = random_motion()
    expected = np.linalg.norm(motion.offsets[:, 1:], axis=-1)
    np.testing.assert_allclose(bone_lengths(motion.positions()), np.tile(expected, (12, 1, 1)), atol=1e-6)


def test_moving_a_motion_moves_its_joints_rigidly() -> None:
    motion = random_motion()
    turn, shift = rot.about_y(0.7), np.array([1.0, 0.0, -2.0], np.float32)
    np.testing.assert_allclose(
        motion.moved(turn, shift).positions(), rot.rotate(turn, motion.positions()) + shift, atol=1e-5
    )


def test_mirroring_reflects_the_joints_and_twice_is_nothing() -> None:
    motion = random_motion()
    reflected = motion.positions()[:, :, list(MIRROR)] * [-1, 1, 1]
    np.testing.assert_allclose(motion.mirrored().positions(), reflected, atol=1e-5)
    np.testing.assert_array_equal(motion.mirrored().mirrored().rotations, motion.rotations)


def test_swapping_exchanges_the_persons() -> None:
    motion = random_motion()
    np.testing.assert_array_equal(motion.swapped().person(0).root, motion.person(1).root)


@pytest.mark.parametrize("fps", [24.0, 23.976, 60.0, 120.0])
def test_resampling_keeps_the_duration_and_the_poses(fps: float) -> None:
    motion = random_motion(frames=60)
    there = motion.resampled(fps)
    assert there.seconds == pytest.approx(motion.seconds, abs=0.5 / fps)
    back = there.resampled(30)
    if fps > 30:
        np.testing.assert_allclose(back.positions()[:58], motion.positions()[:58], atol=0.03)


def test_joining_in_time_and_as_persons() -> None:
    motion = random_motion()
    np.testing.assert_array_equal(joined_in_time([motion.slice(0, 5), motion.slice(5, 12)]).root, motion.root)
    np.testing.assert_array_equal(joined_as_persons([motion.person(0), motion.person(1)]).root, motion.root)


def test_joining_what_does_not_match_is_refused() -> None:
    with pytest.raises(DuologueError, match="differ in length") as caught:
        joined_as_persons([random_motion(5), random_motion(6)])
    assert caught.value.code == "motion_mismatch"
    with pytest.raises(DuologueError, match="differ in persons"):
        joined_in_time([random_motion(), random_motion(persons=1)])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"root": np.full((12, 2, 3), np.nan)}, "motion_not_finite"),
        ({"root": np.zeros((11, 2, 3))}, "motion_shape"),
        ({"root": np.zeros((12, 3))}, "motion_shape"),
        ({"root": np.zeros((0, 2, 3)), "rotations": np.zeros((0, 2, 22, 4))}, "motion_shape"),
        ({"rotations": np.zeros((12, 2, 22, 4))}, "motion_rotations"),
        ({"offsets": np.zeros((1, 22, 3))}, "motion_shape"),
        ({"fps": 0}, "motion_fps"),
        ({"fps": float("nan")}, "motion_fps"),
    ],
)
def test_what_is_not_a_motion_is_refused_with_a_next_step(change: dict, code: str) -> None:
    good = random_motion()
    fields = {"fps": good.fps, "root": good.root, "rotations": good.rotations, "offsets": good.offsets}
    with pytest.raises(DuologueError) as caught:
        Motion(**(fields | change))
    assert caught.value.code == code
    assert caught.value.hint
