"""Takes a person's features apart into their place, where they stand and face, and the pose in their own frame.

A handshake is one gesture whichever way it faces. In the pair's frame, where A faces +Z and B mostly -Z, each way to
face would need codes of its own, for the tokenizer to spend and for the language model to learn.
"""

from __future__ import annotations

import torch
from torch import Tensor

from protocol.skeleton import JOINT_COUNT

from ..features import CONTACTS, POSITIONS, ROTATIONS, VELOCITIES

PLACE = slice(0, 4)
"""x and z of the root, metres; sine and cosine of the heading."""
HEIGHT = slice(4, 5)
JOINTS = slice(5, 68)
LOCAL_VELOCITIES = slice(68, 134)
LOCAL_ROTATIONS = slice(134, 266)
LOCAL_CONTACTS = slice(266, 270)
LOCAL_FEATURES = 270


def localized(features: Tensor) -> Tensor:
    """Features (..., 268) in the pair's frame as local features (..., 270).

    The heading is where the root's own +Z points on the ground, told by its left side, which stays level when a person
    bows.
    """
    positions = features[..., POSITIONS].unflatten(-1, (JOINT_COUNT, 3))
    velocities = features[..., VELOCITIES].unflatten(-1, (JOINT_COUNT, 3))
    sixd = features[..., ROTATIONS].unflatten(-1, (JOINT_COUNT, 2, 3))
    left = sixd[..., 0, 0, :]
    heading = unit(torch.stack((-left[..., 2], left[..., 0]), -1))
    back = heading * heading.new_tensor([-1.0, 1.0])
    root = positions[..., 0, :]
    ground = root * root.new_tensor([1.0, 0.0, 1.0])
    parts = (
        root[..., ::2],
        heading,
        root[..., 1:2],
        turned(positions[..., 1:, :] - ground[..., None, :], back).flatten(-2),
        turned(velocities, back).flatten(-2),
        turned(sixd[..., 0, :, :], back).flatten(-2),
        sixd[..., 1:, :, :].flatten(-3),
        features[..., CONTACTS],
    )
    return torch.cat(parts, -1)


def globalized(place: Tensor, height: Tensor, sixd: Tensor) -> tuple[Tensor, Tensor]:
    """The way back, for what a decoder makes.

    Args:
        place: (..., 4); the heading need not have unit length.
        height: (..., 1) of the root, metres.
        sixd: (..., 132) rotations, the root's in the person's own frame.

    Returns:
        root (..., 3), metres, and 6-D rotations (..., 22, 6), in the pair's frame.
    """
    root = torch.cat((place[..., :1], height, place[..., 1:2]), -1)
    columns = sixd.unflatten(-1, (JOINT_COUNT, 2, 3))
    whole = turned(columns[..., 0, :, :], unit(place[..., 2:]))
    return root, torch.cat((whole[..., None, :, :], columns[..., 1:, :, :]), -3).flatten(-2)


def unit(heading: Tensor) -> Tensor:
    """Headings (..., 2), sine and cosine, at unit length."""
    return heading / heading.norm(dim=-1, keepdim=True).clamp(min=1e-4)


def turned(vectors: Tensor, heading: Tensor) -> Tensor:
    """Vectors (..., n, 3) turned about the vertical by headings (..., 2), sine and cosine of unit length."""
    sine, cosine = heading[..., None, 0], heading[..., None, 1]
    x, y, z = vectors.unbind(-1)
    return torch.stack((cosine * x + sine * z, y, cosine * z - sine * x), -1)
