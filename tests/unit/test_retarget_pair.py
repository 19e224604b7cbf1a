"""Two persons on bodies of any size: hands that touch, feet that stand, bodies that stay outside of each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.retarget.body import EVERY, PALMS, landmarks, palms, radii
from blender_addon.retarget.contact import find
from blender_addon.retarget.easing import as_needed, in_time
from blender_addon.retarget.escape import ways_out
from blender_addon.retarget.feet import TOE, Stance
from blender_addon.retarget.options import Options
from blender_addon.retarget.overlap import added, gaps_between
from blender_addon.retarget.pair import Stage
from blender_addon.retarget.pose import Pose
from blender_addon.retarget.residuals import hand_errors
from blender_addon.retarget.rest_pose import Calibration
from protocol import rotations as rot
from protocol.motion import Motion, joined_as_persons, joined_in_time
from protocol.skeleton import JOINT, neutral_offsets
from tests.unit.synthetic_rigs import humanoid
from tests.unit.test_retarget import calibrated, degrees, standing_pair

RATIOS = [0.6, 0.8, 1.25, 1.6]


def body(scale: float) -> Calibration:
    return calibrated(humanoid(scale=scale, arms_down=45))


def right_gap(motion: Motion) -> np.ndarray:
    """(T,) metres between the two right palms."""
    return np.linalg.norm(palms(motion)[:, 0, 1] - palms(motion)[:, 1, 1], axis=-1)


def on_their_toes(offsets: np.ndarray, frames: int, creep: float, bend: float = 0.3) -> Motion:
    """One person on bent knees, feet flat on the floor; all of it drifts to the left, metres a second."""
    q = np.tile(rot.IDENTITY.astype(float), (frames, 1, 22, 1))
    x = np.array([1.0, 0, 0])
    for side in ("left", "right"):
        q[:, 0, JOINT[f"{side}_hip"]] = rot.from_axis_angle(x, -bend)
        q[:, 0, JOINT[f"{side}_knee"]] = rot.from_axis_angle(x, 2 * bend)
        q[:, 0, JOINT[f"{side}_ankle"]] = rot.from_axis_angle(x, -bend)
    still = Motion(30, np.zeros((frames, 1, 3)), q, offsets[None])
    low = still.positions()[0, 0, JOINT["left_foot"], 1]
    drift = np.arange(frames)[:, None, None] / 30 * creep * np.array([1.0, 0, 0])
    return replace(still, root=still.root - [0, low, 0] + drift)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "arriving"])
def test_a_handshake_is_one_at_every_ratio_of_heights(ratio: float, whole: bool) -> None:
    pair = standing_pair(neutral_offsets())

    stage = Stage(pair, [body(1.0), body(ratio)])
    moved = stage.settled(pair)[0] if whole else stage.on_bodies(pair)

    assert right_gap(moved).max() < 0.02
    # Without leading the hands they would be far apart: nothing here is met by chance.
    apart = Stage(pair, [body(1.0), body(ratio)], options=Options(contact=0.0)).on_bodies(pair)
    assert right_gap(apart).min() > 0.06


def test_hands_that_a_model_left_a_little_apart_meet() -> None:
    pair = standing_pair(neutral_offsets())
    off = Motion(30, pair.root + np.array([[[0, 0, 0], [0.05, 0, 0.07]]]), pair.rotations, pair.offsets)
    assert right_gap(off).min() > 0.08

    moved = Stage(off, [body(1.08), body(0.93)]).on_bodies(off)

    assert right_gap(moved).max() < 0.015


def test_hands_that_fly_past_each_other_do_not_stick() -> None:
    pair = standing_pair(neutral_offsets())
    flight = np.arange(pair.frames)[:, None, None] / 30 * 4.0 - 2.6
    past = Motion(30, pair.root + np.array([[[0, 0.0, 0], [0, 0.09, 0]]]), pair.rotations, pair.offsets)
    past = replace(past, root=past.root + flight * np.array([[[0, 0, 0], [1.0, 0, 0]]]))
    nearest = right_gap(past).argmin()
    assert right_gap(past)[nearest] < 0.12

    moved = Stage(past, [body(1.0), body(1.0)]).on_bodies(past)

    np.testing.assert_allclose(right_gap(moved)[nearest], right_gap(past)[nearest], atol=0.01)


def test_motion_in_stretches_is_what_it_is_in_one_piece() -> None:
    pair = standing_pair(neutral_offsets())
    creeping = replace(pair, root=pair.root + np.arange(pair.frames)[:, None, None] / 30 * [0.1, 0, 0])
    bodies = [body(1.2), body(0.75)]
    once = Stage(creeping, bodies).on_bodies(creeping)

    stage = Stage(creeping.slice(0, 8), bodies)
    pieces = [stage.on_bodies(creeping.slice(start, start + 8), start) for start in range(0, creeping.frames, 8)]

    np.testing.assert_allclose(joined_in_time(pieces).positions(), once.positions(), atol=1e-4)


def test_an_arm_too_short_is_told_and_nobody_leaves_their_feet() -> None:
    pair = standing_pair(neutral_offsets())
    stubby = neutral_offsets()
    for joint in ("left_elbow", "right_elbow", "left_wrist", "right_wrist"):
        stubby[JOINT[joint]] *= 0.3
    short = replace(body(1.0), offsets=stubby)

    moved, left = Stage(pair, [short, short]).settled(pair)

    assert left.out_of_reach > 0.9
    assert right_gap(moved).min() > 0.03
    assert left.skate_mps < 0.03


def test_the_trunk_leans_where_arms_do_not_reach() -> None:
    pair = standing_pair(neutral_offsets())
    shorter = neutral_offsets()
    for joint in ("left_elbow", "right_elbow", "left_wrist", "right_wrist"):
        shorter[JOINT[joint]] *= 0.75
    bodies = [replace(body(1.0), offsets=shorter)] * 2

    moved, left = Stage(pair, bodies).settled(pair)

    assert right_gap(moved).max() < 0.02
    assert left.hand_max_cm < 2
    chest = (moved.positions() - pair.positions())[:, 0, JOINT["spine3"]]
    assert np.linalg.norm(chest, axis=-1).min() > 0.02


@pytest.mark.parametrize("ratio", RATIOS)
def test_feet_that_creep_in_the_source_stand(ratio: float) -> None:
    motion = on_their_toes(neutral_offsets(), 60, creep=0.12)
    pair = joined_as_persons([motion, motion.moved(rot.IDENTITY, np.array([0, 0, 1.5]))])
    toes = [JOINT["left_foot"], JOINT["right_foot"]]
    pivots = Stance(30, pair.offsets).push(Pose.of(pair))
    assert (pivots == TOE).mean() > 0.8

    moved = Stage(pair, [body(1.0), body(ratio)]).on_bodies(pair)

    speed = np.linalg.norm(np.diff(moved.positions()[:, :, toes], axis=0), axis=-1) * 30
    standing = (pivots[1:] == TOE) & (pivots[:-1] == TOE)
    assert np.percentile(speed[standing], 90) < 0.03
    assert np.abs(moved.positions()[:, :, toes, 1]).max() < 0.005


def test_a_held_foot_goes_back_to_its_own_path_without_a_jump() -> None:
    motion = on_their_toes(neutral_offsets(), 90, creep=0.1)
    lift = np.clip((np.arange(90) - 25) / 30, 0, 1)[:, None, None] * [0, 0.5, 0]
    motion = replace(motion, root=motion.root + lift)

    moved = Stage(motion, [body(1.0)]).on_bodies(motion)

    step = np.diff(moved.positions() - motion.positions(), axis=0)[:, 0, JOINT["left_foot"]]
    assert np.linalg.norm(step, axis=-1).max() * 30 < 1.0
    np.testing.assert_allclose(moved.positions()[-1], motion.positions()[-1], atol=1e-3)


@pytest.mark.parametrize("ratio", RATIOS)
def test_knees_keep_a_bend(ratio: float) -> None:
    motion = on_their_toes(neutral_offsets(), 20, creep=0.0, bend=0.25)
    pair = joined_as_persons([motion, motion.moved(rot.IDENTITY, np.array([0, 0, 1.5]))])

    moved = Stage(pair, [body(1.0), body(ratio)]).settled(pair)[0]

    joints = moved.positions()
    leg = np.linalg.norm(joints[:, :, JOINT["left_hip"]] - joints[:, :, JOINT["left_ankle"]], axis=-1)
    longest = np.linalg.norm(moved.offsets[:, [JOINT["left_knee"], JOINT["left_ankle"]]], axis=-1).sum(-1)
    assert (leg / longest).max() < 0.985


def test_bodies_that_only_retargeting_brings_into_each_other_are_parted() -> None:
    pair = standing_pair(neutral_offsets())
    near = Motion(30, pair.root * [0.2, 1, 0.2], pair.rotations, pair.offsets)
    short = neutral_offsets()
    for joint in ("knee", "ankle"):
        for side in ("left", "right"):
            short[JOINT[f"{side}_{joint}"]] *= 0.7
    bodies = [replace(body(1.0), offsets=short)] * 2
    # What the ground's scale alone would do to them.
    source, plain = Pose.of(near), Pose.of(replace(near, root=near.root * 0.72, offsets=np.stack([short] * 2)))
    assert added(source, plain).max() > 0.03

    moved, left = Stage(near, bodies).settled(near)

    assert left.penetration_cm < 1
    assert added(source, Pose.of(moved)).max() < 0.01


def embrace() -> Motion:
    """Two persons breast to breast, each with the right palm on the other's side: frames sway a little."""
    pair = standing_pair(neutral_offsets())

    def aside(by: float) -> Motion:
        near = pair.root * [0.3, 1, 0.3] + np.array([[[by, 0, 0], [-by, 0, 0]]])
        return replace(pair, root=near)

    def gap(by: float) -> float:
        found = find(Pose.of(aside(by)), None, 30, 1.0, as_needed)
        return float(np.abs(found.gap[:, 0, 1, 0] - 0.03).max())

    return aside(min(np.linspace(-0.3, 0.3, 61), key=gap))


