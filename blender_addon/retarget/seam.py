"""New motion between frames that are kept: its ends are led to where the kept motion is heading, and let go from there.

The mismatch at a seam, its first or last frame against the kept motion carried on by one frame, is spread over a moment
and fades, so that neither place nor speed jumps: inertialization as in D. Bollo, "Inertialization: High-Performance
Animation Transitions in Gears of War", GDC 2018, with a smooth step for its polynomial.
"""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot

SECONDS = 0.3
"""How long the correction of a seam takes to fade."""


def led_values(values: np.ndarray, before: np.ndarray | None, after: np.ndarray | None, fps: float) -> np.ndarray:
    """Numbers with their ends led to the seams.

    Args:
        values: (T, C) of the new motion.
        before: (2, C) of the two kept frames before it; None where nothing is kept there.
        after: (2, C) of the two kept frames after it; None where nothing is kept there.
        fps: frames a second.

    Returns:
        (T, C)
    """
    fading, led = _fading(len(values), fps, before is not None and after is not None), values.astype(float)
    if before is not None:
        led += fading[:, None] * (2 * before[1] - before[0] - values[0])
    if after is not None:
        led += fading[::-1, None] * (2 * after[0] - after[1] - values[-1])
    return led


def led_rotations(rotations: np.ndarray, before: np.ndarray | None, after: np.ndarray | None, fps: float) -> np.ndarray:
    """The same for rotations: unit quaternions (T, 4), (2, 4) and (2, 4); returns (T, 4)."""
    fading, led = _fading(len(rotations), fps, before is not None and after is not None), rotations.astype(float)
    if before is not None:
        led = rot.multiply(_share(_missing(rotations[0], before[1], before[0]), fading), led)
    if after is not None:
        led = rot.multiply(_share(_missing(rotations[-1], after[0], after[1]), fading[::-1]), led)
    return rot.normalize(led)


def _fading(count: int, fps: float, twice: bool) -> np.ndarray:
    """(T,) from 1 to 0 in a smooth step; between two seams each has half of the frames at most."""
    width = max(1.0, min(SECONDS * fps, count / 2 if twice else count))
    left = np.clip(1 - np.arange(count) / width, 0, 1)
    return left * left * (3 - 2 * left)


def _missing(there: np.ndarray, near: np.ndarray, far: np.ndarray) -> np.ndarray:
    """The rotation that leads from ``there`` to where ``far`` and then ``near`` are heading; all (4,)."""
    heading = rot.multiply(rot.multiply(near, rot.inverse(far)), near)
    return rot.multiply(heading, rot.inverse(there)).astype(float)


def _share(rotation: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(T, 4) ``shares`` (T,) of a rotation (4,), the short way round."""
    return rot.slerp(rot.IDENTITY.astype(float), rotation, shares)
