"""A motion of SMPL bodies put onto the bodies of rigs, together: one ground, feet on it, palms that met meet again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets

from .limb import REACH, reach
from .rest_pose import Calibration
from .transfer import localized

PALM = 0.09
"""Metres from the wrist to the middle of the palm of a body of neutral size, along the hand."""
PALM_REACH = (0.12, 0.24)
"""Palms nearer than the first (metres) are held together wholly, palms further than the second not at all."""
TRUNK_REACH = (0.20, 0.34)
"""The same for a palm and the joints inside the partner's trunk."""

_LEGS = [[JOINT[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")] for side in ("left", "right")]
_ARMS = [[JOINT[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist")] for side in ("left", "right")]
_HIPS = [JOINT["left_hip"], JOINT["right_hip"]]
_TRUNK = [JOINT[name] for name in ("spine1", "spine3", "left_shoulder", "right_shoulder")]


class Stage:
    """Where the persons of one motion stand; fixed at its first frame, so that later parts of it fit on."""

    def __init__(self, first: Motion, bodies: Sequence[Calibration], beside: Motion | None = None) -> None:
        """Take the scales from the bodies and the common midpoint from the first frame of ``first``.

        Args:
            first: the beginning of the motion.
            bodies: a calibrated rig per person.
            beside: the partner of a lone person, at the same frame rate: a motion that stays as it is.
        """
        self._bodies = bodies
        own = np.stack([body.offsets for body in bodies])
        self._own = own
        self._tall = _leg_height(own) / _leg_height(first.offsets)
        # A pair shares one scale on the ground, or hands that met would not meet; a lone person keeps its ground, on
        # which its partner may stand.
        self._wide = float(self._tall.mean()) if first.persons > 1 else 1.0
        self._middle = first.root[0].mean(0) * [1, 0, 1]
        self._beside = _touchable(beside) if beside is not None and first.persons == 1 else None

    def on_bodies(self, motion: Motion, start: int = 0) -> Motion:
        """The motion, from its frame ``start`` on, on the rigs' own bodies, in the world of the rigs, metres.

        Ankles go where the source's went on the common ground, so that a planted foot stays planted; hips go down where
        a leg would not reach; palms that touched a palm or the trunk of the other in the source touch it again.
        """
        joints, world = motion.forward_kinematics()
        local = motion.rotations
        body = Motion(motion.fps, self._roots(joints, world), local, self._own)
        ankles = [self._ankle_targets(motion, joints, leg[2]) for leg in _LEGS]
        body = self._lowered(body, ankles)
        for leg, target in zip(_LEGS, ankles, strict=True):
            body = _reached(body, leg, target, forward=1.0)
        if self._beside is None and motion.persons != 2:
            return body
        meant = _touchable(motion)
        if self._beside is not None:
            frames = np.minimum(np.arange(start, start + motion.frames), len(self._beside) - 1)
            meant = np.concatenate((meant, self._beside[frames]), axis=1)
        return _touching(meant, body)

    def _grounded(self, points: np.ndarray) -> np.ndarray:
        """Source points (T, P, 3) on the common ground of the targets; heights are left for the caller."""
        return (points - self._middle) * [self._wide, 1, self._wide] + self._middle

    def _clearance(self) -> np.ndarray:
        return np.array([body.clearance for body in self._bodies])

    def _roots(self, joints: np.ndarray, world: np.ndarray) -> np.ndarray:
        hips = self._grounded(joints[:, :, _HIPS].mean(2))
        hips[..., 1] = hips[..., 1] * self._tall + self._clearance()
        return hips - rot.rotate(world[:, :, 0], self._own[:, _HIPS].mean(1).astype(np.float32))

    def _ankle_targets(self, motion: Motion, joints: np.ndarray, ankle: int) -> np.ndarray:
        target = self._grounded(joints[:, :, ankle])
        toe = ankle + JOINT["left_foot"] - JOINT["left_ankle"]
        rest, own_rest = -motion.offsets[:, toe, 1], -self._own[:, toe, 1]
        target[..., 1] = (target[..., 1] - rest) * self._tall + own_rest + self._clearance()
        return target

    def _lowered(self, body: Motion, ankles: Sequence[np.ndarray]) -> Motion:
        """The motion with hips lowered where a leg is too short for its ankle."""
        joints = body.positions()
        drop = np.zeros(body.root.shape[:2])
        for (hip, knee, ankle), target in zip(_LEGS, ankles, strict=True):
            length = np.linalg.norm(self._own[:, [knee, ankle]], axis=-1).sum(-1) * REACH
            step = joints[:, :, hip] - target
            height = np.sqrt(np.maximum(length**2 - step[..., 0] ** 2 - step[..., 2] ** 2, 0))
            drop = np.maximum(drop, np.maximum(step[..., 1] - height, 0))
        return Motion(body.fps, body.root - drop[..., None] * [0, 1, 0], body.rotations, body.offsets)


def palms(motion: Motion) -> np.ndarray:
    """(T, P, 2, 3) middles of the left and right palm, metres."""
    return _touchable(motion)[:, :, :2]


def _touchable(motion: Motion) -> np.ndarray:
    """(T, P, 2 + 4, 3) what hands meet, metres: the two palms, then the joints inside the trunk."""
    joints, world = motion.forward_kinematics()
    offsets = motion.offsets
    size = _leg_height(offsets) / _leg_height(_NEUTRAL)
    found = [joints[:, :, joint] for joint in _TRUNK]
    for number, (*_, wrist) in enumerate(_ARMS):
        along = offsets[:, wrist] / np.linalg.norm(offsets[:, wrist], axis=-1, keepdims=True)
        found.insert(number, joints[:, :, wrist] + rot.rotate(world[:, :, wrist], along * (PALM * size)[:, None]))
    return np.stack(found, axis=2)


def _touching(meant: np.ndarray, body: Motion) -> Motion:
    """``body`` with arms that bring palms as near to the other's palms and trunk as they are in ``meant``.

    Args:
        meant: (T, 2, 6, 3) what hands meet of two persons in the source.
        body: both persons, or the first alone; the other then stays where ``meant`` has it.
    """
    full, none = np.array([PALM_REACH] * 2 + [TRUNK_REACH] * len(_TRUNK)).T[:, :, None]
    apart = meant[:, ::-1, None, :] - meant[:, :, :2, None]  # (T, person, hand, what it meets, 3)
    near = np.clip((none - np.linalg.norm(apart, axis=-1, keepdims=True)) / (none - full), 0, 1)
    near = near * near * (3 - 2 * near)
    if not near[:, : body.persons].any():
        return body
    found = _touchable(body)
    if body.persons == 1:
        found = np.concatenate((found, meant[:, 1:]), axis=1)
    # Two palms go half of the way each; a trunk stays where it is, and so does a partner that is not ours to move.
    share = np.array([1 / body.persons] * 2 + [1] * len(_TRUNK))[:, None]
    missing = near * share * (found[:, ::-1, None, :] - found[:, :, :2, None] - apart)
    shift = (missing.sum(3) / np.maximum(near.sum(3), 1))[:, : body.persons]
    wrists = body.positions()[:, :, [arm[2] for arm in _ARMS]]
    for side, arm in enumerate(_ARMS):
        body = _reached(body, arm, wrists[:, :, side] + shift[:, :, side], forward=-1.0)
    return body


def _reached(body: Motion, limb: Sequence[int], target: np.ndarray, forward: float) -> Motion:
    """``body`` with the end of a limb at ``target`` (T, P, 3); the end joint keeps its world rotation.

    ``forward`` says where the middle joint points when the limb is straight: +1 as a knee does, -1 as an elbow.
    """
    joints, world = body.forward_kinematics()
    upper, lower, end = limb
    side = np.array([0, 0, forward], np.float32)
    bend = rot.rotate(world[:, :, upper], side)
    turns = reach(joints[:, :, upper], joints[:, :, lower], joints[:, :, end], target, bend)
    for joint, turn in zip((upper, lower), turns, strict=True):
        world[:, :, joint] = rot.multiply(turn.astype(np.float32), world[:, :, joint])
    return Motion(body.fps, body.root, rot.normalize(localized(world)), body.offsets)


def _leg_height(offsets: np.ndarray) -> np.ndarray:
    """Height (...,) of the hip joints over the toe joints in the T-pose, metres."""
    left = [JOINT[f"left_{joint}"] for joint in ("knee", "ankle", "foot")]
    right = [JOINT[f"right_{joint}"] for joint in ("knee", "ankle", "foot")]
    return -(offsets[..., left, 1].sum(-1) + offsets[..., right, 1].sum(-1)) / 2


_NEUTRAL = neutral_offsets()
