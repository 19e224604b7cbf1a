"""A stretch of poses with the places of all joints beside them, so that stages move them without posing anew."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import PARENTS


def _levels() -> list[tuple[list[int], list[int]]]:
    """Joints of each depth of the tree with their parents: a stretch is short, so calls cost more than numbers."""
    depth: list[int] = []
    for parent in PARENTS:
        depth.append(0 if parent < 0 else depth[parent] + 1)
    levels = [[joint for joint, d in enumerate(depth) if d == level] for level in range(1, max(depth) + 1)]
    return [(joints, [PARENTS[joint] for joint in joints]) for joints in levels]


_LEVELS = _levels()


@dataclass(frozen=True, eq=False)
class Frames:
    """T frames of P persons, float64.

    Attributes:
        root: (T, P, 3) metres.
        rotations: (T, P, 22, 4) local.
        positions: (T, P, 22, 3) of all joints in the world, metres.
        world: (T, P, 22, 4) world rotations of all joints.
    """

    root: np.ndarray
    rotations: np.ndarray
    positions: np.ndarray
    world: np.ndarray

    def __len__(self) -> int:
        return len(self.root)

    @classmethod
    def of(cls, motion: Motion) -> Frames:
        """All frames of a motion, posed."""
        rotations = motion.rotations.astype(np.float64)
        world, positions = np.empty_like(rotations), np.empty((*rotations.shape[:3], 3))
        world[:, :, 0], positions[:, :, 0] = rotations[:, :, 0], motion.root
        for joints, parents in _LEVELS:
            above = world[:, :, parents]
            world[:, :, joints] = rot.multiply(above, rotations[:, :, joints])
            positions[:, :, joints] = positions[:, :, parents] + rot.rotate(above, motion.offsets[:, joints])
        return cls(motion.root.astype(np.float64), rotations, positions, world)

    def slice(self, start: int, stop: int) -> Frames:
        """Frames ``start`` up to, not including, ``stop``."""
        return Frames(
            self.root[start:stop], self.rotations[start:stop], self.positions[start:stop], self.world[start:stop]
        )

    def followed_by(self, others: Frames) -> Frames:
        """These frames, then ``others``."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return Frames(*(np.concatenate(pair) for pair in pairs))

    def shifted(self, by: np.ndarray) -> Frames:
        """Whole persons moved by ``by`` (T, P, 3), metres."""
        return replace(self, root=self.root + by, positions=self.positions + by[:, :, None])
