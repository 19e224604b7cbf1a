"""What keeps hands from what they may touch: the way from a palm to another person's palm, or onto their skin."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from protocol import rotations as rot
from protocol.skeleton import JOINT, neutral_offsets, rest_height

from ..limbs import PALM_LENGTH
from .arms import WRISTS
from .expected import Expected, Part
from .frames import Frames

_SKIN: dict[Part, tuple[tuple[str, str, float], ...]] = {
    "head": (("neck", "head", 0.13),),
    "torso": (("pelvis", "spine3", 0.155),),
    "shoulder": tuple((f"{side}_collar", f"{side}_shoulder", 0.08) for side in ("left", "right")),
}
"""Joint, joint, and metres of a neutral body from the line between them to a palm that lies there."""
_SOFT = 0.02
"""Metres by which a palm may be off the skin: bodies differ, and flesh gives."""
_OVER_HIPS = 0.05
"""Metres over the pelvis from which on a hand is held out."""
_NEUTRAL_HEIGHT = float(rest_height(neutral_offsets()))


@dataclass(frozen=True)
class Candidate:
    """A palm and what it may touch.

    Attributes:
        person: whose palm.
        side: 0 for the left palm, 1 for the right one.
        other: the person who may be touched.
        on: side of the other's palm, or a line between two joints and its radius in metres.
    """

    person: int
    side: int
    other: int
    on: int | tuple[int, int, float]

    @property
    def hands(self) -> tuple[tuple[int, int], ...]:
        """Person and side of the palms that take part."""
        own = (self.person, self.side)
        return (own, (self.other, self.on)) if isinstance(self.on, int) else (own,)


def candidates(scales: np.ndarray, moved: int, expected: Expected | None) -> list[Candidate]:
    """All that may touch among persons of whom the first ``moved`` are cleaned up.

    Args:
        scales: (P,) body heights in neutral bodies.
        moved: who of them may be moved: of any two who touch with their palms one is, and whoever lays a hand on.
        expected: what the kind of interaction lets touch; None if it is not known: palms only.
    """
    persons = range(len(scales))
    found = [
        Candidate(person, side, other, on)
        for person, other in combinations(persons, 2)
        if person < moved
        for side in range(2)
        for on in range(2)
        if expected is None or (expected.same if side == on else expected.crossed)
    ]
    for person, other in permutations(persons, 2):
        for part in () if expected is None or person >= moved else expected.parts:
            for start, end, radius in _SKIN[part]:
                on = (JOINT[start], JOINT[end], radius * float(scales[other]))
                found += [Candidate(person, side, other, on) for side in range(2)]
    return found


def scale(offsets: np.ndarray) -> np.ndarray:
    """Heights (P,) of bodies with rest offsets (P, 22, 3), in neutral bodies."""
    return rest_height(offsets) / _NEUTRAL_HEIGHT


def palms(frames: Frames, offsets: np.ndarray) -> np.ndarray:
    """Places (T, P, 2, 3) of left and right palms, metres, of persons with rest offsets (P, 22, 3)."""
    forearms = offsets[:, WRISTS]
    hands = forearms / np.linalg.norm(forearms, axis=-1, keepdims=True) * PALM_LENGTH * scale(offsets)[:, None, None]
    return frames.positions[:, :, WRISTS] + rot.rotate(frames.world[:, :, WRISTS], hands)


def gap(candidate: Candidate, palms: np.ndarray, joints: np.ndarray, rest: float) -> np.ndarray:
    """The ways (T, 3), metres, that would bring a palm to what it may touch.

    Args:
        candidate: the palm, and what it may touch.
        palms: (T, P, 2, 3) metres.
        joints: (T, P, 22, 3) metres.
        rest: metres that are to be left between two palms.
    """
    palm = palms[:, candidate.person, candidate.side]
    if isinstance(candidate.on, int):
        way = palms[:, candidate.other, candidate.on] - palm
        far = np.linalg.norm(way, axis=-1, keepdims=True)
        return way * np.maximum(1 - rest / np.maximum(far, 1e-6), 0)
    start, end, radius = candidate.on
    a, b = joints[:, candidate.other, start], joints[:, candidate.other, end]
    share = np.sum((palm - a) * (b - a), axis=-1) / np.maximum(np.sum((b - a) ** 2, axis=-1), 1e-9)
    way = a + np.clip(share, 0, 1)[:, None] * (b - a) - palm
    far = np.linalg.norm(way, axis=-1, keepdims=True)
    off = far - radius
    return way / np.maximum(far, 1e-6) * np.sign(off) * np.maximum(np.abs(off) - _SOFT, 0)


def raised(candidate: Candidate, palms: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Whether (T,) all palms that take part are over their persons' hips: a hand that hangs offers nothing."""
    hands = [palms[:, person, side, 1] - joints[:, person, 0, 1] for person, side in candidate.hands]
    return np.min(hands, axis=0) > _OVER_HIPS
