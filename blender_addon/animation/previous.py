"""What a rig was like before keys were written, so that it can be put back exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
from bpy.types import Action

from protocol.errors import DuologueError

from ..retarget.mapping import Switch
from ..stubs import ArmatureObject
from .rig import restore_pose, saved_pose


class Previous:
    """A rig's action, slot, pose and switches at one moment. Everything is kept by name: undo replaces pointers."""

    def __init__(self, target: ArmatureObject, bones: Sequence[str], switches: Sequence[Switch]) -> None:
        """Remember ``target`` as it is, of its pose only ``bones`` and ``switches``."""
        self._key = (target.name, target.library.filepath if target.library else None)
        self._pose = saved_pose(target, bones, switches)
        data = target.animation_data
        self._had_data = data is not None
        self._action = _action_key(data.action) if data and data.action else None
        self._slot = data.action_slot.handle if data and data.action_slot else None

    def find(self) -> ArmatureObject:
        """The rig as it is now.

        Raises:
            DuologueError: ``rig_gone``.
        """
        target: ArmatureObject = bpy.data.objects.get(self._key)
        if target is None:
            raise DuologueError(
                "rig_gone",
                f"“{self._key[0]}” was removed or renamed while its motion was being made.",
                "Undo that, or pick another rig, and try again.",
            )
        return target

    def keep(self) -> None:
        """See to it that the action of before survives saving, although the rig no longer uses it."""
        action = bpy.data.actions.get(self._action) if self._action else None
        if action is not None and action.users == 0:
            action.use_fake_user = True

    def restore(self) -> None:
        """Put everything back; a rig that was removed meanwhile is passed over."""
        target: ArmatureObject = bpy.data.objects.get(self._key)
        if target is None or target.animation_data is None:
            return
        data: Any = target.animation_data
        action: Any = bpy.data.actions.get(self._action) if self._action else None
        data.action = action
        if action is not None and self._slot is not None:
            data.action_slot = next((slot for slot in action.slots if slot.handle == self._slot), None)
        if not self._had_data:
            target.animation_data_clear()
        restore_pose(target, self._pose)


def _action_key(action: Action) -> tuple[str, str | None]:
    return action.name, action.library.filepath if action.library else None
