"""Motion to rig and back on rigs made of numbers, and what happens to two persons on the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.retarget.body import palms
from blender_addon.retarget.detect import best_map
from blender_addon.retarget.euler import channel_values
from blender_addon.retarget.pair import Partner, Stage
from blender_addon.retarget.rest_pose import Calibration, calibrate
from blender_addon.retarget.rig import Rig
from blender_addon.retarget.timing import Resampler
from blender_addon.retarget.transfer import plain_drive, to_channels, to_motion
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion, joined_as_persons, joined_in_time
from protocol.skeleton import JOINT, neutral_offsets
from tests.unit.synthetic_rigs import humanoid, posed

FRAMES = 40


def calibrated(rig: Rig) -> Calibration:
    return calibrate(rig, best_map(rig).bones)


def random_motion(offsets: np.ndarray, seed: int = 0, turn: float = 0.5) -> Motion:
    """Every joint anywhere: no two frames are alike."""
    draw = np.random.default_rng(seed)
    shape = (FRAMES, 1, 22)
    q = rot.normalize(np.concatenate((np.full((*shape, 1), 2.0), draw.normal(size=(*shape, 3)) * turn), axis=-1))
    return Motion(30, draw.normal(size=(FRAMES, 1, 3)) * 0.3 + [0, 0.95, 0], q, offsets[None])


def played(rig: Rig, calibration: Calibration, motion: Motion) -> np.ndarray:
    """World matrices of the mapped bones after the motion was written onto the rig's channels."""
    channels = to_channels(motion, calibration, plain_drive(rig, calibration))
    carrier = calibration.bones[calibration.location]
    return posed(rig, calibration.bones, channels.rotations, carrier, channels.location)


def degrees(a: Motion, b: Motion) -> np.ndarray:
    """Angle (T, P, 22) between the joints' rotations."""
    return np.degrees(2 * np.arccos(np.clip(np.abs(np.sum(a.rotations * b.rotations, axis=-1)), 0, 1)))


def transform(scale: float) -> np.ndarray:
    world = np.eye(4)
    world[:3, :3] = rot.to_matrix(rot.from_axis_angle(np.array([0.3, 1, 0.2]), 1.1)) * scale
    world[:3, 3] = [3, 0.5, 1]
    return world


RIGS = {
    "T-pose": lambda: humanoid(),
    "A-pose": lambda: humanoid(arms_down=50, legs_apart=8),
    "arms hanging": lambda: humanoid(arms_down=88),
    "random rolls": lambda: humanoid(arms_down=45, rolls=np.random.default_rng(1)),
    "turned and scaled object": lambda: humanoid(
        arms_down=45, rolls=np.random.default_rng(2), world=transform(0.01), scale=100
    ),
}


@pytest.mark.parametrize("make", RIGS.values(), ids=RIGS.keys())
def test_motion_written_onto_a_rig_and_read_back_is_the_same_motion(make) -> None:
    rig = make()
    calibration = calibrated(rig)
    motion = random_motion(calibration.offsets)

    read = to_motion(30, played(rig, calibration, motion), calibration)

    assert degrees(motion, read).mean() < 0.05
    assert degrees(motion, read).max() < 0.2
    np.testing.assert_allclose(read.root, motion.root, atol=1e-4)


@pytest.mark.parametrize("make", RIGS.values(), ids=RIGS.keys())
def test_the_t_pose_is_found_in_any_rest_pose(make) -> None:
    offsets = calibrated(make()).offsets

    np.testing.assert_allclose(offsets, neutral_offsets(), atol=1e-4)


@pytest.mark.parametrize("make", RIGS.values(), ids=RIGS.keys())
def test_bones_point_where_the_joints_of_the_motion_are(make) -> None:
    rig = make()
    calibration = calibrated(rig)
    motion = random_motion(calibration.offsets)

    heads = played(rig, calibration, motion)[..., :3, 3]

    for joint in ("left_elbow", "right_wrist", "left_ankle", "right_foot", "head"):
        bone = calibration.bone(joint)
        np.testing.assert_allclose(heads[:, bone], motion.positions()[:, 0, JOINT[joint]], atol=2e-3)


