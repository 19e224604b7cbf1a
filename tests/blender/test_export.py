"""What a pair plays, as files for other programs."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender.stage import Stage, context, duologue, refused


@pytest.fixture
def generated(stage: Stage, backend: Any) -> Stage:
    backend()
    stage.scene.frame_set(11)
    stage.run(duologue.generate)
    duologue.accept()
    return stage


def scene_state(stage: Stage) -> tuple[Any, ...]:
    scene = stage.scene
    chosen = sorted(one.name for one in context.selected_objects)
    return scene.frame_start, scene.frame_end, scene.frame_current, chosen, context.view_layer.objects.active


def hips(character: Any) -> np.ndarray:
    bone = next(bone for bone in character.pose.bones if bone.name.endswith("Hips"))
    return np.array(character.matrix_world @ bone.head)


@pytest.mark.parametrize(("kind", "ending"), [("FBX", ".fbx"), ("USD", ".usdc")])
def test_both_characters_come_back_from_one_file_and_move(generated, tmp_path, kind, ending):
    path = tmp_path / f"greeting{ending}"
    before = scene_state(generated)
    duologue.export(format=kind, filepath=str(path))
    assert scene_state(generated) == before
    known = set(bpy.data.objects)
    if kind == "FBX":
        bpy.ops.import_scene.fbx(filepath=str(path))
    else:
        bpy.ops.wm.usd_import(filepath=str(path))
    rigs = [one for one in bpy.data.objects if one not in known and one.type == "ARMATURE"]
    assert len(rigs) == 2
    for rig in rigs:
        assert rig.pose is not None
        arm = next(bone for bone in rig.pose.bones if bone.name.endswith("RightArm"))
        turned = []
        for frame in (11, 70):
            generated.scene.frame_set(frame)
            turned.append(arm.matrix.to_quaternion().copy())
        assert turned[0].rotation_difference(turned[1]).angle > 0.5


def test_each_character_gets_a_bvh_with_all_frames(generated, tmp_path):
    before = scene_state(generated)
    duologue.export(format="BVH", filepath=str(tmp_path / "greeting.bvh"))
    assert scene_state(generated) == before
    first, last = map(int, generated.a.animation_data.action.frame_range)
    for name in ("Alice", "Bob"):
        text = (tmp_path / f"greeting {name}.bvh").read_text()
        assert f"Frames: {last - first + 1}" in text
        assert "RightArm" in text


def test_amass_files_hold_where_the_characters_are(generated, tmp_path):
    duologue.export(format="AMASS", filepath=str(tmp_path / "greeting.npz"))
    generated.scene.frame_set(11)
    for one in (generated.a, generated.b):
        with np.load(tmp_path / f"greeting {one.name}.npz", allow_pickle=False) as file:
            np.testing.assert_allclose(file["trans"][0][:2], hips(one)[:2], atol=0.06)
            assert np.ptp(file["poses"][:, 3:66], axis=0).max() > 0.5


def test_an_export_that_cannot_be_is_refused(generated, tmp_path):
    missing = str(tmp_path / "none" / "greeting.fbx")
    assert "There is no folder" in refused(duologue.export, format="FBX", filepath=missing)
    bpy.ops.object.mode_set(mode="POSE")
    said = refused(duologue.export, format="BVH", filepath=str(tmp_path / "greeting.bvh"))
    assert "Go to Object Mode" in said
    assert not list(tmp_path.glob("greeting*"))
    bpy.ops.object.mode_set(mode="OBJECT")


def test_nothing_to_export_is_said(stage, backend, tmp_path):
    backend()
    assert "Neither character plays an action" in refused(duologue.export, filepath=str(tmp_path / "none.fbx"))
