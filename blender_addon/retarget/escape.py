"""Limbs that are inside the other person's body, and the shortest ways that take them out.

A part of a limb may be wedged between two things: what takes it out of one of them takes it deeper into the other, and
back again for ever. Elbows and wrists therefore move by the least that takes it out of the deepest two together.
"""

from __future__ import annotations

import numpy as np

from .body import EVERY, LIMB_PARTS
from .overlap import gaps_between

NEAREST = 0.35
"""The nearer to its fixed end a part is pushed, the further its other end moves; this share of its length is least."""
WEDGED = 0.25
"""Two ways out that are against each other count as if this much of them were not."""
_PARTS = 8
_UPPER, _LOWER = [0, 1, 4, 5], [2, 3, 6, 7]
_YIELDS = np.zeros((_PARTS, 13))
_YIELDS[:4, 5:9] = _YIELDS[4:, 9:] = 0.5
_YIELDS[:4, 9:] = 1
"""(limb part, part of the other) share of the way out left to the other: limbs of a kind share it, and legs leave it to
arms, for of a leg that stands only the knee can move."""


def ways_out(
    points: np.ndarray, thick: np.ndarray, allowed: np.ndarray, light: np.ndarray, movable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How middles and ends of the limbs move to leave what they are in deepest.

    Args:
        points: (T, 2, 25, 3) `landmarks`, metres.
        thick: (2, 13) radii of all parts, metres.
        allowed: (T, 13, 13) metres that parts of A may be in parts of B.
        light: (T, 2, 2) how easily left and right hands move, 1 being as easily as elbows; ankles do not move.
        movable: (2,) bool: a person that may not be moved stays.

    Returns:
        Two (T, 2, 4, 3), of left and right leg, left and right arm: knees and elbows, ankles and wrists; metres.
    """
    found = gaps_between(points, thick, EVERY, EVERY)
    excess = (found.depth - allowed).clip(0)
    middles, ends = np.zeros((2, len(points), 2, 4, 3), points.dtype)
    inside = np.flatnonzero(excess.any((1, 2)))
    if len(inside):
        excess, at_a, at_b = (one[inside] for one in (excess, found.at_a, found.at_b))
        a, b = (lines[:, inside] for lines in (found.lines_a, found.lines_b))
        turned, own, other = (one.transpose(0, 2, 1) for one in (excess, at_b, at_a))
        for person, seen in enumerate(((excess, at_a, at_b, a, b), (turned, own, other, b, a))):
            if movable[person]:
                moves = _of_person(*seen, light[inside, person], bool(movable.all()))
                middles[inside, person], ends[inside, person] = moves
    return middles, ends


def _of_person(
    excess: np.ndarray,
    at: np.ndarray,
    at_other: np.ndarray,
    own: np.ndarray,
    other: np.ndarray,
    light: np.ndarray,
    shared: bool,
) -> np.ndarray:
    """(2, T, 4, 3) metres by which middles and ends of a person's limbs move.

    Args:
        excess, at, at_other: (T, 13, 13) own part, part of the other: metres to go, and where on their lines, 0 to 1.
        own, other: (2, T, 13, 3) starts and lines of the parts, metres.
        light: (T, 2) how easily hands move.
        shared: whether the other gives way too.
    """
    excess, at, at_other, own = excess[:, LIMB_PARTS], at[:, LIMB_PARTS], at_other[:, LIMB_PARTS], own[:, :, LIMB_PARTS]
    two = np.argpartition(-excess, 1, axis=2)[..., :2].transpose(2, 0, 1)
    frame, part = np.ogrid[: len(excess), :_PARTS]
    depth, at, at_other = (one[frame, part, two] for one in (excess, at, at_other))
    if shared:
        depth = depth * (1 - _YIELDS[part, two])
    start, line = (one[frame, two] for one in other)
    out = own[0] + at[..., None] * own[1] - start - at_other[..., None] * line
    out = out / np.maximum(np.sqrt(np.einsum("...i,...i", out, out)), 1e-6)[..., None]
    # By how much the place moves with its middle and its end, and how easily these do.
    middle, end = at.copy(), at
    middle[..., _LOWER] = 1 - at[..., _LOWER]
    middle[..., _UPPER] = np.maximum(at[..., _UPPER], NEAREST)
    ease = np.zeros(depth.shape[1:], at.dtype)
    ease[:, _LOWER[2:]] = light
    alone = np.maximum(middle * middle + ease * end * end, 0.1)
    both = np.einsum("tki,tki->tk", *out) * (middle[0] * middle[1] + ease * end[0] * end[1])
    product = alone[0] * alone[1]
    force = (depth * alone[::-1] - depth[::-1] * both) / np.maximum(product - both * both, WEDGED * product)
    # Where there is but one, or the way out of it leads out of the other too, it is taken alone.
    wedged = (np.minimum(*depth) > 0) & (np.minimum(*force) > 0)
    force = np.where(wedged, force, depth / alone * (depth >= depth[::-1]))
    middles, ends = (np.einsum("ntk,ntki->tki", force * share, out) for share in (middle, ease * end))
    return np.stack((middles[:, _UPPER] + middles[:, _LOWER], ends[:, _LOWER]))
