"""How a rig's limbs follow their IK controls, found by moving these and looking where hands and feet go."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix, Quaternion

from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.skeleton import JOINT_NAMES

from ..retarget.ik import LIMBS, LimbDrive, Placed, chain, pole_angle
from ..retarget.mapping import BoneMap, Switch
from ..retarget.rest_pose import Calibration
from ..retarget.rig import orthonormal
from ..stubs import ArmatureObject
from .rig import Y_UP, restore_pose, saved_pose, set_switches, world_matrices

_FOLDED = 0.3
"""How far hands and feet are brought to the shoulder or hip to see where elbow and knee go, as a share of the limb."""
_NEAR = 0.01
"""What counts as the same place, as a share of the limb's length."""


def measured_limbs(
    armature: ArmatureObject,
    calibration: Calibration,
    keyed: Calibration,
    bones: BoneMap,
    controls: BoneMap,
    switches: tuple[Switch, ...],
) -> tuple[LimbDrive, ...]:
    """How the limbs follow, found by posing the rig twice: all at rest, then trunk turned and limbs folded.

    Args:
        armature: the rig.
        calibration: of the bones that play the joints.
        keyed: of those whose rotations are keyed.
        bones: the rig's map.
        controls: its IK controls.
        switches: what must be set for them to lead.

    Raises:
        DuologueError: ``ik_controls_follow`` or ``ik_without_effect``.
    """
    ends = [end for end in LIMBS if end in controls.bones]
    led = [controls.bones[end][0] for end in ends]
    poles = [controls.bones[LIMBS[end]][0] for end in ends]
    joints = [bones.read[JOINT_NAMES[joint]][0] for end in ends for joint in chain(end)]
    trunk = [name for name in keyed.bones if name not in led]
    looked_at = [*led, *poles, *joints]
    poses = armature.pose.bones
    saved = saved_pose(armature, [*keyed.bones, *poles], switches)
    try:
        set_switches(armature, switches)
        for name in (*keyed.bones, *poles):
            poses[name].matrix_basis = Matrix()
        still = _split(world_matrices(armature, looked_at), len(ends))
        for name in trunk:
            poses[name].matrix_basis = Quaternion((0.2, 0.3, 0.1), 0.15).to_matrix().to_4x4()
        for number, name in enumerate(led):
            start, _, end = still[2][number, :, :3, 3]
            poses[name].location = np.linalg.solve(_axes(armature, name, still[0][number]), (start - end) * _FOLDED)
        folded = _split(world_matrices(armature, looked_at), len(ends))
    finally:
        restore_pose(armature, saved)
        world_matrices(armature, looked_at)
    drives = []
    for number, end in enumerate(ends):
        before, after = (tuple(one[number] for one in state) for state in (still, folded))
        drives.append(_drive(armature, end, (led[number], poles[number]), before, after, calibration, keyed))
    return tuple(drives)


_State = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Matrices of a control (4, 4), of its pole (4, 4), and of the three joints of its limb (3, 4, 4)."""


def _split(matrices: np.ndarray, count: int) -> _State:
    return matrices[:count], matrices[count : 2 * count], matrices[2 * count :].reshape(count, 3, 4, 4)


def _drive(
    armature: ArmatureObject,
    end: str,
    names: tuple[str, str],
    still: tuple[np.ndarray, ...],
    folded: tuple[np.ndarray, ...],
    calibration: Calibration,
    keyed: Calibration,
) -> LimbDrive:
    control, pole = names
    joints, bent = still[2][:, :3, 3], folded[2][:, :3, 3]
    length = np.linalg.norm(joints[1] - joints[0]) + np.linalg.norm(joints[2] - joints[1])
    near = _NEAR * length

    moved = (joints[0] - joints[2]) * _FOLDED
    if np.linalg.norm(folded[0][:3, 3] - still[0][:3, 3] - moved) > near:
        raise _following(armature, control)
    if np.linalg.norm(bent[2] - joints[2] - moved) > near:
        raise DuologueError(
            "ik_without_effect",
            f"“{control}” of “{armature.name}” does not lead its limb, although the limb is switched to IK.",
            "Choose FK Controls under Retargeting, or mend the rig's IK.",
        )
    number = keyed.bones.index(control)
    played = calibration.bone(end)
    assert played is not None  # Wrists and ankles are required.
    if np.linalg.norm(folded[1][:3, 3] - still[1][:3, 3]) <= near:
        follows, pole_still, axes = -1, still[1][:3, 3], _axes(armature, pole, still[1])
    else:
        carried = folded[0] @ np.linalg.inv(still[0]) @ still[1]
        if np.linalg.norm(carried[:3, 3] - folded[1][:3, 3]) > near:
            raise _following(armature, pole)
        turn = rot.inverse(rot.from_matrix(orthonormal(still[0][:3, :3])))
        pole_still = rot.rotate(turn, still[1][:3, 3] - still[0][:3, 3])
        follows, axes = number, rot.to_matrix(turn) @ _axes(armature, pole, still[1])
    line = (bent[2] - bent[0]) / np.linalg.norm(bent[2] - bent[0])
    out = folded[1][:3, 3] - bent[1]
    return LimbDrive(
        end=end,
        control=number,
        from_joint=keyed.heads[number] - calibration.heads[played],
        pole=pole,
        control_placed=Placed(-1, still[0][:3, 3], _axes(armature, control, still[0])),
        pole_placed=Placed(follows, pole_still, axes),
        angle=pole_angle(bent[0], bent[1], bent[2], folded[1][:3, 3]),
        distance=float(max(np.linalg.norm(out - line * (out @ line)), length / 2)),
    )


def _axes(armature: ArmatureObject, name: str, at_rest: np.ndarray) -> np.ndarray:
    """(3, 3) columns: world metres per unit of a bone's three location channels."""
    bone: bpy.types.Bone = armature.data.bones[name]
    return at_rest[:3, :3] if bone.use_local_location else (Y_UP @ np.array(armature.matrix_world))[:3, :3]


def _following(armature: ArmatureObject, control: str) -> DuologueError:
    return DuologueError(
        "ik_controls_follow",
        f"“{control}” of “{armature.name}” follows the body or is held back by a constraint.",
        "Let it follow the world or the root bone, or choose FK Controls under Retargeting.",
    )
