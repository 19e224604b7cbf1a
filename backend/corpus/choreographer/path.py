"""Where a person goes: the pelvis's track over the floor and its heading, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .blend import FPS, smooth


@dataclass(frozen=True, eq=False)
class Path:
    """A track over the floor.

    Attributes:
        xz: (T, 2) metres.
        heading: (T,) radians about +Y, unwrapped; 0 faces +Z, +pi/2 faces +X.
    """

    xz: np.ndarray
    heading: np.ndarray

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.heading)

    def velocity(self) -> np.ndarray:
        """(T, 2) metres a second."""
        return np.gradient(self.xz, axis=0) * FPS if self.frames > 1 else np.zeros_like(self.xz)

    def extended(self, pad: int) -> Path:
        """The path with ``pad`` frames more at both ends, in which the motion of the ends goes on."""
        before, after = np.arange(-pad, 0)[:, None], np.arange(1, pad + 1)[:, None]
        first, last = self.xz[1] - self.xz[0], self.xz[-1] - self.xz[-2]
        turn_in, turn_out = self.heading[1] - self.heading[0], self.heading[-1] - self.heading[-2]
        return Path(
            np.concatenate((self.xz[0] + before * first, self.xz, self.xz[-1] + after * last)),
            np.concatenate(
                (self.heading[0] + before[:, 0] * turn_in, self.heading, self.heading[-1] + after[:, 0] * turn_out)
            ),
        )


def direction(heading: np.ndarray | float) -> np.ndarray:
    """The unit floor vector (..., 2) that a heading looks along."""
    return np.stack((np.sin(heading), np.cos(heading)), axis=-1)


def leftward(heading: np.ndarray | float) -> np.ndarray:
    """The unit floor vector (..., 2) to the left of a heading."""
    return np.stack((np.cos(heading), -np.sin(heading)), axis=-1)


def heading_of(vector: np.ndarray) -> np.ndarray:
    """The heading (...,) that looks along floor vectors (..., 2)."""
    return np.arctan2(vector[..., 0], vector[..., 1])


def standing(xz: np.ndarray, heading: float, frames: int) -> Path:
    """A path that stays where it is."""
    return Path(np.tile(np.asarray(xz, np.float64), (frames, 1)), np.full(frames, heading, np.float64))


def moving(xz: np.ndarray, heading: np.ndarray, softness: int = 6) -> Path:
    """A path through (T, 2) points and (T,) headings, rounded over ``softness`` frames."""
    return Path(smooth(np.asarray(xz, np.float64), softness), smooth(np.unwrap(heading), softness))
