"""The one thread that owns the model: loads it, then does job after job and says how it goes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

from protocol.errors import DuologueError
from protocol.messages import (
    ASK,
    COMPLETE,
    DESCRIBE,
    EDIT,
    GENERATE,
    REACT,
    SCRIPT,
    STORY,
    Error,
    Message,
    MotionPart,
    Progress,
    Result,
    Submit,
    TextPart,
)

from .model import Answers, Completes, Edits, Model, Piece, Scripted, Tells
from .queue import Job, JobQueue
from .requests import unsupported

log = logging.getLogger("duologue.worker")

LOADING = "Loading the model"
_STAGES = {
    REACT: "Reacting",
    DESCRIBE: "Describing",
    EDIT: "Changing",
    ASK: "Looking for an answer",
    STORY: "Telling",
    COMPLETE: "Filling in",
}
"""What is being done, for people; where nothing stands here it is generated."""


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
        if submit.task not in model.tasks:
            raise unsupported(submit.task, model.name)
        details: dict[str, float | str] = {"checkpoint": model.name, "device": model.device, "frames": 0}
        text = ""
        if submit.task in (DESCRIBE, ASK):
            self._tell(job, Progress(0.0, _STAGES[submit.task]))
            for piece in _text_of(model, submit, stopped):
                text += piece
                self._tell(job, TextPart(piece))
        else:
            for sample in range(submit.samples):
                details |= self._stream(job, sample, _motion_of(model, submit, sample, stopped))
        if stopped():
            return cancelled()
        return Result(text.strip(), time.perf_counter() - start, details)

    def _stream(self, job: Job, sample: int, pieces: Iterator[Piece]) -> dict[str, float | str]:
        """Send a motion as it comes; returns its number of frames, and its script where it has one."""
        stage = _STAGES.get(job.submit.task, "Generating")
        self._tell(job, Progress(sample / job.submit.samples, stage))
        details: dict[str, float | str] = {}
        for piece in pieces:
            if job.cancelled.is_set():
                break
            self._tell(job, MotionPart(sample, piece.start, piece.total, piece.motion))
            share = (piece.start + piece.motion.frames) / piece.total
            self._tell(job, Progress((sample + share) / job.submit.samples, stage))
            details["frames"] = piece.total
            if isinstance(piece, Scripted) and piece.script:
                details[SCRIPT] = piece.script
        return details


def _text_of(model: Model, submit: Submit, stopped: Callable[[], bool]) -> Iterator[str]:
    if submit.motion is not None:
        if submit.task == DESCRIBE:
            return model.describe(submit.motion, seed=submit.seed, cancelled=stopped)
        if submit.task == ASK and isinstance(model, Answers):
            return model.ask(submit.motion, submit.prompt, seed=submit.seed, cancelled=stopped)
    raise unsupported(submit.task, model.name)


def _motion_of(model: Model, submit: Submit, sample: int, stopped: Callable[[], bool]) -> Iterator[Piece]:
    seed, motion = submit.seed + sample, submit.motion
    if submit.task == GENERATE:
        return model.generate(submit.prompt, submit.seconds, seed, guidance=submit.guidance, cancelled=stopped)
    if submit.task == STORY and isinstance(model, Tells):
        return model.story(submit.prompts, submit.seconds, seed, motion=motion, cancelled=stopped)
    if motion is not None:
        if submit.task == REACT:
            return model.react(motion, submit.prompt, seed, scale=submit.scale, cancelled=stopped)
        if submit.task == EDIT and isinstance(model, Edits):
            return model.edit(motion, submit.prompt, seed, script=submit.script, cancelled=stopped)
        if submit.task == COMPLETE and isinstance(model, Completes):
            gap = submit.gap[0], submit.gap[1]
            return model.complete(motion, gap, submit.prompt, seed, cancelled=stopped)
    raise unsupported(submit.task, model.name)


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
