"""What the last job made, under its report in the tab: variations to choose from, and Accept, Reject, Re-roll."""

from __future__ import annotations

from typing import Any

from bpy.types import Panel, UIList

from ..link import jobs
from ..operators.result import DUOLOGUE_OT_accept, DUOLOGUE_OT_reject, DUOLOGUE_OT_reroll
from ..properties import pair_of
from ..results import is_pending, result_of
from ..stubs import Context

_ROWS_MAX = 8


class DUOLOGUE_UL_variations(UIList):
    """The variations of a result; a click on one plays it."""

    bl_idname = "DUOLOGUE_UL_variations"

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
        """Draw one row: its name and its seed."""
        layout.label(text=item.name, icon="PLAY" if index == data.shown else "BLANK1")
        seed = layout.row()
        seed.alignment = "RIGHT"
        seed.label(text=f"seed {item.seed}" if item.action is not None else "removed")


class DUOLOGUE_PT_result(Panel):
    """How many motions to make, and what becomes of those that were made."""

    bl_idname = "DUOLOGUE_PT_result"
    bl_label = "Result"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Duologue"
    bl_parent_id = "DUOLOGUE_PT_motion"

    def draw(self, context: Context) -> None:
        """Draw the number of variations, then the result, if there is one that waits for a word."""
        layout: Any = self.layout
        number = layout.column()
        number.enabled = not jobs.running()
        number.prop(pair_of(context.scene), "variations")
        if not is_pending(context.scene):
            return
        result = result_of(context.scene)
        if len(result.variations) > 1:
            layout.template_list(
                DUOLOGUE_UL_variations.bl_idname,
                "",
                result,
                "variations",
                result,
                "shown",
                rows=len(result.variations),
                maxrows=_ROWS_MAX,
            )
        row = layout.row(align=True)
        row.operator(DUOLOGUE_OT_accept.bl_idname, text="Accept", icon="CHECKMARK")
        row.operator(DUOLOGUE_OT_reject.bl_idname, text="Reject", icon="X")
        row.operator(DUOLOGUE_OT_reroll.bl_idname, text="Re-roll", icon="FILE_REFRESH")


CLASSES = (DUOLOGUE_UL_variations, DUOLOGUE_PT_result)
