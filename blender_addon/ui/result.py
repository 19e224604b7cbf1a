"""What the last job made, under its report in the tab: what to choose from, what to decide, and where it goes."""

from __future__ import annotations

from typing import Any

from bpy.types import Menu, Panel, UIList

from ..characters import active_pair, has_pair
from ..operators.describe import DUOLOGUE_OT_describe_all
from ..operators.export import FORMATS, DUOLOGUE_OT_export
from ..operators.publish import DUOLOGUE_OT_mark_asset, DUOLOGUE_OT_push_to_nla
from ..operators.reduce import DUOLOGUE_OT_reduce_keys
from ..operators.result import DUOLOGUE_OT_accept, DUOLOGUE_OT_reject, DUOLOGUE_OT_reroll
from ..previews import icon_of
from ..results import is_pending
from ..stubs import Context

_ROWS_MAX = 4
_PICTURE_SCALE = 2.5
"""Height of a picture in rows of text."""


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
        """Draw one row: its picture, its name and its seed."""
        picture = icon_of(item.action)
        if picture:
            layout.template_icon(icon_value=picture, scale=_PICTURE_SCALE)
        layout.label(text=item.name, icon="PLAY" if index == data.shown else "BLANK1")
        seed = layout.row()
        seed.alignment = "RIGHT"
        seed.label(text=f"seed {item.seed}" if item.action is not None else "removed")


class DUOLOGUE_MT_export(Menu):
    """Write what the pair plays to a file"""

    bl_idname = "DUOLOGUE_MT_export"
    bl_label = "Export"

    def draw(self, context: Context) -> None:
        """Draw the formats."""
        layout: Any = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        for identifier, name, _ in FORMATS:
            layout.operator(DUOLOGUE_OT_export.bl_idname, text=name).format = identifier


class DUOLOGUE_PT_result(Panel):
    """What becomes of the motions that were made."""

    bl_idname = "DUOLOGUE_PT_result"
    bl_label = "Result"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Duologue"
    bl_parent_id = "DUOLOGUE_PT_motion"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only where there is a pair."""
        return has_pair(context)

    def draw(self, context: Context) -> None:
        """Draw the result that waits for a word, if any, and what else can be done."""
        layout: Any = self.layout
        pair = active_pair(context)
        if is_pending(pair.result):
            self._draw_pending(layout, pair.result)
        layout.operator(DUOLOGUE_OT_describe_all.bl_idname, text="Describe All", icon="TEXT")
        row = layout.row(align=True)
        row.operator(DUOLOGUE_OT_push_to_nla.bl_idname, text="To NLA", icon="NLA_PUSHDOWN")
        row.operator(DUOLOGUE_OT_mark_asset.bl_idname, text="Asset", icon="ASSET_MANAGER")
        row.menu(DUOLOGUE_MT_export.bl_idname, icon="EXPORT")
        layout.operator(DUOLOGUE_OT_reduce_keys.bl_idname, icon="IPO_BEZIER")

    @staticmethod
    def _draw_pending(layout: Any, result: Any) -> None:
        if len(result.variations) > 1:
            layout.template_list(
                DUOLOGUE_UL_variations.bl_idname,
                "",
                result,
                "variations",
                result,
                "shown",
                rows=min(len(result.variations), _ROWS_MAX),
                maxrows=_ROWS_MAX,
            )
        row = layout.row(align=True)
        row.operator(DUOLOGUE_OT_accept.bl_idname, text="Accept", icon="CHECKMARK")
        row.operator(DUOLOGUE_OT_reject.bl_idname, text="Reject", icon="X")
        row.operator(DUOLOGUE_OT_reroll.bl_idname, text="Re-roll", icon="FILE_REFRESH")


CLASSES = (DUOLOGUE_UL_variations, DUOLOGUE_MT_export, DUOLOGUE_PT_result)
