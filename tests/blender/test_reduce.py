"""Few keys in the place of one on every frame, on a Mixamo and a Rigify character."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon import compat
from blender_addon.animation.capture import capture
from blender_addon.animation.key_arrays import Keys
from blender_addon.animation.reduction import Bounds, reduce_keys
from blender_addon.retarget.options import ON_OBJECT, Options
from tests.blender.stage import duologue, refused
from tests.blender.test_controls import FRAMES, degrees, put_on, rita, rita_file, walking

__all__ = ["rita", "rita_file"]
context: Any = bpy.context
BOUNDS = Bounds(degrees=1.0, metres=0.005)


def reduce(target: Any, bounds: Bounds = BOUNDS) -> Any:
    return reduce_keys(target, target.animation_data.action, target.animation_data.action_slot, bounds)


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
    kept = {(one.data_path, one.array_index): len(one.keyframe_points) for one in curves_of(rita)}

    assert len(noisy.keyframe_points) == FRAMES
    assert kept['pose.bones["thigh_parent.L"]["IK_FK"]', 0] == 1
    assert reduce(rita).after == sum(kept.values())


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
