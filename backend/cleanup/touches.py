"""Which hand touches what from when to when, decided a few frames after the fact."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .contacts import FPS
from .expected import Expected
from .gaps import Candidate

SOON = 4
"""Frames after a frame that decide whether a touch begins or ends in it."""
EASE_IN, EASE_OUT = 4, 8
"""Frames before a touch in which the hands begin to be led, and after it in which they are let go."""
_GENTLY = 8
"""Frames more that it takes hands that come slowly."""
_SLOW, _FAST = 0.4, 1.2
"""Metres a second at which hands come slowly, and at which they strike."""
_APPROACH = 6
"""Frames over which that speed is taken."""
BEHIND = 8
"""Frames before a frame that are looked at."""
_ARRIVED, _STRUCK = 0.02, 0.01
"""Metres by which a hand that has arrived still comes nearer in the next frames, and one that has struck."""
_PARTS, _PARTED = 0.06, 0.015
"""Metres by which hands part soon, and have parted from where they were, when a touch ends."""
_ON_BODIES, _UNEXPECTED = 0.18, 0.14
"""Metres within which a palm is led onto a body, and onto a palm that it is not known to be meant for."""
_SLACK = 0.08
"""Metres by which they may go farther apart than where a touch may begin."""
_MOMENT, _COMES = 5, 0.05
"""Frames that a brief touch lasts at most, and metres by which its palms come nearer in the `_APPROACH` before it."""
_CALM = 0.35
"""Metres a second: what lingers without being expected moves less against the other."""
_CAME = 0.5
"""Metres a second at which both palms come to a clap that nobody expects."""
_MEMORY = 0.1
"""Share of the newest frame in how far apart touching hands have been."""


@dataclass
class Touch:
    """A palm that touches.

    Attributes:
        candidate: what touches what.
        start: its first frame.
        ease: frames over which the hands are led there, from `EASE_IN` before the start on.
        first: (3,) the way that was missing in the first frame, metres.
        stop: the first frame after it; None while it lasts.
        last: (3,) the way that was missing in the last frame.
        apart: metres between them lately.
    """

    candidate: Candidate
    start: int
    ease: float
    first: np.ndarray
    stop: int | None = None
    last: np.ndarray = field(default_factory=lambda: np.zeros(3))
    apart: float = 0.0

    def leads(self, numbers: np.ndarray, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How hands are led in frames with these numbers (T,), whose gaps are (T, 3) metres.

        Returns:
            way (T, 3) to go, metres, and how much of it, (T,) 0 to 1.
        """
        way, come = np.where((numbers < self.start)[:, None], self.first, gaps), self._come(numbers)
        if self.stop is not None:
            left = numbers >= self.stop
            way = np.where(left[:, None], self.last, way)
            gone = _eased((numbers - self.stop + 1) / EASE_OUT)
            come = np.where(left, self._come(np.array(self.stop - 1)) * (1 - gone), come)
        return way, come

    def _come(self, numbers: np.ndarray) -> np.ndarray:
        return _eased((numbers - self.start + EASE_IN) / self.ease)


