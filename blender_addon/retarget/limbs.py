"""Arms and legs of two persons settled together: hands on what they touch, nothing inside the other's body.

Elbows, wrists and knees are points that give way to one constraint after the other, again and again, until none asks
for more: position based dynamics (Müller, Heidelberger, Hennix, Ratcliff 2007) without the dynamics. Limbs keep their
lengths, feet and trunks their places; at the end the bones are turned to where the points are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import ARMS, EVERY, LEGS, PALMS, TOUCHABLE, landmarks, radii
from .contact import Contacts, between_palms, of_hands, off_surface
from .easing import Easing
from .escape import ways_out
from .overlap import TOLERANCE, gaps_between
from .pose import Pose

ROUNDS = 14
"""How often every constraint is asked, at most."""
SMOOTHED = 10
"""In so many of the rounds what was moved is smoothed over time, where all of it is known."""
CLOSING, AFRESH = 18, 6
"""How often frames in which limbs are still in something are asked again, and after how many of these times anew."""
LEFT = 0.007
"""Metres of overlap added that are not worth asking again."""
YIELDING = 0.02
"""Metres that a touch may lack then, rather than pull a limb back in."""
STEADY = 0.5
"""How much heavier a hand on a hand is than one that is free: its elbow gives way rather."""
SETTLED = 0.001
"""Metres: frames in which no point moves further in a round are done."""
LONGEST = 0.995
"""A limb is stretched to this share of its length at most."""
LIMBS = (*LEGS, *ARMS)
_START, _MIDDLE, _END = ([limb[at] for limb in LIMBS] for at in range(3))
_WRISTS = slice(2, 4)


@dataclass(frozen=True, eq=False)
class Slack:
    """What contacts that do not count fully may go on lacking.

    Attributes:
        palms: (T, 2, 2, 3) from where A's palms want B's to be to where these are, metres.
        parts: (T, 2, 2) from the surface that a palm touches to the palm, metres.
    """

    palms: np.ndarray
    parts: np.ndarray

    @classmethod
    def of(cls, pose: Pose, contacts: Contacts) -> Slack:
        """What contacts lack as the targets are posed, but for the share that they count."""
        points = landmarks(pose)
        missing = between_palms(points[:, :, PALMS]) - contacts.apart
        off = off_surface(contacts, points, radii(pose.offsets, TOUCHABLE))[0]
        return cls(missing * (1 - contacts.palms)[..., None], off * (1 - contacts.parts.sum(-1)))

    def frames(self, which: np.ndarray) -> Slack:
        """Some of the frames, by their indices."""
        return Slack(self.palms[which], self.parts[which])


def settle(source: Pose, pose: Pose, contacts: Contacts, slack: Slack, movable: np.ndarray, ease: Easing) -> None:
    """Bring hands to what they touch and limbs out of the other's body; feet stay where they are.

    Args:
        source: both persons.
        pose: both targets; is changed.
        contacts: what hands touch.
        slack: what these may lack.
        movable: (2,) bool: a person that may not be moved stays.
        ease: how corrections come and go.
    """
    constraints = _Constraints.of(source, pose, contacts, slack, movable)
    begin = landmarks(pose)
    points = begin.copy()

    def smoothed(left: np.ndarray) -> np.ndarray:
        """Points of some frames, moved as those of the frames around them are."""
        part = begin[left] + ease.smooth(points - begin)[left]
        _hold_together(part, begin[left], constraints.lengths)
        return part

    left = np.arange(len(points))
    for number in range(ROUNDS):
        now = points[left]
        points[left] = constraints.asked(left, now, TOLERANCE, 0.0)
        stirred = np.zeros(len(points), bool)
        stirred[left] = np.abs(points[left] - now).max((1, 2, 3)) > SETTLED
        if number < SMOOTHED and ease.width:
            spread = np.convolve(stirred, np.ones(2 * ease.width + 1))
            stirred = spread[ease.width : ease.width + len(points)] > 0
            points[stirred] = smoothed(np.flatnonzero(stirred))
        left = np.flatnonzero(stirred)
        if not len(left):
            break
    left = np.arange(len(points))
    for number in range(CLOSING):
        left = left[constraints.inside(left, points[left]) > LEFT]
        if not len(left):
            break
        anew = number % AFRESH == 0 and number > 0
        points[left] = constraints.asked(left, smoothed(left) if anew else points[left], 0.0, YIELDING)
    changed = np.flatnonzero((np.abs(points - begin) > 1e-5).any((1, 2, 3)))
    if len(changed):
        part = pose.frames(changed)
        for number, limb in enumerate(LIMBS):
            part.bend(limb, points[changed][:, :, _MIDDLE[number]], points[changed][:, :, _END[number]])
        pose.put(changed, part)


@dataclass(frozen=True, eq=False)
class _Constraints:
    """What points are asked for, frame by frame.

    Attributes:
        contacts, slack: what hands touch, and what that may lack.
        thick, touched: (2, 13) and (2, 10) radii of all parts and of `TOUCHABLE`, metres.
        allowed: (T, 13, 13) how deep parts are in each other in the source, metres.
        lengths: (2, 2, 4) of upper and lower halves of the limbs, metres.
        light: (T, 2, 2) how easily hands are pushed aside.
        movable: (2,) bool: who may be moved.
    """

    contacts: Contacts
    slack: Slack
    thick: np.ndarray
    touched: np.ndarray
    allowed: np.ndarray
    lengths: np.ndarray
    light: np.ndarray
    movable: np.ndarray

    @classmethod
    def of(cls, source: Pose, pose: Pose, contacts: Contacts, slack: Slack, movable: np.ndarray) -> _Constraints:
        return cls(
            contacts,
            slack,
            radii(pose.offsets),
            radii(pose.offsets, TOUCHABLE),
            gaps_between(landmarks(source), radii(source.offsets), EVERY, EVERY).depth.clip(0),
            np.linalg.norm(pose.offsets[:, [_MIDDLE, _END]], axis=-1),
            1 - STEADY * of_hands(contacts.palms),
            movable,
        )

    def inside(self, frames: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(T,) metres of the deepest overlap of points of some frames that is not there in the source."""
        return (gaps_between(points, self.thick, EVERY, EVERY).depth - self.allowed[frames]).max((1, 2))

    def asked(self, frames: np.ndarray, points: np.ndarray, tolerance: float, yielding: float) -> np.ndarray:
        """Where points of some frames are once every constraint has been asked.

        Args:
            frames: their indices.
            points: (T, 2, 25, 3) metres.
            tolerance: metres of overlap added that are let be.
            yielding: metres that touches may lack.
        """
        moved = points.copy()
        _move_wrists(moved, self._touching(frames, points, yielding))
        allowed = self.allowed[frames] + tolerance
        middles, ends = ways_out(moved, self.thick, allowed, self.light[frames], self.movable)
        moved[:, :, _MIDDLE] += middles
        _move_wrists(moved, ends[:, :, _WRISTS])
        _draw_together(moved, self.lengths)
        _hold_together(moved, points, self.lengths)
        return moved

    def _touching(self, frames: np.ndarray, points: np.ndarray, yielding: float) -> np.ndarray:
        """(T, 2, 2, 3) metres from palms to within ``yielding`` of the palms and surfaces that they touch."""
        contacts, slack = self.contacts.frames(frames), self.slack.frames(frames)
        off, way = off_surface(contacts, points, self.touched)
        lacking = ((off - slack.parts) / np.where(np.abs(off) > 1e-9, off, 1)).clip(0, 1)
        move = way * (lacking * contacts.parts.sum(-1))[..., None]
        missing = (between_palms(points[:, :, PALMS]) - contacts.apart - slack.palms) * contacts.palms[..., None]
        total = np.maximum(np.stack((contacts.palms.sum(2), contacts.palms.sum(1)), axis=1), 1)[..., None]
        both = np.stack((missing.sum(2), -missing.sum(1)), axis=1) / total / max(int(self.movable.sum()), 1)
        move = (move + both) * self.movable[:, None, None]
        if yielding:
            move = move * (1 - yielding / np.maximum(np.linalg.norm(move, axis=-1, keepdims=True), yielding))
        return move


