"""The tab "Duologue" in the 3D viewport's sidebar."""

from __future__ import annotations

from typing import Any

from bpy.types import Panel, UIList

from .. import versioning
from ..characters import active_pair, filled_rows, has_pair, mapping_of, pairs_of
from ..link import jobs
from ..link.session import State
from ..operators.backend import DUOLOGUE_OT_backend_restart, DUOLOGUE_OT_backend_start, DUOLOGUE_OT_backend_stop
from ..operators.describe import DUOLOGUE_OT_describe
from ..operators.generate import DUOLOGUE_OT_cancel, DUOLOGUE_OT_generate
from ..operators.pairs import DUOLOGUE_OT_add_pair, DUOLOGUE_OT_remove_pair
from ..operators.react import DUOLOGUE_OT_react
from ..operators.rig_setup import DUOLOGUE_OT_swap, DUOLOGUE_OT_use_selected
from ..retarget import mapping
from ..stubs import Context
from .bones import draw_mapping
from .outliner import caption_of
from .prompts import DUOLOGUE_MT_prompts
from .text import draw_error, paragraph


class DUOLOGUE_UL_pairs(UIList):
    """The pairs of a scene; a click on one makes it the one that everything in the tab is about."""

    bl_idname = "DUOLOGUE_UL_pairs"

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
        """Draw one row: its name, and how many of A's and of B's joints have a bone."""
        layout.prop(item, "name", text="", emboss=False)
        state = layout.row()
        state.alignment = "RIGHT"
        cast = item.characters()
        usable = all(one is not None and mapping_of(one).error is None for one in cast)
        counts = " + ".join("–" if one is None else str(filled_rows(one)) for one in cast)
        state.label(text=f"{counts} of {len(mapping.ROWS)}", icon="CHECKMARK" if usable else "ERROR")


class _Tab(Panel):
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Duologue"


class _PairTab(_Tab):
    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only where there is a pair; while panels are drawn none can be made, but right after."""
        if not has_pair(context):
            versioning.provide_soon(context.scene)
        return has_pair(context)


class DUOLOGUE_PT_characters(_PairTab):
    """Who A and B are, and whether their rigs are understood."""

    bl_idname = "DUOLOGUE_PT_characters"
    bl_label = "Characters"

    def draw(self, context: Context) -> None:
        """Draw the two pickers, each with its mapping state."""
        layout: Any = self.layout
        _draw_pairs(layout, context)
        settings = active_pair(context)
        for letter in ("a", "b"):
            layout.prop(settings, f"character_{letter}", icon="ARMATURE_DATA")
            character = getattr(settings, f"character_{letter}")
            if character is not None:
                draw_mapping(layout, context, character, letter)
        row = layout.row(align=True)
        row.operator(DUOLOGUE_OT_use_selected.bl_idname, icon="RESTRICT_SELECT_OFF")
        row.operator(DUOLOGUE_OT_swap.bl_idname, text="", icon="ARROW_LEFTRIGHT")
        if len(pairs_of(context.scene).pairs) == 1:
            row.operator(DUOLOGUE_OT_add_pair.bl_idname, text="", icon="ADD")


class DUOLOGUE_PT_motion(_PairTab):
    """What they shall do, and how far that is."""

    bl_idname = "DUOLOGUE_PT_motion"
    bl_label = "Motion"

    def draw(self, context: Context) -> None:
        """Draw the settings, the buttons or the progress bar, and how the last job ended."""
        layout: Any = self.layout
        settings = active_pair(context)
        column = layout.column()
        column.enabled = not jobs.running()
        row = column.row(align=True)
        row.prop(settings, "prompt", text="")
        row.menu(DUOLOGUE_MT_prompts.bl_idname, text="", icon="DOWNARROW_HLT")
        row = column.row(align=True)
        row.prop(settings, "seconds")
        row.prop(settings, "variations")
        row = column.row(align=True)
        row.prop(settings, "place", text="")
        row.prop(settings, "guidance")
        row = column.row(align=True)
        row.prop(settings, "seed")
        row.prop(
            settings,
            "new_seed",
            text="",
            icon="UNLOCKED" if settings.new_seed else "LOCKED",
            invert_checkbox=True,
        )
        job = jobs.latest()
        if job is not None and job.phase is jobs.Phase.RUNNING:
            _draw_progress(layout, job)
            return
        large = layout.column()
        large.scale_y = 1.4
        large.operator(DUOLOGUE_OT_generate.bl_idname, icon="PLAY")
        row = layout.row(align=True)
        row.operator(DUOLOGUE_OT_react.bl_idname, text="React", icon="COMMUNITY").use_prompt = False
        row.operator(DUOLOGUE_OT_describe.bl_idname, text="Describe", icon="TEXT")
        _draw_ending(layout, context, job)
        caption = caption_of(context)
        if caption and not (job is not None and caption.partition(": ")[2] in job.note):
            paragraph(layout.box(), context, caption, "OUTLINER_OB_FONT")


class DUOLOGUE_PT_backend(_Tab):
    """Whether the backend runs, and on what."""

    bl_idname = "DUOLOGUE_PT_backend"
    bl_label = "Backend"
    bl_order = 1
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Draw its state and the buttons that change it."""
        layout: Any = self.layout
        session = jobs.session
        layout.label(text=session.state.value, icon=_STATE_ICONS[session.state])
        if session.error is not None:
            draw_error(layout, context, session.error)
        if session.welcome is not None:
            paragraph(layout, context, f"{session.welcome.checkpoint} on {session.welcome.device}")
        row = layout.row(align=True)
        if session.state in (State.OFF, State.FAILED):
            row.operator(DUOLOGUE_OT_backend_start.bl_idname, text="Start", icon="PLAY")
        else:
            row.operator(DUOLOGUE_OT_backend_restart.bl_idname, text="Restart", icon="FILE_REFRESH")
            row.operator(DUOLOGUE_OT_backend_stop.bl_idname, text="Stop", icon="X")


