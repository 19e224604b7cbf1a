"""What was done fades, and what will be done is taken up: offsets at both ends of a motion that die out between.

The offset from a new motion to the one before it decays with the place and the speed that it has at the seam, so that
neither jumps: inertialization (D. Bollo, "Inertialization: High-Performance Animation Transitions in Gears of War",
GDC 2018), here with cubic curves, and from both ends.
"""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot

from ..choreographer.blend import FPS


def fading(values: np.ndarray, last: np.ndarray, first: np.ndarray, seconds: float) -> np.ndarray:
    """Offsets to add to a curve.

    Args:
        values: (T, K); its first frame is at the same time as ``last[1]``, its last one as ``first[0]``.
        last: (2, K) the last two frames of what comes before.
        first: (2, K) the first two frames of what comes after.
        seconds: in which an offset dies out.

    Returns:
        (T, K).
    """
    return _faded(
        last[1] - values[0],
        (last[1] - last[0]) - (values[1] - values[0]),
        first[0] - values[-1],
        (first[1] - first[0]) - (values[-1] - values[-2]),
        len(values),
        seconds,
    )


def fading_turns(rotations: np.ndarray, last: np.ndarray, first: np.ndarray, seconds: float) -> np.ndarray:
    """The same for rotations (T, J, 4) and the two frames (2, J, 4) before and after: rotation vectors (T, J, 3)."""
    return _faded(
        _turn(rotations[0], last[1]),
        _turn(last[0], last[1]) - _turn(rotations[0], rotations[1]),
        _turn(rotations[-1], first[0]),
        _turn(first[0], first[1]) - _turn(rotations[-2], rotations[-1]),
        len(rotations),
        seconds,
    )


def turned_by(rotations: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Rotations (..., 4), each turned by a rotation vector (..., 3) in the frame of its parent."""
    angle = np.linalg.norm(vectors, axis=-1)
    axis = vectors / np.maximum(angle, 1e-9)[..., None]
    return rot.multiply(
        np.concatenate((np.cos(angle / 2)[..., None], np.sin(angle / 2)[..., None] * axis), -1), rotations
    )


def _turn(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The rotation vector (..., 3) that leads from one rotation to another the short way."""
    between = rot.multiply(after.astype(np.float64), rot.inverse(before.astype(np.float64)))
    between = between * np.where(between[..., :1] < 0, -1.0, 1.0)
    sine = np.linalg.norm(between[..., 1:], axis=-1)
    angle = 2 * np.arctan2(sine, between[..., 0])
    return between[..., 1:] * (angle / np.maximum(sine, 1e-9))[..., None]


def _faded(
    start: np.ndarray, leaving: np.ndarray, end: np.ndarray, arriving: np.ndarray, frames: int, seconds: float
) -> np.ndarray:
    lasting = min(round(seconds * FPS), frames - 1)
    u = np.clip(np.arange(frames) / lasting, 0, 1).reshape(-1, *([1] * start.ndim))
    out = (2 * u**3 - 3 * u**2 + 1, u**3 - 2 * u**2 + u)
    into = out[0][::-1], -out[1][::-1]
    return start * out[0] + leaving * lasting * out[1] + end * into[0] + arriving * lasting * into[1]
