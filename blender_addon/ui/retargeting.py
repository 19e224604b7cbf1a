"""How motion is put onto the characters, and how well it fits them, in the tab."""

from __future__ import annotations

from typing import Any

from bpy.types import Panel

from .. import fit
from ..animation.own_map import is_corrected
from ..calibrating import calibrating
from ..characters import active_pair, has_pair
from ..link import jobs
from ..operators.calibration import (
    DUOLOGUE_OT_calibrate,
    DUOLOGUE_OT_calibration_apply,
    DUOLOGUE_OT_calibration_cancel,
    DUOLOGUE_OT_calibration_forget,
)
from ..stubs import Context
from .text import paragraph


class _UnderMotion(Panel):
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Duologue"
    bl_parent_id = "DUOLOGUE_PT_motion"


class DUOLOGUE_PT_fit(_UnderMotion):
    """What retargeting could not keep of the motion that is played."""

    bl_idname = "DUOLOGUE_PT_fit"
    bl_label = "Fit"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only where something is known about what the pair plays."""
        return has_pair(context) and bool(_findings(context))

    def draw(self, context: Context) -> None:
        """Draw a line for each finding."""
        layout: Any = self.layout
        for text, good in _findings(context):
            paragraph(layout, context, text, "CHECKMARK" if good else "ERROR")


class DUOLOGUE_PT_retargeting(_UnderMotion):
    """What the animator chooses about the next motion."""

    bl_idname = "DUOLOGUE_PT_retargeting"
    bl_label = "Retargeting"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only where there is a pair."""
        return has_pair(context)

    def draw(self, context: Context) -> None:
        """Draw the choices."""
        layout: Any = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = active_pair(context).retargeting
        column = layout.column()
        column.enabled = not jobs.running()
        for name in ("keys", "root", "contact", "in_place", "keep_heights"):
            column.prop(chosen, name)
        _draw_calibration(layout, context)


CLASSES = (DUOLOGUE_PT_fit, DUOLOGUE_PT_retargeting)


def _draw_calibration(layout: Any, context: Context) -> None:
    state = calibrating(context.scene)
    if state.hidden:
        box = layout.box()
        paragraph(box, context, "Pose the copy: arms straight to the sides, legs straight down, feet and face forward.")
        row = box.row(align=True)
        row.operator(DUOLOGUE_OT_calibration_apply.bl_idname, icon="CHECKMARK")
        row.operator(DUOLOGUE_OT_calibration_cancel.bl_idname, icon="X")
        return
    for letter, character in zip("AB", active_pair(context).characters(), strict=True):
        if character is None:
            continue
        row = layout.row(align=True)
        row.operator(
            DUOLOGUE_OT_calibrate.bl_idname, text=f"Edit T-Pose of {letter}", icon="ARMATURE_DATA"
        ).character = character.name
        if is_corrected(character):
            row.operator(DUOLOGUE_OT_calibration_forget.bl_idname, text="", icon="LOOP_BACK").character = character.name


def _findings(context: Context) -> list[fit.Finding]:
    """About what A plays, else about what B plays."""
    for character in active_pair(context).characters():
        data = character.animation_data if character is not None else None
        found = fit.of_action(data.action) if data is not None else []
        if found:
            return found
    return []
