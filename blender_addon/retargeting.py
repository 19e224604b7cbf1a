"""How motion is put onto a pair's characters, as the animator chose it: kept with the pair in the scene."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from typing import Any

from bpy.props import BoolProperty, EnumProperty, FloatProperty
from bpy.types import PropertyGroup

from .retarget.options import ON_HIPS, ON_OBJECT, ON_ROOT_BONE, Options

_FK, _IK = "FK", "IK"


class DUOLOGUE_PG_retargeting(PropertyGroup):
    """What an animator may choose about the next motion of a pair."""

    keys: EnumProperty(
        name="Keys on",
        description="Which controls of arms and legs get the keys, where a rig has both",
        items=(
            (_FK, "FK Controls", "Rotate every bone of arms and legs; limbs are switched to FK by a key"),
            (
                _IK,
                "IK Controls",
                "Move hands, feet and poles; limbs are switched to IK by a key. For Rigify and Auto-Rig Pro",
            ),
        ),
    )
    root: EnumProperty(
        name="Root",
        description="What carries the characters through the scene",
        items=(
            (ON_HIPS, "Hips", "The hips, or the control that moves the whole body, take all of the movement"),
            (
                ON_ROOT_BONE,
                "Root Bone",
                "The rig's root bone moves over the floor and turns; the hips move relative to it, as engines want it",
            ),
            (
                ON_OBJECT,
                "Object",
                "The armature object moves over the floor and turns; the hips move relative to it",
            ),
        ),
    )
    in_place: BoolProperty(
        name="In Place",
        description="Keep the middle between the two where it is at first; feet then slide, as on a treadmill",
    )
    keep_heights: BoolProperty(
        name="Keep Heights",
        description="Keep the heights of hips and feet in metres, for seats and steps; else they grow with the legs",
    )
    contact: FloatProperty(
        name="Contact",
        description="How strongly hands are led to what they touch: 0 leaves the arms as they are, 1 leads them there",
        subtype="FACTOR",
        default=1.0,
        min=0.0,
        max=1.0,
    )


CLASSES = (DUOLOGUE_PG_retargeting,)


def options_of(pair: Any) -> Options:
    """What was chosen for a pair, a `properties.DUOLOGUE_PG_pair`."""
    chosen = pair.retargeting
    return Options(
        in_place=chosen.in_place,
        keep_heights=chosen.keep_heights,
        contact=chosen.contact,
        root=chosen.root,
        ik=chosen.keys == _IK,
    )
