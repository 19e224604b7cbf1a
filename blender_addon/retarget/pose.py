"""`Pose`: a motion while the passes of retargeting work on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import PARENTS

from .limb import reach
from .transfer import localized

_PARENTS = np.array(PARENTS[1:])


class Pose:
    """Roots and world rotations of T frames of P persons; a joint that is turned does not turn what hangs from it.

    Attributes:
        root: (T, P, 3) metres.
        world: (T, P, 22, 4) world rotations.
        offsets: (P, 22, 3) rest offsets, metres.
    """

    def __init__(self, root: np.ndarray, world: np.ndarray, offsets: np.ndarray) -> None:
        self.root, self.world, self.offsets = root, world, offsets
        self._joints: np.ndarray | None = None

    @classmethod
    def of(cls, motion: Motion) -> Pose:
        """The pose of a motion, which is not changed by what happens to the pose."""
        joints, world = motion.forward_kinematics()
        pose = cls(motion.root.copy(), world, motion.offsets)
        pose._joints = joints
        return pose

    def frames(self, which: slice | np.ndarray) -> Pose:
        """Some of the frames, by slice or indices, as a pose of their own."""
        return Pose(self.root[which].copy(), self.world[which].copy(), self.offsets)

    def put(self, which: np.ndarray, frames: Pose) -> None:
        """Replace frames, by their indices."""
        self.root[which], self.world[which], self._joints = frames.root, frames.world, None

    def motion(self, fps: float, persons: int) -> Motion:
        """The motion of the first ``persons``."""
        local = rot.normalize(localized(self.world[:, :persons]))
        return Motion(fps, self.root[:, :persons], local, self.offsets[:persons])

    def joints(self) -> np.ndarray:
        """(T, P, 22, 3) positions, metres; not to be written to."""
        if self._joints is None:
            steps = rot.rotate(self.world[:, :, _PARENTS], self.offsets[:, 1:])
            self._joints = np.empty((*self.world.shape[:3], 3), np.float32)
            self._joints[:, :, 0] = self.root
            for joint, parent in enumerate(PARENTS[1:], 1):
                self._joints[:, :, joint] = self._joints[:, :, parent] + steps[:, :, joint - 1]
        return self._joints

    def shift(self, by: np.ndarray) -> None:
        """Move whole persons by (T, P, 3) metres."""
        self.root = (self.root + by).astype(np.float32)
        if self._joints is not None:
            self._joints = self._joints + by[:, :, None].astype(np.float32)

    def turn(self, joint: int, by: np.ndarray) -> None:
        """Turn a joint, in the world, by (T, P, 4) rotations."""
        self.world[:, :, joint] = rot.multiply(by.astype(np.float32), self.world[:, :, joint])
        self._joints = None

    def lead(self, limb: Sequence[int], target: np.ndarray, forward: float) -> None:
        """Bring the end of a limb to ``target`` (T, P, 3), or as near as it reaches; the end's rotation is kept.

        Args:
            limb: its three joints.
            target: metres.
            forward: where the middle joint points when the limb is straight: +1 as a knee does, -1 as an elbow.
        """
        upper, lower, end = limb
        joints = self.joints()
        bend = rot.rotate(self.world[:, :, upper], np.array([0, 0, forward], np.float32))
        turns = reach(joints[:, :, upper], joints[:, :, lower], joints[:, :, end], target, bend)
        for joint, turn in zip((upper, lower), turns, strict=True):
            self.turn(joint, turn)

    def bend(self, limb: Sequence[int], middle: np.ndarray, end: np.ndarray) -> None:
        """Put the middle and the end of a limb where they shall be, (T, P, 3) metres at the limb's own lengths."""
        start, *joints = limb
        places = self.joints()[:, :, list(limb)].copy()
        self.turn(start, rot.between(places[:, :, 1] - places[:, :, 0], middle - places[:, :, 0]))
        self.turn(joints[0], rot.between(places[:, :, 2] - places[:, :, 1], end - middle))
