"""A rig that is not understood, in a real window: map its bone, correct its T-pose, and see how well a motion fits.

Run inside Blender by `test_walks.py`, with a scripted backend. Leaves pictures and ``report.json`` in ``$OUT``.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import kit
from clicks import GENERATE, PACKAGE, ended, jobs, keys, nowhere, pick_characters, prepare, settings, sidebar
from kit import OUT, Steps
from stage import CHARACTERS, CHARACTERS_HEIGHT, click, cut_off_hand, face_each_other, playing

context: Any = bpy.context
MAP_BONES, LEFT_WRIST = (140, 203), (160, 491)
RETARGETING, EDIT_T_POSE = (60, 345), (140, 492)
APPLY, FORGET = (80, 556), (245, 667)
ELBOW = "mixamorig:LeftForeArm"


def script() -> Steps:
    """Map, pose, generate, forget."""
    yield from prepare()
    face_each_other()
    yield from pick_characters()
    yield from map_the_hand()
    yield from correct_the_t_pose()
    yield from see_how_it_fits()
    yield from forget_the_correction()
    (OUT / "report.json").write_text(json.dumps({"blender": bpy.app.version_string}))


def map_the_hand() -> Steps:
    """Adam's left hand hangs on nothing and is called Paw: press Map Bones, and type it into its field."""
    cut_off_hand(True)
    hand: Any = bpy.data.objects["Adam"]
    follows = hand.pose.bones["Paw"].constraints.new("COPY_LOCATION")
    follows.target, follows.subtarget, follows.head_tail = hand, ELBOW, 1.0
    yield from kit.settle()
    assert mapping().error is not None
    kit.picture("1-not-understood")
    yield from click(MAP_BONES)
    assert settings().show_bones_a
    yield from click(LEFT_WRIST)
    kit.write("Paw")
    yield from kit.settle()
    kit.key("Return")
    yield from kit.until(lambda: mapping().error is None, "the rig understood", 20)
    assert settings().bones_a.left_wrist == "Paw"
    kit.move(*nowhere())
    yield from kit.settle()
    kit.picture("2-understood")
    settings().show_bones_a = False
    yield from kit.settle()


def correct_the_t_pose() -> Steps:
    """Turn the copy's left arm with R, and apply: Adam himself stays as he is."""
    kit.area("VIEW_3D").spaces.active.overlay.show_bones = True
    bpy.data.objects["Beth"].hide_set(True)
    adam: Any = bpy.data.objects["Adam"]
    before = [bone.matrix.copy() for bone in adam.pose.bones]
    yield from click(CHARACTERS)
    yield from click(RETARGETING)
    yield from click(EDIT_T_POSE)
    copy: Any = context.view_layer.objects.active
    assert copy.name == "Adam T-pose"
    assert context.mode == "POSE"
    for bone in copy.pose.bones:
        bone.select = bone.name == "mixamorig:LeftArm"
    copy.data.bones.active = copy.data.bones["mixamorig:LeftArm"]
    kit.move(*nowhere())
    yield from kit.settle()
    for name in ("r", "y", "1", "5", "Return"):
        kit.key(name)
        yield from kit.settle()
    yield from kit.settle()
    kit.picture("3-t-pose")
    assert not is_corrected(adam)
    yield from click(APPLY)
    assert context.mode == "OBJECT"
    assert is_corrected(adam)
    assert "Adam T-pose" not in bpy.data.objects
    assert [bone.matrix for bone in adam.pose.bones] == before
    kit.area("VIEW_3D").spaces.active.overlay.show_bones = False
    bpy.data.objects["Beth"].hide_set(False)


def see_how_it_fits() -> Steps:
    """Generate onto him: the panel says how well it fits."""
    x, y = GENERATE
    yield from kit.click(*sidebar((x, y - CHARACTERS_HEIGHT)))
    yield from kit.until(lambda: jobs().running(), "a job begun by the click", 60)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    assert keys("Adam") > 100
    found = module("fit").of_action(playing("Adam"))
    assert any("Hands" in one.text for one in found), found
    assert all(one.good for one in found), found
    context.scene.frame_set(55)
    kit.move(*nowhere())
    yield from kit.settle()
    kit.picture("4-fit")


def forget_the_correction() -> Steps:
    """The arrow beside Edit T-Pose goes back to what is estimated."""
    yield from click(FORGET)
    assert not is_corrected(bpy.data.objects["Adam"])


def mapping() -> Any:
    """How Adam's bones are mapped."""
    return module("characters").mapping_of(bpy.data.objects["Adam"])


def is_corrected(character: Any) -> bool:
    """Whether his T-pose was corrected."""
    return module("animation.own_map").is_corrected(character)


def module(name: str) -> Any:
    """A module of the extension."""
    return importlib.import_module(f"{PACKAGE}.{name}")


if __name__ == "__main__":
    kit.run(script)
