"""What a motion that was asked for becomes: keyframes on characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import bpy
import numpy as np
from bpy.types import Action, Object, Scene

from protocol.errors import DuologueError
from protocol.messages import SCRIPT, MotionPart, Result
from protocol.motion import Motion, joined_as_persons

from .. import captions, compat, conversation, figures, previews, scripts
from ..animation.apply import PairWriter, check_targets
from ..animation.measured import USUAL, Measured, measure
from ..animation.named import Named
from ..animation.previous import Previous
from ..characters import pair_of_key
from ..results import Asked, remember
from ..retargeting import options_of
from .job import Reading
from .stretches import Stretches

_FRAMES_AT_ONCE = 30
"""Most frames that are retargeted at once, which takes hardly longer than for 8."""


_DONE = object()


class _Variation:
    """One of the motions that were asked for."""

    def __init__(self, part: MotionPart) -> None:
        self.stretches = Stretches(part.total)
        self.seconds = part.total / part.motion.fps
        self.writer: PairWriter | None = None
        self.picture: np.ndarray | None = None
        self.shown = False
        self._begun: Iterator[None] | None = None
        self._settled = False

    @property
    def unwritten(self) -> bool:
        """Whether frames wait to be written, or all of them to be written anew as a whole."""
        return (
            self._begun is not None or bool(self.stretches.waiting) or (self.stretches.complete and not self._settled)
        )

    def write(self, writer: PairWriter) -> None:
        """Write a little: of some frames, or of the whole."""
        self.writer = writer
        if self._begun is None and self.stretches.waiting:
            start, motion = self.stretches.take(_FRAMES_AT_ONCE)
            self._begun = writer.writing(motion, start)
        elif self._begun is None:
            self._begun, self._settled = writer.settling(), True
        if next(self._begun, _DONE) is _DONE:
            self._begun, self.shown = None, True

    def restart(self, start: int) -> None:
        """Make room for a better attempt, from frame ``start`` on."""
        self.discard()
        self.stretches.cut(start)
        self.picture = None

    def discard(self) -> None:
        """Take it off the characters; it can be written once more."""
        if self.writer is not None:
            self.writer.discard()
        self.forget()

    def forget(self) -> None:
        """It is on the characters no more."""
        self.writer = self._begun = None
        self.shown = self._settled = False
        self.stretches.rewind()


class MotionOutcome:
    """Motion that is written while it arrives: the first variation onto the characters, the others beside it."""

    def __init__(
        self,
        scene: Scene,
        targets: Sequence[Object],
        caption: str,
        asked: Asked,
        *,
        beside: Reading | None = None,
        again: bool = False,
    ) -> None:
        """Remember where the motion goes.

        Args:
            scene: where the characters are.
            targets: the characters.
            caption: what they will do, in words.
            asked: what the motion is an answer to; it begins at its ``frame_start``.
            beside: for one target, what its partner does meanwhile.
            again: the same was asked for before, and the result of that makes room for this one.

        Raises:
            DuologueError: what `check_targets` has against one of the targets, said now and not when motion arrives.
        """
        pair = pair_of_key(scene, asked.pair)
        self._options = options_of(pair) if pair is not None else USUAL
        check_targets(targets, self._options)
        self._scene = scene.name
        self._targets = [Named.of(target) for target in targets]
        self._caption, self._asked, self._beside, self._again = caption, asked, beside, again
        self._variations: list[_Variation] = []
        self._first: Motion | None = None
        self._complete = 0
        self._measured: list[Measured] = []
        self._written_to: list[str] = []
        self._said, self._script = asked.prompt or caption, ""

    def motion(self, part: MotionPart) -> None:
        """Take a stretch of motion."""
        if part.motion.persons != len(self._targets):
            raise DuologueError(
                "persons_mismatch",
                f"The backend sent motion of {part.motion.persons} persons for {len(self._targets)} characters.",
                "Restart the backend; if it stays so, update it.",
            )
        if part.sample == len(self._variations):
            self._complete = len(self._variations)
            self._variations.append(_Variation(part))
        if part.sample != len(self._variations) - 1:
            raise DuologueError(
                "motion_gap",
                f"Variation {part.sample + 1} came after variation {len(self._variations)}.",
                "Restart the backend and try again.",
            )
        if part.start < self._variations[-1].stretches.received:
            self._variations[-1].restart(part.start)
        stretches = self._variations[-1].stretches
        motion, place = part.motion, self._asked.place
        if place is not None:
            if part.start == 0 or self._first is None:
                self._first = motion.slice(0, 1)
            motion = place.moved(motion, self._first)
        stretches.push(motion, part.start)

    def text(self, piece: str) -> None:
        """Motion comes without words."""

    def work(self) -> bool:
        """Look at one of the rigs, or write some frames; all of them anew where undo or the user took them away."""
        targets = [target.find() for target in self._targets]
        if self._under_way and _actions(targets) != self._written_to:
            self._variations[0].forget()
            for one in self._variations[1:]:
                one.discard()
        waiting = next((one for one in self._variations if one.unwritten), None)
        if waiting is None:
            return self._draw()
        if len(self._measured) < len(targets):
            self._measured.append(measure(targets[len(self._measured)], self._options))
            return True
        waiting.write(waiting.writer or self._new_writer(waiting, targets))
        self._written_to = _actions(targets)
        return True

    @property
    def on_rigs(self) -> bool:
        """Whether there is motion on all of the rigs already."""
        return self._under_way and self._variations[0].shown

    @property
    def _under_way(self) -> bool:
        return bool(self._variations) and self._variations[0].writer is not None

    def finish(self, result: Result) -> None:
        """See that there is motion."""
        if not self.on_rigs:
            raise DuologueError(
                "no_motion", "The backend finished without sending any motion.", "Try again, or restart the backend."
            )
        self._complete = len(self._variations)
        self._script = str(result.details.get(SCRIPT, ""))

    def keep(self) -> str:
        """Make a result of the variations that are complete, or give the characters back what they had."""
        written = self._written()
        while self._draw():
            pass
        pictures = [one.picture for one in self._variations]
        for one in reversed(self._variations[len(written) :]):
            one.discard()
        if not written:
            return ""
        for writer, picture in zip(written, pictures, strict=False):
            action = writer.finish()
            if action is not None:
                self.round_off(action, writer.slots, written[0].previous)
                scripts.write(action, self._script)
                if picture is not None:
                    previews.attach(action, picture)
                cast = dict(zip(writer.slots, (target.name for target in self._targets), strict=True))
                captions.attach(action, cast, self._caption, of_pair=len(cast) > 1)
        pair = pair_of_key(bpy.data.scenes[self._scene], self._asked.pair)
        if pair is not None:
            remember(pair.result, self._asked, written, again=self._again)
            conversation.add_motion(pair, self._asked.task, self._said, again=self._again)
        names = " and ".join(target.name for target in self._targets)
        of = f" in {len(written)} variations" if len(written) > 1 else ""
        seconds = self._variations[0].seconds
        return f"{names}: {seconds:.1f} s of motion{of} from frame {self._asked.frame_start} on."

    def round_off(self, action: Action, slots: Sequence[int], before: Sequence[Previous]) -> None:
        """Add to a finished action what belongs into it beside the new motion: nothing, where that is all of it.

        Args:
            action: with a slot of its own for each character.
            slots: their handles.
            before: what each character was like before the first variation.
        """

    def discard(self) -> None:
        """Give the characters back the actions that they had."""
        for one in reversed(self._variations):
            one.discard()
        self._measured = []

    def renew(self) -> None:
        """Forget every variation; those that were kept make room for the new ones."""
        self._again = self._again or bool(self._complete)
        self._variations, self._complete = [], 0
        self._measured, self._written_to = [], []

    def _written(self) -> list[PairWriter]:
        """The writers of the variations that are complete, with what was still waiting written."""
        complete = self._variations[: self._complete]
        try:
            while any(one.unwritten for one in complete):
                self.work()
        except DuologueError:
            # The job is over for another reason, or it was told this one already.
            return []
        return [one.writer for one in complete if one.writer is not None]

    def _draw(self) -> bool:
        """Draw a picture of a motion that is complete; returns whether there was one to draw."""
        one = next((one for one in self._variations if one.picture is None and one.stretches.complete), None)
        if one is None:
            return False
        one.picture = figures.picture(self._with_partner(one.stretches.whole))
        return True

    def _with_partner(self, motion: Motion) -> Motion:
        partner = self._beside.motion() if self._beside is not None else None
        if partner is None or partner.fps != motion.fps:
            return motion
        frames = min(motion.frames, partner.frames)
        return joined_as_persons([partner.slice(0, frames), motion.slice(0, frames)])

    def _new_writer(self, variation: _Variation, targets: Sequence[Object]) -> PairWriter:
        number = f" {self._variations.index(variation) + 1}" if self._asked.variations > 1 else ""
        return PairWriter(
            bpy.data.scenes[self._scene],
            targets,
            variation.stretches.total,
            self._asked.frame_start,
            captions.cut(self._caption, compat.NAME_BYTES - len(number)) + number,
            self._beside.partner() if self._beside is not None else None,
            self._measured,
            play=variation is self._variations[0],
            options=self._options,
        )


def _actions(characters: Sequence[Object]) -> list[str]:
    """The names of the actions that characters have right now."""
    held = [character.animation_data for character in characters]
    return [data.action.name if data is not None and data.action is not None else "" for data in held]
