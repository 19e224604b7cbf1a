"""One frozen dataclass per message.

A field holds plain JSON data, a `Motion`, or None. How a message becomes frames on a socket is the wire's business.
Replies and events name the request they belong to in the wire header's ``parent``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from .motion import Motion

PROTOCOL_VERSION = (1, 1)
"""Major, minor. Peers of different majors refuse each other; a newer minor may add fields and messages."""

GENERATE, REACT, DESCRIBE = "generate", "react", "describe"
EDIT, ASK, STORY, COMPLETE = "edit", "ask", "story", "complete"
TASKS = (GENERATE, REACT, DESCRIBE, EDIT, ASK, STORY, COMPLETE)
"""Every task that this version knows; which of them a checkpoint can do is in `Welcome`."""

SCENES_MAX = 4
"""Most scenes of one story."""
GUIDANCE_MAX = 4.0
"""The strictest way to follow a prompt, in shares of what suits the model best."""
SCRIPT_CHARACTERS_MAX = 20_000
SCRIPT = "script"
"""Key of `Result.details` under which the backend hands over what it understood of a motion."""


@dataclass(frozen=True)
class Hello:
    """Client to backend, first: who is calling."""

    TYPE: ClassVar[str] = "hello"
    client: str
    """Name and version of the program, for the log."""


@dataclass(frozen=True)
class Limits:
    """What a backend accepts in one job; sent in `Welcome`."""

    prompt_characters: int
    seconds_min: float
    seconds_max: float
    samples_max: int


USUAL_LIMITS = Limits(prompt_characters=500, seconds_min=1.0, seconds_max=10.0, samples_max=8)
"""What is said until the checkpoint is loaded and its own limits are known."""


@dataclass(frozen=True)
class Welcome:
    """Backend to client, in answer to `Hello` and once more when the checkpoint is loaded: what this backend can do."""

    TYPE: ClassVar[str] = "welcome"
    backend_version: str
    tasks: list[str]
    """What the checkpoint can do; until it is loaded, all tasks that the backend knows."""
    checkpoint: str
    device: str
    ready: bool
    """False while the checkpoint is still being loaded; jobs are accepted and wait.

    If loading fails, an `Error` whose parent is the `Hello` says why; the next job tries again."""
    limits: Limits


@dataclass(frozen=True)
class Submit:
    """Client to backend: do this task.

    ``generate`` needs ``prompt`` and ``seconds``; ``react`` needs a one-person ``motion`` and takes an optional
    ``prompt``, and answers with the partner's motion alone; ``describe`` needs a ``motion`` of one or two persons.

    ``edit`` needs a two-person ``motion`` and the instruction as ``prompt``, takes an optional ``script``, and answers
    with the whole new motion of both; ``ask`` needs a ``motion`` of one or two persons and the question as ``prompt``,
    and answers in text; ``story`` needs ``prompts`` and ``seconds``, and takes the two-person ``motion`` that came
    before; ``complete`` needs a two-person ``motion`` and a ``gap`` in it or at its end, takes an optional ``prompt``,
    and answers with the frames of the gap alone.
    """

    TYPE: ClassVar[str] = "submit"
    task: str
    prompt: str = ""
    seconds: float = 0.0
    """Length of what is made; of a story, of all its scenes together."""
    seed: int = 0
    samples: int = 1
    motion: Motion | None = None
    script: str = ""
    """What the backend understood of ``motion``, as an earlier `Result` handed it over; for the backend alone."""
    prompts: list[str] = field(default_factory=list)
    """The scenes of a story, 1 to `SCENES_MAX`."""
    gap: list[int] = field(default_factory=list)
    """First frame of ``motion`` to be made anew, and the one after the last; where it begins at the motion's end, it
    says how far to continue it."""
    guidance: float = 1.0
    """How strictly ``generate`` follows its prompt: 1 as suits the model best, 0 as loosely as it can, up to
    `GUIDANCE_MAX`."""
    scale: float = 1.0
    """Size of the partner that ``react`` makes, in neutral bodies."""


@dataclass(frozen=True)
class Accepted:
    """Backend to client: the job is in the queue, with ``ahead`` jobs before it."""

    TYPE: ClassVar[str] = "accepted"
    ahead: int


@dataclass(frozen=True)
class Progress:
    """Backend to client: how far the job is; a newer one makes an older one stale."""

    TYPE: ClassVar[str] = "progress"
    fraction: float
    """0 to 1."""
    stage: str
    """What is being done, for people: "Loading the model", "Generating"."""


@dataclass(frozen=True)
class MotionPart:
    """Backend to client: a finished stretch of frames, sent while the rest is still being generated."""

    TYPE: ClassVar[str] = "motion"
    sample: int
    start: int
    """Index of the stretch's first frame in the whole motion; of ``complete``, in the gap. A frame that came already
    begins a better attempt, in place of all frames from there on."""
    total: int
    """Frames that the whole motion, or the gap, will have."""
    motion: Motion


@dataclass(frozen=True)
class TextPart:
    """Backend to client: a finished stretch of text."""

    TYPE: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Result:
    """Backend to client, last of a job that went well. The motion itself has been sent in `MotionPart` messages."""

    TYPE: ClassVar[str] = "result"
    text: str = ""
    """The whole caption or answer, where the task makes one."""
    compute_seconds: float = 0.0
    details: dict[str, float | str] = field(default_factory=dict)
    """More about it; under `SCRIPT`, what the backend understood of the motion, to be sent back with an edit."""


@dataclass(frozen=True)
class Error:
    """Backend to client, last of a job that failed or was refused."""

    TYPE: ClassVar[str] = "error"
    code: str
    message: str
    hint: str


@dataclass(frozen=True)
class Cancel:
    """Client to backend: stop the job with that `Submit` id; answered by an `Error` with code ``cancelled``."""

    TYPE: ClassVar[str] = "cancel"
    job: str


@dataclass(frozen=True)
class Heartbeat:
    """Either way: still here. The backend answers each with one of its own, and sends them unasked while a job runs."""

    TYPE: ClassVar[str] = "heartbeat"


@dataclass(frozen=True)
class StatusRequest:
    """Client to backend: what are you doing?"""

    TYPE: ClassVar[str] = "status_request"


@dataclass(frozen=True)
class Status:
    """Backend to client: whether the model is loaded, whether a job runs, how many wait."""

    TYPE: ClassVar[str] = "status"
    ready: bool
    busy: bool
    waiting: int


@dataclass(frozen=True)
class Shutdown:
    """Client to backend: finish nothing more and end the process."""

    TYPE: ClassVar[str] = "shutdown"


Message = (
    Hello
    | Welcome
    | Submit
    | Accepted
    | Progress
    | MotionPart
    | TextPart
    | Result
    | Error
    | Cancel
    | Heartbeat
    | StatusRequest
    | Status
    | Shutdown
)
