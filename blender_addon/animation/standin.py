"""A copy of a character that is posed in its place: the character, linked or not, keeps its pose, keys and rest."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from bpy.types import ArmatureModifier, Object
from mathutils import Matrix

from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.skeleton import JOINT_COUNT

from ..retarget.corrections import Corrections, corrections_between, rows_by_bone
from ..retarget.euler import AXIS_ANGLE, QUATERNION, channel_values
from ..retarget.mapping import NO_MAP
from ..retarget.rest_pose import calibrate, facing
from ..retarget.rig import orthonormal
from ..retarget.transfer import to_channels
from ..stubs import ArmatureObject, Context
from .condition import STANDS_FOR
from .measured import switches_of
from .rig import bone_map_of, measured_drive, read_rig, set_switches, world_matrices

_CHANNELS = {QUATERNION: "rotation_quaternion", AXIS_ANGLE: "rotation_axis_angle"}


def with_skins(character: ArmatureObject) -> list[Object]:
    """A rig and the visible objects that it deforms."""
    context: Context = bpy.context
    deformed = [
        one
        for one in context.view_layer.objects
        if one.visible_get()
        and any(isinstance(modifier, ArmatureModifier) and modifier.object == character for modifier in one.modifiers)
    ]
    return [character, *deformed]


def copied(character: ArmatureObject) -> tuple[ArmatureObject, list[Object]]:
    """A copy of a rig without its animation, and all that was copied with it: constraints and drivers act on the copy.

    The copies share all data with the originals and are what is selected afterwards.

    Raises:
        DuologueError: ``rig_not_selectable``.
    """
    context: Context = bpy.context
    layer: Any = context.view_layer
    for one in layer.objects:
        one.select_set(False)
    for one in with_skins(character):
        one.select_set(True)
    layer.objects.active = character
    if not character.select_get():
        raise DuologueError(
            "rig_not_selectable",
            f"“{character.name}” cannot be selected, and so not be copied.",
            "Make it selectable in the Outliner and try again.",
        )
    # Blender's own duplication is what makes constraints, drivers and modifiers of copies point at copies.
    bpy.ops.object.duplicate(linked=True)
    made: ArmatureObject = layer.objects.active
    made.name = f"{character.name} T-pose"
    made[STANDS_FOR] = character.name
    # Else its bones lie within its skin, where nobody can pick them.
    made.show_in_front = True
    data = made.animation_data
    if data is not None:
        data.action, data.use_nla = None, False
    return made, [one for one in layer.objects if one.select_get()]


def show_t_pose(copy: ArmatureObject, character: ArmatureObject, corrections: Corrections) -> None:
    """Let a copy of a rig stand where the rig stands, in the T-pose that is known of it."""
    bones, rig = bone_map_of(character), read_rig(character)
    calibration = calibrate(rig, bones.bones, corrections)
    for bone in copy.pose.bones:
        bone.matrix_basis = Matrix()
    switches = switches_of(copy, bones, NO_MAP)
    set_switches(copy, switches)
    turn = rot.inverse(facing(rig, bones.bones)).astype(np.float32)
    rotations = np.tile(rot.IDENTITY, (1, 1, JOINT_COUNT, 1))
    rotations[..., 0, :] = turn
    root = rot.rotate(turn, calibration.pelvis)[None, None]
    channels = to_channels(
        Motion(30, root, rotations, calibration.offsets[None]), calibration, measured_drive(copy, calibration, switches)
    )
    for name, turned in zip(calibration.bones, channels.rotations[0], strict=True):
        bone = copy.pose.bones[name]
        mode = bone.rotation_mode
        setattr(bone, _CHANNELS.get(mode, "rotation_euler"), channel_values(turned[None], mode, None)[0].tolist())
    copy.pose.bones[calibration.bones[calibration.location]].location = channels.location[0].tolist()
    context: Context = bpy.context
    context.view_layer.update()


def shown_corrections(copy: ArmatureObject, character: ArmatureObject) -> Corrections:
    """How the pose that a copy of a rig shows differs from the T-pose that is estimated for the rig."""
    bones, rig = bone_map_of(character), read_rig(character)
    estimate = calibrate(rig, bones.bones)
    matrices = world_matrices(copy, estimate.bones)
    turn = facing(rig, bones.bones)
    shown = rot.multiply(turn[None], rot.from_matrix(orthonormal(matrices[:, :3, :3])))
    rows = rows_by_bone(bones.bones)
    return corrections_between(
        {rows[name]: one for name, one in zip(estimate.bones, shown, strict=True)},
        {rows[name]: one for name, one in zip(estimate.bones, estimate.rest, strict=True)},
    )
