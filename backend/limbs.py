"""Moves the end of a posed limb, leg or arm, and keeps the way its hinge bends."""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot

PALM_LENGTH = 0.09
"""Metres from the wrist to the palm point on the neutral body, on along the forearm."""
STRETCH = 0.999
"""Share of its length to which a limb is stretched at most, unless it was longer already."""


def followed(
    joints: tuple[np.ndarray, np.ndarray, np.ndarray],
    world: tuple[np.ndarray, np.ndarray],
    target: np.ndarray,
    hinge: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Turn a limb's two bones so that its end lies on the target, or as near as the limb's length allows.

    The hinge (knee, elbow) bends or opens about the axis that it bends about already, and the limb swings at the ball
    joint by the shortest turn, so that the way the hinge points stays.

    Args:
        joints: (..., 3) places of the ball joint, the hinge and the end, metres.
        world: (..., 4) world rotations of the upper and the lower bone.
        target: (..., 3) where the end shall be, metres.
        hinge: (..., 3) world axis that flexes the hinge: upper bone x flexed lower bone; it tells the side to which a
            straight limb bends.

    Returns:
        (..., 4) and (..., 4) new world rotations of both bones.
    """
    start, middle, end = joints
    thigh, shin, line = middle - start, end - middle, target - start
    upper, lower = np.linalg.norm(thigh, axis=-1), np.linalg.norm(shin, axis=-1)
    reached = np.linalg.norm(thigh + shin, axis=-1)
    shortest, longest = np.abs(upper - lower) * 1.05, np.maximum((upper + lower) * STRETCH, reached)
    distance = np.clip(np.linalg.norm(line, axis=-1), shortest, longest)

    def angle_at_hinge(reach: np.ndarray) -> np.ndarray:
        return np.arccos(np.clip((upper**2 + lower**2 - reach**2) / (2 * upper * lower), -1, 1))

    bent = np.cross(thigh, shin)
    straight = np.linalg.norm(bent, axis=-1) < 0.02 * upper * lower
    axis = np.where(straight[..., None], hinge, bent)
    bend = rot.from_axis_angle(axis, angle_at_hinge(reached) - angle_at_hinge(distance))
    swing = _shortest_turn(thigh + rot.rotate(bend, shin), line)
    return rot.multiply(swing, world[0]), rot.multiply(swing, rot.multiply(bend, world[1]))


def _shortest_turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    a = start / np.maximum(np.linalg.norm(start, axis=-1, keepdims=True), 1e-9)
    b = end / np.maximum(np.linalg.norm(end, axis=-1, keepdims=True), 1e-9)
    return rot.normalize(np.concatenate((1 + np.sum(a * b, axis=-1, keepdims=True), np.cross(a, b)), axis=-1))
