"""Motion as AMASS-style NPZ files, one a person, for tools that read SMPL-H parameters.

Layout: https://github.com/nghorbani/amass. ``trans`` is the world place of the pelvis joint, because SMPL's own offset
of the pelvis is part of its licensed model; hands rest, and shape and soft tissue are left at zero. Z is up.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion

_POSES, _BETAS, _DMPLS = 156, 16, 8
"""Components of all 52 joints' rotations, of the shape and of soft tissue."""
_Z_UP = rot.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.pi / 2)
"""Turns a world whose Y is up into one whose Z is up."""


def write(motion: Motion, person: int, path: Path) -> None:
    """Write one person of a motion.

    Raises:
        OSError: the file cannot be written.
    """
    moved = motion.person(person).moved(_Z_UP, np.zeros(3))
    turns = _axis_angles(moved.rotations[:, 0].astype(float))
    poses = np.zeros((moved.frames, _POSES))
    poses[:, : turns.shape[1] * 3] = turns.reshape(moved.frames, -1)
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            trans=moved.root[:, 0].astype(np.float64),
            poses=poses,
            betas=np.zeros(_BETAS),
            dmpls=np.zeros((moved.frames, _DMPLS)),
            gender=np.array("neutral"),
            mocap_framerate=np.array(moved.fps),
        )


def _axis_angles(q: np.ndarray) -> np.ndarray:
    """Rotation vectors (..., 3), radians, of unit quaternions (..., 4), at most half a turn long."""
    q = np.where(q[..., :1] < 0, -q, q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, q[..., :1])
    # Where hardly anything turns, angle / sine tends to 2.
    return q[..., 1:] * np.where(sine > 1e-8, angle / np.maximum(sine, 1e-8), 2.0)
