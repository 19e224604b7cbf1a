"""The cleaner as a stream: piece sizes do not matter, little is held back, and what is clean stays as it is."""

import numpy as np
import pytest

from backend.cleanup import Cleaner
from backend.cleanup.cleaner import cleaned
from protocol.motion import Motion, joined_in_time
from tests.unit.stroller import noisy, stroll


def streamed(motion: Motion, size: int) -> Motion:
    cleaner = Cleaner(motion.offsets)
    parts = [cleaner.push(motion.slice(at, at + size)) for at in range(0, motion.frames, size)]
    return joined_in_time([part for part in [*parts, cleaner.finish()] if part is not None])


@pytest.mark.parametrize("size", [1, 8, 37])
def test_pieces_of_any_size_give_the_same_motion(size: int):
    motion = noisy(stroll(frames=75, persons=2))
    whole = cleaned(motion)
    assert (whole.frames, whole.persons) == (motion.frames, 2)
    np.testing.assert_allclose(streamed(motion, size).positions(), whole.positions(), atol=1e-5)


def test_less_than_a_second_is_held_back():
    motion = stroll(frames=60)
    cleaner = Cleaner(motion.offsets)
    assert cleaner.held_back <= 24
    first = cleaner.push(motion.slice(0, cleaner.held_back + 1))
    assert first is not None
    assert first.frames == 1
    rest = cleaner.push(motion.slice(cleaner.held_back + 1, 60)), cleaner.finish()
    assert 1 + sum(part.frames for part in rest if part is not None) == 60


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_motions_shorter_than_the_look_ahead_come_out_whole(frames: int):
    assert cleaned(stroll(frames=frames)).frames == frames


def test_a_clean_walk_hardly_changes():
    motion = stroll(frames=90)
    moved = np.linalg.norm(cleaned(motion).positions() - motion.positions(), axis=-1)
    assert moved.mean() < 0.009
    assert moved.max() < 0.06  # a foot is let go once its swing is certain


def test_a_root_that_sways_is_brought_back_over_its_feet():
    clean = stroll(frames=90)
    motion = noisy(clean)

    def astray(other: Motion) -> np.ndarray:
        return np.diff(other.root - clean.root, axis=0) * 30

    assert np.abs(astray(motion)).mean() > 0.15
    assert np.abs(astray(cleaned(motion))).mean() < 0.05


def test_a_root_that_bobs_from_latent_step_to_latent_step_goes_evenly():
    walk = stroll(frames=90)
    steps = np.random.default_rng(0).normal(0, 0.01, (23, 1))
    bobbing = Motion(30, walk.root.copy(), walk.rotations, walk.offsets)
    bobbing.root[..., 1] += np.repeat(steps, 4, axis=0)[:90]

    def jolts(motion: Motion) -> float:
        return float(np.abs(np.diff(motion.root[..., 1], n=2, axis=0)).mean())

    assert jolts(bobbing) > 1.5 * jolts(cleaned(walk))
    assert jolts(cleaned(bobbing)) < 1.05 * jolts(cleaned(walk))


def test_two_who_stand_in_each_other_part_and_a_given_partner_stays():
    one = stroll(frames=40, speed=0.0)
    pair = Motion(30, np.repeat(one.root, 2, 1), np.repeat(one.rotations, 2, 1), np.repeat(one.offsets, 2, 0))
    pair.root[:, 1, 0] += 0.12

    def gap(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.linalg.norm((a - b)[10:], axis=-1).min())

    both = cleaned(pair)
    assert gap(both.root[:, 0], both.root[:, 1]) > gap(pair.root[:, 0], pair.root[:, 1]) + 0.05
    middle = both.root[10:].mean(1) - pair.root[10:].mean(1)
    assert np.abs(middle).max() < 0.02
    cleaner = Cleaner(one.offsets, partner=pair.person(0))
    parts = [cleaner.push(pair.person(1)), cleaner.finish()]
    alone = joined_in_time([part for part in parts if part is not None])
    assert gap(pair.root[:, 0], alone.root[:, 0]) > gap(pair.root[:, 0], pair.root[:, 1]) + 0.05
