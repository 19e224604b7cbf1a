"""Whether a rig is in a state to be read or keyed, each obstacle with one sentence; nothing is changed to find out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import bpy

from protocol.errors import DuologueError

from ..retarget.mapping import LOCATION, BoneMap
from ..stubs import ArmatureObject, Context

_CHANNEL = re.compile(r'^pose\.bones\["(.+)"\]\.(location|rotation_\w+)$')


def check_present(armature: ArmatureObject) -> None:
    """See that Blender evaluates a rig's pose.

    Raises:
        DuologueError: ``rig_in_edit_mode``, ``rig_excluded`` or ``rig_hidden``.
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
        raise hidden(armature)


def hidden(armature: ArmatureObject) -> DuologueError:
    """The error for a rig that Blender does not evaluate because it cannot be seen."""
    return DuologueError(
        "rig_hidden",
        f"Blender does not update “{armature.name}”, because it is hidden or disabled.",
        "Make the armature visible in the viewport and try again.",
    )


def check_keyable(armature: ArmatureObject, bones: BoneMap) -> None:
    """See that keys on the mapped bones would move them, and that nobody has locked them.

    Raises:
        DuologueError: ``channels_driven`` or ``channels_locked``, with one of the bones.
    """
    keyed = {name for names in bones.bones.values() for name in names}
    carrier = bones.bones.get(LOCATION, bones.bones["pelvis"])[0]
    driven = sorted(
        {bone for bone, channel in _driven(armature) if bone in keyed and _is_keyed(bone, channel, carrier)}
    )
    if driven:
        raise DuologueError(
            "channels_driven",
            f"Drivers move {_some(driven)} of “{armature.name}”, so keys there would do nothing.",
            "Remove the drivers, or choose other bones in the Duologue tab.",
        )
    locked = sorted(name for name in keyed if _is_locked(armature.pose.bones[name], name == carrier))
    if locked:
        raise DuologueError(
            "channels_locked",
            f"Channels of {_some(locked)} of “{armature.name}” are locked.",
            "Unlock their rotation (and the hips' location) in the sidebar's Item tab, or choose other bones.",
        )


def _driven(armature: ArmatureObject) -> Iterator[tuple[str, str]]:
    """Bone and channel of every driver on a pose."""
    data = armature.animation_data
    for driver in data.drivers if data is not None else ():
        found = _CHANNEL.match(driver.data_path)
        if found:
            yield bpy.utils.unescape_identifier(found[1]), found[2]


def _is_keyed(bone: str, channel: str, carrier: str) -> bool:
    return channel != "location" or bone == carrier


def _is_locked(bone: bpy.types.PoseBone, carries: bool) -> bool:
    fourth = bone.lock_rotations_4d and bone.rotation_mode in ("QUATERNION", "AXIS_ANGLE") and bone.lock_rotation_w
    return any(bone.lock_rotation) or bool(fourth) or (carries and any(bone.lock_location))


def _some(bones: list[str]) -> str:
    more = f" and {len(bones) - 1} more bones" if len(bones) > 2 else f" and “{bones[1]}”" if len(bones) == 2 else ""
    return f"“{bones[0]}”{more}"
