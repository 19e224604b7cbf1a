"""How physical a motion is: feet that slide, bodies inside each other, feet off the floor, jerks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from protocol.motion import Motion
from protocol.skeleton import JOINT

from ..cleanup.bodies import depths, spheres
from ..features import CONTACT_JOINTS, CONTACTS, features

_TOES = [CONTACT_JOINTS.index(JOINT[name]) for name in ("left_foot", "right_foot")]

_NEAR_FLOOR = 0.03
"""Metres."""


def physics(motions: Sequence[Motion]) -> dict[str, float]:
    """Means over motions of any number of persons.

    Returns:
        ``skate_mps``: horizontal speed of toes while they bear (in contact by InterHuman's rule, and within 1 cm of
        the foot's usual height), and ``planted``: the share of toes and frames that do; ``toe_mps``: their speed
        whenever they are within 3 cm of the floor; ``penetration_cm``: depth of the deepest overlap of two persons'
        limbs, mean over frames, and ``worst_cm``: in the worst frame; ``floor_cm``: distance of a person's lowest toe
        from where it is when standing, mean over frames; ``jerk_mps3``: third derivative of the joints' positions.
    """
    rows = [_of_one(motion) for motion in motions]
    return {name: _mean([row[name] for row in rows]) for name in rows[0]}


def _mean(values: Sequence[float] | np.ndarray) -> float:
    """Mean of the values that there are; NaN of none."""
    there = [value for value in values if not np.isnan(value)]
    return float(np.mean(there)) if there else float("nan")


def _of_one(motion: Motion) -> dict[str, float]:
    positions = motion.positions()
    toes = positions[:, :, [CONTACT_JOINTS[index] for index in _TOES]]
    speed = np.linalg.norm(np.diff(toes[..., [0, 2]], axis=0), axis=-1) * motion.fps
    bears, near = _bears(motion, toes), toes[1:, ..., 1] < _NEAR_FLOOR
    overlap = _overlap(positions) if motion.persons == 2 else np.array([np.nan])
    return {
        "skate_mps": _mean(speed[bears]),
        "planted": float(bears.mean()),
        "toe_mps": _mean(speed[near]),
        "penetration_cm": 100 * float(overlap.mean()),
        "worst_cm": 100 * float(overlap.max()),
        "floor_cm": 100 * float(np.abs(toes[..., 1].min(-1)).mean()),
        "jerk_mps3": float(np.linalg.norm(np.diff(positions, n=3, axis=0), axis=-1).mean() * motion.fps**3),
    }


def _bears(motion: Motion, toes: np.ndarray) -> np.ndarray:
    """Whether each toe bears in a frame and in the one before (T - 1, P, 2)."""
    contact = features(motion)[..., CONTACTS][..., _TOES] > 0.5
    usual = np.percentile(toes[..., 1], 10, axis=0)
    bearing = contact & (toes[..., 1] < usual + 0.01)
    return bearing[1:] & bearing[:-1]


def _overlap(positions: np.ndarray) -> np.ndarray:
    """The deepest overlap of a limb of A with one of B in every frame (T,), metres; 0 where there is none."""
    bodies = spheres(positions)
    return np.maximum(depths(bodies[:, 0], bodies[:, 1]).max((-1, -2)), 0)
