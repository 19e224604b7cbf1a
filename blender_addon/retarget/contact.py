"""Hands that touch the other person in the source, and how the targets' arms keep the touch.

What a hand touches is the other's palms or a part of the body (`body.TOUCHABLE`): trunk, head, shoulder, arm, thigh.
How much a touch counts depends on the distance in the source alone, so it comes and goes smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from protocol import rotations as rot

from .body import ARMS, PALMS, TOUCHABLE, WRISTS, arm_lengths, landmarks, radii
from .easing import Easing
from .pose import Pose

PALM_REACH = (0.12, 0.24)
"""Palms nearer than the first (metres) are held together wholly, palms further than the second not at all."""
CALM = (0.5, 1.5)
"""Palms within reach that move past each other slower than the first (metres a second) do touch, and where the source
leaves a gap they are brought together; palms faster than the second keep their gap."""
PART_REACH = (0.10, 0.20)
"""The same as `PALM_REACH` for a palm and the surface of a part of the body."""
STRETCH = 0.985
"""An arm that is bent more in the source is stretched to this share of its length at most."""
URGENT = 3
"""Power of a hand's contact with which shoulders are asked to come nearer: nobody bends for hands on their way."""
_PASSING = 0.02
"""Metres by which a part is further than the nearest one and still has a third of its say."""
_NO_SHARE = 0.1
"""A part with a smaller share of a touch is not touched."""
_AXIS_NEAR = 0.02
"""Metres: a palm this near to the middle of a part has no side on which it lies."""
_STARTS = [part.start for part in TOUCHABLE]
_ENDS = [part.end for part in TOUCHABLE]
_JOINTS = [part.joint for part in TOUCHABLE]


@dataclass(frozen=True, eq=False)
class Contacts:
    """What hands of two persons touch in the source; person A is index 0.

    Attributes:
        palms: (T, 2, 2) weights: A's left or right palm, B's left or right palm.
        apart: (T, 2, 2, 3) from A's palm to B's, as it shall be, metres.
        parts: (T, 2, 2, 10) weights: person, left or right palm, part of the other.
        along: (T, 2, 2, 10) where on the part's line the palm is nearest, 0 to 1.
        side: (T, 2, 2, 10, 3) unit vectors from there to the palm, in the part's own frame.
        gap: (T, 2, 2, 10) metres from the part's surface to the palm.
        straight: (T, 2, 2) how far the arms are stretched, as a share of their length.
    """

    palms: np.ndarray
    apart: np.ndarray
    parts: np.ndarray
    along: np.ndarray
    side: np.ndarray
    gap: np.ndarray
    straight: np.ndarray

    def frames(self, which: np.ndarray) -> Contacts:
        """Some of the frames, by their indices."""
        return Contacts(*(getattr(self, one.name)[which] for one in fields(self)))

    def any(self) -> bool:
        """Whether any hand comes near the other person."""
        return bool(self.palms.any() or self.parts.any())


@dataclass(frozen=True, eq=False)
class Wish:
    """Where contacts want two persons' palms.

    Attributes:
        palms: (T, 2, 2, 3) by how much a palm should move to meet palms, metres, weighted by these contacts.
        parts: (T, 2, 2, 3) the same to be where it is on parts of the other.
        short: (T, 2, 3) by how much a person's shoulders are too far away, metres, weighted.
    """

    palms: np.ndarray
    parts: np.ndarray
    short: np.ndarray


def find(source: Pose, before: Pose | None, fps: float, strength: float, ease: Easing) -> Contacts:
    """Contacts of the source's two persons.

    Args:
        source: both persons.
        before: the frame before; None where there is none.
        fps: frames a second.
        strength: 0 to 1, multiplies all weights.
        ease: how weights come and go.
    """
    points = landmarks(source)
    hands = points[:, :, PALMS]
    apart = between_palms(hands)
    near = _near(np.linalg.norm(apart, axis=-1), PALM_REACH)
    # Without a frame before, the first one moves as the second does.
    first = 2 * apart[:1] - apart[[min(1, len(apart) - 1)]]
    last = first if before is None else between_palms(landmarks(before)[:, :, PALMS])
    steps = np.diff(np.concatenate((last, apart)), axis=0)
    calm = _near(np.linalg.norm(steps, axis=-1) * fps, CALM)
    apart = apart * (1 - near * calm)[..., None]

    foot, along = _nearest_on_parts(points, hands)
    out = hands[:, :, :, None] - foot
    length = np.linalg.norm(out, axis=-1)
    gap = length - radii(source.offsets, TOUCHABLE)[::-1, None]
    frames = source.world[:, ::-1, None, _JOINTS]
    side = rot.rotate(rot.inverse(frames), out / np.maximum(length, _AXIS_NEAR)[..., None])
    on_part = _near(gap.min(-1), PART_REACH) * (1 - of_hands(near))
    # What a hand touches now goes before what it will touch, or did.
    palms = np.maximum(near, ease(near) * (1 - on_part[:, 0, :, None]) * (1 - on_part[:, 1, None]))
    on_part = ease(on_part) * (1 - of_hands(palms))
    # The nearest part decides; one that is hardly further has a say, so that hands pass on smoothly.
    shares = np.exp((gap.min(-1, keepdims=True) - gap) / _PASSING)
    parts = on_part[..., None] * shares / shares.sum(-1, keepdims=True)
    joints = source.joints()
    straight = np.stack([np.linalg.norm(joints[:, :, arm[2]] - joints[:, :, arm[0]], axis=-1) for arm in ARMS], axis=2)
    return Contacts(strength * palms, apart, strength * parts, along, side, gap, straight / arm_lengths(source.offsets))


