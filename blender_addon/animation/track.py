"""One rig's part of an Action: what of it is keyed, and the keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import bpy
import numpy as np
from bpy.types import Action

from protocol.errors import DuologueError
from protocol.motion import Motion

from .. import compat
from ..retarget.euler import AXIS_ANGLE, QUATERNION, channel_values
from ..retarget.ik import limb_channels
from ..retarget.transfer import to_channels
from ..stubs import ArmatureObject
from .keys import add_curves, set_constant, write_keys
from .measured import Measured
from .previous import Previous
from .rig import OBJECT

_MODES = {QUATERNION: ("rotation_quaternion", 4), AXIS_ANGLE: ("rotation_axis_angle", 4)}
_EULER = ("rotation_euler", 3)


class _Property(NamedTuple):
    """What is keyed: a property of a bone, or of the object.

    Attributes:
        bone: its name.
        path: from the object to the property.
        mode: rotation mode; empty for a location.
    """

    bone: str
    path: str
    mode: str

    @property
    def components(self) -> int:
        """Number of its components."""
        return _MODES.get(self.mode, _EULER)[1] if self.mode else 3


class Track:
    """One rig, and its slot of the Action."""

    def __init__(self, target: ArmatureObject, rig: Measured) -> None:
        self.rig = rig
        carriers = [rig.carrier.bone] if rig.carrier is not None else []
        poles = [limb.pole for limb in rig.limbs]
        self.previous = Previous(target, [*rig.keyed.bones, *poles, *carriers], rig.switches)
        self._properties = _properties(rig)
        self._last: list[np.ndarray | None] = [None] * len(self._properties)
        self.slot = 0

    def begin(self, action: Action, frame: int, play: bool) -> None:
        """Add a slot to the action, with empty curves for what is keyed, and let the rig ``play`` it."""
        target = self.previous.find()
        slot = action.slots.new(id_type="OBJECT", name=target.name)
        self.slot = slot.handle
        if play:
            data = target.animation_data or target.animation_data_create()
            data.action, data.action_slot = action, slot
        for one in self._properties:
            add_curves(action, slot, one.path, one.bone or _OBJECT_GROUP, one.components)
        for one in self.rig.switches:
            path = f'{_owner(one.bone)}["{bpy.utils.escape_identifier(one.property)}"]'
            add_curves(action, slot, path, one.bone, 1)
            set_constant(compat.channelbag(action, slot).fcurves.find(path), frame, one.value)

    def keying(self, action: str, motion: Motion, frames: np.ndarray, *, anew: bool) -> Iterator[None]:
        """Key a one-person motion on the rig's own body, a property at every step.

        Args:
            action: name of the Action: Blender's own data may be replaced between two steps.
            motion: P = 1.
            frames: (T,) scene frames, after those that have keys; or from the first of these on.
            anew: whether these keys take the place of all that there are.

        Raises:
            DuologueError: ``rig_gone``, ``action_gone`` or ``bone_gone``; at a step.
        """
        if anew:
            self._last = [None] * len(self._properties)
        written = self._values(motion)
        yield
        for number, (one, values) in enumerate(zip(self._properties, written, strict=True)):
            if one.mode:
                values = channel_values(values, one.mode, self._last[number])
                self._last[number] = values[-1]
            write_keys(self._curves(action, one), frames, values, anew=anew)
            self.previous.find().update_tag(refresh={"TIME"})
            yield

    def _curves(self, name: str, keyed: _Property) -> list[Any]:
        """The F-curves of a property in the rig's slot of an Action."""
        target = self.previous.find()
        action: Action | None = bpy.data.actions.get(name)
        slot = next((one for one in action.slots if one.handle == self.slot), None) if action is not None else None
        if action is None or slot is None:
            raise DuologueError(
                "action_gone",
                f"The Action of “{target.name}” was removed while its motion was being made.",
                "Undo that and try again.",
            )
        curves = compat.channelbag(action, slot).fcurves
        found = [curves.find(keyed.path, index=index) for index in range(keyed.components)]
        if None in found:
            # Blender renames the curves together with a bone.
            raise DuologueError(
                "bone_gone",
                f"The bone “{keyed.bone}” of “{target.name}” was renamed or removed while its motion was being made.",
                "Generate again.",
            )
        return found

    def _values(self, motion: Motion) -> list[np.ndarray]:
        """Rotations (T, 4) or locations (T, 3) of every property, in the order of `_properties`."""
        rig, values = self.rig, []
        if rig.carrier is not None:
            rotations, location, motion = rig.carrier.carried(motion)
            values += [rotations, location]
        channels = to_channels(motion, rig.keyed, rig.drive)
        values += [channels.rotations[:, number] for number in range(len(rig.modes))]
        values.append(channels.location)
        for pair in limb_channels(motion, rig.keyed, rig.limbs):
            values += pair
        return values


_OBJECT_GROUP = "Object Transforms"
"""Blender's own name for that group of channels."""


def _properties(rig: Measured) -> list[_Property]:
    """What of a rig is keyed; `Track._values` goes by this order."""
    bones, found = rig.keyed.bones, []
    if rig.carrier is not None:
        found += [_turned(rig.carrier.bone, rig.carrier_mode), _moved(rig.carrier.bone)]
    found += [_turned(bone, mode) for bone, mode in zip(bones, rig.modes, strict=True)]
    found.append(_moved(bones[rig.keyed.location]))
    for limb in rig.limbs:
        found += [_moved(bones[limb.control]), _moved(limb.pole)]
    return found


def _turned(bone: str, mode: str) -> _Property:
    name = _MODES.get(mode, _EULER)[0]
    return _Property(bone, f"{_owner(bone)}.{name}".lstrip("."), mode)


def _moved(bone: str) -> _Property:
    return _Property(bone, f"{_owner(bone)}.location".lstrip("."), "")


def _owner(bone: str) -> str:
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"]' if bone != OBJECT else ""
