"""Planting: feet that stand are held on the floor, knees keep their side, and a foot led astray steps."""

import numpy as np

from backend.cleanup.frames import Frames
from backend.cleanup.planting import Planting
from protocol.motion import Motion
from protocol.skeleton import JOINT
from tests.unit.stroller import stroll

TOES = [JOINT["left_foot"], JOINT["right_foot"]]


def planted(motion: Motion) -> Motion:
    frames = Planting(motion.offsets).push(Frames.of(motion), last=True)
    assert frames is not None
    return Motion(motion.fps, frames.root, frames.rotations, motion.offsets)


def creeping(speed: float, frames: int = 60) -> Motion:
    """Somebody who stands and slides along at ``speed`` metres a second, a centimetre under the floor."""
    still = stroll(frames=frames, speed=0.0)
    way = np.arange(frames)[:, None, None] * np.array([speed / 30, 0, 0])
    return Motion(30, still.root + way - [0, 0.01, 0], still.rotations, still.offsets)


def toe_speed(motion: Motion) -> np.ndarray:
    return np.linalg.norm(np.diff(motion.positions()[:, 0, TOES], axis=0), axis=-1) * 30


def test_feet_that_creep_are_held_on_the_floor():
    after = planted(creeping(0.03))
    assert toe_speed(after)[3:-3].max() < 1e-3
    np.testing.assert_allclose(after.positions()[:, 0, TOES, 1], 0, atol=1e-5)


def test_only_legs_turn_and_knees_keep_their_side():
    before = creeping(0.03)
    after = planted(before)
    legs = {JOINT[f"{side}_{name}"] for side in ("left", "right") for name in ("hip", "knee", "ankle")}
    others = [joint for joint in range(22) if joint not in legs]
    np.testing.assert_allclose(after.rotations[:, :, others], before.rotations[:, :, others], atol=1e-6)
    positions = after.positions()[:, 0]
    hip, knee, ankle = (positions[:, JOINT[f"left_{name}"]] for name in ("hip", "knee", "ankle"))
    assert (knee[:, 2] >= (hip[:, 2] + ankle[:, 2]) / 2 - 1e-3).all()
    assert (after.root[..., 1] >= before.root[..., 1] - 0.08).all()


def test_feet_led_astray_step_one_after_the_other():
    after = planted(creeping(0.1, frames=90))
    lifted = after.positions()[:, 0, TOES, 1] > 0.005
    assert lifted.any(0).all()
    assert not lifted.all(1).any()
    assert np.abs(after.positions()[-1, 0, TOES, 0] - creeping(0.1, frames=90).positions()[-1, 0, TOES, 0]).max() < 0.1


def test_a_swinging_foot_is_let_go_and_nothing_goes_under_the_floor():
    walk = stroll(frames=80)
    after = planted(walk)
    assert after.positions()[..., 1].min() > -1e-4
    np.testing.assert_allclose(after.positions()[:, 0, TOES, 1].max(0), 0.05, atol=0.01)
    assert toe_speed(after).max() < 1.3 * toe_speed(walk).max()


def test_who_slides_on_both_feet_is_given_a_foot_to_stand_on():
    speed = toe_speed(planted(creeping(0.3, frames=90)))
    assert (speed.min(-1) < 0.01).mean() > 0.6


def test_a_foot_that_swings_does_not_brush_the_floor():
    walk = stroll(frames=80)
    brushing = Motion(30, walk.root, walk.rotations, walk.offsets)
    brushing.root[..., 1] -= 0.045
    after = planted(brushing)
    toes = after.positions()[1:, 0, TOES, 1]
    swings = np.linalg.norm(np.diff(after.positions()[:, 0, TOES][..., [0, 2]], axis=0), axis=-1) * 30 > 0.8
    assert swings.any()
    assert np.percentile(toes[swings], 30) > 0.01
