"""Characters as an animator sets them up before anything is generated, and the heads of the tab's panels."""

from __future__ import annotations

import math
from typing import Any

import bpy
import kit
from clicks import sidebar
from kit import Steps

CHARACTERS, MOTION = (60, 10), (60, 38)
"""The heads of the tab's first two panels, the second where the first is folded away, in pixels as in `clicks`."""
CHARACTERS_HEIGHT = 142
"""What is gained where the first panel is folded away."""

_context: Any = bpy.context


def face_each_other(first: str = "Adam", second: str = "Beth", x: float = 0.6, apart: float = 1.0) -> None:
    """Let two stand face to face on a line along Y, at a place on X, metres."""
    adam, beth = bpy.data.objects[first], bpy.data.objects[second]
    adam.location, beth.location = (x, 0, 0), (x, -apart, 0)
    beth.rotation_euler[2] = math.pi


def select(*names: str) -> None:
    """Select objects; the first becomes the active one."""
    for one in _context.scene.objects:
        one.select_set(one.name in names)
    _context.view_layer.objects.active = bpy.data.objects[names[0]]


def click(place: tuple[int, int]) -> Steps:
    """Click a place of the sidebar, and let it draw; panels slide when what is in them changes."""
    yield from kit.click(*sidebar(place))
    yield from kit.settle()
    kit.move(*sidebar((place[0] + 1, place[1])))
    yield from kit.settle()


def cut_off_hand(off: bool) -> None:
    """Take Adam's left hand off its arm and call it otherwise, as some game rigs have it, or undo that."""
    theirs, ours = "mixamorig:LeftHand", "Paw"
    select("Adam")
    bpy.ops.object.mode_set(mode="EDIT")
    armature: Any = bpy.data.objects["Adam"].data
    hand = armature.edit_bones[theirs if off else ours]
    hand.name = ours if off else theirs
    hand.parent = None if off else armature.edit_bones["mixamorig:LeftForeArm"]
    bpy.ops.object.mode_set(mode="OBJECT")
    select("Adam", "Beth")


def playing(name: str) -> Any:
    """The action of a character; None where it has none."""
    data: Any = bpy.data.objects[name].animation_data
    return data.action if data is not None else None
