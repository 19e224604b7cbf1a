"""What carries a whole rig through the world, found and tried out: the bone under its hips, or the object itself."""

from __future__ import annotations

import numpy as np
from mathutils import Matrix

from protocol import rotations as rot
from protocol.errors import DuologueError

from ..retarget.mapping import BoneMap
from ..retarget.options import ON_OBJECT
from ..retarget.rest_pose import facing
from ..retarget.rig import Rig
from ..retarget.root import Carrier, root_bone
from ..stubs import ArmatureObject
from .condition import check_free
from .rig import OBJECT, Y_UP, restore_pose, saved_pose, world_matrices

_SAME = 0.005
"""Metres, on a rig of human size, by which bones may miss where a root bone should have carried them."""


def rotation_mode(armature: ArmatureObject, bone: str) -> str:
    """Rotation mode of a bone, or of the object."""
    return armature.rotation_mode if bone == OBJECT else armature.pose.bones[bone].rotation_mode


def measured_carrier(armature: ArmatureObject, rig: Rig, bones: BoneMap, root: str) -> Carrier:
    """The object or the root bone, whichever ``root`` names, as a carrier.

    Raises:
        DuologueError: ``no_root_bone``, ``root_bone_carries_not``, or what `check_free` raises.
    """
    heading = float(rot.yaw(rot.inverse(facing(rig, bones.bones))))
    if root == ON_OBJECT:
        check_free(armature, OBJECT)
        above = armature.parent.matrix_world @ armature.matrix_parent_inverse if armature.parent else Matrix()
        return Carrier(OBJECT, Y_UP @ np.array(above), rig.world, heading)
    bone = root_bone(rig, bones)
    if bone is None:
        raise DuologueError(
            "no_root_bone",
            f"“{rig.name}” has no bone under its hips that could carry it.",
            "Choose Hips or Object as Root.",
        )
    check_free(armature, bone)
    return Carrier(bone, *_tried(armature, bone, [name for names in bones.bones.values() for name in names]), heading)


def _tried(armature: ArmatureObject, bone: str, mapped: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Where a root bone is when its channels are zero, twice, after seeing that all mapped bones go where it goes."""
    pose = armature.pose.bones[bone]
    saved = saved_pose(armature, [bone], ())
    names = [bone, *mapped]
    try:
        pose.matrix_basis = Matrix()
        still = world_matrices(armature, names)
        pose.matrix_basis = Matrix.Translation((0.2, 0.1, -0.3)) @ Matrix.Rotation(0.8, 4, (0.3, 1.0, 0.5))
        moved = world_matrices(armature, names)
    finally:
        restore_pose(armature, saved)
        world_matrices(armature, names)
    carried = moved[0] @ np.linalg.inv(still[0]) @ still
    size = np.ptp(still[:, :3, 3], axis=0).max()
    if np.abs(carried[:, :3, 3] - moved[:, :3, 3]).max() > _SAME * size:
        raise DuologueError(
            "root_bone_carries_not",
            f"The root bone “{bone}” of “{armature.name}” does not carry all of its bones.",
            "Choose Hips or Object as Root, or let the rig's controls follow its root.",
        )
    return still[0], still[0]
