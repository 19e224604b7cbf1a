"""Walks the root by its standing feet: where a person goes is told by the pose better than by the coded place.

The place of each latent step is drawn on its own, so the root of a person who stands still sways by centimetres, and
the feet with it, while the pose is smooth. A foot that stands says how the root moves over it. So the root's changes
are taken from the standing foot, and its place from the mean of the coded places: a complementary filter of the two.
"""

from __future__ import annotations

import numpy as np

from protocol.skeleton import JOINT

from .contacts import FPS
from .frames import Frames
from .stage import Stage

TOES = [JOINT["left_foot"], JOINT["right_foot"]]

_REACH = 4
"""Frames to either side over which the coded places are averaged."""
_KERNEL = np.hanning(2 * _REACH + 3)[_REACH + 1 : -1] / np.hanning(2 * _REACH + 3).sum()
"""Weights of the way at a frame, and at those so many frames before and after it."""
_PULL = 0.1
"""Share of the way to the mean coded place that is made up in a frame: a time constant of 0.3 s. At 0.8 s roots were
7 cm off their coded places, 5 cm now, and hands that should meet came less often: of 156 first attempts 63 % showed
what was asked for, and 65 % now."""
_LEVEL = 0.015
"""Metres by which the standing foot is the lower one."""
_AIRBORNE = (0.06, 0.03)
"""Metres over the floor at which a foot ceases to bear, and over which it does so."""
_STEADY = 0.5
"""Metres a second by which the root's speed over a standing foot differs from what it was."""
_LIKELY = 1.5
"""Metres a second by which it differs from the mean speed as coded."""
_EXACT = 0.05
"""Metres a second: where code and feet mostly agree, a foot that moves the root just as the code does stands."""
_MEMORY = 12
"""Frames back over which the mean speed as coded is taken."""
_RENEWAL = 0.25
"""Share of the newest frame in what is remembered of the speed and of how far code and feet disagree."""
_TRUST_IN_CODE = 0.02
"""Weight of the coded movement, which decides while nobody stands."""
_STANDING, _JUMPING = 0.06, 0.14
"""Metres of the lowest joint over the floor: up to the first it is brought down, from the second on it flies."""


class RootPath(Stage):
    """Replaces the root's path; poses stay."""

    behind, ahead = _MEMORY + 1, _REACH

    def __init__(self) -> None:
        super().__init__()
        self._way: list[np.ndarray] = []  # of every frame, (P, 2): where the feet have carried the root
        self._adrift: list[np.ndarray] = []  # of every frame, (P, 2): coded place less that
        self._speed: np.ndarray | float = 0.0  # (P, 1, 2) at which the feet have moved the root lately
        self._discord: np.ndarray | float = 0.0  # (P, 1) mean squared difference of that and the code
        self._kept: np.ndarray | None = None  # (P, 2) what `_adrift` is taken to be in truth

    def work(self, window: Frames, start: int, stop: int) -> Frames:
        """Move the roots of the frames."""
        shift = np.zeros_like(window.root[start:stop])
        shift[..., [0, 2]] = self._over_ground(window, start, stop)
        shift[..., 1] = _upright(window.root[..., 1], window.positions[..., 1].min(-1), start, stop)
        return window.slice(start, stop).shifted(shift)

    def _over_ground(self, window: Frames, start: int, stop: int) -> np.ndarray:
        self._walk(window)
        shifts = []
        for frame in range(self.first + start, self.first + stop):
            mean = np.mean(self._adrift[max(frame - _REACH, 0) : frame + _REACH + 1], axis=0)
            self._kept = mean if self._kept is None else self._kept + _PULL * (mean - self._kept)
            shifts.append(self._kept - self._adrift[frame] + self._smooth(frame) - self._way[frame])
        return np.stack(shifts)

    def _smooth(self, frame: int) -> np.ndarray:
        """The way (P, 2) at a frame without the jolts of one foot taking over from the other."""
        here = self._way[frame]
        last = len(self._way) - 1
        total = _KERNEL[0] * here
        for reach, share in enumerate(_KERNEL[1:], 1):
            reach = min(reach, frame, last - frame)  # beyond an end the way goes on as it came
            total = total + share * (self._way[frame - reach] + self._way[frame + reach])
        return total

    def _walk(self, window: Frames) -> None:
        """Follow the feet through those frames of a window that are new."""
        root = window.root[..., [0, 2]]
        if not self._adrift:
            self._adrift.append(np.zeros_like(root[0]))
            self._way.append(root[0])
        toes = window.positions[:, :, TOES]
        coded = np.diff(root, axis=0) * FPS  # (T - 1, P, 2) metres a second
        walked = coded[:, :, None] - np.diff(toes[..., [0, 2]], axis=0) * FPS  # (T - 1, P, 2, 2) by either foot
        height = toes[1:, ..., 1]
        lift = (height - height.min(-1, keepdims=True)) / _LEVEL
        lift += np.maximum(height - _AIRBORNE[0], 0) / _AIRBORNE[1]
        for index in range(len(self._adrift) - self.first - 1, len(window) - 1):
            mean = coded[max(index + 1 - _MEMORY, 0) : index + 1].mean(0)
            off = np.sum((walked[index] - coded[index, :, None]) ** 2, -1)  # (P, 2)
            changed = np.sum((walked[index] - self._speed) ** 2, -1) / _STEADY**2
            unlikely = np.sum((walked[index] - mean[:, None]) ** 2, -1) / _LIKELY**2
            weight = np.exp(-lift[index] - changed - unlikely) / (off + self._discord + _EXACT**2)
            total = weight.sum(-1, keepdims=True) + _TRUST_IN_CODE
            step = (np.sum(weight[..., None] * walked[index], axis=1) + _TRUST_IN_CODE * mean) / total
            self._speed = self._speed + _RENEWAL * (step[:, None] - self._speed)
            self._discord = self._discord + _RENEWAL * (off.min(-1, keepdims=True) - self._discord)
            self._way.append(self._way[-1] + step / FPS)
            self._adrift.append(root[index + 1] - self._way[-1])


def _upright(height: np.ndarray, lowest: np.ndarray, start: int, stop: int) -> np.ndarray:
    """How far to raise persons (stop - start, P), metres: to stand on the floor, and no longer to bob at every step.

    Args:
        height: (T, P) of the root.
        lowest: (T, P) of the lowest joint.
        start: first of the frames that are wanted.
        stop: the one after the last.
    """
    bearing = np.clip((_JUMPING - lowest) / (_JUMPING - _STANDING), 0, 1)
    raised = _weighted(-lowest * bearing, start, stop)
    return raised + bearing[start:stop] * (_weighted(height, start, stop) - height[start:stop])


def _weighted(values: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Mean of values (T, P) about each of some frames, by `_KERNEL`; an end is held."""
    kernel = np.concatenate((_KERNEL[:0:-1], _KERNEL))
    padded = np.pad(values, ((_REACH, _REACH), (0, 0)), mode="edge")
    taps = range(start, start + len(kernel))
    return np.sum([share * padded[tap : tap + stop - start] for share, tap in zip(kernel, taps, strict=True)], axis=0)
