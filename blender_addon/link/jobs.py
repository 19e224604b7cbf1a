"""The one job that may run at a time: from a click, over motion that arrives in parts, to one undo step.

Everything happens in `tick`, which a timer calls in Blender's own thread. Where timers never fire (Blender as a Python
module), the caller calls `tick` itself.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence

import bpy
from bpy.app.handlers import persistent

from protocol.errors import DuologueError
from protocol.messages import Accepted, Error, Message, MotionPart, Progress, Result, TextPart

from ..stubs import Context
from .job import Job, Phase, Request
from .process import Settings
from .session import Session, State

BUSY_INTERVAL, IDLE_INTERVAL = 0.05, 0.5
"""Seconds between ticks while something is awaited, and while the connection is merely watched."""
_WORK_INTERVAL = 0.01
"""Seconds between ticks while there is something to do here: just enough for Blender to draw and to listen."""
_READ_SECONDS, _WORK_SECONDS = 0.03, 0.015
"""How long a tick may read animation, and after how long it begins no further piece of work."""
_READING = "Reading the animation"
_CANCELLED = "cancelled"

session = Session("Duologue for Blender " + bpy.app.version_string)
_job: Job | None = None
_refusal: DuologueError | None = None
_drawn: object = None
_at_work = False


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


def start(title: str, requests: Sequence[Request], settings: Settings) -> Job:
    """Begin a job; a backend is looked for, and started if need be, while it waits.

    Raises:
        DuologueError: ``busy`` if another one runs.
    """
    global _job, _refusal
    require_idle()
    _refusal = None
    job = _job = Job(title, requests)
    connect(settings)
    # Not left to the timer, which would only come after the next redraw of the window.
    tick()
    return job


def lost() -> Job | None:
    """The last job, if it failed because the backend did: `resume` can go on with it once there is another."""
    failed = _job is not None and _job.error is not None and _job.error is session.error
    return _job if failed else None


def resume(job: Job, settings: Settings) -> Job:
    """Begin a job that asks anew for what a lost one was still owed.

    Raises:
        DuologueError: ``busy`` if another one runs.
    """
    require_idle()
    rest = job.requests[job.number :]
    for request in rest:
        request.renew()
    return start(job.title, rest, settings)


def refuse(error: DuologueError) -> None:
    """Let the panel show why something could not even be begun, until the next thing is."""
    global _refusal
    _refusal = error
    _redraw()


def forgive() -> None:
    """Let the panel show a refusal no longer: what stood in the way was put right."""
    global _refusal
    _refusal = None
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
    """Move everything on by what has arrived, and by a little of what there is to do; returns soon."""
    global _at_work
    _at_work = False
    envelopes = session.tick()
    if _job is not None and _job.phase is Phase.RUNNING:
        try:
            _at_work = _advance(
                _job, [envelope.message for envelope in envelopes if _concerns(_job, envelope.header.parent)]
            )
        except DuologueError as error:
            _refused(_job, error)
        except Exception as error:
            # A timer that raises is dropped silently, and the job would seem to run for ever.
            traceback.print_exc()
            _refused(_job, _unexpected(error))
    _redraw()


def _concerns(job: Job, parent: str) -> bool:
    return bool(job.id) and parent in ("", job.id)


def _advance(job: Job, messages: list[Message]) -> bool:
    """Move a job on; returns whether there is more to do before anything else arrives."""
    if session.error is not None and job.result is None:
        raise session.error
    if job.request.refused is not None:
        raise job.request.refused
    if not job.id:
        reading = job.request.reading
        if reading is not None and reading.fraction < 1:
            reading.work(_READ_SECONDS)
            job.at(reading.fraction, _READING)
            return True
        job.at(0.0, session.state.value)
        if session.connected:
            job.id = session.submit(job.request.message())
    for message in messages:
        _take(job, message)
    return job.phase is Phase.RUNNING and _work(job)


def _take(job: Job, message: Message) -> None:
    outcome = job.request.outcome
    match message:
        case Accepted(ahead=ahead):
            job.at(0.0, f"Waiting for {ahead} more" if ahead else "Waiting")
        case Progress():
            job.at(message.fraction, message.stage)
        case MotionPart():
            outcome.motion(message)
        case TextPart():
            outcome.text(message.text)
        case Result():
            job.result = message
        case Error(code=code) if code == _CANCELLED:
            _end(job, Phase.CANCELLED)
        case Error():
            raise DuologueError(message.code, message.message, message.hint)
        case _:
            pass


def _work(job: Job) -> bool:
    """Do some of what there is to do about a job; returns whether there may be more."""
    outcome = job.request.outcome
    begun, worked = time.perf_counter(), False
    while time.perf_counter() - begun < _WORK_SECONDS and outcome.work():
        worked = True
    if outcome.on_rigs and job.first_motion_seconds is None:
        job.first_motion_seconds = time.monotonic() - job.started
    if worked or job.result is None:
        return worked
    outcome.finish(job.result)
    job.compute_seconds += job.result.compute_seconds
    if not job.next():
        _end(job, Phase.DONE)
    return True


def _refused(job: Job, error: DuologueError) -> None:
    """Something came of none of a request: the others of its job go on, unless the backend itself is gone."""
    _stop_in_backend(job)
    if session.error is None and len(job.requests) > 1:
        job.request.refused = error
        if not job.next():
            _end(job, Phase.DONE)
        return
    _end(job, Phase.FAILED, error)


def _end(job: Job, phase: Phase, error: DuologueError | None = None) -> None:
    job.phase, job.error, job.seconds = phase, error, time.monotonic() - job.started
    for request in job.requests:
        try:
            request.kept = request.outcome.keep()
        except DuologueError as trouble:
            request.refused = trouble
        except Exception as trouble:
            traceback.print_exc()
            request.refused = _unexpected(trouble)
    kept = any(request.kept for request in job.requests)
    if phase is Phase.DONE and not kept:
        job.phase, job.error = Phase.FAILED, next(one.refused for one in job.requests if one.refused is not None)
    job.note = job.summary()
    if kept:
        _push_undo(job.title)


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
    if _at_work:
        return _WORK_INTERVAL
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
    """What a running job has written is in no undo step yet, so it is taken back and written anew; so is what it read.

    Undo keeps objects that are the same in two of its steps as they are in memory. One that already refers to the new
    Action would refer to it after undo had freed it, and crash Blender.
    """
    if _job is not None and _job.phase is Phase.RUNNING:
        _job.request.outcome.discard()
        if _job.request.reading is not None and not _job.id:
            _job.request.reading.restart()


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
