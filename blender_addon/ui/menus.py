"""The right-click menus of the 3D viewport and the Outliner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.types import Action, Object

from .. import captions
from ..operators.checks import armature_of
from ..operators.describe import DUOLOGUE_OT_describe
from ..operators.react import DUOLOGUE_OT_react
from ..stubs import Context

_CAPTION_BYTES = 90


def register() -> None:
    """Add the entries."""
    for menu, draw in _ENTRIES:
        getattr(bpy.types, menu).prepend(draw)


def unregister() -> None:
    """Take them out again."""
    for menu, draw in _ENTRIES:
        getattr(bpy.types, menu).remove(draw)


def _character_entries(menu: Any, context: Context) -> None:
    """React and Describe for the active object."""
    character = armature_of(context.object)
    if character is not None:
        _draw_character(menu.layout, character)


def _outliner_character_entries(menu: Any, context: Context) -> None:
    """React and Describe for the row that was clicked."""
    clicked = getattr(context, "id", None)
    character = armature_of(clicked if isinstance(clicked, Object) else context.object)
    if character is not None:
        _draw_character(menu.layout, character)


def _outliner_other_entries(menu: Any, context: Context) -> None:
    """The caption of an action or a slot that was clicked, and Describe for the active character."""
    clicked = getattr(context, "id", None)
    if not isinstance(clicked, Action):
        return
    text = captions.read_action(clicked)
    if text:
        _draw_caption(menu.layout, text)
    if armature_of(context.object) is not None:
        menu.layout.operator_context = "INVOKE_DEFAULT"
        menu.layout.operator(DUOLOGUE_OT_describe.bl_idname, icon="TEXT")
        menu.layout.separator()


def _draw_character(layout: Any, character: Object) -> None:
    text = captions.read(character)
    if text:
        _draw_caption(layout, text)
    # In the Outliner's menus the default skips invoke(), and with it Esc and the report at the end.
    layout.operator_context = "INVOKE_DEFAULT"
    layout.operator(DUOLOGUE_OT_react.bl_idname, icon="COMMUNITY")
    layout.operator(DUOLOGUE_OT_describe.bl_idname, icon="TEXT")
    layout.separator()


def _draw_caption(layout: Any, text: str) -> None:
    layout.label(text=captions.cut(text.replace("\n", " / "), _CAPTION_BYTES), icon="INFO")
    layout.separator()


_ENTRIES: tuple[tuple[str, Callable[[Any, Context], None]], ...] = (
    ("VIEW3D_MT_object_context_menu", _character_entries),
    ("VIEW3D_MT_pose_context_menu", _character_entries),
    ("OUTLINER_MT_object", _outliner_character_entries),
    ("OUTLINER_MT_context_menu", _outliner_other_entries),
)
