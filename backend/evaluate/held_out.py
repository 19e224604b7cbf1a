"""What the protocols share: held-out scenes of a corpus, and the parts of an engine and an evaluator that they use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time

from ..corpus.choreographer.captions import KINDS
from ..corpus.scene import Scene, read_scene_motion, read_scenes
from ..language.model import CONFIG_FILE
from ..making import kept

Progress = Callable[[float, str], None]
"""Told how far a protocol is (0 to 1) and what it does."""

Embed = Callable[[Sequence[str]], np.ndarray]
"""Sentences -> (N, W) vectors."""


class Piece(Protocol):
    """A finished stretch of motion."""

    @property
    def start(self) -> int:
        """Index of its first frame in the whole."""
        ...

    @property
    def motion(self) -> Motion:
        """Its frames."""
        ...

    @property
    def raw(self) -> Motion:
        """The same frames before they were cleaned up."""
        ...


class Maker(Protocol):
    """What makes motion from words: a `Model`, or a baseline."""

    def generate(self, prompt: str, seconds: float, seed: int = 0) -> Iterator[Piece]:
        """A pair's motion from a prompt."""
        ...


class Model(Maker, Protocol):
    """What is evaluated: `backend.engine.Engine`, or a stand-in in tests."""

    def react(self, motion: Motion, prompt: str = "", seed: int = 0, *, scale: float = 1.0) -> Iterator[Piece]:
        """The partner of one person, of a body size."""
        ...

    def describe(self, motion: Motion, *, seed: int = 0) -> Iterator[str]:
        """What the persons do, in pieces of text."""
        ...


@runtime_checkable
class Conversant(Protocol):
    """A model that can be talked with about a motion."""

    def edit(self, motion: Motion, instruction: str, seed: int = 0) -> Iterator[Piece]:
        """The motion of a pair, changed as somebody says."""
        ...

    def ask(self, motion: Motion, question: str, *, seed: int = 0) -> Iterator[str]:
        """The answer to a question about a motion, in pieces of text."""
        ...


class Judge(Protocol):
    """What compares sentences and motions: `backend.evaluate.evaluator.Evaluator`, or a stand-in in tests."""

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """(N, E) embeddings of sentences."""
        ...

    def embed_motions(self, motions: Sequence[Motion]) -> np.ndarray:
        """(N, E) embeddings of pairs' motions."""
        ...


@dataclass(frozen=True)
class Corpus:
    """A corpus folder and those of its scenes that are evaluated.

    Attributes:
        folder: where the motions are.
        scenes: of the kinds below alone.
        kinds: ids of the interactions that are evaluated, in the order of tables.
    """

    folder: Path
    scenes: tuple[Scene, ...]
    kinds: tuple[str, ...] = KINDS

    @classmethod
    def read(cls, folder: Path, kinds: tuple[str, ...] = KINDS) -> Corpus:
        """Read the index of a corpus folder, scenes of some kinds; motions are read when asked for.

        Raises:
            DuologueError: ``corpus_missing`` or ``corpus_broken``.
        """
        return cls(folder, tuple(scene for scene in read_scenes(folder) if scene.kind in kinds), kinds)

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
        return [scene for kind in self.kinds for scene in self.of("test", kind)[:per_kind]]


def known_kinds(checkpoint: Path) -> tuple[str, ...]:
    """The kinds that a checkpoint's language model was trained on, by the slots in its config.

    Raises:
        DuologueError: ``checkpoint_unreadable`` if there are none that this version can judge.
    """
    path = checkpoint / CONFIG_FILE
    try:
        slots = json.loads(path.read_text(encoding="utf-8"))["slots"]
        named = {kind for slot in slots if slot["name"] == "kind" for kind in slot["values"]}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DuologueError("checkpoint_unreadable", f"{path} does not list slots.", "Package it again.") from error
    kinds = tuple(kind for kind in KINDS if kind in named)
    if not kinds:
        raise DuologueError(
            "checkpoint_unreadable",
            f"{path} names no kind of interaction that can be judged.",
            f"There are checks for {', '.join(KINDS)}.",
        )
    return kinds


def nearest(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    """For each of some vectors (N, W), the number of the nearest of others (M, W) by cosine: (N,)."""
    return (_unit(asked) @ _unit(known).T).argmax(1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def whole(pieces: Iterable[Piece]) -> Motion:
    """One motion of the pieces that a model yields."""
    return joined_in_time([piece.motion for piece in kept(pieces)])


def first_attempt(pieces: Iterable[Piece]) -> list[Piece]:
    """Of the pieces that a model yields, those up to where a better attempt begins."""
    first: list[Piece] = []
    for piece in pieces:
        if first and piece.start <= first[-1].start:
            break
        first.append(piece)
    return first


def share(values: Iterable[bool]) -> float:
    """Share of true values; NaN of none."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else float("nan")