def respined(count: int) -> tuple[Rig, dict[str, tuple[str, ...]]]:
    """A rig with ``count`` spine bones in the place of three."""
    rig = humanoid(rolls=np.random.default_rng(3))
    low, high = rig.index("spine1"), rig.index("neck")
    names = tuple(f"back{number}" for number in range(count))
    start, end = rig.rest[low, :3, 3], rig.rest[high, :3, 3]
    bones, parents, rest, tails = list(rig.bones), list(rig.parents), list(rig.rest), list(rig.tails)
    for number in range(count):
        matrix = rig.rest[low].copy()
        matrix[:3, 3] = start + (end - start) * number / count
        bones.append(names[number])
        parents.append(len(bones) - 2 if number else 0)
        rest.append(matrix)
        tails.append(start + (end - start) * (number + 1) / count)
    for name in ("neck", "left_collar", "right_collar"):
        parents[rig.index(name)] = len(bones) - 1
    order = sorted(range(len(bones)), key=lambda bone: _depth(bone, parents))
    place = {old: new for new, old in enumerate(order)}
    new = Rig(
        "respined",
        tuple(bones[old] for old in order),
        tuple(place[parents[old]] if parents[old] >= 0 else -1 for old in order),
        np.array([rest[old] for old in order]),
        np.array([tails[old] for old in order]),
        rig.world,
    )
    found = dict(best_map(rig).bones)
    return new, {**found, "spine": names}


def _depth(bone: int, parents: list[int]) -> int:
    return 0 if parents[bone] < 0 else 1 + _depth(parents[bone], parents)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_spine_bends_as_a_whole_over_however_many_bones_there_are(count: int) -> None:
    rig, bones = respined(count)
    calibration = calibrate(rig, bones)
    motion = random_motion(calibration.offsets, turn=0.15)

    read = to_motion(30, played(rig, calibration, motion), calibration)

    chest = [JOINT[name] for name in ("spine3", "head", "left_shoulder", "left_wrist", "pelvis", "left_ankle")]
    world, seen = (one.forward_kinematics()[1][:, 0, chest] for one in (motion, read))
    assert np.abs(np.sum(world * seen, axis=-1)).min() > np.cos(np.radians(0.5) / 2)
    assert degrees(motion, read).mean() < (0.05 if count == 3 else 4.0)


def test_a_rig_turned_inside_out_is_refused() -> None:
    world = np.diag([-1.0, 1, 1, 1])

    with pytest.raises(DuologueError, match="scale"):
        calibrated(humanoid(world=world))


def standing_pair(offsets: np.ndarray) -> Motion:
    """Two persons who face each other, the right hands stretched towards a common point; both sway a little."""
    time = np.linspace(0, 2 * np.pi, FRAMES)
    persons = []
    for sign in (1, -1):
        q = np.tile(rot.IDENTITY, (FRAMES, 1, 22, 1))
        q[:, 0, 0] = rot.about_y(np.full(FRAMES, 0.0 if sign > 0 else np.pi))
        down = rot.from_axis_angle(np.array([0, 0, 1.0]), np.full(FRAMES, -1.4))
        q[:, 0, JOINT["left_shoulder"]] = down
        lift = rot.multiply(rot.about_y(np.full(FRAMES, 1.35)), rot.from_axis_angle(np.array([0, 0, 1.0]), 0.35))
        q[:, 0, JOINT["right_shoulder"]] = lift
        bend = 0.2 + 0.1 * np.sin(time)
        q[:, 0, JOINT["left_knee"]] = rot.from_axis_angle(np.array([1.0, 0, 0]), bend)
        q[:, 0, JOINT["left_hip"]] = rot.from_axis_angle(np.array([1.0, 0, 0]), -bend / 2)
        root = np.zeros((FRAMES, 1, 3))
        root[:, 0] = [0.0, 0.9, -sign * 0.62]
        persons.append(Motion(30, root, q, offsets[None]))
    pair = joined_as_persons(persons)
    hands = palms(pair)
    gap = hands[0, 1, 1] - hands[0, 0, 1]
    root = pair.root.copy()
    root[:, 1] -= gap * [1, 0, 1]
    return Motion(30, root, pair.rotations, pair.offsets)


def test_hands_that_meet_also_meet_on_bodies_of_other_sizes() -> None:
    pair = standing_pair(neutral_offsets())
    bodies = [calibrated(humanoid(scale=scale, arms_down=45)) for scale in (1.12, 0.92)]
    assert np.linalg.norm(palms(pair)[:, 0, 1] - palms(pair)[:, 1, 1], axis=-1).max() < 0.05

    on_rigs = Stage(pair, bodies).on_bodies(pair)

    apart = np.linalg.norm(palms(on_rigs)[:, 0, 1] - palms(on_rigs)[:, 1, 1], axis=-1)
    assert apart.max() < 0.06


