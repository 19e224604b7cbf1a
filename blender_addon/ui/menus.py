"""The right-click menus of the 3D viewport and the Outliner, and a menu of everything, which also feeds the search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.types import Action, Menu, Object

from .. import captions
from ..operators.checks import armature_of
from ..operators.converse import DUOLOGUE_OT_ask, DUOLOGUE_OT_edit, DUOLOGUE_OT_edit_with_words
from ..operators.describe import DUOLOGUE_OT_describe, DUOLOGUE_OT_describe_all
from ..operators.export import DUOLOGUE_OT_export
from ..operators.fill import DUOLOGUE_OT_continue, DUOLOGUE_OT_regenerate
from ..operators.generate import DUOLOGUE_OT_cancel, DUOLOGUE_OT_generate
from ..operators.publish import DUOLOGUE_OT_mark_asset, DUOLOGUE_OT_push_to_nla
from ..operators.react import DUOLOGUE_OT_react
from ..operators.result import DUOLOGUE_OT_accept, DUOLOGUE_OT_reject, DUOLOGUE_OT_reroll
from ..operators.story import DUOLOGUE_OT_story
from ..stubs import Context

_CAPTION_BYTES = 90


class DUOLOGUE_MT_duologue(Menu):
    """Everything that Duologue does; Blender's search finds what stands in menus."""

    bl_idname = "DUOLOGUE_MT_duologue"
    bl_label = "Duologue"

    def draw(self, context: Context) -> None:
        """Draw the operators in the order in which they are used."""
        layout: Any = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        for group in _EVERYTHING:
            for operator, icon in group:
                layout.operator(operator.bl_idname, icon=icon)
            layout.separator()


CLASSES = (DUOLOGUE_MT_duologue,)


def register() -> None:
    """Add the entries."""
    for menu, draw in _ENTRIES:
        getattr(bpy.types, menu).prepend(draw)
    for menu in _MENU_BAR:
        getattr(bpy.types, menu).append(_submenu)


def unregister() -> None:
    """Take them out again."""
    for menu in _MENU_BAR:
        getattr(bpy.types, menu).remove(_submenu)
    for menu, draw in _ENTRIES:
        getattr(bpy.types, menu).remove(draw)


def _submenu(menu: Any, context: Context) -> None:
    menu.layout.separator()
    menu.layout.menu(DUOLOGUE_MT_duologue.bl_idname, icon="COMMUNITY")


def _character_entries(menu: Any, context: Context) -> None:
    """What can be done with the active object."""
    character = armature_of(context.object)
    if character is not None:
        _draw_character(menu.layout, character)


def _outliner_character_entries(menu: Any, context: Context) -> None:
    """What can be done with the row that was clicked."""
    clicked = getattr(context, "id", None)
    character = armature_of(clicked if isinstance(clicked, Object) else context.object)
    if character is not None:
        _draw_character(menu.layout, character)


def _outliner_other_entries(menu: Any, context: Context) -> None:
    """The caption of an action or a slot that was clicked, and what can be done with the active character."""
    clicked = getattr(context, "id", None)
    if not isinstance(clicked, Action):
        return
    text = captions.read_action(clicked)
    if text:
        _draw_caption(menu.layout, text)
    if armature_of(context.object) is not None:
        menu.layout.operator_context = "INVOKE_DEFAULT"
        menu.layout.operator(DUOLOGUE_OT_describe.bl_idname, icon="TEXT")
        _draw_changes(menu.layout)
        menu.layout.separator()


def _draw_character(layout: Any, character: Object) -> None:
    text = captions.shown(character)
    if text:
        _draw_caption(layout, text)
    # In the Outliner's menus the default skips invoke(), and with it Esc and the report at the end.
    layout.operator_context = "INVOKE_DEFAULT"
    layout.operator(DUOLOGUE_OT_react.bl_idname, icon="COMMUNITY")
    layout.operator(DUOLOGUE_OT_describe.bl_idname, icon="TEXT")
    _draw_changes(layout)
    layout.separator()


def _draw_changes(layout: Any) -> None:
    layout.operator(DUOLOGUE_OT_continue.bl_idname, icon="FORWARD").clicked = True
    layout.operator(DUOLOGUE_OT_edit_with_words.bl_idname, icon="GREASEPENCIL")


def _keys_entries(menu: Any, context: Context) -> None:
    """In the timeline and the dope sheet: what can be done with the chosen frames."""
    menu.layout.operator_context = "INVOKE_DEFAULT"
    menu.layout.operator(DUOLOGUE_OT_regenerate.bl_idname, icon="FILE_REFRESH")
    menu.layout.separator()


def _draw_caption(layout: Any, text: str) -> None:
    layout.label(text=captions.cut(text.replace("\n", " / "), _CAPTION_BYTES), icon="INFO")
    layout.separator()


_ENTRIES: tuple[tuple[str, Callable[[Any, Context], None]], ...] = (
    ("VIEW3D_MT_object_context_menu", _character_entries),
    ("VIEW3D_MT_pose_context_menu", _character_entries),
    ("OUTLINER_MT_object", _outliner_character_entries),
    ("OUTLINER_MT_context_menu", _outliner_other_entries),
    ("DOPESHEET_MT_context_menu", _keys_entries),
)
_MENU_BAR = ("VIEW3D_MT_object", "VIEW3D_MT_pose")
_EVERYTHING = (
    (
        (DUOLOGUE_OT_generate, "PLAY"),
        (DUOLOGUE_OT_react, "COMMUNITY"),
        (DUOLOGUE_OT_describe, "TEXT"),
        (DUOLOGUE_OT_describe_all, "TEXT"),
        (DUOLOGUE_OT_cancel, "X"),
    ),
    (
        (DUOLOGUE_OT_edit, "GREASEPENCIL"),
        (DUOLOGUE_OT_ask, "QUESTION"),
        (DUOLOGUE_OT_continue, "FORWARD"),
        (DUOLOGUE_OT_regenerate, "FILE_REFRESH"),
        (DUOLOGUE_OT_story, "SEQUENCE"),
    ),
    (
        (DUOLOGUE_OT_accept, "CHECKMARK"),
        (DUOLOGUE_OT_reject, "X"),
        (DUOLOGUE_OT_reroll, "FILE_REFRESH"),
    ),
    (
        (DUOLOGUE_OT_push_to_nla, "NLA_PUSHDOWN"),
        (DUOLOGUE_OT_mark_asset, "ASSET_MANAGER"),
        (DUOLOGUE_OT_export, "EXPORT"),
    ),
)
