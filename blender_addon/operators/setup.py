"""Set the backend up, stop doing so, remove it; and the ways to what Blender and the preferences decide about it."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.props import EnumProperty
from bpy.types import Event, Operator

from protocol.errors import DuologueError

from ..installer.home import default_home
from ..link import install, jobs
from ..preferences import PACKAGE, backend_settings, setup_wish
from ..stubs import Context

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class DUOLOGUE_OT_backend_setup(Operator):
    """Make an environment for the backend, outside Blender's Python, and download what it needs"""

    bl_idname = "duologue.backend_setup"
    bl_label = "Set Up Backend"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only while nothing of the kind is under way."""
        return not install.setup.running

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Begin, or go on where it was broken off."""
        try:
            jobs.require_idle()
            install.begin(setup_wish(context), backend_settings(context))
        except DuologueError as error:
            jobs.refuse(error)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class DUOLOGUE_OT_backend_setup_cancel(Operator):
    """Stop setting up; what has arrived is kept, so that it can be gone on with"""

    bl_idname = "duologue.backend_setup_cancel"
    bl_label = "Cancel Setup"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only while it is under way."""
        return install.setup.running

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Stop it."""
        install.setup.cancel()
        return {"FINISHED"}


class DUOLOGUE_OT_backend_remove(Operator):
    """Stop the backend and delete the environment that was set up from Blender"""

    bl_idname = "duologue.backend_remove"
    bl_label = "Remove Backend"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only if there is one, and nothing is being done about it."""
        return not install.setup.running and install.set_up_here() is not None

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask first: setting up again takes minutes."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Begin to remove it."""
        try:
            install.begin_removal(default_home())
        except DuologueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class DUOLOGUE_OT_open_log(Operator):
    """Open the log in the program that this computer opens text with"""

    bl_idname = "duologue.open_log"
    bl_label = "Open Duologue Log"

    log: EnumProperty(
        items=(
            ("SETUP", "Setup", "What setting the backend up has said"),
            ("BACKEND", "Backend", "What the backend has said"),
        ),
        options={"HIDDEN"},
    )

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Open it, if there is one."""
        path = default_home().log if self.log == "SETUP" else backend_settings(context).log
        if not path.is_file():
            self.report({"ERROR"}, f"Nothing has been logged yet: there is no {path}.")
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=str(path))
        return {"FINISHED"}


class DUOLOGUE_OT_open_preferences(Operator):
    """Open the preferences at the place that decides this"""

    bl_idname = "duologue.open_preferences"
    bl_label = "Open Duologue Preferences"

    section: EnumProperty(
        items=(
            ("DUOLOGUE", "Duologue", "What Duologue itself can be told"),
            ("SYSTEM", "System", "Where Blender is allowed to go online"),
        ),
        options={"HIDDEN"},
    )

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Open them."""
        if self.section == "DUOLOGUE":
            bpy.ops.preferences.addon_show(module=PACKAGE)
        else:
            bpy.ops.screen.userpref_show(section="SYSTEM")
        return {"FINISHED"}


CLASSES = (
    DUOLOGUE_OT_backend_setup,
    DUOLOGUE_OT_backend_setup_cancel,
    DUOLOGUE_OT_backend_remove,
    DUOLOGUE_OT_open_log,
    DUOLOGUE_OT_open_preferences,
)
