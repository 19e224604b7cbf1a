"""The one job that may run at a time: from a click, over motion that arrives in parts, to one undo step.

Everything happens in `tick`, which a timer calls in Blender's own thread. Where timers never fire (Blender as a Python
module), the caller calls `tick` itself.
"""

from __future__ import annotations

import enum
import time
import traceback
from dataclasses import dataclass, field
from typing import Protocol

import bpy
from bpy.app.handlers import persistent

from protocol.errors import DuologueError
from protocol.messages import Accepted, Error, Message, MotionPart, Progress, Result, Submit, TextPart

from ..stubs import Context
from .process import Settings
from .session import Session, State

BUSY_INTERVAL, IDLE_INTERVAL = 0.05, 0.5
"""Seconds between ticks while something is awaited, and while the connection is merely watched."""
_CANCELLED = "cancelled"


class Outcome(Protocol):
    """What becomes of a job's answer. Names objects and never keeps them: undo replaces them between two ticks."""

    def motion(self, part: MotionPart) -> None:
        """Take a finished stretch of motion."""

    def text(self, piece: str) -> None:
        """Take a finished stretch of text."""

    def finish(self, result: Result) -> str:
        """The job went well; returns one sentence for the person."""
        ...

    def discard(self) -> None:
        """Put everything back as it was: the job did not go well, or undo is about to replace the scene.

        In the latter case more may follow, and `finish`.
        """


class Phase(enum.Enum):
    """Where a job stands."""

    RUNNING = enum.auto()
    DONE = enum.auto()
    FAILED = enum.auto()
    CANCELLED = enum.auto()


@dataclass
class Job:
    """One job and how far it is.

    Attributes:
        title: what is done, for the panel and the undo history, such as "Generate".
        fraction: 0 to 1.
        stage: what is being done right now, for people.
        note: one sentence on a job that went well.
        error: why it failed.
        first_motion_seconds: from the click to the first motion on the rigs.
        seconds: from the click to the end.
        details: what the backend said about the work, such as its ``compute_seconds``.
    """

    title: str
    submit: Submit
    outcome: Outcome
    phase: Phase = Phase.RUNNING
    fraction: float = 0.0
    stage: str = ""
    note: str = ""
    error: DuologueError | None = None
    first_motion_seconds: float | None = None
    seconds: float = 0.0
    compute_seconds: float = 0.0
    id: str = ""
    started: float = field(default_factory=time.monotonic)


session = Session("Duologue for Blender " + bpy.app.version_string)
_job: Job | None = None
_refusal: DuologueError | None = None
_drawn: object = None


def latest() -> Job | None:
    """The job that runs, or else the one that ran last."""
    return _job


def running() -> bool:
    """Whether a job runs."""
    return _job is not None and _job.phase is Phase.RUNNING


def require_idle() -> None:
    """Raise unless no job runs.

    Raises:
        DuologueError: ``busy``.
    """
    if running():
        raise DuologueError("busy", "Duologue is still at work on the last thing.", "Wait for it, or cancel it first.")


def start(title: str, submit: Submit, outcome: Outcome, settings: Settings) -> Job:
    """Begin a job; a backend is looked for, and started if need be, while it waits.

    Raises:
        DuologueError: ``busy`` if another one runs.
    """
    global _job, _refusal
    require_idle()
    _refusal = None
    job = _job = Job(title, submit, outcome)
    connect(settings)
    # Not left to the timer, which would only come after the next redraw of the window.
    tick()
    return job


def refuse(error: DuologueError) -> None:
    """Let the panel show why something could not even be begun, until the next thing is."""
    global _refusal
    _refusal = error
    _redraw()


def refusal() -> DuologueError | None:
    """Why the last thing that was asked for could not be begun; None if it was."""
    return _refusal


def connect(settings: Settings) -> None:
    """Look for a backend, or start one, without a job."""
    session.connect(settings)
    # Registered anew even if it runs, so that a job does not wait for the end of an idle interval.
    if bpy.app.timers.is_registered(_timer):
        bpy.app.timers.unregister(_timer)
    bpy.app.timers.register(_timer, persistent=True)
    _redraw()


def cancel() -> None:
    """Cancel the running job: the backend stops at its next step, and what was there before is put back at once."""
    if _job is None or _job.phase is not Phase.RUNNING:
        return
    _stop_in_backend(_job)
    _end(_job, Phase.CANCELLED)


def disconnect() -> None:
    """Cancel what runs, disconnect, and stop the backend if it was started from here."""
    cancel()
    session.stop()
    _redraw()


