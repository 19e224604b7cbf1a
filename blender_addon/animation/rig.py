"""Armature objects as arrays, with their mapping, and how their controls really move each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Quaternion

from protocol import rotations as rot
from protocol.errors import DuologueError

from ..retarget import detect, mapping
from ..retarget.rest_pose import Calibration, calibrate
from ..retarget.rig import Rig, orthonormal
from ..retarget.transfer import Drive
from ..stubs import ArmatureObject, Context
from .condition import hidden
from .own_map import corrections_of, own_map_of

Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""From Blender's world to that of `Motion`: -Y becomes +Z, Z becomes Y."""
_SAME_DEGREES = 0.2
"""A bone whose rotation relative to another one varies by less follows it."""


def read_rig(armature: ArmatureObject) -> Rig:
    """The rest pose of an armature object.

    Raises:
        DuologueError: ``no_rig`` if the object is no armature or has no bones.
    """
    if armature.type != "ARMATURE" or not armature.data.bones:
        raise DuologueError(
            "no_rig", f"“{armature.name}” is no armature with bones.", "Pick the armature that moves the character."
        )
    bones = list(armature.data.bones)
    index = {bone.name: number for number, bone in enumerate(bones)}
    return Rig(
        name=armature.name,
        bones=tuple(index),
        parents=tuple(index[bone.parent.name] if bone.parent else -1 for bone in bones),
        # Blender stores matrices column by column.
        rest=_of_all(armature.data.bones, "matrix_local", 16).reshape(-1, 4, 4).swapaxes(1, 2),
        tails=_of_all(armature.data.bones, "tail_local", 3),
        world=Y_UP @ np.array(armature.matrix_world),
        connected=frozenset(bone.name for bone in bones if bone.use_connect and bone.parent),
    )


def _of_all(bones: Any, name: str, size: int) -> np.ndarray:
    """(M, size) a property of all bones, many times faster than bone by bone."""
    values = np.empty(len(bones) * size, np.float32)
    bones.foreach_get(name, values)
    return values.reshape(-1, size).astype(float)


def bone_map_of(armature: ArmatureObject) -> mapping.BoneMap:
    """How an armature's bones are mapped: by its own bone map if it has one, else as `detect.best_map` finds it.

    Raises:
        DuologueError: ``no_rig``, ``rig_mirrored``, ``rig_unmapped``, ``bone_map_invalid``, or what `detect` raises.
    """
    found = detection_of(armature)
    if found.error is not None:
        raise found.error.with_traceback(None)
    return found.bone_map


def calibrated(armature: ArmatureObject) -> Calibration:
    """A rig's bones in the T-pose that it would be read in.

    Raises:
        DuologueError: what `bone_map_of` and `calibrate` raise.
    """
    return calibrate(read_rig(armature), bone_map_of(armature).read, corrections_of(armature))


def detection_of(armature: ArmatureObject) -> detect.Detection:
    """The same with as much of the map as there is where it cannot be used, and the reason.

    Raises:
        DuologueError: ``no_rig``.
    """
    rig = read_rig(armature)
    own = own_map_of(armature)
    try:
        rig.check_scale()
        found = _own_map(rig, own) if own else detect.detect(rig)
    except DuologueError as error:
        return detect.Detection(mapping.NO_MAP, error)
    found = detect.checked(rig, found)
    return found if found.error is not None else replace(found, bone_map=mapping.movable(found.bone_map, rig))


def _own_map(rig: Rig, text: str) -> detect.Detection:
    draft = mapping.parse_draft(text)
    found = mapping.resolved(draft, rig.bones)
    missing = mapping.missing_keys(found)
    return detect.Detection(found, mapping.unmapped(draft, found, rig.name) if missing else None)


SavedPose = tuple[dict[str, dict[str, object]], list[tuple[str, str, object]]]
"""Channels by bone and property; values of switches."""
OBJECT = ""
"""The object itself, where a bone's name is expected: no bone has an empty one."""


def saved_pose(armature: ArmatureObject, bones: Sequence[str], switches: Sequence[mapping.Switch]) -> SavedPose:
    """The channels of bones, or of the `OBJECT`, and the values of switches as they are."""
    poses = armature.pose.bones
    values = [(one.bone, one.property, poses[one.bone].get(one.property)) for one in switches]
    channels = {name: _channels(armature if name == OBJECT else poses[name]) for name in bones}
    return channels, [one for one in values if one[2] is not None]


