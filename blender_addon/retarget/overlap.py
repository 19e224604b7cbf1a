"""Bodies that are inside each other only because they are other bodies: how deep, and how they get out.

Bodies are capsules (`body.CAPSULES`). What overlapped in the source may go on overlapping as deeply.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .body import CAPSULES, CORE, EVERY, landmarks, radii
from .easing import Easing
from .pose import Pose

TOLERANCE = 0.004
"""Metres of overlap added that nobody sees."""
NEAR = 2.5
"""Metres between two roots over which nothing can touch."""
FARTHEST = 0.25
"""Metres that a person is moved at most."""
_STARTS = [part.start for part in CAPSULES]
_ENDS = [part.end for part in CAPSULES]
_ROUNDS = 3


class Gaps(NamedTuple):
    """How parts of person A lie to parts of person B.

    Attributes:
        depth: (T, KA, KB) metres by which they overlap, negative where they do not.
        at_a, at_b: (T, KA, KB) where on the parts' lines they are nearest, 0 to 1.
        lines_a, lines_b: (2, T, K, 3) where the parts' lines start, and from there to their ends, metres.
    """

    depth: np.ndarray
    at_a: np.ndarray
    at_b: np.ndarray
    lines_a: np.ndarray
    lines_b: np.ndarray

    def along(self, axis: np.ndarray) -> np.ndarray:
        """(T, KA, KB) metres by which A's nearest point is further along unit vectors (T, 3) than B's."""
        (a, u), (b, v) = (np.einsum("ntki,ti->ntk", lines, axis) for lines in (self.lines_a, self.lines_b))
        return (a[:, :, None] + self.at_a * u[:, :, None]) - (b[:, None] + self.at_b * v[:, None])


def gaps(pose: Pose, parts_a: slice, parts_b: slice) -> Gaps:
    """How the named parts of the two persons of ``pose`` lie to each other."""
    return gaps_between(landmarks(pose), radii(pose.offsets), parts_a, parts_b)


def gaps_between(points: np.ndarray, thick: np.ndarray, parts_a: slice, parts_b: slice) -> Gaps:
    """The same for `landmarks` (T, 2, 25, 3) and radii (2, 13) of all parts, metres.

    Nearest points of two stretches of line after Ericson, "Real-Time Collision Detection" (2005), section 5.1.9; all in
    scalar products, for there are too many pairs to write out their vectors.
    """
    points = points - points[:, :1, :1]
    a, b = (_lines(points[:, person], parts) for person, parts in enumerate((parts_a, parts_b)))
    (p, u), (q, v) = a, b
    aa, bb, pp, qq = ((one * one).sum(-1) for one in (u, v, p, q))
    aa, pp, bb, qq = aa[:, :, None], pp[:, :, None], bb[:, None], qq[:, None]
    ab = u @ v.transpose(0, 2, 1)
    at = (u * p).sum(-1)[:, :, None] - u @ q.transpose(0, 2, 1)
    bt = p @ v.transpose(0, 2, 1) - (v * q).sum(-1)[:, None]
    between = pp + qq - 2 * (p @ q.transpose(0, 2, 1))
    whole = aa * bb - ab * ab
    s = np.where(whole > 1e-9, (ab * bt - bb * at) / np.maximum(whole, 1e-9), 0).clip(0, 1)
    t = (ab * s + bt) / np.maximum(bb, 1e-9)
    s = np.where(t < 0, -at / np.maximum(aa, 1e-9), np.where(t > 1, (ab - at) / np.maximum(aa, 1e-9), s)).clip(0, 1)
    t = t.clip(0, 1)
    squared = between + s * s * aa + t * t * bb + 2 * (s * at - t * bt - s * t * ab)
    distance = np.sqrt(np.maximum(squared, 0))
    return Gaps(thick[0, parts_a, None] + thick[1, None, parts_b] - distance, s, t, a, b)


def _lines(points: np.ndarray, parts: slice) -> np.ndarray:
    starts = points[:, _STARTS[parts]]
    return np.stack((starts, points[:, _ENDS[parts]] - starts))


def added(source: Pose, pose: Pose) -> np.ndarray:
    """(T,) metres of the deepest overlap of two parts that was not there in the source."""
    return (gaps(pose, EVERY, EVERY).depth - gaps(source, EVERY, EVERY).depth.clip(0)).max((1, 2)).clip(0)


def room(pose: Pose) -> np.ndarray:
    """(T,) metres by which trunks, heads and thighs of two persons could still come nearer."""
    return (-gaps(pose, CORE, CORE).depth.max((1, 2))).clip(0)


def part_bodies(
    source: Pose, pose: Pose, parts: slice, movable: np.ndarray, ease: Easing, most: float = FARTHEST
) -> np.ndarray:
    """Move two persons apart on the ground where parts of them overlap more than in the source.

    Args:
        source: both persons.
        pose: both targets; is changed.
        parts: which of `CAPSULES` to look at.
        movable: (2,) bool: a person that may not be moved stays.
        ease: how the moves come and go.
        most: metres that they are moved apart at most.

    Returns:
        (T,) metres by which the two were moved apart.
    """
    allowed = gaps(source, parts, parts).depth.clip(0) + TOLERANCE
    share = np.array([1.0, -1.0])[:, None] * movable[:, None] / max(int(movable.sum()), 1)
    pushed = np.zeros(len(pose.root))
    for _ in range(_ROUNDS):
        found = gaps(pose, parts, parts)
        excess = (found.depth - allowed).clip(0)
        if not excess.any():
            break
        away = (pose.root[:, 0] - pose.root[:, 1]) * [1, 0, 1]
        away = away / np.maximum(np.linalg.norm(away, axis=-1, keepdims=True), 1e-6)
        # How much nearer the parts are per metre of moving apart; parts above each other are not parted by it.
        thick = radii(pose.offsets)
        distance = thick[0, parts, None] + thick[1, None, parts] - found.depth
        gain = found.along(away) / np.maximum(distance, 1e-6)
        push = np.where(gain > 0.2, excess / np.maximum(gain, 0.2), 0).max((1, 2))
        push = np.minimum(ease(push), most - pushed)
        pushed += push
        pose.shift((push[:, None] * away)[:, None] * share)
    return pushed