def tick() -> None:
    """Move everything on by what has arrived; returns at once."""
    envelopes = session.tick()
    if _job is not None and _job.phase is Phase.RUNNING:
        try:
            _advance(_job, [envelope.message for envelope in envelopes if _concerns(_job, envelope.header.parent)])
        except DuologueError as error:
            _stop_in_backend(_job)
            _end(_job, Phase.FAILED, error)
        except Exception as error:
            # A timer that raises is dropped silently, and the job would seem to run for ever.
            traceback.print_exc()
            _stop_in_backend(_job)
            _end(_job, Phase.FAILED, _unexpected(error))
    _redraw()


def _concerns(job: Job, parent: str) -> bool:
    return bool(job.id) and parent in ("", job.id)


def _advance(job: Job, messages: list[Message]) -> None:
    if session.error is not None:
        raise session.error
    if not job.id:
        job.stage = session.state.value
        if session.connected:
            job.id = session.submit(job.submit)
    for message in messages:
        match message:
            case Accepted(ahead=ahead):
                job.stage = f"Waiting for {ahead} more" if ahead else "Waiting"
            case Progress():
                job.fraction, job.stage = min(max(message.fraction, 0.0), 1.0), message.stage
            case MotionPart():
                job.outcome.motion(message)
                job.first_motion_seconds = job.first_motion_seconds or time.monotonic() - job.started
            case TextPart():
                job.outcome.text(message.text)
            case Result():
                job.compute_seconds = message.compute_seconds
                job.note = job.outcome.finish(message)
                _end(job, Phase.DONE)
                return
            case Error(code=code) if code == _CANCELLED:
                _end(job, Phase.CANCELLED)
                return
            case Error():
                raise DuologueError(message.code, message.message, message.hint)
            case _:
                pass


def _end(job: Job, phase: Phase, error: DuologueError | None = None) -> None:
    job.phase, job.error, job.seconds = phase, error, time.monotonic() - job.started
    if phase is Phase.DONE:
        job.fraction = 1.0
        _push_undo(job.title)
        return
    try:
        job.outcome.discard()
    except Exception:
        traceback.print_exc()
    if phase is Phase.CANCELLED:
        job.note = f"{job.title} was cancelled; everything is as it was."


def _stop_in_backend(job: Job) -> None:
    try:
        if job.id:
            session.cancel(job.id)
    except DuologueError:
        # It is gone, and so is the job.
        return


def _unexpected(error: Exception) -> DuologueError:
    return DuologueError(
        "unexpected",
        f"Something went wrong inside Duologue: {type(error).__name__}: {error}.",
        "Everything was put back; please report this, with what the system console says.",
    )


def _push_undo(title: str) -> None:
    context: Context = bpy.context
    windows = context.window_manager.windows
    # A timer runs without a window, and undo belongs to one.
    if windows and context.window is None:
        with context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message=f"Duologue: {title}")
    else:
        bpy.ops.ed.undo_push(message=f"Duologue: {title}")


def _timer() -> float | None:
    tick()
    if running() or session.state in (State.SEEKING, State.STARTING, State.LOADING):
        return BUSY_INTERVAL
    return IDLE_INTERVAL if session.connected else None


def _redraw() -> None:
    global _drawn
    job = (_job.phase, round(_job.fraction, 3), _job.stage, _job.id) if _job else None
    looks = (session.state, job, _refusal)
    if looks == _drawn:
        return
    _drawn = looks
    context: Context = bpy.context
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "OUTLINER"):
                area.tag_redraw()


@persistent
def _before_undo(*_scene: object) -> None:
    """What a running job has written is in no undo step yet, so it is taken back; the next stretch writes it anew.

    Undo keeps objects that are the same in two of its steps as they are in memory. One that already refers to the new
    Action would refer to it after undo had freed it, and crash Blender.
    """
    if _job is not None and _job.phase is Phase.RUNNING:
        _job.outcome.discard()


@persistent
def _forget(_file: str) -> None:
    """Another file is being loaded: the objects of a running job go with the old one."""
    global _job, _refusal
    if _job is not None and _job.phase is Phase.RUNNING:
        _stop_in_backend(_job)
    _job = _refusal = None


def register() -> None:
    """Watch for files being loaded and for undo."""
    bpy.app.handlers.load_pre.append(_forget)
    for handlers in _undo_handlers():
        handlers.append(_before_undo)


def unregister() -> None:
    """Cancel what runs, and disconnect."""
    disconnect()
    if bpy.app.timers.is_registered(_timer):
        bpy.app.timers.unregister(_timer)
    bpy.app.handlers.load_pre.remove(_forget)
    for handlers in _undo_handlers():
        handlers.remove(_before_undo)


def _undo_handlers() -> tuple[list, list]:
    return bpy.app.handlers.undo_pre, bpy.app.handlers.redo_pre
