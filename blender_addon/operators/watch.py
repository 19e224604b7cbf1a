"""What Generate, React and Describe share: they begin a job, listen for Esc, and report how it ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bpy.types import Event, Operator, Timer

from protocol.errors import DuologueError

from ..link import jobs
from ..stubs import Context

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

_LOOK_SECONDS = 0.1


class JobOperator(Operator):
    """An operator that begins a job.

    Run from a script it returns at once, and the job goes on by itself. Clicked, it stays to pass on Esc and to report
    the end; every other event passes through, so that Blender can be used meanwhile. The undo step of the result is
    made when it is there, hence the operator itself makes none.
    """

    bl_options = {"REGISTER"}

    _timer: Timer | None = None
    _job: jobs.Job | None = None

    def begin(self, context: Context) -> jobs.Job:
        """Check everything and start the job.

        Raises:
            DuologueError: what stands in the way.
        """
        raise NotImplementedError

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Begin the job and return."""
        clicked = time.monotonic()
        try:
            jobs.require_idle()
            self._job = self.begin(context)
            # Reading a long animation takes a while, and the person waits from the click on.
            self._job.started = clicked
        except DuologueError as error:
            jobs.refuse(error)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Begin the job and stay until it ends."""
        returned = self.execute(context)
        if returned != {"FINISHED"} or context.window is None:
            return returned
        self._timer = context.window_manager.event_timer_add(_LOOK_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Pass on Esc; report when the job is over."""
        job = self._job
        if job is not None and job.phase is jobs.Phase.RUNNING and jobs.latest() is job:
            if event.type == "ESC" and event.value == "PRESS":
                jobs.cancel()
                return {"RUNNING_MODAL"}
            return {"PASS_THROUGH"}
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        if job is not None and job.error is not None:
            self.report({"ERROR"}, str(job.error))
            return {"CANCELLED"}
        if job is not None and job.note:
            self.report({"INFO"}, job.note)
        return {"FINISHED"}
