"""Motion to feature arrays: the pair's canonical frame, our 268 features a frame, and InterHuman's 262.

One person and frame is ``positions 66 | velocities 66 | rotations 132 | foot contacts 4``: the non-canonical layout of
InterGen (Liang et al. 2023, arXiv 2304.05684) plus the root's rotation, which that layout lacks and a rig needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, JOINT_COUNT, neutral_offsets, rest_height

from .kinematics import forward_kinematics, matrix_from_quaternion, sixd_from_matrix

FEATURES = 268
POSITIONS = slice(0, 66)
VELOCITIES = slice(66, 132)
ROTATIONS = slice(132, 264)
CONTACTS = slice(264, 268)

CONTACT_JOINTS = tuple(JOINT[name] for name in ("left_ankle", "left_foot", "right_ankle", "right_foot"))
"""Joints of the four contact features, in InterHuman's order."""
_CONTACT_SQUARED_STEP = 0.001
_CONTACT_HEIGHTS = (0.12, 0.05, 0.12, 0.05)

_FLOOR_PERCENTILE = 5


@dataclass(frozen=True)
class Placement:
    """Where a motion's canonical frame lies: ``canonical = motion.moved(rotation, translation)``.

    Attributes:
        rotation: (4,) unit quaternion about the vertical.
        translation: (3,) metres, applied after the rotation.
    """

    rotation: np.ndarray
    translation: np.ndarray

    def apply(self, motion: Motion) -> Motion:
        """The motion moved from the world into the canonical frame."""
        return motion.moved(self.rotation, self.translation)

    def undo(self, motion: Motion) -> Motion:
        """The motion moved from the canonical frame back into the world."""
        back = rot.inverse(self.rotation)
        return motion.moved(back, -rot.rotate(back, self.translation))


def canonicalized(motion: Motion) -> tuple[Motion, Placement]:
    """Move all persons rigidly so that A's first-frame root is over the origin, A faces +Z and the floor is y = 0.

    The floor is where the lowest joint of all persons mostly is: the 5th percentile over time, not the minimum, since
    a single noisy frame would lift everybody.

    Returns:
        The moved motion, and the placement whose ``undo`` takes any motion of that frame back into this world.
    """
    across = motion.offsets[0, JOINT["left_hip"]] - motion.offsets[0, JOINT["right_hip"]]
    left = rot.rotate(motion.rotations[0, 0, 0], across)
    heading = np.arctan2(-left[2], left[0])
    turn = rot.about_y(-float(heading)).astype(np.float32)
    floor = np.percentile(motion.positions()[..., 1].min(axis=(1, 2)), _FLOOR_PERCENTILE)
    shift = -rot.rotate(turn, motion.root[0, 0])
    placement = Placement(turn, np.array([shift[0], -floor, shift[2]], np.float32))
    return placement.apply(motion), placement


def body_scale(offsets: np.ndarray) -> np.ndarray:
    """Size of bodies (P,) with rest offsets (P, 22, 3), as a factor of the neutral body."""
    return rest_height(offsets) / rest_height(neutral_offsets())


def motion_features(root: Tensor, rotations: Tensor, offsets: Tensor) -> Tensor:
    """The 268 features of persons, each on its own.

    Args:
        root: (N, T, 3) metres, T >= 2.
        rotations: (N, T, 22, 3, 3) local rotation matrices.
        offsets: (N, 22, 3) metres.

    Returns:
        (N, T, 268). Velocities are metres a frame, from each frame to the next; the last frame repeats the one before.
    """
    positions, _ = forward_kinematics(root, rotations, offsets)
    velocities = positions.diff(dim=1)
    velocities = torch.cat((velocities, velocities[:, -1:]), 1)
    feet = list(CONTACT_JOINTS)
    still = velocities[:, :, feet].square().sum(-1) < _CONTACT_SQUARED_STEP
    low = positions[:, :, feet, 1] < positions.new_tensor(_CONTACT_HEIGHTS)
    parts = (positions.flatten(2), velocities.flatten(2), sixd_from_matrix(rotations).flatten(2), still & low)
    return torch.cat([part.to(positions.dtype) for part in parts], -1)


def features(motion: Motion) -> np.ndarray:
    """Our features of a motion of at least two frames, as it stands: (T, P, 268) float32."""
    persons = np.arange(motion.persons)
    root = torch.from_numpy(motion.root[:, persons].swapaxes(0, 1).copy())
    rotations = matrix_from_quaternion(torch.from_numpy(motion.rotations.swapaxes(0, 1).copy()))
    with torch.no_grad():
        return motion_features(root, rotations, torch.from_numpy(motion.offsets)).numpy().swapaxes(0, 1).copy()


def interhuman_features(motion: Motion) -> np.ndarray:
    """InterHuman's representation of a motion at 30 fps: (T, P, 262) float32.

    Positions 66 | per-frame displacements 66 | 6-D rotations of the 21 joints below the root 126 | contacts 4, in the
    canonical frame with the lowest joint of the clip on the floor, as InterGen's published processing has it.
    """
    canonical, _ = canonicalized(motion)
    lowest = canonical.positions()[..., 1].min()
    upright = rot.IDENTITY
    ours = features(canonical.moved(upright, np.array([0, -lowest, 0], np.float32)))
    below_root = np.arange(ROTATIONS.start + 6, ROTATIONS.start + 6 * JOINT_COUNT)
    return np.concatenate((ours[..., : VELOCITIES.stop], ours[..., below_root], ours[..., CONTACTS]), axis=-1)
