"""How physical a motion is: feet that slide, bodies inside each other, feet off the floor, jerks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from protocol.motion import Motion
from protocol.skeleton import JOINT

from ..features import CONTACT_JOINTS, CONTACTS, features

_TOES = [CONTACT_JOINTS.index(JOINT[name]) for name in ("left_foot", "right_foot")]


class _Limb(NamedTuple):
    start: str
    end: str
    radius: float
    """Metres."""


# Rounded down from adult girths, so that clothes and soft tissue do not count as penetration.
_LIMBS = (
    _Limb("pelvis", "spine3", 0.11),
    _Limb("spine3", "neck", 0.11),
    _Limb("neck", "head", 0.07),
    *(_Limb(f"{side}_{a}", f"{side}_{b}", r) for side in ("left", "right") for a, b, r in (
        ("shoulder", "elbow", 0.04), ("elbow", "wrist", 0.03), ("hip", "knee", 0.06), ("knee", "ankle", 0.045),
    )),
)  # fmt: skip
_SAMPLES = 5


def physics(motions: Sequence[Motion]) -> dict[str, float]:
    """Means over motions of any number of persons.

    Returns:
        ``skate_mps``: horizontal speed of toes while they bear (in contact by InterHuman's rule, and within 1 cm of
        the foot's usual height); ``penetration_cm``: depth of the deepest overlap of two persons' limbs, mean over
        frames; ``floor_cm``: distance of a person's lowest toe from where it is when standing, mean over frames;
        ``jerk_mps3``: third derivative of the joints' positions.
    """
    rows = [_of_one(motion) for motion in motions]
    return {name: _mean([row[name] for row in rows]) for name in rows[0]}


def _mean(values: Sequence[float]) -> float:
    """Mean of the values that there are; NaN of none."""
    there = [value for value in values if not np.isnan(value)]
    return float(np.mean(there)) if there else float("nan")


def _of_one(motion: Motion) -> dict[str, float]:
    positions = motion.positions()
    return {
        "skate_mps": _skate(motion, positions),
        "penetration_cm": 100 * _penetration(positions) if motion.persons == 2 else float("nan"),
        "floor_cm": 100 * float(np.abs(_lowest_toe(positions)).mean()),
        "jerk_mps3": float(np.linalg.norm(np.diff(positions, n=3, axis=0), axis=-1).mean() * motion.fps**3),
    }


def _skate(motion: Motion, positions: np.ndarray) -> float:
    toes = positions[:, :, [CONTACT_JOINTS[index] for index in _TOES]]
    contact = features(motion)[..., CONTACTS][..., _TOES] > 0.5
    usual = np.percentile(toes[..., 1], 10, axis=0)
    bearing = contact & (toes[..., 1] < usual + 0.01)
    speed = np.linalg.norm(np.diff(toes[..., [0, 2]], axis=0), axis=-1) * motion.fps
    both = bearing[1:] & bearing[:-1]
    return float(speed[both].mean()) if both.any() else float("nan")


def _lowest_toe(positions: np.ndarray) -> np.ndarray:
    return positions[:, :, [JOINT["left_foot"], JOINT["right_foot"]], 1].min(-1)


def _penetration(positions: np.ndarray) -> float:
    """Mean over frames of the deepest overlap of a limb of A with one of B, metres, from points along the limbs."""
    along = np.linspace(0, 1, _SAMPLES, dtype=np.float32)[:, None]
    starts = positions[:, :, [JOINT[limb.start] for limb in _LIMBS], None]
    ends = positions[:, :, [JOINT[limb.end] for limb in _LIMBS], None]
    points = (starts + along * (ends - starts)).reshape(len(positions), 2, -1, 3)
    radii = np.repeat([limb.radius for limb in _LIMBS], _SAMPLES)
    deepest = [
        (radii[:, None] + radii - np.linalg.norm(frame[0][:, None] - frame[1], axis=-1)).max() for frame in points
    ]
    return float(np.maximum(deepest, 0).mean())
