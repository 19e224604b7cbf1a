"""Two-bone inverse kinematics on whole motions at once."""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot

REACH = 0.9999
"""A limb is never stretched further than this share of its length: a straight one has no bending plane."""
STRAIGHT = 0.02
"""A limb is almost straight if its middle joint is nearer, in upper bone lengths, to the line between its ends."""


def reach(
    start: np.ndarray,
    middle: np.ndarray,
    end: np.ndarray,
    target: np.ndarray,
    bend: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """World turns of a limb's two bones that bring its end to a target, or as near as it reaches.

    The limb stays in the plane in which it is bent already; ``bend`` decides where it is almost straight.

    Args:
        start, middle, end: (..., 3) its joints, metres.
        target: (..., 3) where the end goes.
        bend: (..., 3) unit vectors, the side to which the middle joint points.

    Returns:
        (..., 4) turns of the upper and of the lower bone, to be applied before (left of) their world rotations.
    """
    upper, lower = _length(middle - start), _length(end - middle)
    wanted = target - start
    distance = np.clip(_length(wanted), np.abs(upper - lower) + 1e-4, (upper + lower) * REACH)
    line = wanted / np.maximum(_length(wanted), 1e-9)

    axis = (end - start) / np.maximum(_length(end - start), 1e-9)
    pole = middle - start
    pole = pole - axis * np.sum(pole * axis, -1, keepdims=True)
    pole = pole + bend * np.maximum(STRAIGHT * upper - _length(pole), 0)
    pole = rot.rotate(rot.between(axis, line), pole)
    pole = pole - line * np.sum(pole * line, -1, keepdims=True)
    pole = pole / np.maximum(_length(pole), 1e-9)

    cosine = np.clip((upper**2 + distance**2 - lower**2) / (2 * upper * distance), -1, 1)
    elbow = start + upper * (cosine * line + np.sqrt(1 - cosine**2) * pole)
    hand = start + distance * line
    return rot.between(middle - start, elbow - start), rot.between(end - middle, hand - elbow)


def _length(v: np.ndarray) -> np.ndarray:
    return np.linalg.norm(v, axis=-1, keepdims=True)
