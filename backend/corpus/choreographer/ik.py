"""Analytic two-bone inverse kinematics, vectorised over frames."""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot

STRAIGHTEST = 0.9995
"""Largest share of the full length to which a limb is stretched: the hinge keeps a trace of its bend."""


def unit(v: np.ndarray) -> np.ndarray:
    """Vectors ``v`` (..., 3) scaled to length 1."""
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def frame(forward: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Quaternions (..., 4) whose X axis is ``forward`` (..., 3) and whose Z axis is as near ``side`` as it can be."""
    x = unit(forward)
    y = unit(np.cross(side, x))
    return rot.from_matrix(np.stack((x, y, np.cross(x, y)), axis=-1))


def two_bone(
    start: np.ndarray,
    target: np.ndarray,
    pole: np.ndarray,
    upper: np.ndarray,
    lower: np.ndarray,
    hinge: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """World rotations of a limb's two bones so that its end lies on the target, by the law of cosines.

    A target out of reach is approached as far as the limb's length allows.

    Args:
        start: (T, 3) world position of the ball joint (shoulder or hip), metres.
        target: (T, 3) where the end shall be, metres.
        pole: (T, 3) or (3,) world direction towards which the hinge (elbow or knee) bulges.
        upper: (3,) rest vector from ball joint to hinge, in the upper bone's frame, metres.
        lower: (3,) or (T, 3) vector from hinge to the end, in the lower bone's frame, metres.
        hinge: (3,) the hinge's axis in both bones' frames: upper bone x flexed lower bone.

    Returns:
        (T, 4) and (T, 4) world rotations of the upper and the lower bone.
    """
    first, second = np.linalg.norm(upper), np.linalg.norm(lower, axis=-1)
    line = target - start
    nearest, farthest = np.abs(first - second) * 1.02 + 1e-4, (first + second) * STRAIGHTEST
    reach = np.clip(np.linalg.norm(line, axis=-1), nearest, farthest)
    along = unit(line)
    out = unit(pole - np.sum(pole * along, axis=-1, keepdims=True) * along)
    cosine = np.clip((first**2 + reach**2 - second**2) / (2 * first * reach), -1, 1)[..., None]
    bend = first * (cosine * along + np.sqrt(1 - cosine**2) * out)
    axis = np.cross(out, along)
    upper_world = rot.multiply(frame(bend, axis), rot.inverse(frame(upper, hinge)))
    lower_world = rot.multiply(frame(along * reach[..., None] - bend, axis), rot.inverse(frame(lower, hinge)))
    return upper_world, lower_world
