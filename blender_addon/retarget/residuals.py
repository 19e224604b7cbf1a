"""What retargeting could not keep, in figures that people can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .body import ANKLES, PALMS, TOES, TOUCHABLE, landmarks, radii
from .contact import Contacts, between_palms, find, off_surface, part_goals, reach_of_palms
from .easing import as_needed
from .feet import FREE, TOE
from .overlap import added
from .pose import Pose

FIRM = 0.95
"""From this weight on a hand touches, and is measured."""


@dataclass(frozen=True)
class Residuals:
    """How well a retargeted motion keeps what the source does.

    Attributes:
        hand_median_cm, hand_max_cm: how far hands are from the palm, or the surface, that they touch in the source; of
            those within reach, 0 where there are none.
        slid_median_cm: how far they are from the very spot; more than above where a body is too tall to reach it.
        touches: frames in which hands touch, counted for each touch.
        out_of_reach: share of touches, 0 to 1, for which an arm is too short.
        skate_mps: median speed on the floor's plane of what feet stand on.
        penetration_cm: deepest overlap of the two bodies that was not there in the source.
    """

    hand_median_cm: float
    hand_max_cm: float
    slid_median_cm: float
    touches: int
    out_of_reach: float
    skate_mps: float
    penetration_cm: float


class HandErrors(NamedTuple):
    """Errors of N touches: a hand in a frame.

    Attributes:
        off: (N,) metres from the palm that a hand touches in the source, or from the surface.
        slid: (N,) metres from the same spot.
        reached: (N,) whether the arms that it takes are long enough, from where the shoulders are.
    """

    off: np.ndarray
    slid: np.ndarray
    reached: np.ndarray


def measure(source: Pose, pose: Pose, pivots: np.ndarray, fps: float) -> Residuals:
    """The residuals of a motion on its targets.

    Args:
        source, pose: before and after, with both persons; what hands touch is not looked at where there is one.
        pivots: (T, P, 2) on what feet stand, as `Stance` finds it.
        fps: frames a second.
    """
    errors = HandErrors(np.zeros(0), np.zeros(0), np.zeros(0, bool))
    deepest = 0.0
    if len(pose.offsets) == 2:
        errors = hand_errors(pose, find(source, None, fps, 1.0, as_needed))
        deepest = float(added(source, pose).max())
    speeds = planted_speeds(pose, pivots, fps)
    return Residuals(
        hand_median_cm=100 * _or_zero(np.median, errors.off[errors.reached]),
        hand_max_cm=100 * _or_zero(np.max, errors.off[errors.reached]),
        slid_median_cm=100 * _or_zero(np.median, errors.slid),
        touches=len(errors.off),
        out_of_reach=_or_zero(np.mean, ~errors.reached),
        skate_mps=_or_zero(np.median, speeds),
        penetration_cm=100 * deepest,
    )


def hand_errors(pose: Pose, contacts: Contacts) -> HandErrors:
    """How far the hands of ``pose`` are from what they touch in the source, by ``contacts``.

    A palm that should be on a palm has one spot; on a part of a body it touches anywhere on the surface.
    """
    points, thick = landmarks(pose), radii(pose.offsets, TOUCHABLE)
    hands = points[:, :, PALMS]
    gaps = np.linalg.norm(between_palms(hands) - contacts.apart, axis=-1)
    meet, touch = contacts.palms > FIRM, contacts.parts.sum(-1) > FIRM
    off = np.abs(off_surface(contacts, points, thick)[0])[touch]
    astray = np.linalg.norm(part_goals(contacts, pose, points) - hands[:, :, :, None], axis=-1)
    slid = (contacts.parts * astray).sum(-1)[touch]
    # Seen from where an arm would put the palm if it were of no length.
    points[:, :, PALMS], reach = reach_of_palms(pose, points)
    near = np.linalg.norm(between_palms(points[:, :, PALMS]) - contacts.apart, axis=-1) < _either(reach)
    on = off_surface(contacts, points, thick)[0] < reach
    return HandErrors(
        np.concatenate((gaps[meet], off)),
        np.concatenate((gaps[meet], slid)),
        np.concatenate((near[meet], on[touch])),
    )


def _either(reach: np.ndarray) -> np.ndarray:
    """(1, 2, 2) metres that A's left or right hand and B's reach together, of each person's (2, 2)."""
    return reach[0, :, None] + reach[1]


def _or_zero(figure: Callable[[np.ndarray], np.floating], values: np.ndarray) -> float:
    return float(figure(values)) if len(values) else 0.0


def planted_speeds(pose: Pose, pivots: np.ndarray, fps: float) -> np.ndarray:
    """(N,) metres a second on the floor's plane of what feet stand on, between frames in which it is the same.

    Args:
        pose: its first persons are those of ``pivots``.
        pivots: (T, P, 2) from `Stance`.
        fps: frames a second.
    """
    joints = pose.joints()[:, : pivots.shape[1]][..., [0, 2]]
    toes, heels = joints[:, :, TOES], joints[:, :, ANKLES]
    speeds = [np.linalg.norm(np.diff(one, axis=0), axis=-1) * fps for one in (toes, heels)]
    same = (pivots[1:] == pivots[:-1]) & (pivots[1:] != FREE)
    return np.where(pivots[1:] == TOE, *speeds)[same]
