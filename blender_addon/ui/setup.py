"""The first thing that a new user sees: one button that sets the backend up, and how far that is."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.types import Panel

from ..installer.setup import Phase
from ..link import install
from ..operators.setup import (
    DUOLOGUE_OT_backend_remove,
    DUOLOGUE_OT_backend_setup,
    DUOLOGUE_OT_backend_setup_cancel,
    DUOLOGUE_OT_open_log,
    DUOLOGUE_OT_open_preferences,
)
from ..preferences import backend_settings, preferences_of
from ..stubs import Context
from .text import draw_error, paragraph

_WHY = (
    "Motion is made by a separate program, the backend. Set it up once: it gets an environment of its own, outside "
    "Blender, and runs on this computer."
)
_SIZE = "Downloads some 250 MB for the processor, several GB for an NVIDIA card."
_OFFLINE = "Blender may not go online, and the backend must be downloaded once."


class DUOLOGUE_PT_setup(Panel):
    """Shown until there is a backend, and while one is being set up or removed."""

    bl_idname = "DUOLOGUE_PT_setup"
    bl_label = "Set Up Duologue"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Duologue"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only while there is something to be set up."""
        unfinished = install.setup.progress.phase in (Phase.RUNNING, Phase.FAILED, Phase.CANCELLED)
        return unfinished or install.is_missing(backend_settings(context))

    def draw(self, context: Context) -> None:
        """Draw the button, or how far it is."""
        layout: Any = self.layout
        if install.setup.running:
            draw_progress(layout, context)
            return
        if install.setup.progress.phase is not Phase.FAILED:
            paragraph(layout, context, _WHY)
        draw_beginning(layout, context)
        row = layout.row()
        row.operator(
            DUOLOGUE_OT_open_preferences.bl_idname, text="Other Ways…", icon="PREFERENCES"
        ).section = "DUOLOGUE"


CLASSES = (DUOLOGUE_PT_setup,)


def draw_section(layout: Any, context: Context) -> None:
    """Draw, for the preferences, what was set up from Blender and what can be done about it."""
    if install.setup.running:
        draw_progress(layout, context)
        return
    state = install.set_up_here()
    if state is not None and state.ready and install.setup.progress.phase is not Phase.FAILED:
        paragraph(layout, context, f"{state.python}. {_DEVICES[state.device]}.", "CHECKMARK")
        row = layout.row()
        if install.is_outdated():
            row.operator(DUOLOGUE_OT_backend_setup.bl_idname, text="Update Backend", icon="IMPORT")
        _draw_log(row)
    else:
        draw_beginning(layout, context)
    if state is not None:
        layout.operator(DUOLOGUE_OT_backend_remove.bl_idname, icon="TRASH")


def draw_beginning(layout: Any, context: Context) -> None:
    """Draw what can be chosen, the one button, and why it did not work the last time."""
    error = install.setup.progress.error
    if error is not None:
        draw_error(layout, context, error)
        _draw_log(layout)
    chosen = preferences_of(context)
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(chosen, "setup_device")
    column.prop(chosen, "setup_python")
    if not bpy.app.online_access:
        paragraph(layout, context, _OFFLINE, "ERROR")
        button = layout.operator(DUOLOGUE_OT_open_preferences.bl_idname, text="Allow Online Access…", icon="INTERNET")
        button.section = "SYSTEM"
    large = layout.column()
    large.scale_y = 1.4
    state = install.set_up_here()
    text = "Go On Setting Up" if state is not None and not state.ready else "Set Up Backend"
    large.operator(DUOLOGUE_OT_backend_setup.bl_idname, text=text, icon="IMPORT")
    paragraph(layout, context, _SIZE)


def draw_progress(layout: Any, context: Context) -> None:
    """Draw how far it is, with what, and how to stop it."""
    progress = install.setup.progress
    layout.label(text=progress.step, icon="SORTTIME")
    row = layout.row(align=True)
    row.scale_y = 1.4
    row.progress(factor=progress.fraction, type="BAR", text=progress.detail or f"{progress.fraction:.0%}")
    row.operator(DUOLOGUE_OT_backend_setup_cancel.bl_idname, text="", icon="X")
    for text, icon in ((progress.python, "FILE_SCRIPT"), (_DEVICES.get(progress.device, progress.device), "MEMORY")):
        if text:
            paragraph(layout, context, text, icon)
    _draw_log(layout)


def _draw_log(layout: Any) -> None:
    layout.operator(DUOLOGUE_OT_open_log.bl_idname, text="Open Log", icon="TEXT").log = "SETUP"


_DEVICES = {"cpu": "On the processor", "cuda": "On an NVIDIA card (CUDA)"}
