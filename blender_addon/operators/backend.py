"""Start, restart and stop the backend by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bpy.types import Operator

from ..link import jobs
from ..link.process import Settings
from ..link.session import State
from ..preferences import backend_settings
from ..stubs import Context
from .watch import JobOperator

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class DUOLOGUE_OT_backend_start(Operator):
    """Connect to the backend that runs, or start one"""

    bl_idname = "duologue.backend_start"
    bl_label = "Start Backend"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only while none is there or on its way."""
        return jobs.session.state in (State.OFF, State.FAILED)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Look for a backend."""
        jobs.connect(_asked_for(context))
        return {"FINISHED"}


class DUOLOGUE_OT_backend_restart(JobOperator):
    """Start the backend anew, and go on with what it was doing when it was lost"""

    bl_idname = "duologue.backend_restart"
    bl_label = "Restart Backend"

    _lost: jobs.Job | None = None

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Disconnect, connect again, and ask anew for what is still owed."""
        self._lost = jobs.lost()
        jobs.disconnect()
        if self._lost is not None:
            return super().execute(context)
        jobs.connect(_asked_for(context))
        return {"FINISHED"}

    def begin(self, context: Context) -> jobs.Job:
        """Go on with the job that was lost."""
        assert self._lost is not None
        return jobs.resume(self._lost, _asked_for(context))


class DUOLOGUE_OT_backend_stop(Operator):
    """Disconnect, and stop the backend if Blender started it"""

    bl_idname = "duologue.backend_stop"
    bl_label = "Stop Backend"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only while one is there or on its way."""
        return jobs.session.state not in (State.OFF, State.FAILED)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Disconnect."""
        jobs.disconnect()
        return {"FINISHED"}


CLASSES = (DUOLOGUE_OT_backend_start, DUOLOGUE_OT_backend_restart, DUOLOGUE_OT_backend_stop)


def _asked_for(context: Context) -> Settings:
    """Asked for by hand, a backend may be started whatever the preferences say."""
    return replace(backend_settings(context), auto_start=True)
