"""Batched, differentiable rotations and forward kinematics in torch, for losses and for decoding.

Quaternions are w, x, y, z. The 6-D form of a rotation is the first two COLUMNS of its matrix, one after the other
(Zhou et al. 2019, "On the Continuity of Rotation Representations in Neural Networks", arXiv 1812.07035).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from protocol.skeleton import JOINT_COUNT, PARENTS


def _levels() -> list[tuple[list[int], list[int]]]:
    """The joints of each depth of the tree with their parents, so that FK needs one product a depth and not a joint."""
    depth = [0] * JOINT_COUNT
    for joint, parent in enumerate(PARENTS):
        depth[joint] = 0 if parent < 0 else depth[parent] + 1
    levels = [[joint for joint in range(JOINT_COUNT) if depth[joint] == d] for d in range(1, max(depth) + 1)]
    return [(joints, [PARENTS[joint] for joint in joints]) for joints in levels]


_LEVELS = _levels()
_BY_DEPTH = [0, *(joint for joints, _ in _LEVELS for joint in joints)]
_TO_JOINT_ORDER = sorted(range(JOINT_COUNT), key=_BY_DEPTH.__getitem__)


def matrix_from_quaternion(q: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    w, x, y, z = q.unbind(-1)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def quaternion_from_matrix(m: Tensor) -> Tensor:
    """Unit quaternions (..., 4) with w >= 0 of rotation matrices (..., 3, 3).

    Of the four ways to divide, each matrix takes the one by its largest component, which is stable everywhere
    (Shepperd 1978, "Quaternion from rotation matrix").
    """
    m00, m11, m22 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    a, b, c = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    d, e, f = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    squares = torch.stack((1 + m00 + m11 + m22, 1 + m00 - m11 - m22, 1 - m00 + m11 - m22, 1 - m00 - m11 + m22), -1)
    s0, s1, s2, s3 = squares.unbind(-1)
    rows = ((s0, a, b, c), (a, s1, d, e), (b, d, s2, f), (c, e, f, s3))
    candidates = torch.stack([torch.stack(row, -1) for row in rows], -2)
    largest = squares.argmax(-1)[..., None, None].expand(*squares.shape[:-1], 1, 4)
    q = functional.normalize(candidates.gather(-2, largest)[..., 0, :], dim=-1)
    return torch.where(q[..., :1] < 0, -q, q)


def sixd_from_matrix(m: Tensor) -> Tensor:
    """The 6-D form (..., 6) of rotation matrices (..., 3, 3)."""
    return torch.cat((m[..., 0], m[..., 1]), -1)


def matrix_from_sixd(sixd: Tensor) -> Tensor:
    """The rotation matrices (..., 3, 3) nearest to any 6 numbers (..., 6), by Gram-Schmidt."""
    x = functional.normalize(sixd[..., :3], dim=-1)
    y = sixd[..., 3:]
    y = functional.normalize(y - (x * y).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack((x, y, torch.linalg.cross(x, y)), -1)


def forward_kinematics(root: Tensor, rotations: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """World positions and world rotations of all joints.

    Args:
        root: (N, T, 3) world position of the pelvis, metres.
        rotations: (N, T, 22, 3, 3) local rotation matrices.
        offsets: (N, 22, 3) rest offsets from the parent, metres.

    Returns:
        (N, T, 22, 3) positions in metres and (N, T, 22, 3, 3) rotation matrices.
    """
    positions, world = {0: root}, {0: rotations[:, :, 0]}
    all_positions, all_world = [root[:, :, None]], [rotations[:, :, :1]]
    for joints, parents in _LEVELS:
        parent_world = torch.stack([world[parent] for parent in parents], 2)
        parent_positions = torch.stack([positions[parent] for parent in parents], 2)
        turned = (parent_world @ offsets[:, None, joints, :, None])[..., 0]
        all_positions.append(parent_positions + turned)
        all_world.append(parent_world @ rotations[:, :, joints])
        for index, joint in enumerate(joints):
            positions[joint], world[joint] = all_positions[-1][:, :, index], all_world[-1][:, :, index]
    return torch.cat(all_positions, 2)[:, :, _TO_JOINT_ORDER], torch.cat(all_world, 2)[:, :, _TO_JOINT_ORDER]
