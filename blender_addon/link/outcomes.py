"""What a job's answer becomes: keyframes on characters, or a caption on their actions."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
from bpy.types import Object, Scene

from protocol.errors import DuologueError
from protocol.messages import MotionPart, Result

from .. import captions
from ..animation.apply import Measured, PairWriter, measure
from ..animation.named import Named
from .job import Reading
from .stretches import Stretches

_FRAMES_AT_ONCE = 60
"""Most frames of a piece of work: onto two rigs of 22 bones that is some 20 ms of work, hardly more than for 8."""


class MotionOutcome:
    """Motion that is written onto characters while it arrives."""

    def __init__(
        self, scene: Scene, targets: Sequence[Object], start_frame: int, caption: str, beside: Reading | None = None
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
        self._stretches: Stretches | None = None
        self._seconds = 0.0
        self._finished = False
        self._measured: list[Measured] = []
        self._writer: PairWriter | None = None
        self._written_to: list[str] = []

    def motion(self, part: MotionPart) -> None:
        """Take a stretch of motion."""
        if part.motion.persons != len(self._targets):
            raise DuologueError(
                "persons_mismatch",
                f"The backend sent motion of {part.motion.persons} persons for {len(self._targets)} characters.",
                "Restart the backend; if it stays so, update it.",
            )
        if self._stretches is None:
            self._stretches = Stretches(part.total)
            self._seconds = part.total / part.motion.fps
        self._stretches.push(part.motion, part.start)

    def text(self, piece: str) -> None:
        """Motion comes without words."""

    def work(self) -> bool:
        """Look at one of the rigs, or write some frames; all of them anew where undo or the user took them away."""
        if self._stretches is None:
            return False
        targets = [target.find() for target in self._targets]
        if self._writer is not None and _actions(targets) != self._written_to:
            self._writer = None
            self._stretches.rewind()
        if not self._stretches.waiting:
            return False
        if len(self._measured) < len(targets):
            self._measured.append(measure(targets[len(self._measured)]))
            return True
        if self._writer is None:
            total, beside = self._stretches.total, self._beside.motion() if self._beside is not None else None
            self._writer = PairWriter(
                bpy.data.scenes[self._scene], targets, total, self._start_frame, self._caption, beside, self._measured
            )
        start, motion = self._stretches.take(_FRAMES_AT_ONCE)
        self._writer.write(motion, start)
        self._written_to = _actions(targets)
        return True

    @property
    def on_rigs(self) -> bool:
        """Whether there is motion on the rigs already."""
        return self._writer is not None

    def finish(self, result: Result) -> None:
        """See that there is motion."""
        if self._writer is None:
            raise DuologueError(
                "no_motion", "The backend finished without sending any motion.", "Try again, or restart the backend."
            )
        self._finished = True

    def keep(self) -> str:
        """Complete and caption the actions, or give the characters back those that they had."""
        if not self._finished or self._writer is None:
            self.discard()
            return ""
        self._writer.finish()
        targets = [target.find() for target in self._targets]
        captions.write(targets, self._caption)
        names = " and ".join(target.name for target in targets)
        return f"{names}: {self._seconds:.1f} s of motion from frame {self._start_frame} on."

    def discard(self) -> None:
        """Give the characters back the actions that they had."""
        if self._writer is not None:
            self._writer.discard()
            self._writer = None
        self._measured = []
        if self._stretches is not None:
            self._stretches.rewind()


class CaptionOutcome:
    """Words about the animation that characters have."""

    on_rigs = False

    def __init__(self, described: Sequence[Object]) -> None:
        """Remember whom the words are about."""
        self._described = [Named.of(character) for character in described]
        self._text = ""

    def motion(self, part: MotionPart) -> None:
        """Words come without motion."""

    def text(self, piece: str) -> None:
        """Nothing is shown before the sentence is whole."""

    def work(self) -> bool:
        """There is nothing to do before the end."""
        return False

    def finish(self, result: Result) -> None:
        """Take the caption."""
        self._text = " ".join(result.text.split())
        if not self._text:
            raise DuologueError(
                "no_caption", "The backend found no words for this motion.", "Try a longer or clearer stretch of it."
            )

    def keep(self) -> str:
        """Write the caption onto the actions."""
        if not self._text:
            return ""
        captions.write([character.find() for character in self._described], self._text)
        return f"{' and '.join(character.name for character in self._described)}: {self._text}"

    def discard(self) -> None:
        """Nothing was changed yet."""


def _actions(characters: Sequence[Object]) -> list[str]:
    """The names of the actions that characters have right now."""
    held = [character.animation_data for character in characters]
    return [data.action.name if data is not None and data.action is not None else "" for data in held]
