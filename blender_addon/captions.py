"""Captions live on Actions: the whole text in custom properties, as much as fits in the slot's name for the Outliner.

A character's own caption is kept by its slot's handle, because a handle never changes while a slot's name does. The
caption of the pair, which says what both do, is the action's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
from bpy.types import Action, ActionSlot, Object

from . import compat
from .stubs import Context

PROPERTY, PAIR_PROPERTY = "duologue_captions", "duologue_pair_caption"
_ELLIPSIS = "…"


def write(characters: Sequence[Object], text: str) -> None:
    """Attach a caption to the animation that characters have right now, their action or the strip at the current frame.

    It is their own caption for one character, and that of the pair for two.
    """
    for character in characters:
        bound = _bound(character)
        if bound is not None and text and bound[0].library is None:
            attach(bound[0], {bound[1].handle: character.name}, text, of_pair=len(characters) > 1)


def attach(action: Action, names: dict[int, str], text: str, *, of_pair: bool) -> None:
    """Attach a caption to an action.

    Args:
        action: takes the caption.
        names: the character's name for the handle of each slot that is meant.
        text: the caption.
        of_pair: whether it says what the pair does, and not what one of them does.
    """
    if of_pair:
        action[PAIR_PROPERTY] = text
    else:
        action[PROPERTY] = {**_own_captions(action), **{str(handle): text for handle in names}}
    for slot in action.slots:
        if slot.handle in names:
            shown = f"{names[slot.handle]}: {_own_captions(action).get(str(slot.handle), text)}"
            slot.name_display = cut(shown, compat.NAME_BYTES)


def read(character: Object) -> str:
    """The caption of what a character does right now: its own, else that of the pair; empty where there is none."""
    return own(character) or of_pair(character)


def own(character: Object) -> str:
    """What a character does right now, where it was described alone; empty otherwise."""
    bound = _bound(character)
    return _own_captions(bound[0]).get(str(bound[1].handle), "") if bound is not None else ""


def of_pair(character: Object) -> str:
    """What a character and its partner do right now, where they were described together; empty otherwise."""
    bound = _bound(character)
    return str(bound[0].get(PAIR_PROPERTY, "")) if bound is not None else ""


def shown(character: Object) -> str:
    """The captions of what a character does right now, a line each, with who is meant before it."""
    alone, together = own(character), of_pair(character)
    if alone and together:
        return f"{character.name}: {alone}\nTogether: {together}"
    return f"{character.name}: {alone or together}" if alone or together else ""


def read_action(action: Action) -> str:
    """The captions of an action, each once: that of the pair, then the others in the order of its slots."""
    known = _own_captions(action)
    texts = [str(action.get(PAIR_PROPERTY, ""))]
    texts += [known[str(slot.handle)] for slot in action.slots if str(slot.handle) in known]
    return "\n".join(dict.fromkeys(text for text in texts if text))


def cut(text: str, most: int) -> str:
    """``text`` in at most ``most`` UTF-8 bytes, with an ellipsis where something was cut off."""
    if len(text.encode()) <= most:
        return text
    kept = text.encode()[: most - len(_ELLIPSIS.encode())].decode(errors="ignore")
    return kept.rstrip() + _ELLIPSIS


def _own_captions(action: Action) -> dict[str, str]:
    return {str(handle): str(text) for handle, text in dict(action.get(PROPERTY, {})).items()}


def _bound(character: Object) -> tuple[Action, ActionSlot] | None:
    """The action and slot that a character plays: its own, or else those of its highest strip at the current frame."""
    data: Any = character.animation_data
    if data is None:
        return None
    if data.action is not None:
        return (data.action, data.action_slot) if data.action_slot is not None else None
    context: Context = bpy.context
    frame = context.scene.frame_current
    strips = [strip for track in data.nla_tracks if not track.mute for strip in track.strips if not strip.mute]
    for strip in reversed(strips):
        if strip.frame_start <= frame <= strip.frame_end and strip.action is not None and strip.action_slot is not None:
            return strip.action, strip.action_slot
    return None
