"""What a rig was like before keys were written, so that it can be put back exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
from bpy.types import Action

from protocol.errors import DuologueError

from ..retarget.mapping import Switch
from ..stubs import ArmatureObject
from .rig import SavedPose, restore_pose, saved_pose


class Previous:
    """A rig's action, slot, pose and switches at one moment. Everything is kept by name: undo replaces pointers.

    Attributes:
        pose: channels of the mapped bones, and switches.
        had_data: whether it had animation data.
        slot: handle of its action's slot; None without one.
        had_fake_user: whether its action had a fake user.
    """

    def __init__(self, target: ArmatureObject, bones: Sequence[str], switches: Sequence[Switch]) -> None:
        """Remember ``target`` as it is, of its pose only ``bones`` and ``switches``."""
        self._key = (target.name, target.library.filepath if target.library else None)
        self.pose = saved_pose(target, bones, switches)
        data = target.animation_data
        self.had_data = data is not None
        self._action = _action_key(data.action) if data and data.action else None
        self.slot = data.action_slot.handle if data and data.action_slot else None
        self.had_fake_user = bool(data and data.action and data.action.use_fake_user)

    @property
    def action(self) -> Action | None:
        """The action that it had; None without one, and where that was removed since."""
        return bpy.data.actions.get(self._action) if self._action else None

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
        action = self.action
        if action is not None and action.users == 0:
            action.use_fake_user = True

    def restore(self) -> None:
        """Put everything back; a rig that was removed meanwhile is passed over."""
        target: ArmatureObject = bpy.data.objects.get(self._key)
        if target is not None:
            put_back(target, self.action, self.slot, self.had_data, self.pose)


def put_back(target: ArmatureObject, action: Action | None, slot: int | None, had_data: bool, pose: SavedPose) -> None:
    """Give a rig its former action, slot and pose; ``slot`` is a handle."""
    data: Any = target.animation_data
    if data is None:
        return
    data.action = action
    if action is not None and slot is not None:
        data.action_slot = next((one for one in action.slots if one.handle == slot), None)
    if not had_data:
        target.animation_data_clear()
    restore_pose(target, pose)


def _action_key(action: Action) -> tuple[str, str | None]:
    return action.name, action.library.filepath if action.library else None
