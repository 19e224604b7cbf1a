"""What carries a body through the world where that is not its hips: a root bone, or the object itself.

The carrier stands on its own height under the pelvis and faces where the pelvis faces; the body is then keyed relative
to it, as engines want it that take root motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion

from .mapping import LOCATION, BoneMap
from .naming import plain
from .rig import Rig, orthonormal

_ROOT_NAMES = frozenset({"root", "ctraj", "traj", "master", "reference"})
"""What root bones are called, as `naming.plain` has it."""


def root_bone(rig: Rig, bones: BoneMap) -> str | None:
    """The bone that carries a rig: one called so that is not mapped, else the topmost over the hips; None if none is.

    On control rigs it is not above the hips but in a constraint, hence names come first.
    """
    mapped = {name for names in bones.bones.values() for name in names}
    carries = bones.bones.get(LOCATION, bones.bones["pelvis"])[0]
    index = rig.index(carries)
    while rig.parents[index] >= 0:
        index = rig.parents[index]
    called = [name for name in rig.bones if plain(name).stem in _ROOT_NAMES]
    return next((name for name in (*called, rig.bones[index]) if name not in mapped), None)


@dataclass(frozen=True, eq=False)
class Carrier:
    """A bone, or the object, that carries a whole rig.

    Attributes:
        bone: its name; `OBJECT` for the object itself.
        frame: (4, 4) where its channels are zero, in the world of `Motion`; its columns scale as its location does.
        rest: (4, 4) where it was when the rig's rest pose was read.
        heading: radians about +Y to which the rig faces then.
    """

    bone: str
    frame: np.ndarray
    rest: np.ndarray
    heading: float

    def carried(self, motion: Motion) -> tuple[np.ndarray, np.ndarray, Motion]:
        """Channels of the carrier, rotations (T, 4) and location (T, 3), and the motion relative to it.

        Args:
            motion: of one person, in the world.

        Returns:
            The rest is a motion in the world as it would be if the carrier had stayed where it was.
        """
        pelvis = motion.root[:, 0]
        # The twist of the pelvis about the vertical, which lying down does not lead astray.
        heading = 2 * np.arctan2(motion.rotations[:, 0, 0, 2], motion.rotations[:, 0, 0, 0])
        turn = rot.about_y(heading - self.heading).astype(np.float32)
        origin = self.rest[:3, 3]
        ground = np.stack((pelvis[:, 0], np.full(len(pelvis), origin[1]), pelvis[:, 2]), axis=-1)
        stayed = rot.rotate(rot.inverse(turn), (pelvis - ground).astype(np.float32)) + origin
        rotations = motion.rotations.copy()
        rotations[:, 0, 0] = rot.multiply(rot.inverse(turn), rotations[:, 0, 0])
        own, rest = (rot.from_matrix(orthonormal(one[:3, :3])).astype(np.float32) for one in (self.frame, self.rest))
        turned = rot.multiply(rot.multiply(rot.inverse(own)[None], turn), rest[None])
        location = (ground - self.frame[:3, 3]) @ np.linalg.inv(self.frame[:3, :3]).T
        relative = Motion(motion.fps, stayed[:, None].astype(np.float32), rot.normalize(rotations), motion.offsets)
        return rot.normalize(turned), location.astype(np.float32), relative
