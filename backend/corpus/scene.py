"""A captioned scene of two persons, and the corpus folder that holds many: ``scenes.jsonl`` and ``motions/ID.npz``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from protocol.errors import DuologueError
from protocol.motion import Motion

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
ARRAYS = ("fps", "root", "rotations", "offsets")
INDEX = "scenes.jsonl"


@dataclass(frozen=True)
class Contact:
    """A joint of person A on a joint of person B from ``start`` to ``end`` seconds; hands touch with the palm."""

    joint_a: str
    joint_b: str
    start: float
    end: float

    def frames(self, fps: float, count: int) -> slice:
        """The frames of a motion of ``count`` frames in which they touch."""
        return slice(int(np.ceil(self.start * fps - 1e-6)), min(int(self.end * fps + 1e-6) + 1, count))


@dataclass(frozen=True)
class Scene:
    """What is known about one motion of two persons.

    Attributes:
        id: name of the motion's file.
        kind: id of the interaction, such as ``handshake``.
        split: what the scene may be used for.
        source: ``choreographed``, or ``cmu`` for a piece of a real take.
        captions: sentences for the pair; person A is the first, the one person; B the other.
        reaction_prompts: for "A" and "B", what that person does.
        script: everything that was drawn.
        contacts: who touches whom, and when.
        frames: length at 30 fps.
    """

    id: str
    kind: str
    split: Split
    source: Literal["choreographed", "cmu"]
    captions: tuple[str, ...]
    reaction_prompts: dict[str, tuple[str, ...]]
    script: dict[str, Any]
    contacts: tuple[Contact, ...] = ()
    frames: int = field(default=0)

    def to_json(self) -> str:
        """The scene as one line of ``scenes.jsonl``."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> Scene:
        """The scene of one line of ``scenes.jsonl``.

        Raises:
            DuologueError: ``corpus_broken`` if the line does not hold one.
        """
        try:
            values = json.loads(line)
            prompts = {person: tuple(texts) for person, texts in values.pop("reaction_prompts").items()}
            contacts = tuple(Contact(**contact) for contact in values.pop("contacts"))
            captions = tuple(values.pop("captions"))
            return cls(captions=captions, reaction_prompts=prompts, contacts=contacts, **values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DuologueError(
                "corpus_broken", f"A line of {INDEX} does not hold a scene: {error}.", "Generate the corpus again."
            ) from error


def motion_file(folder: Path, scene_id: str) -> Path:
    """Where a scene's motion lies."""
    return folder / "motions" / f"{scene_id}.npz"


def write_motion(folder: Path, scene_id: str, motion: Motion) -> None:
    """Write a scene's motion; ``folder/motions`` is there already."""
    with motion_file(folder, scene_id).open("wb") as file:
        np.savez(file, fps=motion.fps, root=motion.root, rotations=motion.rotations, offsets=motion.offsets)


def read_scene_motion(folder: Path, scene: Scene) -> Motion:
    """The motion of a scene.

    Raises:
        DuologueError: ``corpus_broken`` if its file is missing or is not one.
    """
    path = motion_file(folder, scene.id)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            fps, root, rotations, offsets = (arrays[name] for name in ARRAYS)
    except (OSError, ValueError, KeyError) as error:
        raise DuologueError(
            "corpus_broken", f"{path} cannot be read: {error}.", "Generate the corpus again."
        ) from error
    return Motion(float(fps), root, rotations, offsets)


def write_index(folder: Path, scenes: Iterable[Scene]) -> None:
    """Write ``scenes.jsonl``, whole or not at all."""
    partial = folder / f"{INDEX}.part"
    with partial.open("w", encoding="utf-8") as lines:
        lines.writelines(scene.to_json() + "\n" for scene in scenes)
    partial.replace(folder / INDEX)


def read_scenes(folder: Path) -> list[Scene]:
    """All scenes of a corpus folder, in the order they were written.

    Raises:
        DuologueError: ``corpus_missing`` if there is none, ``corpus_broken`` if a line is not a scene.
    """
    index = folder / INDEX
    if not index.is_file():
        raise DuologueError(
            "corpus_missing",
            f"There is no corpus in {folder}.",
            f"Make one with: duologue corpus choreograph --out {folder} --count 3000",
        )
    return [Scene.from_json(line) for line in index.read_text(encoding="utf-8").splitlines() if line.strip()]
