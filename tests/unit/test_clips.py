"""Clips cut from real takes: stands stand, walks walk from strike to strike, punches reach out."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from backend.corpus import clips
from backend.corpus.clips import ANKLES, SHOULDERS, SIDES, WRISTS, Clip
from backend.corpus.cmu import Take, load_takes
from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets
from tests.unit.cmu_sample import sample_folder

SAMPLE = ("02_05", "07_01", "09_12", "10_04", "13_26", "60_12", "61_12", "60_15", "61_15")


@pytest.fixture(scope="module")
def takes(cmu_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Take]:
    return load_takes(sample_folder(cmu_folder, SAMPLE, tmp_path_factory.mktemp("clips")))


@pytest.fixture(scope="module")
def walk(takes: list[Take]) -> Clip:
    return next(clip for clip in clips.walks(takes) if clip.name.startswith("07_01"))


def marching(seconds: float = 4.0, steps_a_second: float = 2.0) -> Motion:
    """A stiff-legged walk along +Z at 1 m/s: the legs swing as a sine, the left foot lands first at 0.25 s."""
    time = np.arange(round(seconds * 30)) / 30
    swing = 0.4 * np.sin(np.pi * steps_a_second * time)
    rotations = np.tile(rot.IDENTITY, (len(time), 1, 22, 1))
    for name, sign in (("left_hip", -1), ("right_hip", 1)):
        rotations[:, 0, JOINT[name]] = rot.from_axis_angle(np.array([1.0, 0, 0]), sign * swing)
    root = np.zeros((len(time), 1, 3))
    root[:, 0, 1], root[:, 0, 2] = 0.97, time
    return Motion(30, root, rotations, neutral_offsets()[None])


def test_strikes_are_found_where_the_foot_is_farthest_ahead():
    strikes = clips.foot_strikes(marching())
    assert [side for _, side in strikes[:4]] == ["left", "right", "left", "right"]
    expected = (0.25 + 0.5 * np.arange(len(strikes))) * 30
    np.testing.assert_allclose([frame for frame, _ in strikes], expected, atol=1)


def test_every_clip_starts_over_the_origin_and_is_one_person(takes):
    found = [
        *clips.stands(takes),
        *clips.walks(takes),
        *clips.starts(takes),
        *clips.turns(takes),
        *clips.punches(takes),
        *clips.gestures(takes, "wave"),
    ]
    assert {clip.kind for clip in found} == {"stand", "walk", "start", "turn", "punch", "gesture"}
    for clip in found:
        assert clip.motion.persons == 1
        assert clip.contacts.shape == (clip.motion.frames, 2)
        np.testing.assert_allclose(clip.motion.root[0, 0, [0, 2]], 0, atol=1e-5)


def test_clips_come_from_training_takes_only(takes):
    assert any(take.name.startswith("60_15") for take in takes)
    assert not [clip for clip in clips.stands(takes) if clip.name.startswith("60_15")]
    assert [clip for clip in clips.stands(takes) if clip.name.startswith("60_12")]


def test_stands_face_forward_with_both_feet_down_and_go_nowhere(takes):
    for clip in clips.stands(takes):
        assert clip.motion.seconds >= 1.5
        assert clip.contacts.all()
        assert clip.speed < 0.1
        assert abs(clips.facing(clip.motion)[0, 0]) < 1e-3
        p = clip.motion.positions()[:, 0]
        assert (p[:, WRISTS, 1] < p[:, SHOULDERS, 1]).all()


def test_a_walk_goes_straight_along_z_at_walking_speed(walk):
    travel = walk.motion.root[-1, 0] - walk.motion.root[0, 0]
    assert abs(travel[0]) < 1e-3
    assert walk.speed == pytest.approx(travel[2] / walk.motion.seconds, rel=1e-3)
    assert 1.2 < walk.speed < 1.5
    assert np.abs(clips.facing(walk.motion)).max() < np.radians(25)


def test_a_walk_begins_and_ends_at_strikes_of_alternate_feet(walk):
    frames, sides = zip(*walk.strikes, strict=True)
    assert frames[0] == 0
    assert frames[-1] == walk.motion.frames - 1
    assert all(a != b for a, b in pairwise(sides))
    assert all(10 < b - a < 25 for a, b in pairwise(frames))


def test_the_foot_that_strikes_is_ahead_of_the_other(walk):
    p = walk.motion.positions()[:, 0]
    for frame, side in walk.strikes:
        striking, other = (p[frame, ANKLES[k], 2] for k in (SIDES.index(side), 1 - SIDES.index(side)))
        assert striking > other + 0.3


def test_a_walk_cut_at_two_strikes_of_one_foot_nearly_closes(walk):
    left = [frame for frame, side in walk.strikes if side == walk.strikes[0][1]]
    cycle = walk.cut(left[0], left[1])
    assert cycle.strikes[0][0] == 0
    assert cycle.contacts.shape == (cycle.motion.frames, 2)
    ends = walk.motion.positions()[[left[0], left[1]], 0]
    ends = ends - ends[:, :1]
    assert np.linalg.norm(ends[0] - ends[1], axis=-1).mean() < 0.06


def test_in_a_walk_some_foot_bears_nearly_always_and_each_swings_a_third_of_the_time(walk):
    assert walk.contacts.any(-1).mean() > 0.8
    assert (walk.contacts.mean(0) < 0.67).all()


def test_a_start_goes_from_standing_to_walking(takes):
    (start,) = (clip for clip in clips.starts(takes) if clip.name.startswith("10_04"))
    speed = np.linalg.norm(np.gradient(start.motion.root[:, 0, [0, 2]], axis=0), axis=-1) * 30
    assert speed[:5].mean() < 0.25
    assert speed[-20:].mean() > 0.7


def test_turns_say_how_far_and_to_which_side(takes):
    turns = clips.turns(takes)
    assert {np.sign(clip.turn) for clip in turns} == {1.0, -1.0}
    for clip in turns:
        assert abs(clip.turn) > np.radians(35)
        end = clips.facing(clip.motion)[-1, 0]
        assert np.cos(end - clip.turn) > 0.99


def test_a_punch_reaches_farthest_at_its_event(takes):
    found = clips.punches(takes)
    assert found
    for clip in found:
        ((frame, side),) = clip.events
        p = clip.motion.positions()[:, 0]
        reach = np.linalg.norm(p[:, WRISTS] - p[:, SHOULDERS], axis=-1)[:, SIDES.index(side)]
        assert reach[frame] == reach[frame - 8 : frame + 9].max()
        assert reach[frame] > reach[0] + 0.05


def test_gestures_are_found_by_the_words_of_their_description(takes):
    waves = clips.gestures(takes, "wave")
    assert waves
    assert all(clip.name.startswith("13_26") and "wave" in clip.description for clip in waves)
    assert all(1.5 <= clip.motion.seconds <= 10 for clip in waves)
    assert clips.gestures(takes, "yodel") == []


def test_contacts_ignore_feet_that_are_high_or_fast():
    motion = marching()
    lifted = motion.moved(rot.IDENTITY, np.array([0.0, 0.3, 0.0], np.float32))
    assert not clips.foot_contacts(lifted).any()
    still = Motion(
        30, np.tile(motion.root[:1], (30, 1, 1)), np.tile(motion.rotations[:1], (30, 1, 1, 1)), motion.offsets
    )
    assert clips.foot_contacts(still).all()
    sliding = Motion(30, motion.root[:30], still.rotations, motion.offsets)
    assert not clips.foot_contacts(sliding).any()
