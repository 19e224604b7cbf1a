"""How corrections come and go: at once while a motion arrives, with time to spare where all of it is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Easing = Callable[[np.ndarray], np.ndarray]
"""From amounts (T, ...) >= 0 to the amounts that are applied, never smaller."""

SECONDS = 0.15
"""How long before and after it is needed a correction is there."""


def as_needed(amounts: np.ndarray) -> np.ndarray:
    """The amounts as they are: all that can be done before later frames are known."""
    return amounts


def in_time(fps: float) -> Easing:
    """Amounts that swell before they are needed and fade after: a running maximum, then a running Hann mean of it."""
    width = max(1, round(SECONDS * fps))
    window = np.hanning(2 * width + 3)[1:-1]
    window = (window / window.sum()).astype(np.float32)

    def ease(amounts: np.ndarray) -> np.ndarray:
        if not amounts.any():
            return amounts
        padded = np.concatenate((np.repeat(amounts[:1], 2 * width, 0), amounts, np.repeat(amounts[-1:], 2 * width, 0)))
        count = len(amounts) + 2 * width
        highest = padded[:count]
        for shift in range(1, 2 * width + 1):
            highest = np.maximum(highest, padded[shift : shift + count])
        eased = sum(weight * highest[shift : shift + len(amounts)] for shift, weight in enumerate(window))
        return np.asarray(eased, amounts.dtype)

    return ease
