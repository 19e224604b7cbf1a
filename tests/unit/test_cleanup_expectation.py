"""A partner who was drawn beside where they are expected: hips and hands come, as far as the expectation is sure."""

from dataclasses import replace

import numpy as np
import pytest

from backend.cleanup import Cleaner
from backend.language.anticipation import Whereabouts, step_means
from backend.language.between import READ_JOINTS
from protocol import rotations as rot
from protocol.motion import Motion, joined_in_time
from protocol.skeleton import JOINT
from tests.unit.test_anticipation import facing

FRAMES = 90
SURE, VAGUE = 0.005, 0.5
WRISTS = [JOINT["left_wrist"], JOINT["right_wrist"]]
ARMS = (("left_shoulder", -1.0), ("right_shoulder", 1.0))


def expected(partner: Motion, spread: float) -> Whereabouts:
    """What is expected of a partner by who knows the truth, and how sure they are of it, in metres."""
    places = step_means(partner.positions()[:, 0, list(READ_JOINTS)])
    return Whereabouts(places, np.full(places.shape[:2], spread, np.float32))


def reaching(motion: Motion, raised: float) -> Motion:
    """The person with arms raised forward by so many radians from where they hang down in a T."""
    rotations = motion.rotations.copy()
    for name, side in ARMS:
        rotations[:, :, JOINT[name]] = rot.from_axis_angle(np.array([0.0, side, 0.0], np.float32), raised)
    return replace(motion, rotations=rotations)


def cleaned(drawn: Motion, a: Motion, whereabouts: Whereabouts | None, size: int = FRAMES) -> Motion:
    cleaner = Cleaner(drawn.offsets, a, "hug", whereabouts)
    parts = [cleaner.push(drawn.slice(at, at + size)) for at in range(0, drawn.frames, size)]
    return joined_in_time([part for part in [*parts, cleaner.finish()] if part is not None])


def off(one: Motion, other: Motion, joints: list[int]) -> float:
    """Mean distance of joints, metres."""
    return float(np.linalg.norm((one.positions() - other.positions())[:, 0, joints], axis=-1).mean())


@pytest.mark.parametrize(("spread", "left"), [(SURE, 0.02), (VAGUE, 0.14)])
def test_who_is_drawn_beside_where_they_are_surely_expected_comes_and_else_stays(spread: float, left: float):
    pair = facing(0.8, FRAMES)
    a, b = pair.person(0), pair.person(1)
    drawn = replace(b, root=b.root + np.array([0.15, 0.0, 0.0], np.float32))
    after = cleaned(drawn, a, expected(b, spread))
    beside = np.linalg.norm((after.root - b.root)[..., [0, 2]], axis=-1)
    assert beside.mean() == pytest.approx(left, abs=0.02)
    np.testing.assert_allclose(after.root[..., 1], cleaned(drawn, a, None).root[..., 1], atol=1e-6)


@pytest.mark.parametrize(("distance", "comes"), [(0.5, True), (2.0, False)])
def test_hands_come_where_they_are_about_to_touch_and_else_do_as_drawn(distance: float, comes: bool):
    pair = facing(distance, FRAMES)
    a, b = pair.person(0), reaching(pair.person(1), 1.3)
    drawn = reaching(b, 1.0)
    apart = off(drawn, b, WRISTS)
    assert apart > 0.12
    after = off(cleaned(drawn, a, expected(b, SURE)), b, WRISTS)
    assert (after < 0.4 * apart) == comes
    if not comes:
        assert after == pytest.approx(apart, abs=0.02)


def test_pieces_of_any_size_give_the_same():
    pair = facing(0.5, FRAMES)
    a, b = pair.person(0), reaching(pair.person(1), 1.3)
    turning = rot.about_y(np.linspace(0.0, 0.4, FRAMES)).astype(np.float32)
    rotations = b.rotations.copy()
    rotations[:, 0, 0] = rot.multiply(turning, rotations[:, 0, 0])
    drawn = replace(b, rotations=rotations, root=b.root + np.array([0.1, 0.0, 0.1], np.float32))
    whereabouts = expected(b, 0.03)
    whole = cleaned(drawn, a, whereabouts)
    for size in (1, 8, 37):
        np.testing.assert_allclose(cleaned(drawn, a, whereabouts, size).positions(), whole.positions(), atol=1e-5)
