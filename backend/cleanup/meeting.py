"""Leads hands that nearly meet until they touch: palms to palms, and where it is known who does what, onto bodies.

The place of a person is told to a few centimetres only, so hands that should shake or clap miss each other by as much.
"""

from __future__ import annotations

import numpy as np

from .arms import limited, reaching
from .expected import EXPECTED, Expected
from .frames import Frames
from .gaps import candidates, gap, palms, raised, scale
from .stage import Stage
from .touches import BEHIND, EASE_IN, EASE_OUT, SOON, Touches

_FARTHEST = 0.3
"""Metres by which a wrist is moved at most."""


class Meeting(Stage):
    """Moves arms so that palms meet what they come near to.

    Args:
        offsets: (P, 22, 3) rest offsets of those who are moved, metres.
        kind: id of the interaction, if it is known: then only what touches in it is led, and from farther away.
        partner: one more person, who stays as is, for the whole motion.
        partner_offsets: (1, 22, 3) of that person.
    """

    behind, ahead = BEHIND, EASE_IN + SOON

    def __init__(
        self,
        offsets: np.ndarray,
        kind: str | None = None,
        partner: Frames | None = None,
        partner_offsets: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self._partner = partner
        self._offsets = offsets if partner_offsets is None else np.concatenate((offsets, partner_offsets))
        self._moved = len(offsets)
        expected = None if kind is None else EXPECTED.get(kind, Expected())
        self._rest = 0.0 if expected is None else expected.rest
        self._candidates = candidates(scale(self._offsets), self._moved, expected)
        self._touches = Touches(self._candidates, expected)

    def work(self, window: Frames, start: int, stop: int) -> Frames:
        """Lead the hands of the frames."""
        frames = window.slice(start, stop)
        if not self._candidates:
            return frames
        hands, joints = palms(window, self._offsets[: self._moved]), window.positions
        if self._partner is not None:
            at = np.minimum(np.arange(len(window)) + self.first, len(self._partner) - 1)
            beside = Frames(*(values[at] for values in vars(self._partner).values()))
            hands = np.concatenate((hands, palms(beside, self._offsets[self._moved :])), 1)
            joints = np.concatenate((joints, beside.positions), 1)
        gaps = np.stack([gap(one, hands, joints, self._rest) for one in self._candidates])
        up = np.stack([raised(one, hands, joints) for one in self._candidates])
        until = min(stop + EASE_IN, len(window))
        self._touches.find(gaps, hands, up, self.first, self.first + until)
        reach = self._ways(np.arange(self.first + start, self.first + stop), gaps[:, start:stop])
        if not reach.any():
            return frames
        return self._led(frames, reach, hands[start:stop])

    def _ways(self, numbers: np.ndarray, gaps: np.ndarray) -> np.ndarray:
        """How far (T, P, 2, 3) to lead the palms of all persons in frames of these numbers, metres."""
        ways = np.zeros((len(numbers), len(self._offsets), 2, 3))
        for touches, missing in zip(self._touches.found, gaps, strict=True):
            for touch in touches:
                if touch.stop is not None and touch.stop + EASE_OUT < numbers[0]:
                    continue
                way, share = touch.leads(numbers, missing)
                hands = touch.candidate.hands
                both = len(hands) == 2 and hands[1][0] < self._moved
                for (person, side), part in zip(hands, (0.5, -0.5) if both else (1.0, 0.0), strict=False):
                    ways[:, person, side] += share[:, None] * (part * way - ways[:, person, side])
        return ways

    def _led(self, frames: Frames, ways: np.ndarray, hands: np.ndarray) -> Frames:
        """Frames with the palms led; where an arm is too short, the other's hand comes the rest of the way."""
        own = limited(ways[:, : self._moved], _FARTHEST)
        led = reaching(frames, own)
        short = hands[:, : self._moved] + own - palms(led, self._offsets[: self._moved])
        if np.abs(short).max() < 1e-3:
            return led
        more = own.copy()
        for candidate in self._candidates:
            (person, side), *others = candidate.hands
            for other, on in others:
                if other < self._moved:
                    active = _together(own[:, person, side], own[:, other, on])
                    more[:, other, on] -= active * short[:, person, side]
                    more[:, person, side] -= active * short[:, other, on]
        return reaching(frames, more)


def _together(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """1 (T, 1) where two ways (T, 3) are each other's opposite: the palms are on their way to each other; else 0."""
    there = np.linalg.norm(one, axis=-1) > 1e-6
    return (there & (np.linalg.norm(one + other, axis=-1) < 1e-6))[:, None].astype(float)
