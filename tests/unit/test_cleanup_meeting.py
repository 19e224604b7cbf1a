"""Meeting: hands that nearly meet are led together, softly; those that only hang beside each other are not."""

import numpy as np
import pytest

from backend.cleanup import Cleaner
from backend.cleanup.cleaner import cleaned
from backend.cleanup.expected import EXPECTED
from backend.cleanup.frames import Frames
from backend.cleanup.meeting import Meeting
from backend.corpus.choreographer.body import palms
from backend.corpus.choreographer.families import KINDS
from protocol import rotations as rot
from protocol.motion import Motion, joined_in_time
from protocol.skeleton import JOINT
from tests.unit.stroller import stroll

ARMS = [JOINT[f"right_{name}"] for name in ("shoulder", "elbow", "wrist")]
UP = np.array([0.0, 1.0, 0.0])
FRAMES = 90


def facing(missing: float, raised: bool = True, frames: int = FRAMES) -> Motion:
    """Two who stand face to face; their right hands come up, stay ``missing`` metres apart, and go down again."""
    one = stroll(frames=frames, speed=0.0)
    share = np.clip(np.minimum(np.arange(frames) - 15, frames - 20 - np.arange(frames)) / 12, 0, 1)
    share = share * share * (3 - 2 * share)
    if raised:
        down, ahead = one.rotations[0, 0, ARMS[0]], rot.about_y(np.array(1.45))
        forward = rot.slerp(np.repeat(down[None], frames, 0), np.repeat(ahead[None], frames, 0), share)
        one.rotations[:, 0, ARMS[0]] = forward
    two = Motion(30, np.repeat(one.root, 2, 1), np.repeat(one.rotations, 2, 1), np.repeat(one.offsets, 2, 0))
    two.rotations[:, 1, 0] = rot.about_y(np.array(np.pi))
    at = palms(two)[frames // 2, :, 1]
    two.root[:, 1, [0, 2]] += (at[0] - at[1])[[0, 2]] + [missing, 0.0]
    return two


def right_gap(motion: Motion) -> np.ndarray:
    at = palms(motion)
    return np.linalg.norm(at[:, 0, 1] - at[:, 1, 1], axis=-1)


@pytest.mark.parametrize("kind", ["handshake", None])
def test_hands_that_nearly_meet_meet(kind: str | None):
    before = facing(0.1)
    after = cleaned(before, kind)
    assert right_gap(before)[35:60].min() > 0.09
    assert right_gap(after)[40:55].max() < 0.01
    at, was = (palms(motion)[:, :, 1] for motion in (after, before))
    moved = np.linalg.norm(at - was, axis=-1)[45]
    np.testing.assert_allclose(moved, 0.05, atol=0.01)


def test_they_are_led_softly_and_by_their_arms_alone():
    before = facing(0.1)
    after = cleaned(before, "handshake")
    added = after.positions()[:, :, ARMS[2]] - before.positions()[:, :, ARMS[2]]
    assert np.linalg.norm(np.diff(added, axis=0), axis=-1).max() * 30 < 0.6
    arms = {JOINT[f"{side}_{name}"] for side in ("left", "right") for name in ("shoulder", "elbow", "wrist")}
    others = [joint for joint in range(22) if joint not in arms]
    plain = cleaned(before, "wave")
    np.testing.assert_allclose(after.rotations[:, :, others], plain.rotations[:, :, others], atol=1e-6)
    np.testing.assert_allclose(after.root, plain.root, atol=1e-6)


@pytest.mark.parametrize("kind", ["wave", "hug"])
def test_palms_are_not_led_together_where_the_kind_does_not_let_them(kind: str):
    assert right_gap(cleaned(facing(0.1), kind))[45] > 0.09


def test_hands_that_hang_beside_each_other_are_left_alone():
    before = facing(0.07, raised=False)
    assert right_gap(before).max() < 0.08
    np.testing.assert_allclose(right_gap(cleaned(before)), right_gap(before), atol=1e-3)


def test_hands_that_are_far_apart_stay_there():
    before = facing(0.4)
    np.testing.assert_allclose(right_gap(cleaned(before, "handshake"))[45], right_gap(before)[45], atol=0.01)


def test_in_a_reaction_only_the_partner_comes():
    pair = facing(0.1)
    cleaner = Cleaner(pair.offsets[1:], pair.person(0), "handshake")
    parts = [cleaner.push(pair.person(1)), cleaner.finish()]
    alone = joined_in_time([part for part in parts if part is not None])
    gap = palms(alone)[:, 0, 1] - palms(pair)[:, 0, 1]
    assert np.linalg.norm(gap, axis=-1)[40:55].max() < 0.02


@pytest.mark.parametrize("size", [1, 8])
def test_pieces_of_any_size_give_the_same_meeting(size: int):
    motion = facing(0.1, frames=75)
    cleaner = Cleaner(motion.offsets, kind="handshake")
    parts = [cleaner.push(motion.slice(at, at + size)) for at in range(0, motion.frames, size)]
    whole = joined_in_time([part for part in [*parts, cleaner.finish()] if part is not None])
    np.testing.assert_allclose(whole.positions(), cleaned(motion, "handshake").positions(), atol=1e-5)


@pytest.mark.parametrize("off", [0.1, -0.05])
def test_a_hand_on_a_body_lies_on_it(off: float):
    """A palm that comes to rest 10 cm beside the other's chest, or 5 cm in it."""
    pair = facing(0.0)
    palm, chest = palms(pair)[45, 0, 1], pair.positions()[45, 1, JOINT["spine3"]]
    pair.root[:, 1] += palm - chest + [0.155 + off, 0.0, 0.0]
    frames = Meeting(pair.offsets, "push").push(Frames.of(pair), last=True)
    assert frames is not None
    after = Motion(30, frames.root, frames.rotations, pair.offsets)
    away = np.linalg.norm(palms(after)[45, 0, 1] - pair.positions()[45, 1, JOINT["spine3"]])
    assert abs(away - 0.155) < 0.03


def test_every_expected_kind_exists():
    assert set(EXPECTED) <= set(KINDS)
    assert all(one.same or one.crossed or one.parts for one in EXPECTED.values())
