"""Pairs of limbs in a skeleton whose names mean nothing: two chains that are built alike and bend in one place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, combinations, pairwise

import numpy as np

from .rig import Rig

SHORTEST = 0.08
"""A limb is at least this long, as a share of the skeleton's largest extent; fingers are not."""
ALIKE = 0.12
"""By what share the lengths of the two limbs of a pair may differ."""
RATIO = 0.95
"""Length of a human forearm over the upper arm, and about that of the shank over the thigh."""
MOST_UNEVEN = 0.4
"""The shorter half of a limb is at least this long, as a share of the other."""
MOST_BEFORE, MOST_WITHIN = 3, 4
"""Bones before a limb (collar, hip joint) and bones that one of its halves may be made of (twist bones)."""
MOST_PAIRS = 12
"""How many pairs of one bone are worth a second look: the strands of a head of hair make thousands."""
BRANCH = 0.012
"""What counts as a branch, such as a finger, is at least this long, as a share of the largest extent."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A rig's bones as a tree of points.

    Attributes:
        heads: (B, 3) metres in the world.
        parents: B indices, -1 for none; parents come before children.
    """

    heads: np.ndarray
    parents: tuple[int, ...]
    children: tuple[tuple[int, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        children: list[list[int]] = [[] for _ in self.parents]
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                children[parent].append(bone)
        object.__setattr__(self, "children", tuple(map(tuple, children)))

    @classmethod
    def of(cls, rig: Rig) -> Skeleton:
        """The skeleton of a rig at rest."""
        return cls(rig.heads(), rig.parents)

    @cached_property
    def extent(self) -> float:
        """Largest extent of the tree with the most bones, metres."""
        tops = [self.path(bone)[0] for bone in range(len(self.parents))]
        largest = max(set(tops), key=tops.count) if tops else -1
        points = self.heads[[top == largest for top in tops]]
        return float(np.ptp(points, axis=0).max()) if len(points) else 0.0

    @cached_property
    def reach(self) -> np.ndarray:
        """(B,) metres from each bone's head to the end of the longest chain below it, along the chain."""
        reach = np.zeros(len(self.parents))
        for bone in range(len(self.parents) - 1, -1, -1):
            parent = self.parents[bone]
            if parent >= 0:
                reach[parent] = max(reach[parent], reach[bone] + self.distance(parent, bone))
        return reach

    def distance(self, a: int, b: int) -> float:
        """Metres between two heads."""
        return self._distances[a][b]

    @cached_property
    def _distances(self) -> list[list[float]]:
        # As lists, because millions of single look-ups in an array would take seconds.
        return np.linalg.norm(self.heads[:, None] - self.heads, axis=-1).tolist()

    def path(self, bone: int) -> list[int]:
        """The bones from the top of its tree down to ``bone``."""
        path = [bone]
        while self.parents[path[-1]] >= 0:
            path.append(self.parents[path[-1]])
        return path[::-1]

    def below(self, bone: int) -> Iterator[int]:
        """``bone`` and everything that hangs on it."""
        stack = [bone]
        while stack:
            bone = stack.pop()
            yield bone
            stack += self.children[bone]

    def is_above(self, upper: int, lower: int) -> bool:
        """Whether ``lower`` is ``upper`` or hangs on it."""
        while lower > upper:
            lower = self.parents[lower]
        return lower == upper

    @cached_property
    def branches(self) -> list[int]:
        """(B,) how many chains worth the name begin at each bone, such as fingers at a hand."""
        least = BRANCH * self.extent
        return [
            sum(self.distance(bone, child) > least and bool(self.children[child]) for child in children)
            for bone, children in enumerate(self.children)
        ]


@dataclass(frozen=True)
class Limb:
    """One arm or leg.

    Attributes:
        before: bones from the trunk to the limb: a collar, or none.
        joints: shoulder, elbow and wrist, or hip, knee and ankle.
        shape: bones before the limb, in its upper half, in its lower half; the same for both limbs of a pair.
        lengths: metres of the two halves.
        score: how much it looks like a limb; 0 is as good as it gets.
    """

    before: tuple[int, ...]
    joints: tuple[int, int, int]
    shape: tuple[int, int, int]
    lengths: tuple[float, float]
    score: float


@dataclass(frozen=True)
class Pair:
    """Two limbs on one bone of the trunk.

    Attributes:
        hub: the bone that both hang on.
        limbs: the two, in no order.
        score: how much they look like arms or legs.
    """

    hub: int
    limbs: tuple[Limb, Limb]
    score: float


def pairs(skeleton: Skeleton) -> list[Pair]:
    """The pairs of limbs of a skeleton that look most like limbs, each the best reading of its two chains."""
    least = SHORTEST * skeleton.extent
    found = []
    for hub, children in enumerate(skeleton.children):
        long = [child for child in children if skeleton.reach[child] > least]
        limbs = {child: _limbs(skeleton, child, least) for child in long}
        here = [_best_pair(hub, limbs[a], limbs[b]) for a, b in combinations(long, 2)]
        found += sorted((pair for pair in here if pair is not None), key=lambda pair: -pair.score)[:MOST_PAIRS]
    return found


def _best_pair(hub: int, a: Sequence[Limb], b: Sequence[Limb]) -> Pair | None:
    best = None
    by_shape: dict[tuple[int, int, int], list[Limb]] = {}
    for limb in b:
        by_shape.setdefault(limb.shape, []).append(limb)
    for one in a:
        for other in by_shape.get(one.shape, ()):
            if all(abs(x - y) <= ALIKE * max(x, y) for x, y in zip(one.lengths, other.lengths, strict=True)):
                score = one.score + other.score
                if best is None or score > best.score:
                    best = Pair(hub, (one, other), score)
    return best


def _limbs(skeleton: Skeleton, top: int, least: float) -> list[Limb]:
    """Every reading of the chains from ``top`` downwards as a limb."""
    found = []
    stack = [(top,)]
    while stack:
        path = stack.pop()
        found += _readings(skeleton, path, least)
        if len(path) <= MOST_BEFORE + 2 * MOST_WITHIN:
            stack += [(*path, child) for child in skeleton.children[path[-1]]]
    return found


def _readings(skeleton: Skeleton, path: tuple[int, ...], least: float) -> Iterator[Limb]:
    """The readings of a path as a limb that ends at its last bone."""
    end = len(path) - 1
    along = [0.0, *accumulate(skeleton.distance(a, b) for a, b in pairwise(path))]
    bushy = [min(skeleton.branches[bone] - 1, 2) if skeleton.branches[bone] else 0 for bone in path]
    last = 0.15 * bushy[end] + 0.1 * bool(skeleton.children[path[end]])
    for start in range(min(MOST_BEFORE + 1, end - 1)):
        if along[end] - along[start] < least:
            break
        through = 0.35 * max(bushy[start + 1 : end]) + 0.12 * (end - start - 2)
        for middle in range(max(start + 1, end - MOST_WITHIN), min(end, start + MOST_WITHIN + 1)):
            upper = skeleton.distance(path[start], path[middle])
            lower = skeleton.distance(path[middle], path[end])
            if upper + lower < least or not MOST_UNEVEN < lower / max(upper, 1e-9) < 1 / MOST_UNEVEN:
                continue
            detour = (along[middle] - along[start]) / upper + (along[end] - along[middle]) / lower - 2
            uneven = abs(math.log(lower / upper / RATIO))
            whole = upper + lower
            beyond = min(max(skeleton.reach[path[end]] / whole - 0.6, 0.0), 0.5)
            before = min(max(along[start] / whole - 0.4, 0.0), 0.5)
            length = 0.5 * math.log(whole / skeleton.extent)
            score = length + last - through - beyond - before - 4 * detour - uneven
            shape = (start, middle - start, end - middle)
            yield Limb(path[:start], (path[start], path[middle], path[end]), shape, (upper, lower), score)
