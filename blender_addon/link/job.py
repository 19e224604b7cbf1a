"""What a job is made of: what it asks, what it waits for, what becomes of the answer."""

from __future__ import annotations

import enum
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from protocol.errors import DuologueError
from protocol.messages import MotionPart, Result, Submit
from protocol.motion import Motion

from ..retarget.pair import Partner

_TELLING_SHARE = 0.05
"""Share of a job after which the time that is left can be told."""


class Outcome(Protocol):
    """What becomes of an answer. Names objects and never keeps them: undo replaces them between two ticks."""

    @property
    def on_rigs(self) -> bool:
        """Whether something can be seen of it already."""
        ...

    def motion(self, part: MotionPart) -> None:
        """Take a finished stretch of motion; what is done about it is left to `work`."""

    def text(self, piece: str) -> None:
        """Take a finished stretch of text."""

    def work(self) -> bool:
        """Do one small piece of what is to be done, of some 30 ms at most; returns whether there was any."""
        ...

    def finish(self, result: Result) -> None:
        """All has arrived and nothing is left to do.

        Raises:
            DuologueError: it is not enough.
        """

    def keep(self) -> str:
        """Keep what is complete and put back what is not; returns a sentence about what was kept, or nothing.

        Called once, at the end of the whole job, however it ended.
        """
        ...

    def discard(self) -> None:
        """Put everything back as it was, because undo is about to replace the scene; more `work` follows."""

    def renew(self) -> None:
        """Forget what has arrived, after `keep`: the same is going to be asked again."""


class Reading(Protocol):
    """Motion that must be read before anything can be asked; `animation.capture.Reading` is one.

    Attributes:
        fraction: 0 to 1, how much has been read.
    """

    fraction: float

    def work(self, seconds: float) -> bool:
        """Read for about so long; returns whether there is more to read."""
        ...

    def restart(self) -> None:
        """Forget what was read."""

    def motion(self) -> Motion:
        """What was read."""
        ...

    def partner(self) -> Partner:
        """What was read of one rig, for another to move with."""
        ...


@dataclass
class Request:
    """One thing that is asked of the backend.

    Attributes:
        about: whom or what it is about, for people.
        submit: the message, without the motion that is still to be read.
        reading: the motion that goes with it.
        refused: why nothing becomes of it; it may be known from the start, and others of the same job go on.
        kept: one sentence on what became of it, when the job is over.
    """

    about: str
    submit: Submit
    outcome: Outcome
    reading: Reading | None = None
    refused: DuologueError | None = None
    kept: str = ""

    def renew(self) -> None:
        """Make it as it was before anything was sent."""
        self.kept = ""
        self.outcome.renew()
        if self.reading is not None:
            self.reading.restart()

    def message(self) -> Submit:
        """The whole message, once its motion has been read."""
        return replace(self.submit, motion=self.reading.motion()) if self.reading is not None else self.submit


class Phase(enum.Enum):
    """Where a job stands."""

    RUNNING = enum.auto()
    DONE = enum.auto()
    FAILED = enum.auto()
    CANCELLED = enum.auto()


@dataclass
class Job:
    """One job and how far it is: one request, or several that are asked one after the other.

    Attributes:
        title: what is done, for the panel and the undo history, such as "Generate".
        requests: at least one.
        number: index of the request that is being worked on.
        fraction: 0 to 1.
        stage: what is being done right now, for people.
        note: one sentence on what became of it.
        error: why it failed.
        first_motion_seconds: from the click to the first motion on the rigs.
        seconds: from the click to the end.
        compute_seconds: what the backend said that it worked.
        id: of the message that was submitted for the current request; empty before that.
        result: the last message about the current request, while what came before it is still being worked on.
        moving: since when it gets on, as `time.monotonic` has it, and how far it was then; None while it waits.
    """

    title: str
    requests: Sequence[Request]
    number: int = 0
    phase: Phase = Phase.RUNNING
    fraction: float = 0.0
    stage: str = ""
    note: str = ""
    error: DuologueError | None = None
    first_motion_seconds: float | None = None
    seconds: float = 0.0
    compute_seconds: float = 0.0
    id: str = ""
    result: Result | None = None
    moving: tuple[float, float] | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def request(self) -> Request:
        """The request that is being worked on."""
        return self.requests[self.number]

    def at(self, fraction: float, stage: str) -> None:
        """Set how far the current request is."""
        self.fraction = (self.number + min(max(fraction, 0.0), 1.0)) / len(self.requests)
        if self.moving is None and fraction > 0:
            self.moving = time.monotonic(), self.fraction
        self.stage = f"{self.number + 1} of {len(self.requests)}: {stage}" if len(self.requests) > 1 else stage

    @property
    def seconds_left(self) -> float | None:
        """How long it will take if it gets on as it did so far; None while that cannot be told."""
        if self.moving is None or self.fraction - self.moving[1] < _TELLING_SHARE:
            return None
        taken = time.monotonic() - self.moving[0]
        return taken * (1 - self.fraction) / (self.fraction - self.moving[1])

    def summary(self) -> str:
        """One sentence or a few on how it ended; empty if it failed and nothing was kept."""
        kept = [request.kept for request in self.requests if request.kept]
        if not kept:
            return f"{self.title} was cancelled; everything is as it was." if self.phase is Phase.CANCELLED else ""
        said = ["Stopped."] if self.phase is Phase.CANCELLED else []
        said += kept if len(self.requests) == 1 else [f"{self.title}: {len(kept)} of {len(self.requests)} done."]
        refused = [(request.about, request.refused) for request in self.requests if request.refused is not None]
        said += [f"{about} was passed over: {error.message}" for about, error in refused]
        return " ".join(said)

    def next(self) -> bool:
        """Go on to the next request; False if there is none."""
        if self.number + 1 == len(self.requests):
            return False
        self.number, self.id, self.result = self.number + 1, "", None
        return True
