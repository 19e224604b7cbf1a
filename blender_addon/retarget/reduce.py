"""Few keys for many frames: smooth curves through chosen frames that stay within a bound of what was there.

All channels of one property share their keys, so that a pose can be picked up and edited as one. Keys are put where the
curves miss most, which is near extremes; between them run cubic Hermite curves whose slopes are fitted to all frames by
least squares. Their Bezier handles lie a third of the way to the next key, so frames are evaluated exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_TIE = 1e-3
"""How strongly slopes are held to those of the frames around a key, where no frame says more about them."""

Errors = Callable[[np.ndarray], np.ndarray]
"""From values (T, C) at all frames to how wrong they are (T,), 1 being the bound."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """The K keys that are left.

    Attributes:
        frames: (K,) indices of the frames that keep a key.
        values: (K, C) there.
        slopes: (K, C) of the curves there, per unit of time.
    """

    frames: np.ndarray
    values: np.ndarray
    slopes: np.ndarray


def reduced(times: np.ndarray, values: np.ndarray, errors: Errors) -> Reduced:
    """Keep as few frames as needed for smooth curves through them to be within the bound at every frame.

    Args:
        times: (T,) increasing.
        values: (T, C) channels of one property.
        errors: how wrong other values are.
    """
    still = np.broadcast_to(values[:1], values.shape)
    if errors(still).max() <= 1:
        return Reduced(np.array([0]), values[:1], np.zeros_like(values[:1]))
    kept = np.array([0, len(times) - 1])
    while True:
        fitted = _fitted(times, values, kept)
        wrong = errors(fitted.values)
        worst = [low + 1 + np.argmax(wrong[low + 1 : high]) for low, high in _gaps(kept)]
        missed = [frame for frame in worst if wrong[frame] > 1]
        if not missed:
            break
        kept = np.sort(np.concatenate((kept, missed)))
    for frame in kept[1:-1]:
        fewer = kept[kept != frame]
        without = _fitted(times, values, fewer)
        if errors(without.values).max() <= 1:
            kept, fitted = fewer, without
    return Reduced(kept, values[kept], fitted.slopes)


@dataclass(frozen=True, eq=False)
class _Fit:
    values: np.ndarray
    slopes: np.ndarray


def _gaps(kept: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of neighbouring keys with frames between them."""
    return [(int(low), int(high)) for low, high in pairwise(kept) if high - low > 1]


def _fitted(times: np.ndarray, values: np.ndarray, kept: np.ndarray) -> _Fit:
    """Values (T, C) at all frames of the curves through the kept ones, and the slopes (K, C) that fit best."""
    segment = np.clip(np.searchsorted(kept, np.arange(len(times)), side="right") - 1, 0, len(kept) - 2)
    low, high = kept[segment], kept[segment + 1]
    span = times[high] - times[low]
    s = (times - times[low]) / span
    through = (values[low].T * (1 + 2 * s) * (1 - s) ** 2 + values[high].T * s**2 * (3 - 2 * s)).T
    # How much the slopes at either end of its segment add to a frame.
    leave, arrive = span * s * (1 - s) ** 2, span * s**2 * (s - 1)
    normal, wanted = _normal(leave, arrive, segment, values - through, len(kept))
    around = np.gradient(values, times, axis=0)[kept]
    slopes = np.linalg.solve(normal + _TIE * np.eye(len(kept)), wanted + _TIE * around)
    return _Fit(through + leave[:, None] * slopes[segment] + arrive[:, None] * slopes[segment + 1], slopes)


def _normal(
    leave: np.ndarray, arrive: np.ndarray, segment: np.ndarray, missing: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The normal equations (K, K), (K, C) of the slopes that make up for what is ``missing`` (T, C) in its segments."""
    starts = np.searchsorted(segment, np.arange(count - 1))

    def sums(terms: np.ndarray) -> np.ndarray:
        return np.add.reduceat(terms, starts, axis=0)

    normal, wanted = np.zeros((count, count)), np.zeros((count, missing.shape[1]))
    here, after = np.arange(count - 1), np.arange(1, count)
    normal[here, here] += sums(leave**2)
    normal[after, after] += sums(arrive**2)
    normal[here, after] = normal[after, here] = sums(leave * arrive)
    wanted[:-1] += sums(leave[:, None] * missing)
    wanted[1:] += sums(arrive[:, None] * missing)
    return normal, wanted
