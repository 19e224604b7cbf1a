"""Finds the floor under captured people: its tilt, one for all, and each person's height over it.

The floors of these captures lean by up to a degree, which is 6 cm over a walk; and one of the conversions puts
everybody on the same skeleton, so that one of two dancers hovers by 3 cm. Both are measured from feet that stand still.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT

TOES = [JOINT["left_foot"], JOINT["right_foot"]]
FOOT_JOINTS = [JOINT["left_ankle"], JOINT["right_ankle"], *TOES]

STILL = 0.3
"""Metres a second: a toe that is slower stands."""
SHORT_BASE = 0.15
"""Metres: feet spread over much less than this say little about tilt, so the slope found is shrunk to match."""
STEEPEST = np.tan(np.radians(2.0))
ROUGHEST = 0.03
"""Metres: with a steeper floor, or feet farther off it on average, these are stairs or a stool: no tilt is assumed."""
LOW_SHARE = 10
"""Per cent of the frames in which a person's lowest foot joint may lie under the floor: noise, tip-toe excluded."""


def on_floor(motion: Motion) -> Motion:
    """The motion with its floor made level and at y = 0 under every person."""
    level = _levelled(motion)
    lowest = level.positions()[:, :, FOOT_JOINTS, 1].min(axis=2)
    shift = np.zeros((level.persons, 3), np.float32)
    shift[:, 1] = np.percentile(lowest, LOW_SHARE, axis=0)
    return replace(level, root=level.root - shift)


def _levelled(motion: Motion) -> Motion:
    slope, centre = _slope(motion)
    normal = np.array([-slope[0], 1.0, -slope[1]])
    up = np.array([0.0, 1.0, 0.0])
    turn = rot.from_axis_angle(np.cross(normal, up), float(np.arctan(np.linalg.norm(slope))))
    return motion.moved(turn, (centre - rot.rotate(turn, centre)).astype(np.float32))


def _slope(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Rise of the floor per metre along X and Z, (0, 0) where it cannot be told, and the point (3,) to turn about.

    Least squares on the standing toes with a height of its own for every person; outliers are dropped three times.
    """
    toes = motion.positions()[:, :, TOES].astype(float)
    still = np.linalg.norm(np.gradient(toes, axis=0), axis=-1) * motion.fps < STILL if motion.frames > 1 else None
    points = [toes[:, p][still[:, p]] for p in range(motion.persons)] if still is not None else []
    points = [cloud for cloud in points if len(cloud) >= 20]
    none = np.zeros(2), motion.root[0, 0].astype(float)
    if not points:
        return none
    slope, rough = np.zeros(2), 0.0
    kept = points
    for _ in range(4):
        centred = np.concatenate([cloud - cloud.mean(axis=0) for cloud in kept])
        across, height = centred[:, [0, 2]], centred[:, 1]
        prior = len(centred) * SHORT_BASE**2 * np.eye(2)
        slope = np.linalg.solve(across.T @ across + prior, across.T @ height)
        residuals = [cloud[:, 1] - cloud[:, [0, 2]] @ slope for cloud in points]
        residuals = [np.abs(residual - np.median(residual)) for residual in residuals]
        rough = float(np.median(np.concatenate(residuals)))
        limit = max(4.5 * rough, 0.015)
        kept = [cloud[residual < limit] for cloud, residual in zip(points, residuals, strict=True)]
    if np.linalg.norm(slope) > STEEPEST or rough > ROUGHEST:
        return none
    return slope, np.concatenate(points).mean(axis=0)
