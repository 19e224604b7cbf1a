"""Whether a rig is in a state to be read or keyed, each obstacle with one sentence; nothing is changed to find out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import bpy

from protocol.errors import DuologueError
from protocol.skeleton import JOINT_NAMES

from ..retarget.ik import LIMBS, chain
from ..retarget.mapping import LOCATION, NO_MAP, BoneMap
from ..stubs import ArmatureObject, Context

STANDS_FOR = "duologue_stands_for"
"""Custom property of a copy whose T-pose is edited: the name of the character for which it stands."""
_CHANNEL = re.compile(r'^(?:pose\.bones\["(.+)"\]\.)?(location|rotation_\w+)$')


def check_present(armature: ArmatureObject) -> None:
    """See that Blender evaluates a rig's pose.

    Raises:
        DuologueError: ``rig_in_edit_mode``, ``rig_in_calibration``, ``rig_excluded`` or ``rig_hidden``.
    """
    context: Context = bpy.context
    if armature.type == "ARMATURE" and armature.data.is_editmode:
        raise DuologueError(
            "rig_in_edit_mode",
            f"“{armature.name}” is in edit mode, where it has no pose.",
            "Leave edit mode (Tab) and try again.",
        )
    if armature.name not in context.view_layer.objects:
        raise DuologueError(
            "rig_excluded",
            f"“{armature.name}” is not in the view layer “{context.view_layer.name}”, so Blender does not move it.",
            "Tick its collection in the Outliner and try again.",
        )
    if not armature.visible_get():
        if any(one.get(STANDS_FOR) == armature.name for one in context.view_layer.objects):
            raise DuologueError(
                "rig_in_calibration",
                f"The T-pose of “{armature.name}” is being edited.",
                "Apply or cancel that under Retargeting in the Duologue tab.",
            )
        raise hidden(armature)


def hidden(armature: ArmatureObject) -> DuologueError:
    """The error for a rig that Blender does not evaluate because it cannot be seen."""
    return DuologueError(
        "rig_hidden",
        f"Blender does not update “{armature.name}”, because it is hidden or disabled.",
        "Make the armature visible in the viewport and try again.",
    )


def check_keyable(armature: ArmatureObject, bones: BoneMap, controls: BoneMap = NO_MAP) -> None:
    """See that keys on the mapped bones would move them, and that nobody has locked them.

    Args:
        armature: the rig.
        bones: its map.
        controls: the IK controls that are keyed in the place of some of them.

    Raises:
        DuologueError: ``channels_driven`` or ``channels_locked``, with some of the bones.
    """
    turned, moved = _keyed(bones, controls)
    driven = sorted(
        {bone for bone, channel in _driven(armature) if bone in (moved if channel == "location" else turned)}
    )
    if driven:
        raise DuologueError(
            "channels_driven",
            f"Drivers move {_some(driven)} of “{armature.name}”, so keys there would do nothing.",
            "Remove the drivers, or choose other bones in the Duologue tab.",
        )
    poses = armature.pose.bones
    locked = {name for name in turned if _is_turn_locked(poses[name])}
    locked |= {name for name in moved if any(poses[name].lock_location)}
    if locked:
        raise DuologueError(
            "channels_locked",
            f"Channels of {_some(sorted(locked))} of “{armature.name}” are locked.",
            "Unlock their rotation (and the hips' location) in the sidebar's Item tab, or choose other bones.",
        )


def check_free(armature: ArmatureObject, bone: str) -> None:
    """See that keys on location and rotation of a root bone, or of the object (an empty name), would move it.

    Raises:
        DuologueError: ``channels_driven`` or ``channels_locked``.
    """
    owner = armature.pose.bones[bone] if bone else armature
    name = f"“{bone}” of “{armature.name}”" if bone else f"“{armature.name}”"
    channels = {channel for driven, channel in _driven(armature) if driven == bone}
    if channels:
        raise DuologueError(
            "channels_driven", f"Drivers move {name}, so keys there would do nothing.", "Choose Hips as Root."
        )
    if _is_turn_locked(owner) or any(owner.lock_location):
        raise DuologueError(
            "channels_locked",
            f"Channels of {name} are locked.",
            "Unlock location and rotation, or choose Hips as Root.",
        )


def moved_by_others(armature: ArmatureObject) -> bool:
    """Whether a rig may move without an action of its own: by a parent, or by constraints that follow other objects."""
    constraints = [*armature.constraints, *(one for bone in armature.pose.bones for one in bone.constraints)]
    targets = [target for one in constraints if not one.mute for target in _targets(one)]
    return armature.parent is not None or any(target not in (None, armature) for target in targets)


def _targets(constraint: Any) -> list[Any]:
    several = getattr(constraint, "targets", None)
    return [getattr(constraint, "target", None)] if several is None else [one.target for one in several]


def _keyed(bones: BoneMap, controls: BoneMap) -> tuple[set[str], set[str]]:
    """The bones whose rotation is keyed, and those whose location is."""
    turned, moved = dict(bones.bones), {bones.bones.get(LOCATION, bones.bones["pelvis"])[0]}
    for end, middle in LIMBS.items():
        if end in controls.bones:
            for joint in chain(end)[:2]:
                turned.pop(JOINT_NAMES[joint])
            moved |= {controls.bones[end][0], controls.bones[middle][0]}
    turned |= {key: names for key, names in controls.bones.items() if key not in LIMBS.values()}
    return {name for names in turned.values() for name in names}, moved


def _driven(armature: ArmatureObject) -> Iterator[tuple[str, str]]:
    """Bone and channel of every driver on a pose; the object's own have no bone."""
    data = armature.animation_data
    for driver in data.drivers if data is not None else ():
        found = _CHANNEL.match(driver.data_path)
        if found:
            yield bpy.utils.unescape_identifier(found[1] or ""), found[2]


def _is_turn_locked(owner: bpy.types.PoseBone | ArmatureObject) -> bool:
    fourth = owner.lock_rotations_4d and owner.rotation_mode in ("QUATERNION", "AXIS_ANGLE") and owner.lock_rotation_w
    return any(owner.lock_rotation) or bool(fourth)


def _some(bones: list[str]) -> str:
    more = f" and {len(bones) - 1} more bones" if len(bones) > 2 else f" and “{bones[1]}”" if len(bones) == 2 else ""
    return f"“{bones[0]}”{more}"
