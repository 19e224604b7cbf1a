"""A model for tests of the server, which does what its prompt says: quick, slow, endless, or failing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from protocol.errors import DuologueError
from protocol.messages import TASKS, Limits
from protocol.motion import Motion
from protocol.skeleton import neutral_offsets

FRAMES_PER_PIECE = 4


def still(frames: int, persons: int, x: float = 0.0) -> Motion:
    """Persons who stand at ``x`` metres."""
    rotations = np.zeros((frames, persons, 22, 4), np.float32)
    rotations[..., 0] = 1
    root = np.full((frames, persons, 3), (x, 0.9, 0.0), np.float32)
    return Motion(30.0, root, rotations, np.stack([neutral_offsets()] * persons))


class LeftEarlyError(Exception):
    """What an engine leaves a cancelled job with."""


@dataclass(frozen=True)
class FakePiece:
    """A finished stretch."""

    start: int
    total: int
    motion: Motion
    script: str = ""


@dataclass
class FakeModel:
    """Steps take ``step_seconds``; the seed shows as the persons' x."""

    name: str = "fake"
    device: str = "cpu"
    limits: Limits = field(default_factory=lambda: Limits(500, 1.0, 10.0, 4))
    tasks: tuple[str, ...] = TASKS
    step_seconds: float = 0.01
    done: list[str] = field(default_factory=list)
    scale: float = 0.0
    """Of the partner that was asked for last."""

    def generate(
        self,
        prompt: str,
        seconds: float,
        seed: int = 0,
        *,
        guidance: float = 1.0,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[FakePiece]:
        if not prompt:
            raise DuologueError("prompt_empty", "The prompt is empty.", "Say what the two do.")
        yield from self._pieces(prompt, round(seconds * 30), 2, seed, cancelled)

    def react(
        self,
        motion: Motion,
        prompt: str = "",
        seed: int = 0,
        *,
        scale: float = 1.0,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[FakePiece]:
        self.scale = scale
        yield from self._pieces(prompt, motion.frames, 1, seed, cancelled)

    def describe(
        self, motion: Motion, *, seed: int = 0, cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[str]:
        yield from (f"{motion.persons} people", " stand.")

    def edit(
        self,
        motion: Motion,
        instruction: str,
        seed: int = 0,
        *,
        script: str = "",
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[FakePiece]:
        yield from self._pieces(instruction, motion.frames, 2, seed, cancelled, f"{script}+{instruction}")

    def ask(
        self, motion: Motion, question: str, *, seed: int = 0, cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[str]:
        yield from (f"{question} ", f"{motion.persons} people", ".")

    def story(
        self,
        prompts: Sequence[str],
        seconds: float,
        seed: int = 0,
        *,
        motion: Motion | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[FakePiece]:
        before = f"after {motion.frames}: " if motion else ""
        yield from self._pieces(before + ", ".join(prompts), round(seconds * 30), 2, seed, cancelled)

    def complete(
        self,
        motion: Motion,
        gap: tuple[int, int],
        prompt: str = "",
        seed: int = 0,
        *,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[FakePiece]:
        yield from self._pieces(prompt, gap[1] - gap[0], 2, seed, cancelled)

    def _pieces(
        self, prompt: str, frames: int, persons: int, seed: int, cancelled: Callable[[], bool], script: str = ""
    ) -> Iterator[FakePiece]:
        if prompt == "fail":
            raise RuntimeError("boom")
        start = 0
        while start < frames:
            time.sleep(self.step_seconds)
            if cancelled():
                raise LeftEarlyError
            if prompt == "endless":
                continue
            motion = still(min(FRAMES_PER_PIECE, frames - start), persons, x=float(seed))
            yield FakePiece(start, frames, motion, script)
            start += FRAMES_PER_PIECE
        self.done.append(prompt)
