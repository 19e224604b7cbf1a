"""The T-pose of a character corrected by hand on a copy of it, which leaves the character alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Quaternion

from tests.blender.stage import Stage, bone_of, context, duologue, refused, scene_object

LIFT = np.radians(20)


def state(character: Any) -> tuple[Any, ...]:
    """All that editing a calibration must leave alone."""
    layer = context.view_layer
    data = character.animation_data
    return (
        {bone.name: tuple(map(tuple, bone.matrix_basis)) for bone in character.pose.bones},
        [tuple(map(tuple, bone.matrix_local)) for bone in character.data.bones],
        tuple(map(tuple, character.matrix_world)),
        data and (data.action, data.action_slot, data.use_nla, len(data.nla_tracks)),
        sorted(one.name for one in bpy.data.objects),
        sorted(one.name for one in bpy.data.actions),
        sorted(one.name for one in context.selected_objects),
        layer.objects.active.name,
        layer.objects.active.mode,
        [one.visible_get() for one in bpy.data.objects],
    )


def posed_and_keyed(character: Any) -> None:
    """Give a character an action, and a pose that has no keys."""
    arm, leg = (character.pose.bones[bone_of(character, name).name] for name in ("LeftArm", "RightUpLeg"))
    for frame, turn in ((1, 0.0), (20, 0.5)):
        arm.rotation_quaternion = Quaternion((1, 0, 0), turn)
        arm.keyframe_insert("rotation_quaternion", frame=frame)
    leg.rotation_quaternion = (0.8, 0.6, 0, 0)
    context.scene.frame_set(10)


def lifted(copy: Any) -> None:
    """Lift the left arm of the copy by 20 degrees, as seen from the front."""
    bone = copy.pose.bones[bone_of(copy, "LeftArm").name]
    matrix = bone.matrix.copy()
    turned = (Quaternion((0, 1, 0), -LIFT).to_matrix() @ matrix.to_3x3()).to_4x4()
    turned.translation = matrix.translation
    bone.matrix = turned
    context.view_layer.update()


def corrections(addon: Any, character: Any) -> Any:
    return addon("animation.own_map").corrections_of(character)


def test_a_copy_stands_in_the_t_pose_while_the_character_keeps_everything(stage, addon):
    posed_and_keyed(stage.a)
    stage.a.location = (1, -2, 0)
    context.view_layer.update()
    before = state(stage.a)

    duologue.calibrate(character="Alice")

    held = addon("calibrating").calibrating(stage.scene)
    copy = held.copy
    assert (context.object, context.mode) == (copy, "POSE")
    assert not stage.a.visible_get()
    assert before[0] == state(stage.a)[0]
    for side, sign in (("Left", 1), ("Right", -1)):
        shoulder, hand, hip, foot = (
            copy.matrix_world @ copy.pose.bones[bone_of(copy, side + name).name].head
            for name in ("Arm", "Hand", "UpLeg", "Foot")
        )
        assert sign * (hand - shoulder).normalized().x > 0.999
        assert (foot - hip).normalized().z < -0.999
        assert abs(hip.x - 1) < 0.2
    objects: Any = bpy.data.objects
    skins = [one.modifiers[0].object for one in objects if one.type == "MESH" and one.visible_get()]
    assert copy in skins

    duologue.calibration_cancel()
    assert state(stage.a) == before
    assert corrections(addon, stage.a) == {}


def test_what_is_applied_is_kept_with_the_character_and_turns_its_arms(stage, backend, addon):
    backend()
    posed_and_keyed(stage.a)
    before = state(stage.a)
    measure = addon("animation.measured").measure
    plain = measure(stage.a).calibration

    duologue.calibrate(character="Alice")
    lifted(addon("calibrating").calibrating(stage.scene).copy)
    duologue.calibration_apply()

    found = corrections(addon, stage.a)
    assert "left_shoulder" in found
    assert set(found) <= {"left_shoulder", "left_elbow", "left_wrist"}
    for turn in found.values():
        assert abs(2 * np.arccos(turn[0]) - LIFT) < 0.01
        np.testing.assert_allclose(np.abs(turn[3]), np.sin(LIFT / 2), atol=0.01)
    assert state(stage.a) == before
    corrected = measure(stage.a).calibration
    bone = corrected.bone("left_shoulder")
    assert abs(float(np.sum(plain.rest[bone] * corrected.rest[bone]))) < np.cos(LIFT / 2) + 1e-3

    duologue.calibrate(character="Alice")
    copy = addon("calibrating").calibrating(stage.scene).copy
    shoulder, hand = (copy.pose.bones[bone_of(copy, name).name].head for name in ("LeftArm", "LeftHand"))
    assert abs(abs((hand - shoulder).normalized().z) - np.sin(LIFT)) < 0.02
    duologue.calibration_apply()
    again = corrections(addon, stage.a)
    assert again.keys() == found.keys()

    duologue.calibration_forget(character="Alice")
    assert corrections(addon, stage.a) == {}


def test_corrections_go_with_the_preset(stage, addon, tmp_path: Path):
    duologue.calibrate(character="Alice")
    lifted(addon("calibrating").calibrating(stage.scene).copy)
    duologue.calibration_apply()
    path = str(tmp_path / "alice.json")

    duologue.save_bone_map(character="Alice", filepath=path)
    duologue.load_bone_map(character="Bob", filepath=path)

    assert corrections(addon, stage.b).keys() == corrections(addon, stage.a).keys() != set()


@pytest.mark.parametrize("override", [False, True], ids=["linked", "override"])
def test_linked_rigs_are_calibrated_on_a_copy_and_the_scene_keeps_it(stage, addon, cast_file, override, tmp_path):
    libraries: Any = bpy.data.libraries
    for one in list(bpy.data.objects):
        bpy.data.objects.remove(one)
    with libraries.load(cast_file, link=True) as (available, wanted):
        wanted.objects = available.objects
    for one in wanted.objects:
        context.scene.collection.objects.link(one)
    rig = next(one for one in wanted.objects if one.name == "Alice")
    if override:
        rig = rig.override_create(remap_local_usages=True)
    context.view_layer.update()
    context.view_layer.objects.active = rig
    before = state(rig)

    duologue.calibrate(character=rig.name)
    lifted(addon("calibrating").calibrating(stage.scene).copy)
    duologue.calibration_apply()

    assert state(rig) == before
    assert "left_shoulder" in corrections(addon, rig)
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    rig = next(one for one in bpy.data.objects if one.name == "Alice" and (one.library is None) == override)
    assert "left_shoulder" in corrections(addon, rig)


def test_constraints_and_drivers_of_the_copy_act_on_the_copy(stage, addon):
    hand = stage.a.pose.bones[bone_of(stage.a, "LeftHand").name]
    held = hand.constraints.new("COPY_SCALE")
    held.target, held.subtarget = stage.a, bone_of(stage.a, "Head").name
    driver = held.driver_add("influence").driver
    variable = driver.variables.new()
    variable.targets[0].id, variable.targets[0].data_path = stage.a, "location.x"
    driver.expression = variable.name

    duologue.calibrate(character="Alice")

    copy = addon("calibrating").calibrating(stage.scene).copy
    assert copy.pose.bones[hand.name].constraints[0].target == copy
    assert copy.animation_data.drivers[0].driver.variables[0].targets[0].id == copy
    duologue.calibration_cancel()


def test_only_one_is_edited_at_a_time_and_nothing_else_is_done_to_it_meanwhile(stage, backend):
    backend()
    duologue.calibrate(character="Alice")

    assert "being edited already" in refused(duologue.calibrate, character="Bob")
    assert "T-pose of “Alice” is being edited" in refused(duologue.generate)

    duologue.calibration_cancel()
    assert not duologue.calibration_apply.poll()
    assert stage.run(duologue.generate).error is None


def test_a_deleted_copy_is_told_and_everything_else_comes_back(stage, addon):
    before = state(stage.a)
    duologue.calibrate(character="Alice")
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.data.objects.remove(addon("calibrating").calibrating(stage.scene).copy)

    assert "was deleted" in refused(duologue.calibration_apply)
    assert state(stage.a) == before


def test_a_rig_that_cannot_be_calibrated_is_refused_and_nothing_changes(stage):
    before = state(stage.a)
    stage.a.hide_select = True

    assert "cannot be selected" in refused(duologue.calibrate, character="Alice")

    stage.a.hide_select = False
    assert state(stage.a) == before


def test_undo_takes_the_mode_back(stage: Stage):
    bpy.ops.ed.undo_push(message="before")
    duologue.calibrate(character="Alice")
    bpy.ops.ed.undo_push(message="editing")

    bpy.ops.ed.undo()

    assert scene_object("Alice").visible_get()
    assert not [one for one in bpy.data.objects if "T-pose" in one.name]
    assert not duologue.calibration_cancel.poll()