def wish(pose: Pose, contacts: Contacts, movable: np.ndarray) -> Wish:
    """What the contacts ask of the targets as they are posed.

    Args:
        pose: both targets.
        contacts: of the source.
        movable: (2,) bool: a person that may not be moved is met where it is.
    """
    points = landmarks(pose)
    hands = points[:, :, PALMS]
    centres, whole = reach_of_palms(pose, points)
    reaches = whole * np.clip(contacts.straight, STRETCH, 1.0)

    total = np.maximum(np.stack((contacts.palms.sum(2), contacts.palms.sum(1)), axis=1), 1)[..., None]
    shift, short = _palms_wish(contacts, hands, centres, reaches, movable)
    goals = part_goals(contacts, pose, points, (centres, reaches))
    missing = goals - hands[:, :, :, None]
    weights = contacts.parts[..., None]
    far = goals - centres[:, :, :, None]
    distance = np.linalg.norm(far, axis=-1, keepdims=True)
    lacking = far / np.maximum(distance, 1e-9) * np.maximum(distance - reaches[..., None, None], 0)
    # A body is touched elsewhere rather than crouched for.
    touch = _asks(contacts)
    short = (short / total + (weights * lacking * [1, 0, 1]).sum(3)) * touch[..., None] ** URGENT
    # Two hands that lack the same are not to ask for it twice.
    short = short.sum(2) / np.maximum(touch.sum(2), 1)[..., None]
    led = movable[:, None, None]
    return Wish(shift / total * led, (weights * missing).sum(3) * led, short * movable[:, None])


