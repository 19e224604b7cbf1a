"""One ground for all persons of a motion: where hips and ankles go on the bodies of rigs, before any contact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from protocol import rotations as rot

from .body import ANKLES, HIPS, TOES, leg_height
from .options import Options
from .pose import Pose
from .rest_pose import Calibration


class Ground:
    """The scales of a motion on its targets, fixed at its first frame so that later parts of it fit on.

    Horizontally a pair shares one scale about its common midpoint, or hands that met would not meet; a lone person
    keeps its ground, on which its partner may stand. Heights take each person's own scale.
    """

    def __init__(self, root: np.ndarray, offsets: np.ndarray, bodies: Sequence[Calibration], options: Options) -> None:
        """Take the scales from the bodies.

        Args:
            root: (P, 3) of the source's first frame, metres.
            offsets: (P, 22, 3) of the source, metres.
            bodies: a calibrated rig per person.
            options: whether heights are kept.
        """
        self.offsets = np.stack([body.offsets for body in bodies])
        own = leg_height(self.offsets) / leg_height(offsets)
        self._wide = float(own.mean()) if len(bodies) > 1 else 1.0
        self._tall = np.ones_like(own) if options.keep_heights else own
        self._middle = root.mean(0) * [1, 0, 1]
        self._clearance = np.array([body.clearance for body in bodies])

    def place(self, points: np.ndarray) -> np.ndarray:
        """Source points (T, P, 3) on the common ground of the targets; heights are left for the caller."""
        return (points - self._middle) * [self._wide, 1, self._wide] + self._middle

    def posed(self, source: Pose) -> Pose:
        """The targets with the source's rotations, hips at the height of their own legs."""
        hips = source.joints()[:, :, HIPS].mean(2)
        # Kept heights are those over the floor; what a body's legs are longer or shorter is left to its knees.
        height = hips[..., 1] * self._tall + self._clearance
        hips = self.place(hips)
        hips[..., 1] = height
        root = hips - rot.rotate(source.world[:, :, 0], self.offsets[:, HIPS].mean(1).astype(np.float32))
        return Pose(root.astype(np.float32), source.world.copy(), self.offsets)

    def ankles(self, source: Pose) -> np.ndarray:
        """(T, P, 2, 3) where the ankles go, metres: over the source's place, and no part of the foot in the floor."""
        joints = source.joints()
        targets = []
        for ankle, toe in zip(ANKLES, TOES, strict=True):
            target = self.place(joints[:, :, ankle])
            by_ankle = (joints[:, :, ankle, 1] + source.offsets[:, toe, 1]) * self._tall - self.offsets[:, toe, 1]
            down = rot.rotate(source.world[:, :, ankle], self.offsets[:, toe])[..., 1]
            target[..., 1] = np.maximum(by_ankle, joints[:, :, toe, 1] * self._tall - down) + self._clearance
            targets.append(target)
        return np.stack(targets, axis=2)
