"""What retargeting knows of a body beyond its joints: how large it is, where its palms are, how thick its parts are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, JOINT_COUNT, neutral_offsets

from .pose import Pose

PALM = 0.09
"""Metres from the wrist to the middle of the palm of a body of neutral size, along the hand."""
CROWN = (0.0, 0.10, 0.02)
"""Metres from the head joint to the middle of the skull's upper half, on a body of neutral size."""

LEGS = [[JOINT[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")] for side in ("left", "right")]
ARMS = [[JOINT[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist")] for side in ("left", "right")]
TOES = [JOINT["left_foot"], JOINT["right_foot"]]
ANKLES = [JOINT["left_ankle"], JOINT["right_ankle"]]
HIPS = [JOINT["left_hip"], JOINT["right_hip"]]
WRISTS = [JOINT["left_wrist"], JOINT["right_wrist"]]

PALMS, TOP = [JOINT_COUNT, JOINT_COUNT + 1], JOINT_COUNT + 2
"""Where `landmarks` has the palms and the crown, behind the joints."""


class Capsule(NamedTuple):
    """A part of the body: everything within a radius of a line.

    Attributes:
        start, end: the line's ends, as indices of `landmarks`.
        joint: the joint whose rotation the part follows.
        girth: what its radius grows with: ``trunk``, ``arm``, ``leg`` or ``size``.
        radius: metres, on the neutral body.
    """

    start: int
    end: int
    joint: int
    girth: str
    radius: float


def _limb(start: str, end: str, girth: str, radius: float) -> list[Capsule]:
    return [
        Capsule(JOINT[f"{side}_{start}"], JOINT[f"{side}_{end}"], JOINT[f"{side}_{start}"], girth, radius)
        for side in ("left", "right")
    ]


# Rounded down from adult girths, so that clothes and soft tissue do not count as penetration.
CAPSULES = (
    Capsule(JOINT["pelvis"], JOINT["spine3"], JOINT["spine1"], "trunk", 0.11),
    Capsule(JOINT["spine3"], JOINT["neck"], JOINT["spine3"], "trunk", 0.10),
    Capsule(JOINT["head"], TOP, JOINT["head"], "size", 0.085),
    *_limb("collar", "shoulder", "trunk", 0.06),
    *_limb("hip", "knee", "leg", 0.06),
    *_limb("knee", "ankle", "leg", 0.045),
    *_limb("shoulder", "elbow", "arm", 0.04),
    *_limb("elbow", "wrist", "arm", 0.03),
)
"""The parts of a body; trunk, head and thighs first, then shins, then the arms."""
EVERY, CORE, LOWER, LIMB_PARTS = slice(0, 13), slice(0, 7), slice(0, 9), slice(5, 13)
"""Of `CAPSULES`: all; what moves with the hips; all but the arms; thighs, shins, upper arms and
forearms, left and right each."""


TOUCHABLE = (Capsule(JOINT["pelvis"], JOINT["neck"], JOINT["spine2"], "trunk", 0.105), *CAPSULES[2:7], *CAPSULES[9:])
"""What hands touch: the trunk in one, so that a hand may slide along all of it, and all other parts but the shins."""


def leg_height(offsets: np.ndarray) -> np.ndarray:
    """Height (...,) of the hip joints over the toe joints in the T-pose, metres."""
    left = [JOINT[f"left_{joint}"] for joint in ("knee", "ankle", "foot")]
    right = [JOINT[f"right_{joint}"] for joint in ("knee", "ankle", "foot")]
    return -(offsets[..., left, 1].sum(-1) + offsets[..., right, 1].sum(-1)) / 2


def size(offsets: np.ndarray) -> np.ndarray:
    """Size (...,) of bodies by their legs; the neutral body has 1."""
    return leg_height(offsets) / leg_height(_NEUTRAL)


def arm_lengths(offsets: np.ndarray) -> np.ndarray:
    """(P, 2) metres from shoulder to wrist of the stretched left and right arm."""
    return np.stack([np.linalg.norm(offsets[:, arm[1:]], axis=-1).sum(-1) for arm in ARMS], axis=-1)


def radii(offsets: np.ndarray, parts: Sequence[Capsule] = CAPSULES) -> np.ndarray:
    """(P, K) metres: the radii of K parts on bodies, fitted from the lengths between their joints.

    Args:
        offsets: (P, 22, 3) rest offsets, metres.
        parts: of the body.
    """
    found = {girth: (_lengths(offsets, names) / _lengths(_NEUTRAL, names)) for girth, names in _GIRTHS.items()}
    found["size"] = size(offsets)
    return np.stack([found[part.girth] * part.radius for part in parts], axis=-1).astype(np.float32)


def landmarks(pose: Pose) -> np.ndarray:
    """(T, P, 25, 3) metres: the joints, the middles of the left and right palm, the crown."""
    joints, own = pose.joints(), size(pose.offsets)[:, None]
    hands = []
    for wrist in WRISTS:
        along = pose.offsets[:, wrist] / np.linalg.norm(pose.offsets[:, wrist], axis=-1, keepdims=True)
        hands.append(joints[:, :, wrist] + rot.rotate(pose.world[:, :, wrist], (along * PALM * own).astype(np.float32)))
    head = JOINT["head"]
    crown = joints[:, :, head] + rot.rotate(pose.world[:, :, head], (np.array(CROWN) * own).astype(np.float32))
    return np.concatenate((joints, np.stack((*hands, crown), axis=2)), axis=2)


def palms(motion: Motion) -> np.ndarray:
    """(T, P, 2, 3) middles of the left and right palm, metres."""
    return landmarks(Pose.of(motion))[:, :, PALMS]


def _lengths(offsets: np.ndarray, joints: list[int]) -> np.ndarray:
    return np.linalg.norm(offsets[..., joints, :], axis=-1).sum(-1)


_NEUTRAL = neutral_offsets()
_GIRTHS = {
    "trunk": [JOINT[name] for name in ("spine1", "spine2", "spine3", "left_collar", "left_shoulder", "left_hip")],
    "arm": [JOINT[name] for name in ("left_elbow", "left_wrist", "right_elbow", "right_wrist")],
    "leg": [JOINT[name] for name in ("left_knee", "left_ankle", "right_knee", "right_ankle")],
}
"""Joints whose distances from their parents tell how thick a part is."""
