"""What a job's answer becomes: keyframes on characters, or a caption on their actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
from bpy.types import Object, Scene

from protocol.errors import DuologueError
from protocol.messages import MotionPart, Result
from protocol.motion import Motion

from .. import captions
from ..animation.apply import PairWriter


@dataclass(frozen=True)
class Named:
    """An object by name, which outlives undo; a pointer to it does not.

    Attributes:
        name: its name.
        library: path of the library that it is linked from; None for one of this file.
    """

    name: str
    library: str | None

    @classmethod
    def of(cls, found: Object) -> Named:
        """The name of an object."""
        return cls(found.name, found.library.filepath if found.library else None)

    def find(self) -> Object:
        """The object of that name as it is now.

        Raises:
            DuologueError: ``character_gone``.
        """
        found = bpy.data.objects.get((self.name, self.library))
        if found is None:
            raise DuologueError(
                "character_gone",
                f"“{self.name}” was removed or renamed while its motion was being made.",
                "Undo that, or pick another character, and try again.",
            )
        return found


class MotionOutcome:
    """Motion that is written onto characters while it arrives."""

    def __init__(
        self, scene: Scene, targets: Sequence[Object], start_frame: int, caption: str, beside: Motion | None = None
    ) -> None:
        """Remember where the motion goes: onto ``targets``, from ``start_frame`` on.

        For one target, ``beside`` is what its partner does meanwhile.

        Raises:
            DuologueError: what `PairWriter` has against one of the targets, said now and not when motion arrives.
        """
        PairWriter(scene, targets, 1, start_frame, caption)
        self._scene = scene.name
        self._targets = [Named.of(target) for target in targets]
        self._start_frame = start_frame
        self._caption = caption
        self._beside = beside
        self._parts: list[MotionPart] = []
        self._writer: PairWriter | None = None
        self._written_to: list[str] = []

    def motion(self, part: MotionPart) -> None:
        """Write a stretch of motion."""
        if part.motion.persons != len(self._targets):
            raise DuologueError(
                "persons_mismatch",
                f"The backend sent motion of {part.motion.persons} persons for {len(self._targets)} characters.",
                "Restart the backend; if it stays so, update it.",
            )
        self._parts.append(part)
        self._write([part])

    def text(self, piece: str) -> None:
        """Motion comes without words."""

    def finish(self, result: Result) -> str:
        """Complete the actions and caption them."""
        if not self._parts:
            raise DuologueError(
                "no_motion", "The backend finished without sending any motion.", "Try again, or restart the backend."
            )
        writer, targets = self._write([])
        writer.finish()
        captions.write(targets, self._caption)
        names, first = " and ".join(target.name for target in targets), self._parts[0]
        return f"{names}: {first.total / first.motion.fps:.1f} s of motion from frame {self._start_frame} on."

    def discard(self) -> None:
        """Give the characters back the actions that they had."""
        if self._writer is not None:
            self._writer.discard()
            self._writer = None

    def _write(self, parts: list[MotionPart]) -> tuple[PairWriter, list[Object]]:
        """Write these parts; all parts anew, to new actions, where undo or the user took the actions away meanwhile."""
        targets = [target.find() for target in self._targets]
        if self._writer is None or _actions(targets) != self._written_to:
            scene, total = bpy.data.scenes[self._scene], self._parts[0].total
            self._writer = PairWriter(scene, targets, total, self._start_frame, self._caption, self._beside)
            parts = self._parts
        for part in parts:
            self._writer.write(part.motion, part.start)
        self._written_to = _actions(targets)
        return self._writer, targets


class CaptionOutcome:
    """Words about the animation that characters have."""

    def __init__(self, described: Sequence[Object]) -> None:
        """Remember whom the words are about."""
        self._described = [Named.of(character) for character in described]

    def motion(self, part: MotionPart) -> None:
        """Words come without motion."""

    def text(self, piece: str) -> None:
        """Nothing is shown before the sentence is whole."""

    def finish(self, result: Result) -> str:
        """Write the caption onto the actions."""
        text = " ".join(result.text.split())
        if not text:
            raise DuologueError(
                "no_caption", "The backend found no words for this motion.", "Try a longer or clearer stretch of it."
            )
        captions.write([character.find() for character in self._described], text)
        return f"{' and '.join(character.name for character in self._described)}: {text}"

    def discard(self) -> None:
        """Nothing was changed yet."""


def _actions(characters: Sequence[Object]) -> list[str]:
    """The names of the actions that characters have right now."""
    held = [character.animation_data for character in characters]
    return [data.action.name if data is not None and data.action is not None else "" for data in held]
