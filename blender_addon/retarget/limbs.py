"""Arms and legs of two persons settled together: hands on what they touch, nothing inside the other's body.

Elbows, wrists and knees are points that give way to one constraint after the other, again and again, until none asks
for more: position based dynamics (Müller, Heidelberger, Hennix, Ratcliff 2007) without the dynamics. Limbs keep their
lengths, feet and trunks their places; at the end the bones are turned to where the points are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import ARMS, EVERY, LEGS, LIMB_PARTS, PALMS, TOUCHABLE, landmarks, radii
from .contact import Contacts, between_palms, off_surface
from .easing import Easing
from .overlap import TOLERANCE, gaps_between
from .pose import Pose

ROUNDS = 14
"""How often every constraint is asked, at most."""
SMOOTHED = 10
"""In so many of the rounds what was moved is smoothed over time, where all of it is known."""
SETTLED = 0.001
"""Metres: frames in which no point moves further in a round are done."""
LONGEST = 0.995
"""A limb is stretched to this share of its length at most."""
NEAREST = 0.35
"""The nearer to its fixed end a part is pushed, the further its other end moves; this share of its length is least."""
LIMBS = (*LEGS, *ARMS)
_START, _MIDDLE, _END = ([limb[at] for limb in LIMBS] for at in range(3))
_WRISTS = slice(2, 4)
_UPPER, _LOWER = [0, 1, 4, 5], [2, 3, 6, 7]
_YIELDS = np.zeros((8, 13))
_YIELDS[:4, 5:9] = _YIELDS[4:, 9:] = 0.5
"""(limb part, part of the other) share of the way out left to the other: arms give way to arms, legs to legs."""


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
    thick, touched = radii(pose.offsets), radii(pose.offsets, TOUCHABLE)
    allowed = gaps_between(landmarks(source), radii(source.offsets), EVERY, EVERY).depth.clip(0) + TOLERANCE
    lengths = np.linalg.norm(pose.offsets[:, [_MIDDLE, _END]], axis=-1)
    begin = landmarks(pose)
    points = begin.copy()
    left = np.arange(len(points))
    for number in range(ROUNDS):
        now = points[left]
        moved = now.copy()
        _touch(moved, contacts.frames(left), slack.frames(left), touched, movable)
        _part(moved, thick, allowed[left], movable)
        _draw_together(moved, lengths)
        _hold_together(moved, now, lengths)
        points[left] = moved
        stirred = np.zeros(len(points), bool)
        stirred[left] = np.abs(moved - now).max((1, 2, 3)) > SETTLED
        if number < SMOOTHED and ease.width:
            spread = np.convolve(stirred, np.ones(2 * ease.width + 1))
            stirred = spread[ease.width : ease.width + len(points)] > 0
            left = np.flatnonzero(stirred)
            points[left] = begin[left] + ease.smooth(points - begin)[left]
            part = points[left]
            _hold_together(part, begin[left], lengths)
            points[left] = part
        left = np.flatnonzero(stirred)
        if not len(left):
            break
    changed = np.flatnonzero((np.abs(points - begin) > 1e-5).any((1, 2, 3)))
    if len(changed):
        part = pose.frames(changed)
        for number, limb in enumerate(LIMBS):
            part.bend(limb, points[changed][:, :, _MIDDLE[number]], points[changed][:, :, _END[number]])
        pose.put(changed, part)


def _touch(points: np.ndarray, contacts: Contacts, slack: Slack, touched: np.ndarray, movable: np.ndarray) -> None:
    """Move palms, and wrists with them, to the palms and surfaces that they touch; changes ``points``."""
    off, way = off_surface(contacts, points, touched)
    lacking = ((off - slack.parts) / np.where(np.abs(off) > 1e-9, off, 1)).clip(0, 1)
    move = way * (lacking * contacts.parts.sum(-1))[..., None]
    missing = (between_palms(points[:, :, PALMS]) - contacts.apart - slack.palms) * contacts.palms[..., None]
    total = np.maximum(np.stack((contacts.palms.sum(2), contacts.palms.sum(1)), axis=1), 1)[..., None]
    both = np.stack((missing.sum(2), -missing.sum(1)), axis=1) / total / max(int(movable.sum()), 1)
    _move_wrists(points, (move + both) * movable[:, None, None])


def _move_wrists(points: np.ndarray, by: np.ndarray) -> None:
    for side, arm in enumerate(ARMS):
        points[:, :, arm[2]] += by[:, :, side]
        points[:, :, PALMS[side]] += by[:, :, side]


def _part(points: np.ndarray, thick: np.ndarray, allowed: np.ndarray, movable: np.ndarray) -> None:
    """Move what is inside the other's body out of it; changes ``points``."""
    found = gaps_between(points, thick, EVERY, EVERY)
    excess = (found.depth - allowed).clip(0)
    if not excess.any():
        return
    moves = np.zeros((2, len(points), 4, 2, 3), points.dtype)
    moves[0] = _ways_out(excess, found.at_a, found.at_b, found.lines_a, found.lines_b, bool(movable.all()))
    turned, own, other = (one.transpose(0, 2, 1) for one in (excess, found.at_b, found.at_a))
    moves[1] = _ways_out(turned, own, other, found.lines_b, found.lines_a, bool(movable.all()))
    moves *= movable[:, None, None, None, None]
    moves = moves.transpose(1, 0, 2, 3, 4)
    points[:, :, _MIDDLE] += moves[:, :, :, 0]
    _move_wrists(points, moves[:, :, _WRISTS, 1])


def _ways_out(
    excess: np.ndarray, at: np.ndarray, at_other: np.ndarray, own: np.ndarray, other: np.ndarray, shared: bool
) -> np.ndarray:
    """(T, limb, middle or end, 3) metres that take a person's limbs out of what they are in deepest.

    Args:
        excess, at, at_other: (T, 13, 13) own part, part of the other: metres to go, and where on their lines, 0 to 1.
        own, other: (2, T, 13, 3) starts and lines of the parts, metres.
        shared: whether the other gives way too.
    """
    excess, at, at_other, own = excess[:, LIMB_PARTS], at[:, LIMB_PARTS], at_other[:, LIMB_PARTS], own[:, :, LIMB_PARTS]
    deepest = excess.argmax(2)[..., None]
    depth, at, at_other = (np.take_along_axis(one, deepest, 2) for one in (excess, at, at_other))
    if shared:
        depth = depth * (1 - _YIELDS[np.arange(8), deepest[..., 0]])[..., None]
    start, line = (np.take_along_axis(one, deepest, 1) for one in other)
    out = own[0] + at * own[1] - start - at_other * line
    out = depth * out / np.maximum(np.linalg.norm(out, axis=-1, keepdims=True), 1e-6)
    middle = out[:, _UPPER] / np.maximum(at[:, _UPPER], NEAREST)
    free = np.array([0, 0, 1, 1])[:, None]
    reach, back = at[:, _LOWER] * free, 1 - at[:, _LOWER]
    whole = np.maximum(reach * at[:, _LOWER] + back * back, 0.1)
    return np.stack((middle + out[:, _LOWER] * back / whole, out[:, _LOWER] * reach / whole), axis=2)


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
