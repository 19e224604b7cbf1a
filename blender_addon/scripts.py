"""Scripts live on Actions: what the backend understood of a motion, in its own words, to be sent back with an edit."""

from __future__ import annotations

from collections.abc import Sequence

from bpy.types import Action, Object

PROPERTY = "duologue_script"


def write(action: Action, script: str) -> None:
    """Keep a script with its motion; nothing where it is empty."""
    if script:
        action[PROPERTY] = script


def read(action: Action | None) -> str:
    """The script of an action; empty where it has none."""
    return str(action.get(PROPERTY, "")) if action is not None else ""


def of(characters: Sequence[Object]) -> str:
    """The script of what characters play together; empty where they play different actions."""
    held = [one.animation_data for one in characters]
    actions = {data.action if data is not None else None for data in held}
    return read(actions.pop()) if len(actions) == 1 else ""
