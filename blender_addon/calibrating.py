"""The calibration that is being edited: kept in the scene, so that undo, saving and loading keep it in step.

Meanwhile the character and its skin are hidden, and a copy of them stands there in its T-pose, to be posed.
"""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import CollectionProperty, PointerProperty, StringProperty
from bpy.types import Object, PropertyGroup, Scene

from protocol.errors import DuologueError

from .animation.condition import check_present
from .animation.own_map import corrections_of, keep_corrections
from .animation.rig import bone_map_of
from .animation.standin import copied, show_t_pose, shown_corrections, with_skins
from .stubs import Context


class DUOLOGUE_PG_object(PropertyGroup):
    """An object in a list."""

    one: PointerProperty(type=Object)


class DUOLOGUE_PG_calibration(PropertyGroup):
    """Whose calibration is being edited, with what, and what was active, selected and visible before."""

    character: PointerProperty(type=Object)
    copy: PointerProperty(type=Object)
    copies: CollectionProperty(type=DUOLOGUE_PG_object)
    hidden: CollectionProperty(type=DUOLOGUE_PG_object)
    selected: CollectionProperty(type=DUOLOGUE_PG_object)
    active: PointerProperty(type=Object)
    mode: StringProperty()


CLASSES = (DUOLOGUE_PG_object, DUOLOGUE_PG_calibration)
_NAME = "duologue_calibrating"


def register() -> None:
    """Attach the state to every scene; its classes must be registered."""
    setattr(Scene, _NAME, PointerProperty(type=DUOLOGUE_PG_calibration))


def unregister() -> None:
    """Take it off the scenes again."""
    delattr(Scene, _NAME)


def calibrating(scene: Scene) -> Any:
    """What is being edited in a scene; its ``character`` is None where nothing is."""
    return getattr(scene, _NAME)


def begin(context: Context, character: Object) -> None:
    """Hide a character and let a copy of it stand there in its T-pose, in pose mode.

    Raises:
        DuologueError: ``calibration_open``, or what `check_present`, `bone_map_of` and `copied` raise.
    """
    state = calibrating(context.scene)
    if state.character is not None:
        raise DuologueError(
            "calibration_open",
            f"The calibration of “{state.character.name}” is being edited already.",
            "Apply or cancel it first.",
        )
    check_present(character)
    bone_map_of(character)
    known = corrections_of(character)
    layer: Any = context.view_layer
    active = layer.objects.active
    mode = active.mode if active is not None else "OBJECT"
    selected = list(context.selected_objects)
    if mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    originals = with_skins(character)
    try:
        copy, copies = copied(character)
    except DuologueError:
        _select(layer, selected, active, mode)
        raise
    state.character, state.copy, state.active, state.mode = character, copy, active, mode
    for held, objects in ((state.copies, copies), (state.hidden, originals), (state.selected, selected)):
        for one in objects:
            held.add().one = one
    for one in originals:
        one.hide_set(True)
    show_t_pose(copy, character, known)
    bpy.ops.object.mode_set(mode="POSE")


def end(context: Context, *, keep: bool) -> None:
    """Remove the copy, bring everything back as it was before `begin`, and ``keep`` what was corrected or not.

    Raises:
        DuologueError: ``calibration_gone`` if the copy or the character was deleted; all else is brought back.
    """
    state = calibrating(context.scene)
    character, copy = state.character, state.copy
    lost = character is None or copy is None or copy.name not in context.scene.objects
    layer: Any = context.view_layer
    if keep and not lost:
        keep_corrections(character, shown_corrections(copy, character))
    if layer.objects.active is not None and layer.objects.active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for one in _objects(state.copies):
        bpy.data.objects.remove(one)
    for one in _objects(state.hidden):
        if one.name in layer.objects:
            one.hide_set(False)
    _select(layer, _objects(state.selected), state.active, state.mode)
    _clear(state)
    if lost:
        raise DuologueError(
            "calibration_gone",
            "The character, or its copy that was being posed, was deleted.",
            "Begin to edit the calibration anew.",
        )


def _objects(held: Any) -> list[Any]:
    return [one.one for one in held if one.one is not None]


def _select(layer: Any, selected: list[Any], active: Any, mode: Any) -> None:
    for one in layer.objects:
        one.select_set(one in selected)
    layer.objects.active = active
    if active is not None and mode != "OBJECT":
        bpy.ops.object.mode_set(mode=mode)


def _clear(state: Any) -> None:
    state.character = state.copy = state.active = None
    for held in (state.copies, state.hidden, state.selected):
        for one in held:
            one.one = None
        held.clear()
