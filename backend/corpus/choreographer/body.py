"""One body of the choreographer: its size, its chains, forward kinematics for one person, and where its palms are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, PARENTS, neutral_offsets, rest_height

from ...limbs import PALM_LENGTH

SIDES = ("left", "right")
NEUTRAL_HEIGHT = float(rest_height(neutral_offsets()))


@dataclass(frozen=True)
class Chain:
    """The joint indices of one limb: the ball joint, the hinge and the end."""

    root: int
    hinge: int
    end: int


ARMS = {side: Chain(*(JOINT[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))) for side in SIDES}
LEGS = {side: Chain(*(JOINT[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))) for side in SIDES}
ARM_JOINTS = {side: (JOINT[f"{side}_collar"], *vars(ARMS[side]).values()) for side in SIDES}
SPINE = tuple(JOINT[name] for name in ("spine1", "spine2", "spine3"))


@dataclass(frozen=True)
class Body:
    """A neutral body of some size; 1.0 stands 1.72 m tall."""

    scale: float

    @cached_property
    def offsets(self) -> np.ndarray:
        """Rest offsets (22, 3), metres, float64."""
        return neutral_offsets(self.scale).astype(np.float64)

    @cached_property
    def pelvis_height(self) -> float:
        """Height of the pelvis over the toes with straight legs, metres."""
        return float(rest_height(self.offsets))

    @property
    def shoulder_height(self) -> float:
        """Height of the shoulders over the floor, metres."""
        chain = ("spine1", "spine2", "spine3", "left_collar", "left_shoulder")
        return self.pelvis_height + float(sum(self.offsets[JOINT[name], 1] for name in chain))

    def palm_offset(self, side: str) -> np.ndarray:
        """Palm point in the wrist's own frame (3,), metres."""
        forearm = self.offsets[ARMS[side].end]
        return forearm / np.linalg.norm(forearm) * PALM_LENGTH * self.scale


def world_pose(
    root: np.ndarray, rotations: np.ndarray, offsets: np.ndarray, joints: Sequence[int] = range(len(PARENTS))
) -> tuple[np.ndarray, np.ndarray]:
    """World positions and rotations of one person's ``joints``, which must hold every ancestor of each of them.

    Args:
        root: (T, 3) pelvis positions, metres.
        rotations: (T, 22, 4) local rotations.
        offsets: (22, 3) metres.
        joints: the joints wanted, parents first; others are left zero.

    Returns:
        positions (T, 22, 3) metres, rotations (T, 22, 4).
    """
    positions = np.zeros((*rotations.shape[:2], 3))
    world = np.zeros_like(rotations)
    for joint in joints:
        parent = PARENTS[joint]
        if parent < 0:
            positions[:, joint], world[:, joint] = root, rotations[:, joint]
            continue
        world[:, joint] = rot.multiply(world[:, parent], rotations[:, joint])
        positions[:, joint] = positions[:, parent] + rot.rotate(world[:, parent], offsets[joint])
    return positions, world


def palms(motion: Motion) -> np.ndarray:
    """Where the palms are: the forearm continued by 9 cm (times the body's size), turned by the wrist.

    Returns:
        (T, P, 2, 3) float32, metres: left palm, right palm.
    """
    positions, world = motion.forward_kinematics()
    scale = rest_height(motion.offsets) / NEUTRAL_HEIGHT
    found = []
    for side in SIDES:
        wrist = ARMS[side].end
        forearm = motion.offsets[:, wrist]
        hand = forearm / np.linalg.norm(forearm, axis=-1, keepdims=True) * (PALM_LENGTH * scale)[:, None]
        found.append(positions[:, :, wrist] + rot.rotate(world[:, :, wrist], hand.astype(np.float32)))
    return np.stack(found, axis=2)
