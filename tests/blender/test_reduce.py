"""Few keys in the place of one on every frame, on a Mixamo and a Rigify character."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon import compat
from blender_addon.animation.capture import capture
from blender_addon.animation.footing import Footing, footing_of
from blender_addon.animation.key_arrays import Keys
from blender_addon.animation.reduction import Bounds, reduce_keys
from blender_addon.retarget.feet import Stance
from blender_addon.retarget.options import ON_OBJECT, ON_ROOT_BONE, Options
from blender_addon.retarget.pose import Pose
from blender_addon.retarget.residuals import planted_speeds
from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets
from tests.blender.stage import duologue, refused
from tests.blender.test_controls import FRAMES, degrees, put_on, rita, rita_file, walking

__all__ = ["rita", "rita_file"]
context: Any = bpy.context
BOUNDS = Bounds(degrees=1.0, metres=0.005)


def reduce(target: Any, bounds: Bounds = BOUNDS) -> Any:
    return reduce_keys(context.scene, target, target.animation_data.action, target.animation_data.action_slot, bounds)


def counts(target: Any) -> dict[tuple[str, int], int]:
    return {(one.data_path, one.array_index): len(one.keyframe_points) for one in curves_of(target)}


def curves_of(target: Any) -> list[Any]:
    return compat.fcurves_of(target.animation_data.action, target.animation_data.action_slot)


@pytest.mark.parametrize("ik", [False, True], ids=["FK", "IK"])
def test_few_keys_play_what_many_did(rita: Any, ik: bool) -> None:
    put_on(rita, walking(), Options(ik=ik))
    before = {
        (one.data_path, one.array_index): [one.evaluate(f) for f in range(1, FRAMES + 1)] for one in curves_of(rita)
    }
    read = capture(context.scene, [rita], 1, FRAMES)

    saving = reduce(rita)

    assert saving.before == FRAMES * (len(before) - switches(rita)) + switches(rita)
    assert saving.after == sum(len(one.keyframe_points) for one in curves_of(rita)) < saving.before / 4
    again = capture(context.scene, [rita], 1, FRAMES)
    assert degrees(read, again).mean() < 1.0
    assert np.linalg.norm(read.positions() - again.positions(), axis=-1).mean() < 0.01
    for one in curves_of(rita):
        if one.data_path.endswith("location"):
            off = np.abs(
                [one.evaluate(f) for f in range(1, FRAMES + 1)] - np.array(before[one.data_path, one.array_index])
            )
            assert off.max() < BOUNDS.metres + 1e-4


def standing() -> Motion:
    """One person who stands on bent legs while the hips go to and fro."""
    t = np.arange(FRAMES) / 30
    q = np.zeros((FRAMES, 1, 22, 4), np.float32)
    q[..., 0] = 1
    for side in ("left", "right"):
        for joint, angle in (("hip", -0.35), ("knee", 0.7), ("ankle", -0.35)):
            q[:, 0, JOINT[f"{side}_{joint}"]] = rot.from_axis_angle(np.array([1.0, 0, 0]), np.array(angle))
    q[:, 0, JOINT["pelvis"]] = rot.from_axis_angle(np.array([0, 1.0, 0]), 0.04 * np.sin(3 * t))
    root = np.stack((0.012 * np.sin(6 * t), 0.01 * np.sin(4 * t), 0.02 * np.cos(2 * t)), axis=-1)[:, None]
    motion = Motion(30, root, q, neutral_offsets()[None])
    return replace(motion, root=root - [0, motion.positions()[0, 0, JOINT["left_foot"], 1], 0])


@pytest.mark.parametrize("ik", [False, True], ids=["FK", "IK"])
def test_standing_feet_stay_where_they_are(rita: Any, ik: bool) -> None:
    put_on(rita, standing(), Options(ik=ik))
    read = Pose.of(capture(context.scene, [rita], 1, FRAMES))
    pivots = Stance(30, read.offsets).push(read)
    assert np.percentile(planted_speeds(read, pivots, 30), 95) < 0.005

    saving = reduce(rita)

    again = Pose.of(capture(context.scene, [rita], 1, FRAMES))
    speeds = planted_speeds(again, pivots, 30)
    assert len(speeds) > FRAMES
    assert np.percentile(speeds, 95) < 0.03
    feet = [JOINT["left_foot"], JOINT["right_foot"]]
    assert np.linalg.norm(read.joints()[:, :, feet] - again.joints()[:, :, feet], axis=-1).max() < 0.005
    assert saving.after < saving.before / 3


@pytest.mark.parametrize(
    ("options", "moving"),
    [
        (Options(), {"torso", "spine_fk", "spine_fk.001", "thigh_fk.L", "shin_fk.L", "foot_fk.L"}),
        (Options(ik=True), {"foot_ik.L"}),
        (Options(ik=True, root=ON_ROOT_BONE), {"foot_ik.L", "root"}),
        (Options(ik=True, root=ON_OBJECT), {"foot_ik.L", ""}),
    ],
    ids=["FK", "IK", "IK and root", "IK and object"],
)
def test_what_moves_a_foot_is_what_carries_it(rita: Any, options: Options, moving: set[str]) -> None:
    put_on(rita, standing(), options)
    keyed = {one.data_path.split('"')[1] if '"' in one.data_path else "" for one in curves_of(rita)}

    footing = footing_of(context.scene, rita, keyed, 1, FRAMES)

    assert footing.stands.all()
    assert set(footing.levers[0]) == moving
    foot = next(footing.levers[0][one] for one in moving if "foot" in one)
    assert 0.08 < foot < 0.2


def test_a_foot_between_two_frames_that_were_read_stands_if_it_does_in_either() -> None:
    stands = np.array([[False, False], [True, False], [False, False], [False, True]])
    footing = Footing(np.array([1.0, 1.8, 2.6, 3.4]), stands, ({"hips": 0.9}, {"hips": 0.8, "thigh": 0.7}))

    assert footing.levers_at("hips", np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [0, 0.9, 0.8, 0.8]
    assert footing.levers_at("thigh", np.array([1.0, 2.0, 3.0])).tolist() == [0, 0, 0.7]
    assert not footing.levers_at("head", np.array([2.0])).any()


def test_what_is_no_person_is_reduced_too(rita: Any) -> None:
    crane: Any = bpy.data.objects.new("Crane", bpy.data.armatures.new("Crane"))
    context.scene.collection.objects.link(crane)
    context.view_layer.objects.active = crane
    bpy.ops.object.mode_set(mode="EDIT")
    crane.data.edit_bones.new("beam").tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    beam = crane.pose.bones["beam"]
    beam.rotation_mode = "XYZ"
    for frame in range(1, FRAMES + 1):
        beam.rotation_euler[1] = np.sin(frame / 20)
        beam.keyframe_insert("rotation_euler", frame=frame)

    assert reduce(crane).after < 3 * FRAMES / 4


def switches(target: Any) -> int:
    return sum(one.data_path.endswith("]") for one in curves_of(target))


def test_keys_of_one_property_stand_on_the_same_frames_with_aligned_handles(rita: Any) -> None:
    put_on(rita, walking(), Options())
    reduce(rita)

    found: dict[str, set[tuple[float, ...]]] = {}
    for one in curves_of(rita):
        found.setdefault(one.data_path, set()).add(tuple(Keys.of(one).co[:, 0]))
    assert all(len(frames) == 1 for frames in found.values())
    elbow = next(one for one in curves_of(rita) if "forearm_fk.L" in one.data_path)
    keys = Keys.of(elbow)
    assert {point.interpolation for point in elbow.keyframe_points} == {"BEZIER"}
    assert {point.handle_left_type for point in elbow.keyframe_points} == {"ALIGNED"}
    assert (keys.handle_left[1:, 0] < keys.co[1:, 0]).all()


@pytest.mark.parametrize("mode", ["XYZ", "ZXY", "AXIS_ANGLE"])
def test_other_rotation_modes_are_reduced_too(rita: Any, mode: str) -> None:
    rita.rotation_mode = mode
    for bone in rita.pose.bones:
        if not bone.name.startswith(("MCH", "ORG", "DEF")):
            bone.rotation_mode = mode
    put_on(rita, walking(), Options(root=ON_OBJECT))
    read = capture(context.scene, [rita], 1, FRAMES)

    saving = reduce(rita)

    assert saving.after < saving.before / 3
    assert degrees(read, capture(context.scene, [rita], 1, FRAMES)).mean() < 0.5


def test_switches_modified_curves_and_few_keys_stay_as_they_are(rita: Any) -> None:
    put_on(rita, walking(), Options())
    noisy = next(one for one in curves_of(rita) if '["head"].rotation' in one.data_path)
    noisy.modifiers.new("NOISE")
    reduce(rita)
    kept = counts(rita)

    assert len(noisy.keyframe_points) == FRAMES
    assert kept['pose.bones["thigh_parent.L"]["IK_FK"]', 0] == 1
    few = {curve: count for curve, count in kept.items() if count <= 2}
    reduce(rita)
    assert few
    assert counts(rita).items() >= few.items()


def test_the_operator_reduces_both_characters_in_one_undo_step(stage, backend, addon):
    backend()
    stage.run(duologue.generate)
    bpy.ops.ed.undo_push(message="before")
    before = stage.keys(stage.a), stage.keys(stage.b)

    duologue.reduce_keys(degrees=2.0, centimetres=1.0)
    bpy.ops.ed.undo_push(message="after")
    after = stage.keys(stage.a), stage.keys(stage.b)
    assert after[0] < before[0] / 2
    assert after[1] < before[1] / 2

    bpy.ops.ed.undo()
    assert stage.keys(bpy.data.objects["Alice"]) == before[0]
    assert stage.keys(bpy.data.objects["Bob"]) == before[1]


def test_nothing_to_reduce_is_said(stage):
    assert "plays an action" in refused(duologue.reduce_keys)


def test_a_linked_action_is_not_changed(stage, tmp_path: Path):
    action = bpy.data.actions.new("Far")
    action.slots.new(id_type="OBJECT", name="Alice")
    path = str(tmp_path / "far.blend")
    bpy.data.libraries.write(path, {action}, fake_user=True)
    bpy.data.actions.remove(action)
    libraries: Any = bpy.data.libraries
    with libraries.load(path, link=True) as (_, wanted):
        wanted.actions = ["Far"]
    data = stage.a.animation_data_create()
    linked: Any = wanted.actions[0]
    data.action, data.action_slot = linked, linked.slots[0]

    assert "linked from another file" in refused(duologue.reduce_keys)