class Touches:
    """The touches of all hands, found frame by frame.

    Attributes:
        found: for every candidate, its latest touches in the order of time.

    Args:
        candidates: what may touch what.
        expected: what the kind of interaction lets touch; None if it is not known, and touches must be told apart.
    """

    def __init__(self, candidates: list[Candidate], expected: Expected | None) -> None:
        self.found: list[list[Touch]] = [[] for _ in candidates]
        self._candidates, self._expected = candidates, expected
        self._brief = expected is not None and expected.brief
        self._next = 0

    def find(self, gaps: np.ndarray, palms: np.ndarray, raised: np.ndarray, first: int, until: int) -> None:
        """Decide all frames before ``until`` that are undecided yet.

        Args:
            gaps: (C, T, 3) the way that each candidate's palm lacks, metres; from `BEHIND` frames before the first
                undecided frame to `SOON` frames after the last one, as far as the motion reaches.
            palms: (T, P, 2, 3) metres.
            raised: (C, T) whether the hands are held out.
            first: number of the first frame of the arrays.
            until: number of a frame.
        """
        apart = np.linalg.norm(gaps, axis=-1)
        for frame in range(self._next - first, until - first):
            for touches, gap, far in zip(self.found, gaps, apart, strict=True):
                if _lasts(touches):
                    self._go_on(touches[-1], gap, far, frame, frame + first)
            for index in np.argsort(apart[:, frame]):
                free = not any(_lasts(touches) and self._shares(index, touches) for touches in self.found)
                if free and self._begins(index, gaps[index], apart[index], palms, raised[index], frame):
                    self._begin(index, gaps[index], frame, frame + first)
        self._next = max(self._next, until)

    def _shares(self, index: int, touches: list[Touch]) -> bool:
        """Whether a candidate needs a hand of a touch."""
        return bool({*self._candidates[index].hands} & {*touches[-1].candidate.hands})

    def _go_on(self, touch: Touch, gap: np.ndarray, far: np.ndarray, frame: int, number: int) -> None:
        soon = far[min(frame + SOON, len(far) - 1)]
        parts = far[frame] > touch.apart + _PARTED and soon > far[frame] + _PARTS
        over = self._brief and number - touch.start >= _MOMENT
        if over or parts or far[frame] > self._reach(touch.candidate) + _SLACK:
            touch.stop, touch.last = number, gap[frame - 1]
        touch.apart += _MEMORY * (far[frame] - touch.apart)

    def _begins(
        self, index: int, gap: np.ndarray, far: np.ndarray, palms: np.ndarray, raised: np.ndarray, frame: int
    ) -> bool:
        soon = slice(frame, frame + SOON + 1)
        near = far[frame] < self._reach(self._candidates[index])
        arrived = far[frame] - far[soon].min() < (_STRUCK if self._brief else _ARRIVED)
        if not near or not arrived or far[soon][-1] - far[frame] > _PARTS:
            return False
        if self._brief:
            return bool(far[max(frame - _APPROACH, 0)] - far[frame] > _COMES)
        if self._expected is not None:
            return True
        about = slice(max(frame - SOON, 0), frame + SOON + 1)
        if not raised[about].all():
            return False
        calm = np.linalg.norm(np.diff(gap[about], axis=0), axis=-1).max(initial=0.0) * FPS < _CALM
        return bool(calm) or self._clap(self._candidates[index], gap, palms, frame)

    def _clap(self, candidate: Candidate, gap: np.ndarray, palms: np.ndarray, frame: int) -> bool:
        """Whether both palms have come to each other at speed."""
        before = max(frame - _APPROACH, 0)
        if before == frame:
            return False
        way = gap[before] / max(float(np.linalg.norm(gap[before])), 1e-6)
        came = [
            sign * float((palms[frame, person, side] - palms[before, person, side]) @ way) * FPS / (frame - before)
            for (person, side), sign in zip(candidate.hands, (1, -1), strict=True)
        ]
        return min(came) > _CAME

    def _begin(self, index: int, gap: np.ndarray, frame: int, number: int) -> None:
        before = max(frame - _APPROACH, 0)
        speed = float(np.linalg.norm(gap[frame] - gap[before])) * FPS / max(frame - before, 1)
        gently = 0.0 if self._brief else float(np.clip((_FAST - speed) / (_FAST - _SLOW), 0, 1))
        ease = EASE_IN + _GENTLY * gently
        touch = Touch(self._candidates[index], number, ease, gap[frame].copy())
        touch.apart = float(np.linalg.norm(gap[frame]))
        self.found[index].append(touch)

    def _reach(self, candidate: Candidate) -> float:
        """Metres within which a touch may begin."""
        if not isinstance(candidate.on, int):
            return _ON_BODIES
        return _UNEXPECTED if self._expected is None else self._expected.reach


def _lasts(touches: list[Touch]) -> bool:
    return bool(touches) and touches[-1].stop is None


def _eased(share: np.ndarray) -> np.ndarray:
    """0 up to 0, 1 from 1 on, smooth in between."""
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)
