"""The conversation under the pair: its turns, what can be said next, and stories."""

from __future__ import annotations

from typing import Any

from bpy.types import Panel, UIList

from protocol.messages import ASK, COMPLETE, EDIT, GENERATE, REACT, STORY

from .. import conversation
from ..characters import active_pair, has_pair
from ..link import jobs
from ..operators import abilities
from ..operators.converse import DUOLOGUE_OT_ask, DUOLOGUE_OT_edit
from ..operators.fill import DUOLOGUE_OT_continue, DUOLOGUE_OT_regenerate
from ..operators.story import DUOLOGUE_OT_scene_add, DUOLOGUE_OT_scene_remove, DUOLOGUE_OT_story
from ..operators.turns import DUOLOGUE_OT_turn_remove, DUOLOGUE_OT_turn_use
from ..stubs import Context
from .text import paragraph

_ROWS, _ROWS_MAX = 3, 8
_ICONS = {
    GENERATE: "PLAY",
    REACT: "COMMUNITY",
    EDIT: "GREASEPENCIL",
    ASK: "QUESTION",
    COMPLETE: "FORWARD",
    STORY: "SEQUENCE",
    conversation.BEFORE: "ACTION",
}


class DUOLOGUE_UL_turns(UIList):
    """The turns of a conversation; the button of a row plays what the characters played then."""

    bl_idname = "DUOLOGUE_UL_turns"

    def draw_item(
        self,
        context: Context,
        layout: Any,
        data: Any,
        item: Any,
        icon: int | None,
        active_data: Any,
        active_property: str | None,
        index: int | None,
        flt_flag: int | None,
    ) -> None:
        """Draw one row: what was said, and whether it is what the characters play."""
        pair = active_pair(context)
        layout.label(text=item.said.replace("\n", ", then "), icon=_ICONS.get(item.task, "DOT"))
        if conversation.is_current(pair, item):
            layout.label(text="", icon="RADIOBUT_ON")
        elif len(item.parts):
            row = layout.row()
            row.enabled = not jobs.running()
            row.operator(DUOLOGUE_OT_turn_use.bl_idname, text="", icon="LOOP_BACK", emboss=False).number = index


class _Tab(Panel):
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Duologue"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only where there is a pair."""
        return has_pair(context)


class DUOLOGUE_PT_conversation(_Tab):
    """What was asked for so far, and what shall be different."""

    bl_idname = "DUOLOGUE_PT_conversation"
    bl_label = "Conversation"

    def draw(self, context: Context) -> None:
        """Draw the turns, the words of the chosen one, and what can be said next."""
        layout: Any = self.layout
        held = active_pair(context).conversation
        if len(held.turns):
            self._draw_turns(layout, context, held)
        column = layout.column()
        column.enabled = not jobs.running()
        column.prop(held, "words", text="", icon="OUTLINER_DATA_FONT", placeholder="Slower, or: who leads?")
        row = column.row(align=True)
        row.operator(DUOLOGUE_OT_edit.bl_idname, text="Change This", icon=_ICONS[EDIT]).clicked = False
        row.operator(DUOLOGUE_OT_ask.bl_idname, text="Ask about This", icon=_ICONS[ASK])
        row = column.row(align=True)
        row.operator(DUOLOGUE_OT_continue.bl_idname, text="Continue", icon=_ICONS[COMPLETE]).clicked = False
        row.operator(DUOLOGUE_OT_regenerate.bl_idname, text="Regenerate", icon="FILE_REFRESH")
        reason = abilities.why_not(EDIT, ASK, COMPLETE)
        if reason:
            paragraph(column, context, reason, "INFO")

    @staticmethod
    def _draw_turns(layout: Any, context: Context, held: Any) -> None:
        row = layout.row()
        rows = max(_ROWS, min(len(held.turns), _ROWS_MAX))
        row.template_list(DUOLOGUE_UL_turns.bl_idname, "", held, "turns", held, "active", rows=rows)
        side = row.column()
        number = min(held.active, len(held.turns) - 1)
        side.operator(DUOLOGUE_OT_turn_remove.bl_idname, text="", icon="REMOVE").number = number
        turn = held.turns[number]
        box = layout.box()
        for number, line in enumerate(turn.said.split("\n")):
            paragraph(box, context, line, _ICONS.get(turn.task, "DOT") if number == 0 else "BLANK1")
        if turn.answer:
            paragraph(box, context, turn.answer, "OUTLINER_OB_FONT")


class DUOLOGUE_PT_story(_Tab):
    """Scenes that are played one after the other."""

    bl_idname = "DUOLOGUE_PT_story"
    bl_label = "Story"
    bl_parent_id = "DUOLOGUE_PT_conversation"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Draw the scenes, how long they are together, and the button."""
        layout: Any = self.layout
        held = active_pair(context).conversation
        column = layout.column()
        column.enabled = not jobs.running()
        for number, scene in enumerate(held.scenes):
            row = column.row(align=True)
            row.prop(scene, "prompt", text=str(number + 1))
            row.operator(DUOLOGUE_OT_scene_remove.bl_idname, text="", icon="X").number = number
        column.operator(DUOLOGUE_OT_scene_add.bl_idname, icon="ADD")
        seconds = column.row()
        seconds.enabled = not held.fill
        seconds.prop(held, "story_seconds")
        column.prop(held, "fill")
        column.prop(held, "goes_on")
        column.operator(DUOLOGUE_OT_story.bl_idname, icon=_ICONS[STORY])
        reason = abilities.why_not(STORY)
        if reason:
            paragraph(column, context, reason, "INFO")


CLASSES = (DUOLOGUE_UL_turns, DUOLOGUE_PT_conversation, DUOLOGUE_PT_story)
