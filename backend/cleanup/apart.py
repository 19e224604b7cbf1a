"""Takes persons out of each other: roots apart where the trunks overlap, arms aside where they are in the other.

Palms that touch stay where they are: they are meant to.
"""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np

from .arms import ELBOWS, WRISTS, arms_moved, arms_turned, flexion, limited, reaching
from .bodies import FOREARMS, IS_FOREARM, TRUNK, depths, spheres
from .frames import Frames
from .stage import Stage

_ALLOWED = 0.005
"""Metres of overlap that are left."""
_FARTHEST = 0.12
"""Metres by which a root or a wrist is moved at most."""
_NEAR = 1.3
"""Metres between two roots beyond which nobody is in anybody."""
_HAND = 0.35
"""Length of a hand up to its palm, in forearms."""
_TOUCHING, _FREE = 0.12, 0.2
"""Metres between palms: nearer than the first they are kept where they are, farther than the second they are free."""
_LEVERAGE = 1 / np.linspace(0.5, 1, len(FOREARMS[0]))[:, None]
"""How much farther than each sphere of a forearm, from elbow to wrist, the wrist must go for the sphere to get out."""
_ROUNDS = 3
_SMOOTH, _HOLD = 2, 6
"""Frames to either side over which moves are smoothed, and frames that a push is held."""


class Apart(Stage):
    """Moves roots and arms so that persons do not overlap.

    Args:
        persons: P, those who are moved.
        partner: one more person, who is near them and stays as is, for the whole motion.
    """

    behind, ahead = 0, 2 * _SMOOTH

    def __init__(self, persons: int, partner: Frames | None = None) -> None:
        super().__init__()
        self._partner = partner
        self._pushes = np.zeros((0, persons, 3))  # of every frame so far, metres
        self._reaches = np.zeros((0, persons, 2, 3))  # of the wrists, metres

    def work(self, window: Frames, start: int, stop: int) -> Frames:
        """Move the persons of the frames."""
        new = window.slice(len(self._pushes) - self.first, len(window))
        if len(new):
            pushes, reaches = self._needed(new)
            self._pushes = np.concatenate((self._pushes, pushes))
            self._reaches = np.concatenate((self._reaches, reaches))
        frames = window.slice(start, stop)
        first, last = self.first + start, self.first + stop
        reaches = _around(self._reaches, first, last, _SMOOTH, _SMOOTH)
        if reaches.any():
            frames = reaching(frames, _smoothed(reaches))
        pushes = _around(self._pushes, first, last, _HOLD + _SMOOTH, 2 * _SMOOTH)
        if pushes.any():
            frames = frames.shifted(_smoothed(_held(pushes)))
        return frames

    def _needed(self, frames: Frames) -> tuple[np.ndarray, np.ndarray]:
        """Pushes (T, P, 3) of the roots and reaches (T, P, 2, 3) of the wrists that frames need, each on its own."""
        persons = frames.root.shape[1]
        joints = frames.positions
        if self._partner is not None:
            at = np.minimum(np.arange(len(frames)) + len(self._pushes), len(self._partner) - 1)
            joints = np.concatenate((joints, self._partner.positions[at]), 1)
        pushes, reaches = np.zeros_like(frames.root), np.zeros((*frames.root.shape[:2], 2, 3))
        pairs = [pair for pair in permutations(range(joints.shape[1]), 2) if pair[0] < persons]
        near = np.flatnonzero(_touching(joints))
        if not pairs or not near.size:
            return pushes, reaches
        joints, bends = joints[near], flexion(frames.world[near])
        kept = _kept(joints)
        for _ in range(_ROUNDS):
            before = joints.copy()
            for one, other in pairs:
                share = 0.5 if other < persons else 1.0
                push, reach = _away(before[:, one], before[:, other], kept[:, one], share)
                turned = arms_turned(joints[:, one], bends[:, one], reach)
                joints[:, one] = arms_moved(joints[:, one], turned) + push[:, None]
                pushes[near, one] += push
                reaches[near, one] += reach
        return limited(pushes, _FARTHEST), limited(reaches, _FARTHEST)