def test_a_hand_on_the_shoulder_of_a_taller_partner_lies_there_too() -> None:
    pair = standing_pair(neutral_offsets())
    shoulder = JOINT["left_shoulder"]
    gap = palms(pair)[0, 1, 1] - pair.positions()[0, 0, shoulder] - [0, 0.05, 0.1]
    reaching = Motion(30, pair.root - np.stack((0 * gap, gap)), pair.rotations, pair.offsets)
    bodies = [calibrated(humanoid(scale=scale)) for scale in (1.12, 0.92)]
    before = palms(reaching)[:, 1, 1] - reaching.positions()[:, 0, shoulder]

    on_rigs = Stage(reaching, bodies).on_bodies(reaching)

    after = palms(on_rigs)[:, 1, 1] - on_rigs.positions()[:, 0, shoulder]
    assert np.linalg.norm(after - before, axis=-1).max() < 0.05


def test_a_lone_reaction_meets_the_hand_of_the_partner_that_stays_as_it_is() -> None:
    pair = standing_pair(neutral_offsets())
    partner, actor = pair.person(0), pair.person(1)
    body = calibrated(humanoid(scale=0.9))

    alone = Stage(actor, [body]).on_bodies(actor)
    led = Stage(actor, [body], beside=Partner(partner, 0.0)).on_bodies(actor)

    there = palms(partner)[:, 0, 1]
    assert np.linalg.norm(palms(alone)[:, 0, 1] - there, axis=-1).min() > 0.08
    assert np.linalg.norm(palms(led)[:, 0, 1] - there, axis=-1).max() < 0.05


def test_a_partner_whose_toes_are_over_the_floor_is_met_where_it_stands() -> None:
    pair = standing_pair(neutral_offsets())
    partner, actor = pair.person(0), pair.person(1)
    body = replace(calibrated(humanoid()), clearance=0.03)
    there = palms(partner)[:, 0, 1] + [0, 0.03, 0]

    led = Stage(actor, [body], beside=Partner(partner, 0.03)).on_bodies(actor)

    assert np.linalg.norm(palms(led)[:, 0, 1] - there, axis=-1).max() < 0.01
    # Both stand so much higher, so that nothing but the hands' little gap is left to be closed.
    np.testing.assert_allclose(led.root, np.add(actor.root, [0, 0.03, 0]), atol=2e-3)


def leaning_over_the_right_foot(offsets: np.ndarray) -> Motion:
    """The body sways to both sides, by a turn of the bent right leg about its ankle, which stays where it is."""
    hip, knee, ankle = (JOINT[f"right_{joint}"] for joint in ("hip", "knee", "ankle"))
    sway = rot.from_axis_angle(np.array([0, 0, 1.0]), 0.25 * np.sin(np.linspace(0, 2 * np.pi, FRAMES)))
    bend = rot.from_axis_angle(np.array([1.0, 0, 0]), np.full(FRAMES, 0.4))
    q = np.tile(rot.IDENTITY.astype(float), (FRAMES, 1, 22, 1))
    q[:, 0, hip], q[:, 0, knee] = sway, bend
    leg = offsets[hip] + rot.rotate(sway, offsets[knee] + rot.rotate(bend, offsets[ankle]))
    return Motion(30, (np.array([0.0, 0.06, 0]) - leg)[:, None], q, offsets[None])


@pytest.mark.parametrize("scale", [0.85, 1.0, 1.2])
def test_a_planted_foot_stays_planted_on_a_body_of_another_size(scale: float) -> None:
    motion = leaning_over_the_right_foot(neutral_offsets())
    pair = joined_as_persons([motion, motion.moved(rot.IDENTITY, np.array([0, 0, 1.0]))])
    assert np.ptp(pair.root[:, 0], axis=0).max() > 0.3

    on_rigs = Stage(pair, [calibrated(humanoid(scale=scale)), calibrated(humanoid())]).on_bodies(pair)

    ankles = on_rigs.positions()[:, :, JOINT["right_ankle"]]
    assert np.ptp(ankles, axis=0).max() < 1e-3
    np.testing.assert_allclose(ankles[0, :, 1], [0.06 * scale, 0.06], atol=1e-3)


