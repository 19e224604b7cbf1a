"""A person's volume as spheres along the limbs, to tell where two persons are inside each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from protocol.skeleton import JOINT


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
        ("hip", "knee", 0.06), ("knee", "ankle", 0.045), ("shoulder", "elbow", 0.04), ("elbow", "wrist", 0.03),
    )),
)  # fmt: skip
_SAMPLES = 5
_STARTS, _ENDS = ([JOINT[getattr(limb, end)] for limb in _LIMBS] for end in ("start", "end"))
_ALONG = np.linspace(0, 1, _SAMPLES, dtype=np.float32)[:, None]

RADII = np.repeat([limb.radius for limb in _LIMBS], _SAMPLES)
"""(N,) metres."""
REACH = RADII[:, None] + RADII
"""(N, N) metres at which two spheres touch."""


def _spheres(*words: str) -> np.ndarray:
    return np.repeat([any(word in limb.start for word in words) for limb in _LIMBS], _SAMPLES)


FOREARMS = tuple(np.flatnonzero(_spheres(f"{side}_elbow")) for side in ("left", "right"))
"""Spheres of the left forearm, from the elbow to the wrist, and of the right one."""
IS_FOREARM = _spheres("elbow")
"""(N,) whether a sphere belongs to a forearm."""
TRUNK = np.flatnonzero(_spheres("pelvis", "spine", "neck", "hip"))
"""Spheres of the trunk, the head and the thighs."""


def spheres(positions: np.ndarray) -> np.ndarray:
    """Centres (..., N, 3) of the spheres of persons whose joints are at (..., 22, 3), metres."""
    starts, ends = positions[..., _STARTS, None, :], positions[..., _ENDS, None, :]
    return (starts + _ALONG * (ends - starts)).reshape(*positions.shape[:-2], -1, 3)


def depths(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How deep (..., N, N) each sphere of one person at (..., N, 3) is in each of another's, metres; negative apart."""
    squares = np.sum(one**2, -1)[..., :, None] + np.sum(other**2, -1)[..., None, :]
    return REACH - np.sqrt(np.maximum(squares - 2 * one @ np.swapaxes(other, -1, -2), 0))
