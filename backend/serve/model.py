"""What the worker needs of an engine; `backend.engine.Engine` is one.

The three tasks of `Model` every engine does. Each of the others has a protocol of its own, because a checkpoint may
have learned some of them and not the rest; ``Model.tasks`` says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from protocol.messages import Limits
from protocol.motion import Motion


class Piece(Protocol):
    """A finished stretch of motion, as `backend.engine.MotionPiece` is."""

    @property
    def start(self) -> int:
        """Index of its first frame in the whole; one that came already begins a better attempt from there on."""
        ...

    @property
    def total(self) -> int:
        """Frames of the whole."""
        ...

    @property
    def motion(self) -> Motion:
        """The frames themselves."""
        ...


@runtime_checkable
class Scripted(Protocol):
    """A piece that knows what was understood of its motion."""

    @property
    def script(self) -> str:
        """JSON text for the engine's own use; empty where there is none."""
        ...


class Model(Protocol):
    """An engine with the tasks that every one has."""

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

    @property
    def tasks(self) -> tuple[str, ...]:
        """What the checkpoint can do, by the protocol's names."""
        ...

    def generate(
        self,
        prompt: str,
        seconds: float,
        seed: int = 0,
        *,
        guidance: float = ...,
        cancelled: Callable[[], bool] = ...,
    ) -> Iterator[Piece]:
        """The motion of two persons for a prompt."""
        ...

    def react(
        self,
        motion: Motion,
        prompt: str = "",
        seed: int = 0,
        *,
        scale: float = ...,
        cancelled: Callable[[], bool] = ...,
    ) -> Iterator[Piece]:
        """The partner of a lone person."""
        ...

    def describe(self, motion: Motion, *, seed: int = 0, cancelled: Callable[[], bool] = ...) -> Iterator[str]:
        """What a motion shows."""
        ...


@runtime_checkable
class Edits(Protocol):
    """An engine that changes a motion by words."""

    def edit(
        self, motion: Motion, instruction: str, seed: int = 0, *, script: str = "", cancelled: Callable[[], bool] = ...
    ) -> Iterator[Piece]:
        """The whole motion of two persons as it is after the change."""
        ...


@runtime_checkable
class Answers(Protocol):
    """An engine that answers questions about a motion."""

    def ask(
        self, motion: Motion, question: str, *, seed: int = 0, cancelled: Callable[[], bool] = ...
    ) -> Iterator[str]:
        """The answer, in stretches."""
        ...


@runtime_checkable
class Tells(Protocol):
    """An engine that plays scenes one after the other."""

    def story(
        self,
        prompts: Sequence[str],
        seconds: float,
        seed: int = 0,
        *,
        motion: Motion | None = None,
        cancelled: Callable[[], bool] = ...,
    ) -> Iterator[Piece]:
        """The motion of two persons through all scenes, after ``motion`` where there is one."""
        ...


@runtime_checkable
class Completes(Protocol):
    """An engine that fills a gap in a motion, or continues it."""

    def complete(
        self,
        motion: Motion,
        gap: tuple[int, int],
        prompt: str = "",
        seed: int = 0,
        *,
        cancelled: Callable[[], bool] = ...,
    ) -> Iterator[Piece]:
        """The frames of the gap alone."""
        ...
