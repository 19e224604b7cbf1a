"""Other actions on characters for a moment: to read what they did before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import bpy

from ..stubs import ArmatureObject

Played = tuple[str, int]
"""Name of an action, and the handle of a character's slot of it."""


@contextmanager
def replaying(characters: Sequence[ArmatureObject], played: Sequence[Played]) -> Iterator[None]:
    """Let each character play another action while the block runs; where ``played`` is empty, what it plays anyway.

    Actions and slots that are gone leave a character with what it has. Nothing is drawn meanwhile, because the block
    must not outlive a timer tick.
    """
    held: list[tuple[Any, Any, Any]] = []
    try:
        for character, (name, handle) in zip(characters, played, strict=False):
            data: Any = character.animation_data
            action: Any = bpy.data.actions.get(name)
            slot = next((one for one in action.slots if one.handle == handle), None) if action is not None else None
            if data is not None and slot is not None:
                held.append((data, data.action, data.action_slot))
                data.action, data.action_slot = action, slot
        yield
    finally:
        for data, action, slot in held:
            data.action = action
            if action is not None:
                data.action_slot = slot