@pytest.mark.parametrize("ratio", RATIOS)
def test_palms_slide_over_the_other_and_arms_give_way_to_arms(ratio: float) -> None:
    hug = embrace()
    source, bodies = Pose.of(hug), [body(1.0), body(ratio)]
    touching = find(source, None, 30, 1.0, as_needed)
    assert touching.parts[:, :, 1].sum(-1).min() > 0.95

    moved, left = Stage(hug, bodies).settled(hug)

    errors = hand_errors(Pose.of(moved), touching)
    assert errors.reached.all()
    assert errors.off.max() < 0.02
    assert left.hand_max_cm < 2
    assert added(source, Pose.of(moved)).max() < 0.01
    free = Stage(hug, bodies, options=Options(contact=0.0)).on_bodies(hug)
    assert hand_errors(Pose.of(free), touching).off.max() > 0.03


def test_a_forearm_between_two_thighs_leaves_both_at_once_and_they_stay() -> None:
    points = np.arange(2 * 25 * 3).reshape(1, 2, 25, 3) * 10.0
    elbow, wrist = JOINT["right_elbow"], JOINT["right_wrist"]
    points[0, 0, [elbow, wrist]] = [[0, 0, 0], [0.3, 0, 0.01]]
    for side, height in (("left", 0.05), ("right", -0.04)):
        points[0, 1, [JOINT[f"{side}_hip"], JOINT[f"{side}_knee"]]] = [[-0.2, height, -0.02], [0.4, height, -0.02]]
    thick, free = radii(np.stack([neutral_offsets()] * 2)), np.ones((1, 2, 2))
    before = gaps_between(points, thick, EVERY, EVERY).depth

    for _ in range(2):
        middles, ends = ways_out(points, thick, np.zeros((1, 13, 13)), free, np.array([True, True]))
        points[0, 0, elbow] += middles[0, 0, 3]
        points[0, 0, wrist] += ends[0, 0, 3]
        assert not middles[0, 1].any()

    assert (before[0, 12] > 0.03).sum() == 2
    assert gaps_between(points, thick, EVERY, EVERY).depth.max() < 1e-3


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_a_motion_shorter_than_its_easing_is_settled_too(frames: int) -> None:
    hug = embrace().slice(0, frames)

    moved, left = Stage(hug, [body(1.0), body(0.6)]).settled(hug)

    assert moved.frames == frames
    assert np.isfinite(moved.rotations).all()
    assert left.hand_max_cm < 2


