"""A character's bones in Blender: rows that show and correct its map, presets, and rigs that cannot be used."""

from __future__ import annotations

import json
from typing import Any

import bpy
import pytest

from protocol.messages import Submit
from tests.blender.stage import bone_of, context, duologue, refused
from tests.e2e import makehuman

NEEDED = ("left_hip", "right_knee", "head", "left_wrist")


@pytest.fixture
def characters(addon):
    return addon("characters")


def field_of(stage: Any, row: str, letter: str = "b") -> str:
    return getattr(getattr(stage.settings, f"bones_{letter}"), row)


def correct(stage: Any, row: str, bone: str, letter: str = "b") -> None:
    setattr(getattr(stage.settings, f"bones_{letter}"), row, bone)


def test_22_rows_show_what_was_found(stage, addon):
    rows = addon("retarget.mapping").ROWS
    assert len(rows) == 22
    assert all(field_of(stage, row) for row in rows)
    assert field_of(stage, "left_wrist") == "mixamorig:LeftHand"
    assert field_of(stage, "spine4") == ""


def test_a_corrected_row_is_kept_on_the_armature_and_detect_drops_it(stage, addon, characters):
    correct(stage, "left_foot", "")
    assert field_of(stage, "left_foot") == ""
    assert field_of(stage, "right_foot") == "mixamorig:RightToeBase"
    assert "left_foot" not in json.loads(addon("animation.own_map").own_map_of(stage.b))["bones"]
    assert characters.mapping_of(stage.b).bone_map.name == "Mixamo, corrected"
    assert field_of(stage, "left_foot", "a") == "mixamorig:LeftToeBase"
    duologue.detect_bones(character="Bob")
    assert field_of(stage, "left_foot") == "mixamorig:LeftToeBase"
    assert addon("animation.own_map").own_map_of(stage.b) is None


def test_a_needed_row_that_is_emptied_is_missed_until_it_is_filled_again(stage, backend):
    backend()
    correct(stage, "left_wrist", "")
    assert "no bones for left wrist" in refused(duologue.generate)
    correct(stage, "left_wrist", "mixamorig:LeftHand")
    assert stage.run(duologue.generate).error is None


def test_one_bone_cannot_play_two_joints(stage, characters):
    correct(stage, "left_foot", "mixamorig:LeftFoot")
    assert characters.mapping_of(stage.b).error.message == (
        "“mixamorig:LeftFoot” of “Bob” is chosen for left ankle and left foot."
    )