def test_bodies_like_those_of_the_motion_change_nothing() -> None:
    pair = standing_pair(neutral_offsets())

    same = Stage(pair, [calibrated(humanoid()), calibrated(humanoid())]).on_bodies(pair)

    np.testing.assert_allclose(same.positions(), pair.positions(), atol=8e-3)


def test_what_fits_the_bodies_already_is_left_alone() -> None:
    motions = [random_motion(neutral_offsets(), seed, turn=0.15) for seed in (1, 2)]
    bodies = [calibrated(humanoid(scale=scale)) for scale in (1.1, 0.9)]
    once = Stage(joined_as_persons(motions), bodies).on_bodies(joined_as_persons(motions))

    twice = Stage(once, bodies).on_bodies(once)

    assert degrees(once, twice).mean() < 0.2
    np.testing.assert_allclose(twice.positions(), once.positions(), atol=5e-3)


def test_a_pair_shares_one_ground_scale_about_its_midpoint() -> None:
    pair = standing_pair(neutral_offsets())
    bodies = [calibrated(humanoid(scale=scale)) for scale in (1.2, 1.0)]

    on_rigs = Stage(pair, bodies).on_bodies(pair)

    across = on_rigs.root[0, 1] - on_rigs.root[0, 0]
    before = pair.root[0, 1] - pair.root[0, 0]
    np.testing.assert_allclose(across[2] / before[2], 1.1, atol=0.01)
    np.testing.assert_allclose(on_rigs.root[0].mean(0)[[0, 2]], pair.root[0].mean(0)[[0, 2]], atol=0.01)
    assert on_rigs.root[0, 0, 1] > on_rigs.root[0, 1, 1] + 0.1


@pytest.mark.parametrize("rate", [24.0, 25.0, 29.97, 30.0, 60.0, 120.0])
@pytest.mark.parametrize("step", [1, 7, 40])
def test_stretches_resample_to_what_the_whole_motion_does(rate: float, step: int) -> None:
    motion = random_motion(neutral_offsets())
    whole = Resampler(rate, FRAMES).push(motion, 0)[1]
    assert whole is not None

    resampler, stretches, starts = Resampler(rate, FRAMES), [], []
    for start in range(0, FRAMES, step):
        first, stretch = resampler.push(motion.slice(start, min(start + step, FRAMES)), start)
        if stretch is not None:
            stretches.append(stretch)
            starts.append(first)

    joined = joined_in_time(stretches)
    assert starts == [0, *np.cumsum([one.frames for one in stretches])[:-1]]
    assert joined.frames == int((FRAMES - 1) * rate / 30 + 1e-6) + 1
    np.testing.assert_allclose(joined.root, whole.root, atol=1e-5)
    assert degrees(joined, whole).max() < 0.1


def test_a_stretch_out_of_order_is_refused() -> None:
    motion = random_motion(neutral_offsets())
    resampler = Resampler(30, FRAMES)
    resampler.push(motion.slice(0, 10), 0)

    with pytest.raises(DuologueError, match="came after"):
        resampler.push(motion.slice(20, 30), 20)


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_channels_of_every_rotation_mode_mean_the_rotation(mode: str) -> None:
    q = random_motion(neutral_offsets()).rotations[:, 0, 3].astype(float)

    back = _rotation(channel_values(q, mode, None), mode)

    assert np.abs(np.sum(back * q, axis=-1)).min() > 1 - 1e-6


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "ZXY"])
def test_channels_of_a_slow_turn_never_jump_not_even_between_stretches(mode: str) -> None:
    axis = np.array([0.2, 1.0, 0.1])
    q = rot.from_axis_angle(axis, np.linspace(0, 4 * np.pi, 200))
    q[100:] *= -1  # the same rotations, with the other sign

    first = channel_values(q[:120], mode, None)
    second = channel_values(q[120:], mode, first[-1])

    assert np.abs(np.diff(np.concatenate((first, second)), axis=0)).max() < 1.0


def _rotation(values: np.ndarray, mode: str) -> np.ndarray:
    if mode == "QUATERNION":
        return values
    if mode == "AXIS_ANGLE":
        return rot.from_axis_angle(values[:, 1:], values[:, 0])
    turned = np.tile(np.array([1.0, 0, 0, 0]), (len(values), 1))
    for axis in mode:
        number = "XYZ".index(axis)
        turned = rot.multiply(rot.from_axis_angle(np.eye(3)[number], values[:, number]), turned)
    return turned
