"""Which foot stands on the floor, where and from when to when, decided a few frames after the fact."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

FPS = 30.0

SPAN = 2
"""Frames to either side over which a speed is taken."""
CONFIRMED = 2
"""Frames that a toe must stay slow and low for its contact to begin."""
LOOK_AHEAD = SPAN + CONFIRMED
"""Frames after a frame that decide whether a contact begins in it."""
_LEAVES = (0.2, 0.6)
"""Metres a second: a standing toe that becomes faster leaves. The first holds for one that has stood quite still, the
second for one that creeps; in between it is `_RESTLESS` times as fast as it has been."""
_RESTLESS = 8.0
_LANDS = 0.9
"""Share of that speed below which a toe lands."""
_NEEDED = 0.9
"""The same speed at least for a foot whose person stands on no other: who does not fly stands on something."""
_CREEP, _RENEWAL = 0.07, 0.2
"""Metres a second at which a toe is taken to creep at first, and share of the newest frame in it later."""
_HOVERS = 0.04
"""Metres over the floor at which a toe neither lands nor stays, however slow; up to there the speeds shrink to 0."""
_ASTRAY, _FAR_ASTRAY = 0.09, 0.15
"""Metres from its place over the floor at which a foot takes a step: if the other one stands, and in any case."""
STEP = 8
"""Frames that such a step takes."""
_SLACK = np.radians(15)
"""Radians by which a standing foot may turn under its person and still be held."""


@dataclass
class Contact:
    """A foot that stands on one place.

    Attributes:
        start: its first frame.
        place: (2,) where the toe stands on the floor, metres.
        heading: direction of the foot, radians.
        stop: the first frame after it; None while it lasts.
        steps: whether the foot then steps over to a new place, and did not leave on its own.
        first_shift: (3,) how far the toe has to be moved in its first frame, metres.
        first_turn: how far the foot has to be turned then, radians.
        last_shift: the same in its last frame.
        last_turn: the same in its last frame.
    """

    start: int
    place: np.ndarray
    heading: float
    stop: int | None = None
    steps: bool = False
    first_shift: np.ndarray = field(default_factory=lambda: np.zeros(3))
    first_turn: float = 0.0
    last_shift: np.ndarray = field(default_factory=lambda: np.zeros(3))
    last_turn: float = 0.0

    def begin(self, toe: np.ndarray, heading: float) -> None:
        """The foot comes, in the first frame, from a toe at (3,) metres and a heading in radians."""
        shift, turn = self.moves(toe, np.asarray(heading))
        self.first_shift, self.first_turn = shift, float(turn)

    def end(self, stop: int, toe: np.ndarray, heading: float, steps: bool) -> None:
        """The foot leaves; in the last frame it stood, its toe was at (3,) metres and it headed ``heading``."""
        shift, turn = self.moves(toe, np.asarray(heading))
        self.stop, self.steps, self.last_shift, self.last_turn = stop, steps, shift, float(turn)

    def moves(self, toe: np.ndarray, heading: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far to move toes (..., 3), metres, and to turn feet (...,), radians, so that they stand in this place.

        Feet that would have to be turned by more than `_SLACK` turn with their person.
        """
        shift = np.stack((self.place[0] - toe[..., 0], -toe[..., 1], self.place[1] - toe[..., 2]), -1)
        return shift, np.clip((self.heading - heading + np.pi) % (2 * np.pi) - np.pi, -_SLACK, _SLACK)


class Contacts:
    """The contacts of both feet of every person, found frame by frame.

    Attributes:
        feet: for every person and foot, left first, its latest contacts in the order of time.
    """

    def __init__(self, persons: int) -> None:
        self.feet: list[list[list[Contact]]] = [[[], []] for _ in range(persons)]
        self._next = 0
        self._creep = np.full((persons, 2), _CREEP)

    def find(self, toes: np.ndarray, headings: np.ndarray, first: int, until: int) -> None:
        """Decide all frames before ``until`` that are undecided yet.

        Args:
            toes: (T, P, 2, 3) places of the toes, metres; from `SPAN` frames before the first undecided frame to
                `LOOK_AHEAD` frames after the last one, as far as the motion reaches.
            headings: (T, P, 2) directions of the feet, radians.
            first: number of the first frame of the arrays.
            until: number of a frame.
        """
        height, leaving, landing = toes[..., 1], _speed(toes, SPAN, 0), _speed(toes, 0, SPAN)
        speed = _speed(toes, SPAN, SPAN)
        low = 1 - np.maximum(height, 0) / _HOVERS
        for frame in range(self._next - first, until - first):
            soon = slice(frame, frame + CONFIRMED + 1)
            fastest = np.clip(_RESTLESS * self._creep, *_LEAVES)
            alone = [[not _stands(feet[1 - side]) for side in range(2)] for feet in self.feet]
            fastest = np.where(alone, np.maximum(fastest, _NEEDED), fastest) * low[soon]
            leaves, stays = leaving[frame] > fastest[0], (landing[soon] < _LANDS * fastest).all(0)
            for person, feet in enumerate(self.feet):
                for side, contacts in enumerate(feet):
                    foot, number = (person, side), frame + first
                    if _stands(contacts):
                        self._creep[foot] += _RENEWAL * (speed[frame][foot] - self._creep[foot])
                        astray = np.hypot(*(toes[frame][foot][[0, 2]] - contacts[-1].place))
                        steps = bool(astray > (_ASTRAY if _stands(feet[1 - side]) else _FAR_ASTRAY))
                        landed = number - contacts[-1].start >= SPAN
                        if (leaves[foot] and landed) or steps:
                            contacts[-1].end(number, toes[frame - 1][foot], headings[frame - 1][foot], steps)
                    elif stays[foot] and not _stepping(contacts, number):
                        calmest = frame + int(np.argmin(speed[(soon, *foot)]))
                        contact = Contact(number, toes[calmest][foot][[0, 2]], float(headings[calmest][foot]))
                        contact.begin(toes[frame][foot], headings[frame][foot])
                        contacts.append(contact)
        self._next = max(self._next, until)


def _speed(toes: np.ndarray, back: int, on: int) -> np.ndarray:
    """Mean speed (T, P, 2) from ``back`` frames before each frame to ``on`` frames after it, metres a second."""
    frames = np.arange(len(toes))
    after, before = np.minimum(frames + on, frames[-1]), np.maximum(frames - back, 0)
    way = np.linalg.norm((toes[after] - toes[before])[..., [0, 2]], axis=-1)
    return way * FPS / np.maximum(after - before, 1)[:, None, None]


def _stands(contacts: list[Contact]) -> bool:
    return bool(contacts) and contacts[-1].stop is None


def _stepping(contacts: list[Contact], frame: int) -> bool:
    return bool(contacts) and contacts[-1].steps and frame < (contacts[-1].stop or 0) + STEP