def test_rows_are_saved_with_the_file(stage, tmp_path):
    correct(stage, "left_foot", "")
    path = str(tmp_path / "rows.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    rows = context.scene.duologue.pairs[0].bones_b
    assert (rows.left_foot, rows.right_foot) == ("", "mixamorig:RightToeBase")


def test_rows_of_a_library_override_are_saved_with_the_file_too(stage, cast_file, tmp_path):
    libraries: Any = bpy.data.libraries
    with libraries.load(cast_file, link=True) as (_, wanted):
        wanted.objects = ["Alice"]
    linked: Any = next(one for one in bpy.data.objects if one.library is not None and one.type == "ARMATURE")
    stage.scene.collection.objects.link(linked)
    own: Any = linked.override_create(remap_local_usages=True)
    stage.settings.character_b = own
    correct(stage, "left_foot", "")
    path = str(tmp_path / "override.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    rows = context.scene.duologue.pairs[0].bones_b
    assert (rows.left_foot, rows.right_foot) == ("", "mixamorig:RightToeBase")
    duologue.detect_bones(character=context.scene.duologue.pairs[0].character_b.name)
    assert rows.left_foot == "mixamorig:LeftToeBase"


def test_a_preset_is_saved_and_loaded_onto_another_rig(stage, tmp_path):
    correct(stage, "left_foot", "", "a")
    path = tmp_path / "preset.json"
    duologue.save_bone_map(character="Alice", filepath=str(path))
    duologue.load_bone_map(character="Bob", filepath=str(path))
    assert field_of(stage, "left_foot") == ""
    assert field_of(stage, "left_knee") == "mixamorig:LeftLeg"


def test_an_unfinished_map_is_not_saved_as_a_preset(stage, tmp_path):
    correct(stage, "head", "")
    path = tmp_path / "preset.json"
    assert "no bones for head" in refused(duologue.save_bone_map, character="Bob", filepath=str(path))
    assert not path.exists()
    assert "cannot be written" in refused(duologue.save_bone_map, character="Alice", filepath=str(path / "in" / "it"))


def test_a_rig_without_known_names_is_detected_and_shown(stage, characters):
    for number, bone in enumerate(stage.b.data.bones):
        bone.name = f"thing{number}"
    found = characters.mapping_of(stage.b)
    assert found.error is None
    assert found.bone_map.name == "Unnamed"
    assert field_of(stage, "left_hip") in stage.b.data.bones


# --- what real skeletons are taken for -----------------------------------------------------------------------------


def unnamed(addon: Any, armature: Any) -> dict[str, str]:
    """The rows of an armature when only its structure counts."""
    found = addon("retarget.structure").find(addon("animation.rig").read_rig(armature))
    return addon("retarget.mapping").rows_of(found)


def named(addon: Any, armature: Any) -> dict[str, str]:
    return addon("retarget.mapping").rows_of(addon("animation.rig").bone_map_of(armature))


def metarig(kind: str) -> Any:
    bpy.ops.preferences.addon_enable(module="rigify")
    operators: Any = bpy.ops.object
    getattr(operators, f"armature_{kind}_metarig_add")()
    return context.object


@pytest.mark.parametrize("kind", ["human", "basic_human"])
def test_rigifys_metarigs_are_mapped_alike_by_their_names_and_without(addon, kind):
    armature = metarig(kind)
    rows = named(addon, armature)
    assert sum(bool(rows[row]) for row in addon("retarget.mapping").ROWS) == 22
    assert unnamed(addon, armature) == rows


def test_a_generated_rigify_rig_is_mapped_to_its_fk_controls_in_every_row(addon):
    armature = metarig("basic_human")
    pose: Any = bpy.ops.pose
    pose.rigify_generate()
    rig = context.object
    found = addon("animation.rig").bone_map_of(rig)
    rows = addon("retarget.mapping").rows_of(found)
    assert rig != armature
    assert sum(map(bool, rows.values())) == 22
    assert rows["left_shoulder"] == "upper_arm_fk.L"
    assert found.read["left_shoulder"] == ("ORG-upper_arm.L",)
    addon("animation.condition").check_keyable(rig, found)


@pytest.mark.parametrize("kind", ["basic_quadruped", "wolf", "cat", "horse"])
def test_rigifys_animals_are_told_that_they_stand_on_four_legs(addon, kind):
    found = addon("animation.rig").detection_of(metarig(kind))
    assert found.error.code == "rig_on_all_fours"


def test_rigifys_bird_is_told_that_it_has_wings(addon):
    found = addon("animation.rig").detection_of(metarig("bird"))
    assert found.error.code == "rig_winged"
    assert found.error.message == (
        f"The rig “{context.object.name}” has wings in the place of arms; Duologue moves people."
    )


def test_rigifys_shark_is_no_human(addon):
    found = addon("animation.rig").detection_of(metarig("shark"))
    assert found.error.code in ("rig_not_humanoid", "rig_unmapped")


@pytest.mark.parametrize("name", ["mixamo", "game_engine", "cmu_mb", "default"])
def test_makehumans_skeletons_are_mapped_alike_by_their_names_and_without(addon, name):
    body = makehuman.body("female", 1.6)
    armature: Any = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    context.scene.collection.objects.link(armature)
    context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = makehuman.skeleton(f"rigs/standard/rig.{name}.json")
    for bone, place in bones.items():
        made: Any = armature.data.edit_bones.new(bone)
        made.head, made.tail, made.roll = body.point(place["head"]), body.point(place["tail"]), place["roll"]
    for bone, place in bones.items():
        if place["parent"]:
            armature.data.edit_bones[bone].parent = armature.data.edit_bones[place["parent"]]
    bpy.ops.object.mode_set(mode="OBJECT")
    assert unnamed(addon, armature) == named(addon, armature)


# --- rigs that cannot be used --------------------------------------------------------------------------------------


@pytest.fixture
def nothing_changed(stage, backend):
    """No message was sent, no Action was made, and the rigs stand as they stood."""
    server = backend()
    actions = set(bpy.data.actions)
    pose = {bone.name: bone.matrix_basis.copy() for bone in stage.b.pose.bones}
    yield
    assert not any(isinstance(message, Submit) for message in server.received)
    assert set(bpy.data.actions) == actions
    assert all(bone.matrix_basis == pose.get(bone.name, bone.matrix_basis) for bone in stage.b.pose.bones)
    assert stage.jobs.refusal() is not None


def edited(armature: Any) -> Any:
    context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    return armature.data.edit_bones


def object_mode() -> None:
    bpy.ops.object.mode_set(mode="OBJECT")


def test_missing_legs_are_named(stage, nothing_changed):
    bones = edited(stage.b)
    for bone in list(bones):
        if "Leg" in bone.name or "Foot" in bone.name or "Toe" in bone.name:
            bones.remove(bone)
    object_mode()
    said = refused(duologue.generate)
    assert "“Bob” cannot be mapped" in said
    assert "left hip, right hip, left knee" in said


def test_two_heads_are_refused(stage, nothing_changed):
    bones = edited(stage.b)
    head = bone_of(stage.b, "Head").name
    twin = bones.new("mixamorig:Head2")
    twin.parent, twin.head, twin.tail = bones[head].parent, bones[head].head, bones[head].tail
    object_mode()
    assert "“Bob” has two heads" in refused(duologue.generate)


def test_a_rig_in_edit_mode_is_refused(stage, nothing_changed):
    edited(stage.b)
    assert refused(duologue.generate) == (
        "“Bob” is in edit mode, where it has no pose. Leave edit mode (Tab) and try again."
    )
    object_mode()


@pytest.mark.parametrize("way", ["hide_viewport", "hide_set"])
def test_a_hidden_rig_is_refused(stage, nothing_changed, way):
    if way == "hide_set":
        stage.b.hide_set(True)
    else:
        stage.b.hide_viewport = True
    assert "“Bob”, because it is hidden" in refused(duologue.generate)


def test_a_rig_that_is_excluded_from_the_view_layer_is_refused(stage, nothing_changed):
    aside: Any = bpy.data.collections.new("Aside")
    stage.scene.collection.children.link(aside)
    for collection in stage.b.users_collection:
        collection.objects.unlink(stage.b)
    aside.objects.link(stage.b)
    context.view_layer.layer_collection.children["Aside"].exclude = True
    assert "“Bob” is not in the view layer" in refused(duologue.generate)


def test_a_mesh_is_no_rig(stage, nothing_changed):
    stage.settings.character_b = stage.b.children[0]
    assert "“Bob body” is no armature with bones" in refused(duologue.generate)


def test_an_armature_without_bones_is_no_rig(stage, nothing_changed):
    empty = bpy.data.objects.new("Empty rig", bpy.data.armatures.new("Empty rig"))
    stage.scene.collection.objects.link(empty)
    stage.settings.character_b = empty
    assert "“Empty rig” is no armature with bones" in refused(duologue.generate)


@pytest.mark.parametrize("channel", ["rotation_quaternion", "rotation_euler"])
def test_drivers_on_channels_are_named(stage, nothing_changed, channel):
    bone = stage.b.pose.bones["mixamorig:LeftArm"]
    bone.driver_add(channel, 0)
    assert "Drivers move “mixamorig:LeftArm” of “Bob”" in refused(duologue.generate)


def test_drivers_elsewhere_do_not_matter(stage, backend):
    backend()
    stage.b.pose.bones["mixamorig:LeftArm"].driver_add("scale", 0)
    stage.b.driver_add("color", 0)
    assert stage.run(duologue.generate).error is None


def test_locked_channels_are_named(stage, nothing_changed):
    stage.b.pose.bones["mixamorig:LeftForeArm"].lock_rotation[2] = True
    stage.b.pose.bones["mixamorig:Hips"].lock_location[0] = True
    said = refused(duologue.generate)
    assert "Channels of “mixamorig:Hips” and “mixamorig:LeftForeArm” of “Bob” are locked" in said


def test_locks_on_channels_that_get_no_keys_do_not_matter(stage, backend):
    backend()
    for bone in stage.b.pose.bones:
        bone.lock_scale = (True, True, True)
        if not bone.name.endswith("Hips"):
            bone.lock_location = (True, True, True)
    assert stage.run(duologue.generate).error is None


@pytest.mark.parametrize("scale", [(0, 0, 0), (-1, 1, 1), (-2, -2, -2), (1, 0, 1)])
def test_a_scale_of_zero_or_below_is_refused(stage, nothing_changed, scale):
    stage.b.scale = scale
    context.view_layer.update()
    assert "“Bob” has a negative or zero scale" in refused(duologue.generate)


def test_bones_without_length_between_them_are_named(stage, nothing_changed):
    bones = edited(stage.b)
    thigh, shin = bones["mixamorig:LeftUpLeg"], bones["mixamorig:LeftLeg"]
    shin.use_connect = False
    shin.head = thigh.head
    object_mode()
    said = refused(duologue.generate)
    assert "“mixamorig:LeftUpLeg” and “mixamorig:LeftLeg” of “Bob”" in said
    assert "begin at the same place" in said


def test_two_characters_on_one_armature_data_are_animated_each_for_itself(stage, backend):
    backend()
    twin = stage.a.copy()
    stage.scene.collection.objects.link(twin)
    stage.settings.character_b = twin
    assert twin.data == stage.a.data
    correct(stage, "left_foot", "")
    assert stage.run(duologue.generate).error is None
    assert field_of(stage, "left_foot", "a") == "mixamorig:LeftToeBase"
    keyed = [one.animation_data.action_slot for one in (stage.a, twin)]
    assert keyed[0] != keyed[1]
    assert stage.keys(twin) < stage.keys(stage.a)
