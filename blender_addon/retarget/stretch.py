"""Limbs that stretch, as those of many control rigs do on IK, read as limbs that only bend."""

from __future__ import annotations

import numpy as np

from protocol.motion import Motion
from protocol.skeleton import JOINT_NAMES

from .body import ARMS, LEGS
from .pose import Pose
from .rest_pose import Calibration

_UNSTRETCHED = 0.001
"""A hand or foot that is nearer to its place than this share of its limb is left where it is."""


def unstretched(motion: Motion, matrices: np.ndarray, calibration: Calibration) -> Motion:
    """The motion with arms and legs bent so that hands and feet are as far from shoulders and hips as they were read.

    Args:
        motion: of one person, as `to_motion` makes it of the rotations.
        matrices: (T, M, 4, 4) world matrices of the calibration's bones, from which it was made.
        calibration: the rig's T-pose.
    """
    heads = matrices[..., :3, 3]
    pose, changed = Pose.of(motion), False
    for limbs, forward in ((LEGS, 1.0), (ARMS, -1.0)):
        for limb in limbs:
            start, end = (calibration.bone(JOINT_NAMES[joint]) for joint in (limb[0], limb[2]))
            joints = pose.joints()[:, 0]
            read = heads[:, end] - heads[:, start]
            length = np.linalg.norm(calibration.offsets[limb[1:]], axis=-1).sum()
            off = np.linalg.norm(joints[:, limb[2]] - joints[:, limb[0]] - read, axis=-1)
            frames = np.flatnonzero(off > _UNSTRETCHED * length)
            if len(frames):
                bent = pose.frames(frames)
                bent.lead(limb, (joints[:, limb[0]] + read)[frames, None].astype(np.float32), forward)
                pose.put(frames, bent)
                changed = True
    return pose.motion(motion.fps, 1) if changed else motion
