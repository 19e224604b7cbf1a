"""What the protocols share: held-out scenes of a corpus, and the part of an engine that they use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time

from ..corpus.choreographer.captions import KINDS, phrases
from ..corpus.scene import Scene, read_scene_motion, read_scenes

Progress = Callable[[float, str], None]
"""Told how far a protocol is (0 to 1) and what it does."""

WITH_ACTOR = tuple(kind for kind in KINDS if "actor" in phrases(kind))
"""Kinds in which it matters who does it: A, B, or both."""


class Piece(Protocol):
    """A finished stretch of motion."""

    @property
    def motion(self) -> Motion:
        """Its frames."""
        ...


class Model(Protocol):
    """What is evaluated: `backend.engine.Engine`, or a stand-in in tests."""

    def generate(self, prompt: str, seconds: float, seed: int = 0) -> Iterator[Piece]:
        """A pair's motion from a prompt."""
        ...

    def react(self, motion: Motion, prompt: str = "", seed: int = 0) -> Iterator[Piece]:
        """The partner of one person."""
        ...

    def describe(self, motion: Motion, *, seed: int = 0) -> Iterator[str]:
        """What the persons do, in pieces of text."""
        ...


@dataclass(frozen=True)
class Corpus:
    """A corpus folder and its scenes."""

    folder: Path
    scenes: tuple[Scene, ...]

    @classmethod
    def read(cls, folder: Path) -> Corpus:
        """Read the index of a corpus folder; motions are read when asked for.

        Raises:
            DuologueError: ``corpus_missing`` or ``corpus_broken``.
        """
        return cls(folder, tuple(read_scenes(folder)))

    def motion(self, scene: Scene) -> Motion:
        """The motion of one of the scenes."""
        return read_scene_motion(self.folder, scene)

    def of(self, split: str, kind: str) -> list[Scene]:
        """Scenes of a split and kind.

        Raises:
            DuologueError: ``corpus_too_small`` if there is none.
        """
        found = [scene for scene in self.scenes if scene.split == split and scene.kind == kind]
        if not found:
            raise DuologueError(
                "corpus_too_small",
                f"{self.folder} holds no {split} scene of {kind}.",
                "Make a larger one: duologue corpus choreograph --count 3000",
            )
        return found

    def held_out(self, per_kind: int) -> list[Scene]:
        """The first test scenes of every kind, at most ``per_kind`` of each."""
        return [scene for kind in KINDS for scene in self.of("test", kind)[:per_kind]]


def whole(pieces: Iterable[Piece]) -> Motion:
    """One motion of the pieces that a model yields."""
    return joined_in_time([piece.motion for piece in pieces])


def share(values: Iterable[bool]) -> float:
    """Share of true values; NaN of none."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else float("nan")