def test_nothing_is_kept_of_contacts_where_the_animator_wants_none() -> None:
    pair = standing_pair(neutral_offsets())
    bodies = [body(1.1), body(0.9)]

    free = Stage(pair, bodies, options=Options(contact=0.0)).on_bodies(pair)
    half = Stage(pair, bodies, options=Options(contact=0.5)).on_bodies(pair)
    held = Stage(pair, bodies).on_bodies(pair)

    arms = [JOINT[f"right_{joint}"] for joint in ("shoulder", "elbow")]
    assert degrees(pair, free)[:, :, arms].max() < 0.1
    assert right_gap(held).max() < right_gap(half).min() < right_gap(free).min()


def test_in_place_keeps_the_middle_of_the_pair_where_it_was() -> None:
    pair = standing_pair(neutral_offsets())
    walking = replace(pair, root=pair.root + np.arange(pair.frames)[:, None, None] / 30 * [0.8, 0, 0.3])

    moved = Stage(walking, [body(1.2), body(0.9)], options=Options(in_place=True)).settled(walking)[0]

    assert np.ptp(moved.root.mean(1)[:, [0, 2]], axis=0).max() < 1e-4
    assert right_gap(moved).max() < 0.02


def test_kept_heights_are_those_of_the_source() -> None:
    motion = on_their_toes(neutral_offsets(), 10, creep=0.0)
    hips = [JOINT["left_hip"], JOINT["right_hip"]]

    kept = Stage(motion, [body(1.2)], options=Options(keep_heights=True)).on_bodies(motion)
    grown = Stage(motion, [body(1.2)]).on_bodies(motion)

    source = motion.positions()[:, :, hips, 1]
    np.testing.assert_allclose(kept.positions()[:, :, hips, 1], source, atol=5e-3)
    np.testing.assert_allclose(grown.positions()[:, :, hips, 1], source * 1.2, atol=5e-3)


