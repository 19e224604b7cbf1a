"""Brings a partner to where they are expected: what was drawn and what is expected are two witnesses of a place.

Codes are led to where the partner of a lone person is expected (`backend.language.leading`), but by a reading of them
that is 10 cm off for hands. So hips and hands go the rest of the way, to the mean of where they were drawn and where
they are expected, each weighed by how far it may be off. Where little is known of a place, little moves.
"""

from __future__ import annotations

import numpy as np

from protocol.skeleton import JOINT

from ..language.anticipation import Whereabouts, step_means
from ..language.between import READ_JOINTS
from ..tokenizer.config import STRIDE
from .arms import WRISTS, limited, reaching
from .frames import Frames
from .stage import Stage

_KERNEL = np.convolve(np.ones(STRIDE), np.ones(STRIDE)) / STRIDE**2
"""Weights of the frames about a frame: what means over latent steps, and the way from one to the next, make of them."""
_REACH = len(_KERNEL) // 2
_CALM = np.array([1, 4, 6, 4, 1]) / 16
"""Weights of the latent steps about a step: what is expected of each of them comes by itself, and shakes."""
_HIPS_OFF, _HANDS_OFF = 0.06, 0.10
"""Metres along an axis by which hips and hands are off where they were drawn."""
_NEAR, _FREE = 0.2, 0.35
"""Metres from the nearest joint of the other: hands expected within the first are about to touch, and those beyond the
second do something on their own, at a moment of their own, which a mean would flatten."""
_FARTHEST = 0.3
"""Metres by which hips or a hand are moved at most."""


class _Expected(Stage):
    """Knows how far joints of the first person are to go.

    Args:
        expected: where the person is expected, in all of the motion.
        joints: of the `READ_JOINTS`.
        off: metres along an axis by which they are off where they were drawn.
    """

    behind = ahead = _REACH

    def __init__(self, expected: Whereabouts, joints: list[int], off: float) -> None:
        super().__init__()
        read = [READ_JOINTS.index(joint) for joint in joints]
        self._joints = joints
        shares = off**2 / (off**2 + expected.variances[:, read])
        steps = np.arange(len(shares))
        self._places = _mean_about(expected.places[:, read].astype(np.float64), steps, _CALM)  # (L, J, 3)
        self._shares = _mean_about(shares, steps, _CALM)  # (L, J) of the way that is gone

    def ways(self, window: Frames, start: int, stop: int) -> np.ndarray:
        """How far (T, J, 3) the joints are to go in some frames of a window, metres."""
        frames = np.arange(start, stop)
        drawn = _mean_about(window.positions[:, 0, self._joints], frames, _KERNEL)
        at = (self.first + frames - (STRIDE - 1) / 2) / STRIDE  # latent steps, whose middles have whole numbers
        before = np.clip(np.floor(at).astype(int), 0, len(self._places) - 1)
        after = np.minimum(before + 1, len(self._places) - 1)
        on = np.clip(at - before, 0, 1)[:, None]
        places = self._places[before] + on[..., None] * (self._places[after] - self._places[before])
        shares = self._shares[before] + on * (self._shares[after] - self._shares[before])
        return limited(shares[..., None] * (places - drawn), _FARTHEST)


class ExpectedHips(_Expected):
    """Moves one person over the ground.

    Args:
        expected: where the person is expected, in all of the motion.
    """

    def __init__(self, expected: Whereabouts) -> None:
        super().__init__(expected, [JOINT["pelvis"]], _HIPS_OFF)

    def work(self, window: Frames, start: int, stop: int) -> Frames:
        """Move the person in the frames."""
        return window.slice(start, stop).shifted(self.ways(window, start, stop) * np.array([1.0, 0.0, 1.0]))


class ExpectedHands(_Expected):
    """Turns the arms of one person where the hands are about to touch another one.

    Args:
        expected: where the person is expected, in all of the motion.
        partner: the other one, in all of it.
    """

    def __init__(self, expected: Whereabouts, partner: Frames) -> None:
        super().__init__(expected, WRISTS, _HANDS_OFF)
        others = step_means(partner.positions[:, 0])  # (L, 22, 3)
        far = np.linalg.norm(self._places[:, :, None] - others[:, None], axis=-1).min(-1)  # (L, 2)
        self._shares *= np.clip((_FREE - far) / (_FREE - _NEAR), 0, 1)

    def work(self, window: Frames, start: int, stop: int) -> Frames:
        """Turn the arms in the frames."""
        return reaching(window.slice(start, stop), self.ways(window, start, stop)[:, None])


def _mean_about(values: np.ndarray, at: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted means (n, ...) of values (T, ...) about the numbers ``at`` (n,); the ends of the values go on."""
    reach = len(weights) // 2
    around = np.clip(at[:, None] + np.arange(-reach, reach + 1), 0, len(values) - 1)
    return np.einsum("k,nk...->n...", weights, values[around])
