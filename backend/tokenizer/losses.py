"""What a reconstruction is held to: the pose, its place, its movement, and feet that stay where they stand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from protocol.skeleton import JOINT

from ..features import CONTACT_JOINTS, CONTACTS, POSITIONS, ROTATIONS, VELOCITIES
from ..kinematics import forward_kinematics, matrix_from_sixd

_ENDS = tuple(JOINT[name] for name in ("left_wrist", "right_wrist", "left_foot", "right_foot", "head"))

_FPS = 30
_PLANTED_STEP = 0.2 / _FPS
"""Metres a frame: the contact features let a foot move at 0.95 m/s, a planted one hardly does."""


@dataclass(frozen=True)
class LossWeights:
    """Weight of each term.

    Attributes:
        rotation: geodesic angle, radians, and difference of the 6-D numbers.
        pose: joint positions relative to the root, in decimetres.
        root: absolute root position, in decimetres.
        velocity: joint velocities, in metres a second.
        skate: velocity of planted feet, in metres a second.
        commitment: distance of the latents to their code vectors.
        ends: factor for wrists, feet and head within the pose term.
    """

    rotation: float = 1.0
    pose: float = 1.0
    root: float = 1.0
    velocity: float = 0.3
    skate: float = 0.5
    commitment: float = 0.1
    ends: float = 3.0


def reconstruction_losses(
    root: Tensor, sixd: Tensor, features: Tensor, offsets: Tensor, weights: LossWeights
) -> dict[str, Tensor]:
    """Weighted loss terms of a reconstruction, by name.

    Args:
        root: (N, T, 3) decoded root, metres.
        sixd: (N, T, 22, 6) decoded rotations before orthonormalising.
        features: (N, T, 268) the truth.
        offsets: (N, 22, 3) rest offsets, metres.
        weights: of the terms.
    """
    true_positions = features[..., POSITIONS].unflatten(-1, (-1, 3))
    true_velocities = features[:, :-1, VELOCITIES].unflatten(-1, (-1, 3))
    true_sixd = features[..., ROTATIONS].unflatten(-1, (-1, 6))
    matrices = matrix_from_sixd(sixd)
    positions, _ = forward_kinematics(root, matrices, offsets)
    velocities = positions.diff(dim=1)

    importance = torch.ones(positions.shape[2], device=positions.device)
    importance[list(_ENDS)] = weights.ends
    pose_error = _huber((positions - root[:, :, None]) - (true_positions - true_positions[:, :, :1]))
    feet = list(CONTACT_JOINTS)
    sliding = velocities[:, :, feet] - true_velocities[:, :, feet]
    slow = true_velocities[:, :, feet].norm(dim=-1) < _PLANTED_STEP
    planted = (features[:, :-1, CONTACTS] * slow)[..., None]
    return {
        "rotation": weights.rotation
        * (_geodesic(matrices, true_sixd).mean() + functional.smooth_l1_loss(sixd, true_sixd)),
        "pose": weights.pose * (pose_error.mean((0, 1, 3)) * importance).sum() / importance.sum(),
        "root": weights.root * _huber(root - true_positions[:, :, 0]).mean(),
        "velocity": weights.velocity * _huber_speed(velocities - true_velocities).mean(),
        "skate": weights.skate * (_huber_speed(sliding) * planted).sum() / (3 * planted.sum() + 1),
    }


def _huber(difference: Tensor) -> Tensor:
    """Smooth L1 in decimetres, turning linear at 2 cm: errors that matter are centimetres."""
    return functional.smooth_l1_loss(10 * difference, torch.zeros_like(difference), reduction="none", beta=0.2)


def _huber_speed(difference: Tensor) -> Tensor:
    """Smooth L1 in metres a second, turning linear at 0.1 m/s."""
    return functional.smooth_l1_loss(_FPS * difference, torch.zeros_like(difference), reduction="none", beta=0.1)


def _geodesic(matrices: Tensor, true_sixd: Tensor) -> Tensor:
    """Angle (N, T, 22) between rotations, by the chord, whose gradient stays finite where they agree."""
    difference = matrices - matrix_from_sixd(true_sixd)
    chord = (difference.square().sum((-1, -2)) + 1e-6).sqrt() / (2 * math.sqrt(2))
    return 2 * torch.asin(chord.clamp(max=0.999))