def _move_wrists(points: np.ndarray, by: np.ndarray) -> None:
    for side, arm in enumerate(ARMS):
        points[:, :, arm[2]] += by[:, :, side]
        points[:, :, PALMS[side]] += by[:, :, side]


def _draw_together(points: np.ndarray, lengths: np.ndarray) -> None:
    """Let elbows take the wrists along when they are pushed aside, half of the way each; changes ``points``."""
    upper, lower = lengths[:, 0, 2:, None], lengths[:, 1, 2:, None]
    start, middle, end = (points[:, :, joints[2:]] for joints in (_START, _MIDDLE, _END))
    middle = start + upper * _unit(middle - start)
    line = end - middle
    distance = np.linalg.norm(line, axis=-1, keepdims=True)
    by = line * (distance - lower) / np.maximum(distance, 1e-9) / 2
    middle = start + upper * _unit(middle + by - start)
    points[:, :, _MIDDLE[2:]] = middle
    _move_wrists(points, -by)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def _hold_together(points: np.ndarray, before: np.ndarray, lengths: np.ndarray) -> None:
    """Give limbs their lengths back: the end comes as near as need be, the middle where it is nearest to its place."""
    upper, lower = lengths[:, 0, :, None], lengths[:, 1, :, None]
    start, middle, end = (points[:, :, joints] for joints in (_START, _MIDDLE, _END))
    line = end - start
    distance = np.linalg.norm(line, axis=-1, keepdims=True)
    line = line / np.maximum(distance, 1e-9)
    was = np.linalg.norm(before[:, :, _END] - start, axis=-1, keepdims=True)
    longest = np.maximum(LONGEST * (upper + lower), was)
    kept = np.clip(distance, np.abs(upper - lower) + 1e-3, longest)
    by = line * (kept - distance)
    along = (upper**2 + kept**2 - lower**2) / (2 * kept)
    aside = middle - start + 1e-3 * (before[:, :, _MIDDLE] - start)
    aside = aside - line * (aside * line).sum(-1, keepdims=True)
    aside = aside / np.maximum(np.linalg.norm(aside, axis=-1, keepdims=True), 1e-9)
    height = np.sqrt(np.maximum(upper**2 - along**2, 0))
    points[:, :, _MIDDLE] = start + along * line + height * aside
    points[:, :, _END[:2]] += by[:, :, :2]
    _move_wrists(points, by[:, :, _WRISTS])
