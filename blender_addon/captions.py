"""Captions live on Actions: the whole text in a custom property, as much as fits in the slot's name for the Outliner.

The property maps a slot's handle to its text, because a handle never changes while a slot's name does.
"""

from __future__ import annotations

from collections.abc import Sequence

from bpy.types import Action, ActionSlot, Object

from . import compat

PROPERTY = "duologue_captions"
_ELLIPSIS = "…"


def write(characters: Sequence[Object], text: str) -> None:
    """Attach a caption to the animation that characters have right now; one without an action is passed over."""
    for character in characters:
        bound = _bound(character)
        if bound is None or not text:
            continue
        action, slot = bound
        known = dict(action.get(PROPERTY, {}))
        action[PROPERTY] = {**known, str(slot.handle): text}
        slot.name_display = cut(f"{character.name}: {text}", compat.SLOT_NAME_BYTES)


def read(character: Object) -> str:
    """The caption of the animation that a character has right now; empty where there is none."""
    bound = _bound(character)
    if bound is None:
        return ""
    action, slot = bound
    return str(dict(action.get(PROPERTY, {})).get(str(slot.handle), ""))


def read_action(action: Action) -> str:
    """The captions of an action, each once, in the order of its slots."""
    known = dict(action.get(PROPERTY, {}))
    texts = [str(known[str(slot.handle)]) for slot in action.slots if str(slot.handle) in known]
    return "\n".join(dict.fromkeys(texts))


def cut(text: str, most: int) -> str:
    """``text`` in at most ``most`` UTF-8 bytes, with an ellipsis where something was cut off."""
    if len(text.encode()) <= most:
        return text
    kept = text.encode()[: most - len(_ELLIPSIS.encode())].decode(errors="ignore")
    return kept.rstrip() + _ELLIPSIS


def _bound(character: Object) -> tuple[Action, ActionSlot] | None:
    data = character.animation_data
    if data is None or data.action is None or data.action_slot is None:
        return None
    return data.action, data.action_slot
