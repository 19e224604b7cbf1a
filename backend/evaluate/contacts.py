"""Which parts of two bodies touch, and when: the measure of whether a partner meets the one it reacts to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from protocol.motion import Motion
from protocol.skeleton import JOINT

from ..corpus.choreographer.body import palms
from ..features import body_scale


class _Part(NamedTuple):
    joints: tuple[str, ...]
    radius: float
    """Metres, of a neutral body."""


PARTS = {
    "head": _Part(("neck", "head"), 0.1),
    "torso": _Part(("pelvis", "spine1", "spine2", "spine3"), 0.13),
    **{f"{side}_arm": _Part((f"{side}_shoulder", f"{side}_elbow"), 0.05) for side in ("left", "right")},
    **{f"{side}_hand": _Part((f"{side}_wrist",), 0.035) for side in ("left", "right")},
    **{f"{side}_leg": _Part((f"{side}_hip", f"{side}_knee", f"{side}_ankle"), 0.07) for side in ("left", "right")},
}
"""Parts of a body, in the order of the axes of `touching`. A hand reaches from its wrist to its palm."""

NEAR = 0.05
"""Metres between the surfaces of two parts within which they count as touching: what no viewer would call a gap."""

_BETWEEN = np.linspace(0, 1, 4, dtype=np.float32)[:, None]


def touching(motion: Motion) -> np.ndarray:
    """Which parts of A touch which of B: (T, parts of A, parts of B) bool.

    Every part is a chain of spheres along its bones.
    """
    points = _points(motion)
    scales = body_scale(motion.offsets)
    found = np.empty((motion.frames, len(PARTS), len(PARTS)), bool)
    for i, (name_a, part_a) in enumerate(PARTS.items()):
        for j, (name_b, part_b) in enumerate(PARTS.items()):
            apart = np.linalg.norm(points[name_a][:, 0, :, None] - points[name_b][:, 1, None], axis=-1)
            reach = part_a.radius * scales[0] + part_b.radius * scales[1] + NEAR
            found[:, i, j] = apart.min(axis=(1, 2)) < reach
    return found


class Agreement(NamedTuple):
    """Contacts (frames x pairs of parts) that are in both of two motions, and in either alone."""

    both: int
    only_found: int
    only_true: int

    def __add__(self, other: object) -> Agreement:
        if not isinstance(other, Agreement):
            return NotImplemented
        return Agreement(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN if nothing touches in either."""
        total = 2 * self.both + self.only_found + self.only_true
        return 2 * self.both / total if total else float("nan")


def agreement(found: Motion, true: Motion) -> Agreement:
    """How the contacts of two motions agree over the frames that both have."""
    frames = min(found.frames, true.frames)
    a, b = (touching(motion.slice(0, frames)) for motion in (found, true))
    return Agreement(int((a & b).sum()), int((a & ~b).sum()), int((b & ~a).sum()))


def _points(motion: Motion) -> dict[str, np.ndarray]:
    """Points along each part: (T, 2, K, 3), metres."""
    positions, hands = motion.positions(), palms(motion)
    points = {}
    for name, part in PARTS.items():
        chain = positions[:, :, [JOINT[joint] for joint in part.joints]]
        if name.endswith("hand"):
            chain = np.concatenate((chain, hands[:, :, [int(name.startswith("right"))]]), 2)
        starts, ends = chain[:, :, :-1, None], chain[:, :, 1:, None]
        points[name] = (starts + _BETWEEN * (ends - starts)).reshape(*chain.shape[:2], -1, 3)
    return points
