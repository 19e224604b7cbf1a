"""Where arms alone do not reach: the trunk leans towards what is to be touched, and the hips follow a little.

The feet stay where they are; `feet.plant` bends the legs anew afterwards.
"""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot
from protocol.skeleton import JOINT

from .body import size
from .contact import Contacts, wish
from .easing import Easing
from .overlap import room
from .pose import Pose

LEAN = np.radians(28)
"""Radians by which a trunk leans forward at most; sideways and backwards half of that."""
SHIFT, CROUCH = 0.16, 0.22
"""Metres by which the hips of a neutral body go sideways and down at most."""
_ROUNDS = 3
_SPINE = {"spine1": 1 / 3, "spine2": 2 / 3, "spine3": 1.0, "left_collar": 1.0, "right_collar": 1.0, "neck": 0.7}
"""Share of the lean that each joint takes; the head keeps its gaze, and the arms hang as they hung."""


def approach(pose: Pose, contacts: Contacts, movable: np.ndarray, ease: Easing) -> None:
    """Lean and shift the persons until their hands reach what they touch, within limits; ``pose`` is changed."""
    own = size(pose.offsets)
    # How far shoulders move per radian: each piece of the spine by its share of the lean.
    rises = {"spine2": _SPINE["spine1"], "spine3": _SPINE["spine2"], "left_collar": 1.0, "left_shoulder": 1.0}
    tall = sum(pose.offsets[:, JOINT[name], 1] * share for name, share in rises.items())
    leaned = np.zeros(pose.root.shape[:2])
    shifted = np.zeros(pose.root.shape)
    for _ in range(_ROUNDS):
        short = wish(pose, contacts, movable).short
        # Nobody leans into the other's body for a hand's sake.
        lacking = np.minimum(ease(np.linalg.norm(short, axis=-1)), room(pose)[:, None] / movable.sum())
        if not (lacking > 1e-3).any():
            return
        toward = _direction(short)
        facing = rot.rotate(pose.world[:, :, 0], np.array([0, 0, 1], np.float32))
        flat = toward * [1, 0, 1]
        level = np.linalg.norm(flat, axis=-1)
        ahead = np.clip((flat * facing).sum(-1), 0, 1)
        most = LEAN * (0.5 + 0.5 * ahead)
        turn = np.clip(lacking * level / tall, 0, np.maximum(most - leaned, 0))
        leaned += turn
        _lean(pose, flat, turn)
        rest = np.maximum(lacking - turn * tall * level, 0)[..., None]
        wanted = shifted + rest * toward
        limit = own[:, None]
        across = np.linalg.norm(wanted[..., [0, 2]], axis=-1, keepdims=True)
        flatter = np.minimum(1, SHIFT * limit / np.maximum(across, 1e-9))
        within = wanted * np.concatenate((flatter, np.ones_like(flatter), flatter), axis=-1)
        within[..., 1] = within[..., 1].clip(-CROUCH * own, 0)
        pose.shift(within - shifted)
        shifted = within


def _lean(pose: Pose, towards: np.ndarray, angle: np.ndarray) -> None:
    """Turn the trunk by ``angle`` (T, P) radians so that it leans along the horizontal direction ``towards``."""
    axis = np.stack((towards[..., 2], np.zeros_like(angle), -towards[..., 0]), axis=-1)
    for name, share in _SPINE.items():
        pose.turn(JOINT[name], rot.from_axis_angle(axis.astype(np.float32), (angle * share).astype(np.float32)))


def _direction(v: np.ndarray) -> np.ndarray:
    """Unit vectors of ``v`` (T, P, 3); where it is zero, the direction of the nearest frame where it is not."""
    length = np.linalg.norm(v, axis=-1)
    unit = v / np.maximum(length, 1e-9)[..., None]
    for person in range(v.shape[1]):
        known = np.flatnonzero(length[:, person] > 1e-6)
        if len(known):
            frames = np.arange(len(v))
            after = known[np.searchsorted(known, frames).clip(max=len(known) - 1)]
            before = known[(np.searchsorted(known, frames, side="right") - 1).clip(min=0)]
            nearest = np.where(np.abs(after - frames) < np.abs(frames - before), after, before)
            unit[:, person] = unit[nearest, person]
    return unit
