"""Bodies that are inside each other only because they are other bodies: how deep, and how they get out.

Bodies are capsules (`body.CAPSULES`). What overlapped in the source may go on overlapping as deeply.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .body import ARMS, CAPSULES, CORE, EVERY, LEGS, LIMB_PARTS, landmarks, radii
from .contact import Contacts
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
_ROUNDS, _LIMB_ROUNDS = 3, 3


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
    """How the named parts of the two persons of ``pose`` lie to each other.

    Nearest points of two stretches of line after Ericson, "Real-Time Collision Detection" (2005), section 5.1.9; all in
    scalar products, for there are too many pairs to write out their vectors.
    """
    points, thick = landmarks(pose), radii(pose.offsets)
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


def part_bodies(source: Pose, pose: Pose, parts: slice, movable: np.ndarray, ease: Easing) -> np.ndarray:
    """Move two persons apart on the ground where parts of them overlap more than in the source.

    Args:
        source: both persons.
        pose: both targets; is changed.
        parts: which of `CAPSULES` to look at.
        movable: (2,) bool: a person that may not be moved stays.
        ease: how the moves come and go.

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
        push = np.minimum(ease(push), FARTHEST - pushed)
        pushed += push
        pose.shift((push[:, None] * away)[:, None] * share)
    return pushed


def part_limbs(source: Pose, pose: Pose, contacts: Contacts, movable: np.ndarray) -> None:
    """Turn arms and legs out of the other's body; feet, and hands that touch hands, stay where they are.

    Args:
        source: both persons.
        pose: both targets; is changed.
        contacts: what hands touch.
        movable: (2,) bool: a person that may not be moved stays.
    """
    sides = [(LIMB_PARTS, EVERY), (EVERY, LIMB_PARTS)]
    allowed = [gaps(source, *parts).depth.clip(0) + TOLERANCE for parts in sides]
    found = [gaps(pose, *parts) for parts in sides]
    inside = np.any([(one.depth > least).any((1, 2)) for one, least in zip(found, allowed, strict=True)], axis=0)
    frames = np.flatnonzero(inside)
    if not len(frames):
        return
    part = pose.frames(frames)
    held = np.stack((contacts.palms[frames].max(2), contacts.palms[frames].max(1)), axis=1)
    free = np.concatenate((np.zeros_like(held), 1 - held), axis=2)  # left and right ankle, then wrist
    for _ in range(_LIMB_ROUNDS):
        moves = np.zeros((len(frames), 2, 4, 2, 3), np.float32)
        for person, parts in enumerate(sides):
            if movable[person]:
                moves[:, person] = _limb_moves(gaps(part, *parts), allowed[person][frames], person, free[:, person])
        for number, limb in enumerate((*LEGS, *ARMS)):
            if moves[:, :, number].any():
                joints = part.joints()
                middle, end = (joints[:, :, joint] + moves[:, :, number, at] for at, joint in enumerate(limb[1:]))
                part.lead(limb, end, forward=1.0 if limb in LEGS else -1.0, middle=middle)
    pose.put(frames, part)


def _limb_moves(found: Gaps, allowed: np.ndarray, person: int, free: np.ndarray) -> np.ndarray:
    """(T, limb, middle or end, 3) metres that take a person's limbs out of what they are in deepest."""
    excess = (found.depth - allowed).clip(0)
    own, other, at, at_other = found.lines_a, found.lines_b, found.at_a, found.at_b
    if person == 1:
        excess, at, at_other = (one.transpose(0, 2, 1) for one in (excess, at_other, at))
        own, other = other, own
    deepest = excess.argmax(2)[..., None]
    depth, at, at_other = (np.take_along_axis(one, deepest, 2) for one in (excess, at, at_other))
    start, line = (np.take_along_axis(one, deepest, 1) for one in other)
    apart = own[0] + at * own[1] - start - at_other * line
    out = depth * apart / np.maximum(np.linalg.norm(apart, axis=-1, keepdims=True), 1e-6)
    upper, lower = [0, 1, 4, 5], [2, 3, 6, 7]
    middle = out[:, upper] / np.maximum(at[:, upper], 0.35)
    reach, back = at[:, lower] * free[..., None], 1 - at[:, lower]
    whole = np.maximum(reach * at[:, lower] + back * back, 0.1)
    middle = middle + out[:, lower] * back / whole
    return np.stack((middle, out[:, lower] * reach / whole), axis=2)
