"""The one thread that owns the model: loads it, then does job after job and says how it goes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from protocol.errors import DuologueError
from protocol.messages import (
    DESCRIBE,
    GENERATE,
    REACT,
    Error,
    Limits,
    Message,
    MotionPart,
    Progress,
    Result,
    Submit,
    TextPart,
)
from protocol.motion import Motion

from .queue import Job, JobQueue

log = logging.getLogger("duologue.worker")

LOADING = "Loading the model"


class Piece(Protocol):
    """A finished stretch of motion, as `backend.engine.MotionPiece` is."""

    @property
    def start(self) -> int:
        """Index of its first frame in the whole."""
        ...

    @property
    def total(self) -> int:
        """Frames of the whole."""
        ...

    @property
    def motion(self) -> Motion:
        """The frames themselves."""
        ...


class Model(Protocol):
    """What the worker needs of an engine; `backend.engine.Engine` is one."""

    @property
    def name(self) -> str:
        """The checkpoint's name."""
        ...

    @property
    def device(self) -> str:
        """What it runs on."""
        ...

    @property
    def limits(self) -> Limits:
        """What it accepts."""
        ...

    def generate(
        self, prompt: str, seconds: float, seed: int = 0, *, cancelled: Callable[[], bool] = ...
    ) -> Iterator[Piece]:
        """The motion of two persons for a prompt."""
        ...

    def react(
        self, motion: Motion, prompt: str = "", seed: int = 0, *, cancelled: Callable[[], bool] = ...
    ) -> Iterator[Piece]:
        """The partner of a lone person."""
        ...

    def describe(self, motion: Motion, *, seed: int = 0, cancelled: Callable[[], bool] = ...) -> Iterator[str]:
        """What a motion shows."""
        ...


class Worker(threading.Thread):
    """Loads the model as soon as it starts, so that it is warm when the first job comes.

    Args:
        queue: where the jobs come from; the thread ends when it is closed.
        load: makes the model. Called again at the next job if it failed, so that what was missing can be supplied.
        tell: sends a message about a job to whoever submitted it. Called in this thread.
        loaded: called in this thread after each attempt to load, with the error if it failed.
    """

    def __init__(
        self,
        queue: JobQueue,
        load: Callable[[], Model],
        tell: Callable[[Job, Message], None],
        loaded: Callable[[Model | None, DuologueError | None], None],
    ) -> None:
        super().__init__(name="duologue-worker", daemon=True)
        self._queue = queue
        self._load = load
        self._tell = tell
        self._loaded = loaded
        self._model: Model | None = None

    def run(self) -> None:
        """Work until the queue is closed."""
        try:
            self._ready_model()
        except DuologueError as error:
            log.error("%s %s", error.message, error.hint)
        while job := self._queue.take():
            for ahead, other in enumerate(self._queue.waiting, start=1):
                self._tell(other, Progress(0.0, f"Waiting for {ahead} {'job' if ahead == 1 else 'jobs'}"))
            try:
                ending = self._outcome(job)
            finally:
                self._queue.finish()
            # Told only now: who reads the last word of a job may rely on the model being free again.
            self._tell(job, ending)

    def _ready_model(self) -> Model:
        if self._model is None:
            try:
                self._model = self._load()
            except Exception as error:
                problem = error if isinstance(error, DuologueError) else _internal(error)
                self._loaded(None, problem)
                raise problem from error
            self._loaded(self._model, None)
        return self._model

    def _outcome(self, job: Job) -> Message:
        """Do the job; returns its last message."""
        try:
            if self._model is None:
                self._tell(job, Progress(0.0, LOADING))
            return self._do(self._ready_model(), job)
        except Exception as error:
            # The engine leaves a cancelled job by an exception of its own.
            if job.cancelled.is_set():
                return cancelled()
            problem = error if isinstance(error, DuologueError) else _internal(error)
            return Error(problem.code, problem.message, problem.hint)

    def _do(self, model: Model, job: Job) -> Message:
        submit, start = job.submit, time.perf_counter()
        stopped = job.cancelled.is_set
        text, frames = "", 0
        if submit.task == DESCRIBE and submit.motion is not None:
            self._tell(job, Progress(0.0, "Describing"))
            for piece in model.describe(submit.motion, seed=submit.seed, cancelled=stopped):
                text += piece
                self._tell(job, TextPart(piece))
        else:
            for sample in range(submit.samples):
                frames = self._stream(job, sample, self._motion_of(model, submit, sample, stopped))
        if stopped():
            return cancelled()
        details: dict[str, float | str] = {"checkpoint": model.name, "device": model.device, "frames": frames}
        return Result(text.strip(), time.perf_counter() - start, details)

    def _motion_of(self, model: Model, submit: Submit, sample: int, stopped: Callable[[], bool]) -> Iterator[Piece]:
        seed = submit.seed + sample
        if submit.task == REACT and submit.motion is not None:
            return model.react(submit.motion, submit.prompt, seed, cancelled=stopped)
        if submit.task == GENERATE:
            return model.generate(submit.prompt, submit.seconds, seed, cancelled=stopped)
        raise DuologueError("task_unknown", f"This backend knows no task {submit.task[:40]!r}.", "Update the backend.")

    def _stream(self, job: Job, sample: int, pieces: Iterator[Piece]) -> int:
        """Send a motion as it comes; returns its number of frames."""
        stage = "Reacting" if job.submit.task == REACT else "Generating"
        self._tell(job, Progress(sample / job.submit.samples, stage))
        total = 0
        for piece in pieces:
            if job.cancelled.is_set():
                break
            total = piece.total
            self._tell(job, MotionPart(sample, piece.start, total, piece.motion))
            share = (piece.start + piece.motion.frames) / total
            self._tell(job, Progress((sample + share) / job.submit.samples, stage))
        return total


def cancelled() -> Error:
    """The last message of a job that was cancelled."""
    return Error("cancelled", "The job was cancelled.", "")


def _internal(error: Exception) -> DuologueError:
    log.error("unexpected error", exc_info=error)
    return DuologueError(
        "internal",
        f"The backend failed unexpectedly ({type(error).__name__}: {str(error)[:200]}).",
        "Its log has the details; please report them.",
    )
