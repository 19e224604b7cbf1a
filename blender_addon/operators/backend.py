"""Start, restart and stop the backend by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bpy.types import Operator

from ..link import jobs
from ..link.session import State
from ..preferences import backend_settings
from ..stubs import Context

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class DUOLOGUE_OT_backend_start(Operator):
    """Connect to the backend that runs, or start one"""

    bl_idname = "duologue.backend_start"
    bl_label = "Start"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only while none is there or on its way."""
        return jobs.session.state in (State.OFF, State.FAILED)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Look for a backend; asked for by hand, it may be started whatever the preferences say."""
        jobs.connect(replace(backend_settings(context), auto_start=True))
        return {"FINISHED"}


class DUOLOGUE_OT_backend_restart(Operator):
    """Stop the backend, if Blender started it, and connect anew"""

    bl_idname = "duologue.backend_restart"
    bl_label = "Restart"

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Disconnect and connect again."""
        jobs.disconnect()
        jobs.connect(replace(backend_settings(context), auto_start=True))
        return {"FINISHED"}


class DUOLOGUE_OT_backend_stop(Operator):
    """Disconnect, and stop the backend if Blender started it"""

    bl_idname = "duologue.backend_stop"
    bl_label = "Stop"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only while one is there or on its way."""
        return jobs.session.state not in (State.OFF, State.FAILED)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Disconnect."""
        jobs.disconnect()
        return {"FINISHED"}


CLASSES = (DUOLOGUE_OT_backend_start, DUOLOGUE_OT_backend_restart, DUOLOGUE_OT_backend_stop)
