"""Keeps standing feet where they stand, level with the floor; the legs follow, and the pelvis where they fall short."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from protocol import rotations as rot
from protocol.skeleton import JOINT

from ..limbs import followed
from .contacts import FPS, LOOK_AHEAD, SPAN, STEP, Contact, Contacts
from .frames import Frames
from .stage import Stage

HIPS, KNEES, ANKLES, TOES = (
    [JOINT[f"{side}_{name}"] for side in ("left", "right")] for name in ("hip", "knee", "ankle", "foot")
)
_EASE_IN, _EASE_OUT = 4, 6
"""Frames over which a foot comes to its place, and over which it is let go."""
_LIFT = 0.03
"""Metres by which a foot is raised that steps over to a new place."""
_SWINGS, _CLEARS = (0.4, 0.7, 1.7), (0.0, 0.018, 0.045)
"""Metres a second of a swinging toe, and metres over the floor that it then keeps at least. In real walks (CMU 07 to
09) the median is 0.025 at 0.7 m/s and 0.06 beyond 1.7 m/s; choreographed and generated feet drag."""
_LIFTS = 4.0
"""Frames before it lands and after it leaves over which a swinging toe comes to that height."""
_FLAT, _TILTED = np.radians(3), np.radians(8)
"""A standing foot is laid level if it is tilted by less than the first angle, and left as it is beyond the second."""
_LONGEST = 0.995
"""Share of a leg's length that it is stretched to at most by its foot's place, unless it was longer already."""
_LOWEST = 0.08
"""Metres by which the pelvis is lowered at most."""


class Planting(Stage):
    """Locks standing feet.

    Args:
        offsets: (P, 22, 3) rest offsets of the persons, metres.
    """

    behind, ahead = SPAN + 1, LOOK_AHEAD + _EASE_IN

    def __init__(self, offsets: np.ndarray) -> None:
        super().__init__()
        self._offsets = offsets.astype(np.float64)
        self._contacts = Contacts(len(offsets))
        self._before: np.ndarray | None = None  # (P, 2, 3) where the toes were placed in the last finished frame

    def work(self, window: Frames, start: int, stop: int) -> Frames:
        """Move the feet of the frames to where they stand."""
        toes = window.positions[:, :, TOES]
        forward = rot.rotate(window.world[:, :, ANKLES], np.array([0.0, 0.0, 1.0]))
        headings = np.arctan2(forward[..., 0], forward[..., 2])
        until = min(stop + _EASE_IN, len(window))
        self._contacts.find(toes, headings, self.first, self.first + until)
        numbers = np.arange(self.first + start, self.first + stop)
        held = [
            [_held(contacts, numbers, toes[start:stop, person, side], headings[start:stop, person, side])
             for side, contacts in enumerate(feet)]
            for person, feet in enumerate(self._contacts.feet)
        ]  # fmt: skip
        shift, turned, weight, away = (
            np.stack([np.stack([foot[i] for foot in feet], 1) for feet in held], 1) for i in range(4)
        )
        toe = self._cleared(toes[start:stop] + shift, away)
        return self._placed(window.slice(start, stop), toe, turned, weight)

    def _cleared(self, toe: np.ndarray, away: np.ndarray) -> np.ndarray:
        """Toes (T, P, 2, 3) over the floor, those that swing at least as high as they must; ``away``: see `_held`."""
        before = np.concatenate((toe[:1] if self._before is None else self._before[None], toe[:-1]))
        self._before = toe[-1]
        speed = np.linalg.norm((toe - before)[..., [0, 2]], axis=-1) * FPS
        toe = toe.copy()
        toe[..., 1] = np.maximum(toe[..., 1], np.interp(speed, _SWINGS, _CLEARS) * _eased(away / _LIFTS))
        return toe

    def _placed(self, frames: Frames, toe: np.ndarray, turned: np.ndarray, weight: np.ndarray) -> Frames:
        """Legs that bring the toes to their places ``toe`` (T, P, 2, 3), metres."""
        feet = _levelled(frames.world[:, :, ANKLES], turned, weight)
        ankle = toe - rot.rotate(feet, self._offsets[:, TOES])
        drop = self._drop(frames, ankle, weight)
        frames = frames.shifted(-drop[..., None] * np.array([0.0, 1.0, 0.0]))
        world, positions = frames.world, frames.positions
        joints = (positions[:, :, HIPS], positions[:, :, KNEES], positions[:, :, ANKLES])
        flexion = rot.rotate(world[:, :, KNEES], np.array([1.0, 0.0, 0.0]))
        thigh, shin = followed(joints, (world[:, :, HIPS], world[:, :, KNEES]), ankle, flexion)
        rotations = frames.rotations.copy()
        rotations[:, :, HIPS] = rot.multiply(rot.inverse(world[:, :, :1]), thigh)
        rotations[:, :, KNEES] = rot.multiply(rot.inverse(thigh), shin)
        rotations[:, :, ANKLES] = rot.multiply(rot.inverse(shin), feet)
        return replace(frames, rotations=rotations)

    def _drop(self, frames: Frames, ankle: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """How far (T, P) the pelvis must sink for the legs to reach their feet, metres."""
        hips = frames.positions[:, :, HIPS]
        reached = np.linalg.norm(frames.positions[:, :, ANKLES] - hips, axis=-1)
        legs = np.linalg.norm(self._offsets[:, KNEES], axis=-1) + np.linalg.norm(self._offsets[:, ANKLES], axis=-1)
        longest = np.maximum(_LONGEST * legs, reached)
        line = hips - ankle
        across = np.sum(line[..., [0, 2]] ** 2, axis=-1)
        missing = line[..., 1] - np.sqrt(np.maximum(longest**2 - across, 0.01))
        return np.clip((missing * weight).max(-1), 0, _LOWEST)


def _held(
    contacts: list[Contact], numbers: np.ndarray, toe: np.ndarray, heading: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """How a foot is moved by its contacts, eased from one to the next.

    Args:
        contacts: of the foot.
        numbers: (T,) numbers of the frames.
        toe: (T, 3) where the toe is, metres.
        heading: (T,) radians.

    Returns:
        shift (T, 3) of the toe, metres; turn (T,), radians; how much of a standing foot it is (T,), 0 to 1; and how
        many frames away it stands (T,), 0 while it does.
    """
    shift, turned, weight = np.zeros_like(toe), np.zeros_like(heading), np.zeros_like(heading)
    away = np.full_like(heading, np.inf)
    for contact in contacts:
        if contact.stop is not None and contact.stop + STEP < numbers[0]:
            continue
        come = _eased((numbers - contact.start + _EASE_IN) / _EASE_IN)
        own_shift, own_turn = contact.moves(toe, heading)
        early = numbers < contact.start
        own_shift = np.where(early[:, None], contact.first_shift, own_shift)
        own_turn, own_weight = np.where(early, contact.first_turn, own_turn), np.ones_like(heading)
        if contact.stop is not None:
            since = numbers - contact.stop + 1
            left, gone = since > 0, _eased(since / _EASE_OUT)
            fading = (1 - gone)[:, None] * contact.last_shift
            if contact.steps:
                fading[:, 1] += _LIFT * np.sin(np.pi * np.clip(since / (STEP + 1), 0, 1)) ** 2
            own_shift = np.where(left[:, None], fading, own_shift)
            own_turn = np.where(left, (1 - gone) * contact.last_turn, own_turn)
            own_weight = 1 - gone
            early = early | left
            away = np.minimum(away, np.where(left, since, np.inf))
        away = np.minimum(away, np.where(early, np.where(numbers < contact.start, contact.start - numbers, np.inf), 0))
        shift += come[:, None] * (own_shift - shift)
        turned += come * (own_turn - turned)
        weight += come * (own_weight - weight)
    return shift, turned, weight, away


def _levelled(feet: np.ndarray, turned: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """World rotations of feet (..., 4) turned about the vertical and, where they stand, laid level."""
    up = np.array([0.0, 1.0, 0.0])
    upright = rot.between(rot.rotate(feet, up), up)
    angle = 2 * np.arccos(np.clip(np.abs(upright[..., 0]), 0, 1))
    share = weight * (1 - _eased((angle - _FLAT) / (_TILTED - _FLAT)))
    level = rot.from_axis_angle(upright[..., 1:], share * angle)
    return rot.multiply(rot.about_y(turned), rot.multiply(level, feet))


def _eased(share: np.ndarray) -> np.ndarray:
    """0 up to 0, 1 from 1 on, smooth in between."""
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)
