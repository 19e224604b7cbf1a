"""What a person said about a rig, as JSON text in the .blend: its own bone map, and the corrections of its T-pose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..retarget import corrections
from ..retarget.corrections import Corrections
from ..stubs import ArmatureObject, Context

BONE_MAP_PROPERTY = "duologue_bone_map"
"""Custom property of an armature object: its own bone map as JSON text.

Blender does not save new custom properties of library overrides, nor of linked objects: theirs are in one of the scene,
by the object's name.
"""
CALIBRATION_PROPERTY = "duologue_calibration"
"""The same for `Corrections`."""


def own_map_of(armature: ArmatureObject) -> str | None:
    """A rig's own map; None if it has none."""
    return _kept(armature, BONE_MAP_PROPERTY)


def keep_map(armature: ArmatureObject, text: str) -> None:
    """Give a rig its own map."""
    _keep(armature, BONE_MAP_PROPERTY, text)


def forget_map(armature: ArmatureObject) -> None:
    """Take a rig's own map from it."""
    _forget(armature, BONE_MAP_PROPERTY)


def corrections_of(armature: ArmatureObject) -> Corrections:
    """What was corrected of a rig's T-pose.

    Raises:
        DuologueError: ``calibration_invalid``.
    """
    text = _kept(armature, CALIBRATION_PROPERTY)
    return corrections.parse(text) if text else corrections.NOTHING


def is_corrected(armature: ArmatureObject) -> bool:
    """Whether anything was corrected of a rig's T-pose."""
    return _kept(armature, CALIBRATION_PROPERTY) is not None


def keep_corrections(armature: ArmatureObject, corrected: Corrections) -> None:
    """Remember what was corrected of a rig's T-pose, in the place of what was before."""
    if corrected:
        _keep(armature, CALIBRATION_PROPERTY, corrections.to_text(corrected))
    else:
        _forget(armature, CALIBRATION_PROPERTY)


def _is_own(armature: ArmatureObject) -> bool:
    return armature.override_library is None and armature.library is None


def _kept(armature: ArmatureObject, name: str) -> str | None:
    if _is_own(armature):
        return armature.get(name)
    return next((texts[armature.name] for texts in _in_scenes(name) if armature.name in texts), None)


def _keep(armature: ArmatureObject, name: str, text: str) -> None:
    if _is_own(armature):
        armature[name] = text
        return
    context: Context = bpy.context
    scene: Any = context.scene
    scene[name] = {**dict(scene.get(name, {})), armature.name: text}


def _forget(armature: ArmatureObject, name: str) -> None:
    if _is_own(armature):
        armature.pop(name, None)
        return
    for texts in _in_scenes(name):
        texts.pop(armature.name, None)


def _in_scenes(name: str) -> Iterator[Any]:
    for scene in bpy.data.scenes:
        texts = scene.get(name)
        if texts is not None:
            yield texts
