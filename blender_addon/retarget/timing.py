"""From the frames of a motion that is still arriving to the frames of a scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time


class Resampler:
    """Turns stretches of motion into stretches at another frame rate, as far as they can be known already."""

    def __init__(self, rate: float, total: int) -> None:
        """Resample to ``rate`` frames a second a motion that will have ``total`` frames."""
        self._rate, self._total = rate, total
        self._received = 0
        self._done = 0
        self._last: Motion | None = None

    def push(self, motion: Motion, start: int) -> tuple[int, Motion | None]:
        """Take the next stretch, whose first frame is frame ``start`` of the whole.

        Returns:
            Number of the first new frame at the new rate, and the new frames, None if there are none yet.

        Raises:
            DuologueError: ``motion_gap`` if the stretch does not follow the one before, or runs over the end.
        """
        if start != self._received or start + motion.frames > self._total:
            raise DuologueError(
                "motion_gap",
                f"Frames {start} to {start + motion.frames - 1} of {self._total} came after {self._received} frames.",
                "Restart the backend and try again.",
            )
        known = motion if self._last is None else joined_in_time([self._last, motion])
        first_known = start + motion.frames - known.frames
        self._received, self._last = start + motion.frames, motion.slice(motion.frames - 1, motion.frames)
        step = motion.fps / self._rate
        count = int(np.floor((self._received - 1) / step + 1e-6)) + 1
        if count <= self._done:
            return self._done, None
        begin, self._done = self._done, count
        return begin, _at(known, np.arange(begin, count) * step - first_known, self._rate)


def _at(motion: Motion, times: np.ndarray, rate: float) -> Motion:
    """The motion at ``times`` (T,), in frames of it, as a motion of ``rate`` frames a second."""
    times = np.clip(times, 0, motion.frames - 1)
    low = np.minimum(np.floor(times + 1e-6).astype(int), motion.frames - 1)
    high = np.minimum(low + 1, motion.frames - 1)
    t = np.maximum(times - low, 0).astype(np.float32)[:, None]
    root = motion.root[low] * (1 - t[..., None]) + motion.root[high] * t[..., None]
    turned = rot.slerp(motion.rotations[low], motion.rotations[high], t[..., None])
    return replace(motion, fps=rate, root=root, rotations=turned)
