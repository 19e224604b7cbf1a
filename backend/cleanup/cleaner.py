"""Cleans generated motion while it arrives: stage by stage, each with a bounded look-ahead."""

from __future__ import annotations

import numpy as np

from protocol.motion import Motion, joined_in_time

from ..language.anticipation import Whereabouts
from .apart import Apart
from .contacts import FPS
from .expectation import ExpectedHands, ExpectedHips
from .frames import Frames
from .meeting import Meeting
from .path import RootPath
from .planting import Planting
from .stage import Stage


class Cleaner:
    """Takes a motion piece by piece and hands on what is finished; the pieces' sizes change nothing of the result.

    Args:
        offsets: (P, 22, 3) rest offsets of the persons who are cleaned, metres.
        partner: one more person in the same world and from the same first frame on, who stays as is.
        kind: id of the interaction, if it is known: it tells which hands should touch what.
        expected: where the one person who is cleaned is expected beside the partner, if there is one.
    """

    def __init__(
        self,
        offsets: np.ndarray,
        partner: Motion | None = None,
        kind: str | None = None,
        expected: Whereabouts | None = None,
    ) -> None:
        self._offsets = offsets
        beside = None if partner is None else Frames.of(partner)
        known = () if expected is None or beside is None else (ExpectedHips(expected), ExpectedHands(expected, beside))
        self._stages: tuple[Stage, ...] = (
            RootPath(),
            *known,
            Apart(len(offsets), beside),
            Planting(offsets),
            Meeting(offsets, kind, beside, None if partner is None else partner.offsets),
        )

    @property
    def held_back(self) -> int:
        """Frames that are kept until more arrive."""
        return sum(stage.ahead for stage in self._stages)

    def push(self, motion: Motion) -> Motion | None:
        """Take the next frames, at 30 fps over a floor at y = 0; returns the frames finished by them, if any."""
        return self._through(Frames.of(motion), last=False)

    def finish(self) -> Motion | None:
        """No more frames come: returns those held back, if any."""
        return self._through(None, last=True)

    def _through(self, frames: Frames | None, last: bool) -> Motion | None:
        for stage in self._stages:
            frames = stage.push(frames, last)
        return None if frames is None else Motion(FPS, frames.root, frames.rotations, self._offsets)


def cleaned(motion: Motion, kind: str | None = None) -> Motion:
    """A whole motion cleaned at once: what a `Cleaner` makes of its pieces."""
    cleaner = Cleaner(motion.offsets, kind=kind)
    parts = [cleaner.push(motion), cleaner.finish()]
    return joined_in_time([part for part in parts if part is not None])