def _touching(joints: np.ndarray) -> np.ndarray:
    """Frames (T,) in which any two of the persons with joints (T, P, 22, 3) overlap."""
    found = np.zeros(len(joints), bool)
    for one, other in combinations(range(joints.shape[1]), 2):
        near = np.flatnonzero(np.sum((joints[:, one, 0] - joints[:, other, 0]) ** 2, axis=-1) < _NEAR**2)
        if near.size:
            deepest = depths(spheres(joints[near, one]), spheres(joints[near, other])).max((-1, -2))
            found[near] |= deepest > _ALLOWED
    return found


def _kept(joints: np.ndarray) -> np.ndarray:
    """How much (T, P, 2) each palm is to stay where it is, 0 to 1, by its distance to the nearest of another person."""
    palms = joints[:, :, WRISTS] + _HAND * (joints[:, :, WRISTS] - joints[:, :, ELBOWS])
    gaps = np.linalg.norm(palms[:, :, :, None, None] - palms[:, None, None], axis=-1)  # (T, P, 2, P, 2)
    for person in range(palms.shape[1]):
        gaps[:, person, :, person] = np.inf
    return np.clip((_FREE - gaps.min((-1, -2))) / (_FREE - _TOUCHING), 0, 1)


def _away(joints: np.ndarray, others: np.ndarray, kept: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """What takes a person out of another, frame by frame.

    Args:
        joints: (T, 22, 3) of the person, metres.
        others: (T, 22, 3) of the other.
        kept: (T, 2) how much each palm is to stay, 0 to 1.
        share: of the way that this person goes; the other one goes the rest.

    Returns:
        push (T, 3) of the root and reach (T, 2, 3) of the wrists, metres.
    """
    mine, theirs = spheres(joints), spheres(others)
    excess = np.maximum(depths(mine, theirs) - _ALLOWED, 0)
    apart = (joints[:, 0] - others[:, 0]) * np.array([1.0, 0.0, 1.0])
    apart /= np.maximum(np.linalg.norm(apart, axis=-1, keepdims=True), 1e-6)
    push = share * excess[:, TRUNK][:, :, TRUNK].max((-1, -2))[:, None] * apart
    reach = np.zeros((len(joints), 2, 3))
    if not excess.any():
        return push, reach
    # Of two forearms each goes its share of the way, of a forearm and anything else the forearm goes all of it.
    toll = np.where(IS_FOREARM, share, 1.0)
    for side, forearm in enumerate(FOREARMS):
        deep = excess[:, forearm]  # (T, n, N)
        between = mine[:, forearm, None] - theirs[:, None]
        way = deep * toll * _LEVERAGE / np.maximum(np.linalg.norm(between, axis=-1), 1e-3)
        weight = deep * deep  # so that what is nearly out hardly counts, and the sum is smooth in time
        out = np.einsum("tij,tijk->tk", weight * way, between) / np.maximum(weight.sum((-1, -2)), 1e-12)[:, None]
        reach[:, side] = out + kept[:, side, None] * (-push - out)
    return push, reach


def _around(values: np.ndarray, first: int, last: int, before: int, after: int) -> np.ndarray:
    """``values`` from ``before`` frames before ``first`` to ``after`` frames after ``last``; the ends go on."""
    return values[np.clip(np.arange(first - before, last + after), 0, len(values) - 1)]


def _held(pushes: np.ndarray) -> np.ndarray:
    """As long as the longest push from `_HOLD` frames before each frame to `_SMOOTH` after it, and their mean way."""
    spans = np.lib.stride_tricks.sliding_window_view(pushes, _HOLD + _SMOOTH + 1, axis=0)  # (T', P, 3, w)
    lengths = np.linalg.norm(spans, axis=2, keepdims=True)
    way = np.sum(lengths * spans, axis=-1)
    return lengths.max(-1) * way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9)


def _smoothed(values: np.ndarray) -> np.ndarray:
    """A weighted mean over `_SMOOTH` frames to either side, which there must be and which fall away."""
    weights = np.hanning(2 * _SMOOTH + 3)[1:-1]
    count = len(values) - 2 * _SMOOTH
    return np.sum([weight * values[tap : tap + count] for tap, weight in enumerate(weights / weights.sum())], axis=0)