def reach_of_palms(pose: Pose, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spheres that palms reach as the bodies stand: (T, 2, 2, 3) middles and (2, 2) radii, metres.

    The wrist does not turn, so a palm's sphere is the wrist's about the shoulder, shifted by the hand.

    Args:
        pose: both targets.
        points: their `landmarks`.
    """
    joints = pose.joints()
    middles = joints[:, :, [arm[0] for arm in ARMS]] + points[:, :, PALMS] - joints[:, :, WRISTS]
    return middles, arm_lengths(pose.offsets)


def lead_hands(pose: Pose, contacts: Contacts, movable: np.ndarray) -> None:
    """Bring hands to what they touch by two-bone inverse kinematics; ``pose`` is changed."""
    wanted = wish(pose, contacts, movable)
    _moved(pose, wanted.palms + wanted.parts)


def off_surface(contacts: Contacts, points: np.ndarray, thick: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far palms are from the surface that they touch in the source, wherever on it they are.

    Where a hand touches several parts, the nearest of them decides, and those hardly further have a say.

    Args:
        contacts: of the source.
        points: (T, 2, 25, 3) `landmarks` of the targets, metres.
        thick: (2, 10) radii of `TOUCHABLE` on the targets, metres.

    Returns:
        (T, 2, 2) metres, negative for a palm that is too deep, and (T, 2, 2, 3) the ways to the surface, metres.
    """
    hands = points[:, :, PALMS]
    out = hands[:, :, :, None] - _nearest_on_parts(points, hands)[0]
    length = np.linalg.norm(out, axis=-1)
    off = length - contacts.gap - thick[::-1, None]
    say = (contacts.parts - _NO_SHARE * contacts.parts.sum(-1, keepdims=True)).clip(0)
    nearest = np.where(say > 0, off, np.inf).min(-1, keepdims=True)
    nearest = np.where(np.isfinite(nearest), nearest, 0)
    shares = say * np.exp(((nearest - off) / _PASSING).clip(-50, 0))
    shares = shares / np.maximum(shares.sum(-1, keepdims=True), 1e-12)
    way = -(shares * off / np.maximum(length, 1e-6))[..., None] * out
    return (shares * off).sum(-1), way.sum(3)


def _moved(pose: Pose, shift: np.ndarray) -> None:
    for side, arm in enumerate(ARMS):
        pose.lead(arm, pose.joints()[:, :, arm[2]] + shift[:, :, side], forward=-1.0)


def part_goals(
    contacts: Contacts, pose: Pose, points: np.ndarray, within: tuple[np.ndarray, np.ndarray] | None = None
) -> np.ndarray:
    """(T, 2, 2, 10, 3) where a palm would be on each part of the other as it is in the source, metres.

    Args:
        contacts: of the source.
        pose: both targets, with their ``points``.
        points: their `landmarks`.
        within: (T, 2, 2, 3) centres and (T, 2, 2) radii of what palms reach, metres: a place out of reach slides along
            its part until it is reached, or nearest.
    """
    starts, ends = (points[:, ::-1, None, ends] for ends in (_STARTS, _ENDS))
    frames = pose.world[:, ::-1, None, _JOINTS]
    away = contacts.gap + radii(pose.offsets, TOUCHABLE)[::-1, None]
    starts = starts + rot.rotate(frames, contacts.side) * away[..., None]
    line = ends - points[:, ::-1, None, _STARTS]
    along = contacts.along
    if within is not None:
        centre, radius = within
        out = starts - centre[:, :, :, None]
        length = np.maximum((line * line).sum(-1), 1e-9)
        nearest = -(out * line).sum(-1) / length
        room = radius[..., None] ** 2 - ((out + nearest[..., None] * line) ** 2).sum(-1)
        spread = np.sqrt(np.maximum(room, 0) / length)
        along = np.clip(along, nearest - spread, nearest + spread).clip(0, 1)
    return starts + along[..., None] * line


def _asks(contacts: Contacts) -> np.ndarray:
    """(T, 2, 2) 0 to 1: how much a person's hands touch anything."""
    return np.minimum(of_hands(contacts.palms) + contacts.parts.sum(-1), 1)


def of_hands(palms: np.ndarray) -> np.ndarray:
    """(T, 2, 2) weights of each person's hands, of those (T, 2, 2) of A's hands with B's."""
    return np.stack((palms.max(2), palms.max(1)), axis=1)


def _palms_wish(
    contacts: Contacts, hands: np.ndarray, centres: np.ndarray, reaches: np.ndarray, movable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted shifts (T, 2, 2, 3) of the palms to shared places, and how much shoulders lack (T, 2, 2, 3)."""
    weights = contacts.palms[..., None]
    missing = between_palms(hands) - contacts.apart
    share = movable[0] / max(int(movable.sum()), 1)
    # Where A's palm goes; B's goes to the same place, ``apart`` further. Both must reach it.
    place = hands[:, 0, :, None] + share * missing
    centre_a = centres[:, 0, :, None]
    centre_b = centres[:, 1, None] - contacts.apart
    reach_a, reach_b = reaches[:, 0, :, None, None], reaches[:, 1, None, :, None]
    if movable.all():
        for _ in range(4):
            place = _within(_within(place, centre_a, reach_a), centre_b, reach_b)
    shift_a = weights * (place - hands[:, 0, :, None])
    shift_b = weights * (place + contacts.apart - hands[:, 1, None])
    line = centre_b - centre_a
    distance = np.linalg.norm(line, axis=-1, keepdims=True)
    if movable.all():
        lacks = distance - reach_a - reach_b
    else:
        line = place - centre_a if movable[0] else centre_b - place
        distance = np.linalg.norm(line, axis=-1, keepdims=True)
        lacks = distance - (reach_a if movable[0] else reach_b)
    lacking = weights * line / np.maximum(distance, 1e-9) * np.maximum(lacks, 0) / max(int(movable.sum()), 1)
    return (
        np.stack((shift_a.sum(2), shift_b.sum(1)), axis=1),
        np.stack((lacking.sum(2), -lacking.sum(1)), axis=1),
    )


def _within(points: np.ndarray, centre: np.ndarray, radius: np.ndarray) -> np.ndarray:
    out = points - centre
    distance = np.linalg.norm(out, axis=-1, keepdims=True)
    return centre + out * np.minimum(1, radius / np.maximum(distance, 1e-9))


def _nearest_on_parts(points: np.ndarray, hands: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest points (T, 2, 2, 10, 3) to palms on the lines of the other's parts, and where along these they are."""
    starts, ends = (points[:, ::-1, None, ends] for ends in (_STARTS, _ENDS))
    line = ends - starts
    along = ((hands[:, :, :, None] - starts) * line).sum(-1) / np.maximum((line * line).sum(-1), 1e-9)
    along = along.clip(0, 1)
    return starts + along[..., None] * line, along


def between_palms(hands: np.ndarray) -> np.ndarray:
    """(T, 2, 2, 3) from A's left or right palm to B's."""
    return hands[:, 1, None] - hands[:, 0, :, None]


def _near(distance: np.ndarray, reach: tuple[float, float]) -> np.ndarray:
    return _smooth((reach[1] - distance) / (reach[1] - reach[0]))


def _smooth(share: np.ndarray) -> np.ndarray:
    share = share.clip(0, 1)
    return share * share * (3 - 2 * share)
