"""Where on the floor a motion begins: as rigs stand right now, or at the 3D cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bpy.types import Scene

from protocol import rotations as rot
from protocol.motion import Motion, joined_as_persons

from ..retarget.transfer import to_motion
from ..stubs import ArmatureObject
from .capture import FPS
from .rig import Y_UP, calibrated, world_matrices

_APART = 0.3
"""Metres: where two stand nearer than that, which way the one is from the other says nothing."""


@dataclass(frozen=True)
class Place:
    """A place on the floor and a direction, in the world of `Motion`.

    Attributes:
        x: metres.
        z: metres.
        heading: radians about +Y from +Z.
        between: whether the middle of both persons comes to the place and B is in that direction from A; else A comes
            to the place and faces in that direction.
    """

    x: float
    z: float
    heading: float
    between: bool = False

    def moved(self, motion: Motion, first: Motion) -> Motion:
        """A motion, or a stretch of it, moved so that ``first``, the frame that it begins with, is at the place."""
        root = first.root[0].astype(float)
        if self.between:
            middle = root.mean(0)
            towards = root[-1] - root[0]
            now = float(np.arctan2(towards[0], towards[2]))
        else:
            middle = root[0]
            now = float(rot.yaw(first.rotations[0, 0, 0].astype(float)))
        turn = rot.about_y(np.array(self.heading - now))
        shift = np.array([self.x, 0.0, self.z]) - rot.rotate(turn, middle) * np.array([1.0, 0.0, 1.0])
        return motion.moved(turn, shift)


def at_cursor(scene: Scene) -> Place:
    """A at the 3D cursor, facing its -Y, which is what characters in Blender face."""
    matrix: np.ndarray = Y_UP @ np.array(scene.cursor.matrix, float)
    ahead = -matrix[:3, 1]
    return Place(float(matrix[0, 3]), float(matrix[2, 3]), float(np.arctan2(ahead[0], ahead[2])))


def at_first(characters: Sequence[ArmatureObject]) -> Place:
    """A where it stands, facing where it faces.

    Raises:
        DuologueError: what `animation.rig.calibrated` has against a rig.
    """
    first = standing(characters[:1])
    x, _, z = first.root[0, 0].astype(float)
    return Place(float(x), float(z), float(rot.yaw(first.rotations[0, 0, 0].astype(float))))


def where_they_stand(characters: Sequence[ArmatureObject]) -> Place:
    """The middle of A and B and the line between them; A's own place where both stand on the same spot.

    Raises:
        DuologueError: what `animation.rig.bone_map_of` has against a rig.
    """
    a, b = standing(characters).root[0].astype(float) * [1, 0, 1]
    if np.linalg.norm(b - a) < _APART:
        return at_first(characters)
    middle, towards = (a + b) / 2, b - a
    return Place(float(middle[0]), float(middle[2]), float(np.arctan2(towards[0], towards[2])), between=True)


def standing(characters: Sequence[ArmatureObject]) -> Motion:
    """One frame: the characters as they stand right now, in the world of `Motion`.

    Raises:
        DuologueError: what `animation.rig.bone_map_of` has against a rig.
    """
    poses = []
    for one in characters:
        calibration = calibrated(one)
        poses.append(to_motion(FPS, world_matrices(one, calibration.bones)[None], calibration))
    return joined_as_persons(poses)