def restore_pose(armature: ArmatureObject, saved: SavedPose) -> None:
    """Put back what `saved_pose` returned; bones that are gone are passed over."""
    poses = armature.pose.bones
    for name, channels in saved[0].items():
        owner = armature if name == OBJECT else poses.get(name)
        for channel, value in channels.items() if owner is not None else ():
            setattr(owner, channel, value)
    for name, switch, value in saved[1]:
        if name in poses:
            poses[name][switch] = value


def set_switches(armature: ArmatureObject, switches: Sequence[mapping.Switch]) -> None:
    """Give properties the values that they must have, each of the type that it has, or it would lose its range."""
    for one in switches:
        bone = armature.pose.bones[one.bone]
        bone[one.property] = type(bone[one.property])(one.value)


def measured_drive(armature: ArmatureObject, calibration: Calibration, switches: Sequence[mapping.Switch]) -> Drive:
    """How the mapped bones follow their channels, found by posing the rig twice and looking.

    Constraints, drivers, bones between the mapped ones and inheritance flags are thereby accounted for without being
    understood. The pose is put back.

    Raises:
        DuologueError: ``rig_hidden`` if Blender does not evaluate the rig.
    """
    names = calibration.bones
    poses = [armature.pose.bones[name] for name in names]
    turns = _test_turns(len(names))
    _context().view_layer.update()  # so that animation that waits for it does not overwrite the poses below
    saved = saved_pose(armature, names, switches)
    try:
        set_switches(armature, switches)
        for bone in poses:
            bone.matrix_basis = Matrix()
        still = world_matrices(armature, names)
        for bone, turn in zip(poses, turns, strict=True):
            bone.matrix_basis = Quaternion(turn.tolist()).to_matrix().to_4x4()
        posed = world_matrices(armature, names)
    finally:
        restore_pose(armature, saved)
        _context().view_layer.update()
    at_rest, turned = (rot.from_matrix(orthonormal(matrices[:, :3, :3])) for matrices in (still, posed))
    if np.abs(at_rest - turned).max() < 1e-3:
        raise hidden(armature)
    above = rot.multiply(turned, rot.inverse(turns))
    parents = [_followed(bone, at_rest, turned, above) for bone in range(len(names))]
    frames = [
        rot.multiply(rot.inverse(at_rest[parent]), at_rest[bone]) if parent >= 0 else at_rest[bone]
        for bone, parent in enumerate(parents)
    ]
    carrier = still[calibration.location]
    own = armature.data.bones[names[calibration.location]]
    axes = carrier[:3, :3] if own.use_local_location else (Y_UP @ np.array(armature.matrix_world))[:3, :3]
    return Drive(np.array(parents), np.array(frames, np.float32), carrier[:3, 3], axes)


def world_matrices(armature: ArmatureObject, bones: Sequence[str]) -> np.ndarray:
    """(M, 4, 4) matrices of bones as evaluated now, in the world of `Motion`."""
    _context().view_layer.update()
    evaluated = armature.evaluated_get(_context().evaluated_depsgraph_get())
    world = Y_UP @ np.array(evaluated.matrix_world)
    return world @ np.array([evaluated.pose.bones[name].matrix for name in bones])


def _followed(bone: int, at_rest: np.ndarray, turned: np.ndarray, above: np.ndarray) -> int:
    """The mapped bone that carries ``bone``, or -1: the one relative to which what is above it kept its rotation."""
    before = rot.multiply(rot.inverse(at_rest), at_rest[bone])
    after = rot.multiply(rot.inverse(turned), above[bone])
    changes = _degrees(before, after)
    changes[bone] = np.inf
    world_change = _degrees(at_rest[bone], above[bone])
    nearest = int(np.argmin(changes))
    return -1 if world_change <= max(_SAME_DEGREES, changes[nearest]) else nearest


def _degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(2 * np.arccos(np.clip(np.abs(np.sum(a * b, axis=-1)), 0, 1)))


def _test_turns(count: int) -> np.ndarray:
    """(count, 4) rotations, all different, so that no two bones are taken for each other."""
    draw = np.random.default_rng(1)
    return rot.from_axis_angle(draw.normal(size=(count, 3)), draw.uniform(0.4, 1.0, count))


def _channels(bone: Any) -> dict[str, object]:
    return {
        "location": tuple(bone.location),
        "rotation_quaternion": tuple(bone.rotation_quaternion),
        "rotation_euler": tuple(bone.rotation_euler),
        "rotation_axis_angle": tuple(bone.rotation_axis_angle),
        "scale": tuple(bone.scale),
    }


def _context() -> Context:
    # Asked for anew each time: while extensions are enabled, bpy.context is another, restricted object.
    return bpy.context
