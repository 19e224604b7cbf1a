"""How corrections come and go: at once while a motion arrives, with time to spare where all of it is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SECONDS = 0.15
"""How long before and after it is needed a correction is there."""
_SMOOTH = 0.5
"""Share of that time over which what is already there is smoothed."""


@dataclass(frozen=True)
class Easing:
    """A way to let corrections come and go.

    Attributes:
        width: frames before and after in which they may be felt; 0 while later frames are not known.
    """

    width: int

    def __call__(self, amounts: np.ndarray) -> np.ndarray:
        """Amounts (T, ...) >= 0 that swell before they are needed and fade after: the mean of a running maximum."""
        if not self.width or not amounts.any():
            return amounts
        padded = _padded(amounts, 2 * self.width)
        count = len(amounts) + 2 * self.width
        highest = padded[:count]
        for shift in range(1, 2 * self.width + 1):
            highest = np.maximum(highest, padded[shift : shift + count])
        return _mean(highest, self.width, len(amounts))

    def smooth(self, moves: np.ndarray) -> np.ndarray:
        """The running mean of moves (T, ...) in any direction."""
        width = round(_SMOOTH * self.width)
        return _mean(_padded(moves, width), width, len(moves)) if width else moves


as_needed = Easing(0)
"""The amounts as they are: all that can be done before later frames are known."""


def in_time(fps: float) -> Easing:
    """The easing for a motion of which every frame is known."""
    return Easing(max(1, round(SECONDS * fps)))


def _padded(values: np.ndarray, by: int) -> np.ndarray:
    return np.concatenate((np.repeat(values[:1], by, 0), values, np.repeat(values[-1:], by, 0)))


def _mean(padded: np.ndarray, width: int, count: int) -> np.ndarray:
    """The Hann mean over ``width`` frames on both sides of ``count`` frames."""
    window = np.hanning(2 * width + 3)[1:-1]
    window = (window / window.sum()).astype(np.float32)
    return np.asarray(sum(weight * padded[shift : shift + count] for shift, weight in enumerate(window)), padded.dtype)
