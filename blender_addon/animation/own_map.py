"""The bone map that a person gave a rig, as JSON text in the .blend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..stubs import ArmatureObject, Context

BONE_MAP_PROPERTY = "duologue_bone_map"
"""Custom property of an armature object: its own bone map as JSON text.

Blender does not save new custom properties of library overrides: theirs are in one of the scene, by the object's name.
"""


def own_map_of(armature: ArmatureObject) -> str | None:
    """A rig's own map; None if it has none."""
    if armature.override_library is None:
        return armature.get(BONE_MAP_PROPERTY)
    return next((maps[armature.name] for maps in _kept_in_scenes() if armature.name in maps), None)


def keep_map(armature: ArmatureObject, text: str) -> None:
    """Give a rig its own map."""
    if armature.override_library is None:
        armature[BONE_MAP_PROPERTY] = text
        return
    context: Context = bpy.context
    scene: Any = context.scene
    scene[BONE_MAP_PROPERTY] = {**dict(scene.get(BONE_MAP_PROPERTY, {})), armature.name: text}


def forget_map(armature: ArmatureObject) -> None:
    """Take a rig's own map from it."""
    if armature.override_library is None:
        armature.pop(BONE_MAP_PROPERTY, None)
        return
    for maps in _kept_in_scenes():
        maps.pop(armature.name, None)


def _kept_in_scenes() -> Iterator[Any]:
    for scene in bpy.data.scenes:
        maps = scene.get(BONE_MAP_PROPERTY)
        if maps is not None:
            yield maps