def test_easing_begins_early_ends_late_and_never_gives_less() -> None:
    needed = np.zeros((60, 2), np.float32)
    needed[30, 0], needed[20:25, 1] = 1.0, 0.5

    eased = in_time(30)(needed)

    assert (eased >= needed - 1e-6).all()
    assert np.abs(np.diff(eased, axis=0)).max() < 0.25
    assert eased[:20, 0].max() == 0
    assert eased[41:, 0].max() == 0


def test_smoothing_keeps_what_is_steady_and_spreads_what_is_sudden() -> None:
    moves = np.zeros((40, 3), np.float32)
    moves[:, 0], moves[20, 1] = 0.3, 1.0

    smooth = in_time(30).smooth(moves)

    np.testing.assert_allclose(smooth[:, 0], 0.3, atol=1e-6)
    assert smooth[:, 1].max() < 0.6
    np.testing.assert_allclose(smooth[:, 1].sum(), 1.0, atol=1e-5)
    assert as_needed.smooth(moves) is moves


def test_landmarks_have_the_palms_beyond_the_wrists() -> None:
    pair = standing_pair(neutral_offsets(1.3))

    points = landmarks(Pose.of(pair))

    wrists = points[:, :, [JOINT["left_wrist"], JOINT["right_wrist"]]]
    np.testing.assert_allclose(np.linalg.norm(points[:, :, PALMS] - wrists, axis=-1), 0.09 * 1.3, atol=1e-5)
