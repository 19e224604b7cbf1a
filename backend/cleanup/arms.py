"""Moves wrists of posed persons by turning arms and forearms; elbows keep the way they point, hands how they turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from protocol import rotations as rot
from protocol.skeleton import JOINT

from ..limbs import followed
from .frames import Frames

COLLARS, SHOULDERS, ELBOWS, WRISTS = (
    [JOINT[f"{side}_{name}"] for side in ("left", "right")] for name in ("collar", "shoulder", "elbow", "wrist")
)
_ELBOW_AXES = np.array([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])
"""A left arm that bends swings its forearm from +X to +Z, about -Y; the right arm about +Y."""


def arms_turned(joints: np.ndarray, hinges: np.ndarray, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World rotations by which arms and forearms turn so that the wrists move by ``reach`` (..., 2, 3), metres.

    Args:
        joints: (..., 22, 3) metres.
        hinges: (..., 2, 3) world axes of the elbows: see `flexion`.
        reach: how far the wrists are to go.

    Returns:
        (..., 2, 4) and (..., 2, 4).
    """
    arms = (joints[..., SHOULDERS, :], joints[..., ELBOWS, :], joints[..., WRISTS, :])
    still = np.broadcast_to(rot.IDENTITY.astype(np.float64), (*reach.shape[:-1], 4))
    return followed(arms, (still, still), arms[2] + reach, hinges)


def arms_moved(joints: np.ndarray, turned: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Joints (..., 22, 3) with upper arms and forearms turned by world rotations (..., 2, 4)."""
    moved = joints.copy()
    chain = (SHOULDERS, ELBOWS, WRISTS)
    for turn, start, end in zip(turned, chain[:2], chain[1:], strict=True):
        moved[..., end, :] = moved[..., start, :] + rot.rotate(turn, joints[..., end, :] - joints[..., start, :])
    return moved


def flexion(world: np.ndarray) -> np.ndarray:
    """World axes (..., 2, 3) about which the elbows of bodies with world rotations (..., 22, 4) bend."""
    return rot.rotate(world[..., ELBOWS, :], _ELBOW_AXES)


def reaching(frames: Frames, reach: np.ndarray) -> Frames:
    """Frames with the wrists of all persons moved by ``reach`` (T, P, 2, 3), the hands turned as they are."""
    turned = arms_turned(frames.positions, flexion(frames.world), reach)
    rotations, world = frames.rotations.copy(), frames.world.copy()
    for turn, joint in zip(turned, (SHOULDERS, ELBOWS), strict=True):
        world[:, :, joint] = rot.multiply(turn, world[:, :, joint])
    for joint, parent in ((SHOULDERS, COLLARS), (ELBOWS, SHOULDERS), (WRISTS, ELBOWS)):
        rotations[:, :, joint] = rot.multiply(rot.inverse(world[:, :, parent]), world[:, :, joint])
    return replace(frames, rotations=rotations, world=world, positions=arms_moved(frames.positions, turned))


def limited(ways: np.ndarray, longest: float) -> np.ndarray:
    """Ways (..., 3) of which those longer than ``longest`` metres are shortened to that."""
    length = np.linalg.norm(ways, axis=-1, keepdims=True)
    return ways * np.minimum(1, longest / np.maximum(length, 1e-9))
