"""Rotations as the channels of each of Blender's rotation modes, without jumps from key to key."""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot

QUATERNION, AXIS_ANGLE = "QUATERNION", "AXIS_ANGLE"


def channel_values(rotations: np.ndarray, mode: str, before: np.ndarray | None) -> np.ndarray:
    """Values of a bone's rotation channels.

    Args:
        rotations: (T, 4) unit quaternions.
        mode: Blender's rotation mode: ``QUATERNION``, ``AXIS_ANGLE`` or an order of Euler angles such as ``XYZ``.
        before: the values of the key before the first one, which these go on from; None at the start.

    Returns:
        (T, 4) w, x, y, z, or (T, 4) angle in radians and axis, or (T, 3) Euler angles in radians.
    """
    if mode == QUATERNION:
        return _continued(rotations, before)
    if mode == AXIS_ANGLE:
        return _axis_angle(rotations, before)
    return _compatible(_euler(rotations, mode), before)


def rotations_of(values: np.ndarray, mode: str) -> np.ndarray:
    """Unit quaternions (T, 4) of the values of a bone's rotation channels: `channel_values` undone."""
    if mode == QUATERNION:
        return rot.normalize(values)
    if mode == AXIS_ANGLE:
        return rot.from_axis_angle(values[:, 1:], values[:, 0])
    turned = rot.from_axis_angle(np.eye(3)["XYZ".index(mode[0])], values[:, "XYZ".index(mode[0])])
    for axis in mode[1:]:
        number = "XYZ".index(axis)
        turned = rot.multiply(rot.from_axis_angle(np.eye(3)[number], values[:, number]), turned)
    return turned


def _continued(rotations: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    if before is None:
        return rot.continuous(rotations)
    return rot.continuous(np.concatenate((before[None].astype(rotations.dtype), rotations)))[1:]


def _axis_angle(rotations: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """(T, 4) angle and axis, which neither turns over nor starts again at zero from one frame to the next."""
    shorter = np.where(rotations[:, :1] < 0, -rotations, rotations)
    sine = np.linalg.norm(shorter[:, 1:], axis=-1, keepdims=True)
    angles = 2 * np.arctan2(sine, shorter[:, :1])
    values = np.concatenate((angles, shorter[:, 1:] / np.maximum(sine, 1e-6)), axis=-1)
    last = before
    for frame, value in enumerate(values):
        if sine[frame] <= 1e-6:
            # Without an angle any axis will do, but not a zero one.
            value[1:] = (0, 1, 0) if last is None else last[1:]
        if last is not None:
            value *= np.sign(value[1:] @ last[1:]) or 1.0
            value[0] += 2 * np.pi * np.round((last[0] - value[0]) / (2 * np.pi))
        last = value
    return values


def _euler(rotations: np.ndarray, order: str) -> np.ndarray:
    """(T, 2, 3) both sets of angles about x, y, z, where the axis named first in ``order`` turns first."""
    i, j, k = ("XYZ".index(axis) for axis in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    m = rot.to_matrix(rotations)
    sine = np.clip(-sign * m[:, k, i], -1, 1)
    locked = np.abs(sine) > 1 - 1e-6
    angles = np.empty((len(rotations), 3))
    angles[:, j] = np.arcsin(sine)
    angles[:, i] = np.where(
        locked, np.arctan2(-sign * m[:, j, k], m[:, j, j]), np.arctan2(sign * m[:, k, j], m[:, k, k])
    )
    angles[:, k] = np.where(locked, 0.0, np.arctan2(sign * m[:, j, i], m[:, i, i]))
    other = angles + np.pi
    other[:, j] = np.pi - angles[:, j]
    return np.stack((angles, other), axis=1)


def _compatible(solutions: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Of two sets of angles (T, 2, 3) per frame that mean the same, the one nearest to the frame before."""
    chosen = np.empty((len(solutions), 3))
    last = before
    for frame, both in enumerate(solutions):
        if last is None:
            last = both[0]
        else:
            near = both + 2 * np.pi * np.round((last - both) / (2 * np.pi))
            last = near[np.argmin(np.abs(near - last).sum(-1))]
        chosen[frame] = last
    return chosen