CLASSES = (DUOLOGUE_UL_pairs, DUOLOGUE_PT_characters, DUOLOGUE_PT_motion, DUOLOGUE_PT_backend)

_PAIR_ROWS_MAX = 5
_STATE_ICONS = {
    State.OFF: "UNLINKED",
    State.SEEKING: "SORTTIME",
    State.STARTING: "SORTTIME",
    State.LOADING: "SORTTIME",
    State.READY: "LINKED",
    State.FAILED: "ERROR",
}


def _draw_pairs(layout: Any, context: Context) -> None:
    """The list of pairs, where there are several."""
    held = pairs_of(context.scene)
    if len(held.pairs) == 1:
        return
    row = layout.row()
    row.template_list(
        DUOLOGUE_UL_pairs.bl_idname, "", held, "pairs", held, "active", rows=min(len(held.pairs), _PAIR_ROWS_MAX)
    )
    column = row.column(align=True)
    column.operator(DUOLOGUE_OT_add_pair.bl_idname, text="", icon="ADD")
    column.operator(DUOLOGUE_OT_remove_pair.bl_idname, text="", icon="REMOVE")


def _draw_progress(layout: Any, job: jobs.Job) -> None:
    row = layout.row(align=True)
    row.scale_y = 1.4
    left = job.seconds_left
    stage = job.stage or job.title
    row.progress(factor=job.fraction, type="BAR", text=stage if left is None else f"{stage}, {left:.0f} s left")
    row.operator(DUOLOGUE_OT_cancel.bl_idname, text="", icon="X")


def _draw_ending(layout: Any, context: Context, job: jobs.Job | None) -> None:
    error = jobs.refusal() or (job.error if job is not None else None)
    if error is not None:
        draw_error(layout, context, error)
    elif job is not None and job.note:
        icon = "CHECKMARK" if job.phase is jobs.Phase.DONE else "CANCEL"
        paragraph(layout, context, job.note, icon)
