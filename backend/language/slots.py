"""Scripts as numbers: what a prompt asks for and what a motion shows, slot by slot: kind, actor, hand, speed, mood ...

The motion of the language model follows such a script, and not the words of a prompt: a reader turns words into slots,
another one motion into slots, and an edit is a change of some of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

UNSAID = 0
"""The number of a slot that is left open, or that a kind of interaction does not have."""

SLOTS = (
    *("kind", "actor", "hand", "speed", "mood", "count"),
    *("side", "leg", "leader", "winner", "first", "arms_over", "aside", "way", "direction"),
    *("walk_in", "steps_back", "steps_in", "parts", "comes", "lifts", "puts_down", "starts", "stops"),
    *("depth", "level", "dodge", "style", "pose", "answer", "refusal", "touch"),
)
"""The entries of a choreographer's script that motion follows; measures such as metres are left to chance."""

_COUNT_MAX = 6


@dataclass(frozen=True)
class Slot:
    """An entry of a script and the values it may have, as text."""

    name: str
    values: tuple[str, ...]


def slots_of(scripts: Iterable[Mapping[str, Any]]) -> tuple[Slot, ...]:
    """The slots that scripts use, each with the values that occur, in the order of `SLOTS`."""
    values: dict[str, set[str]] = {name: set() for name in SLOTS}
    for script in scripts:
        for name in SLOTS:
            if name in script:
                values[name].add(value_text(script[name]))
    return tuple(Slot(name, tuple(sorted(found))) for name, found in values.items() if found)


def numbers(slots: Collection[Slot], script: Mapping[str, Any], told: Collection[str] | None = None) -> np.ndarray:
    """A script as the number of each slot's value, (S,) int64, 1 for its first value.

    Args:
        slots: those of the model.
        script: entries by name; values that no slot knows are left open.
        told: names of the slots to fill; all of them if None.
    """
    found = np.zeros(len(slots), np.int64)
    for index, slot in enumerate(slots):
        if slot.name in script and (told is None or slot.name in told):
            value = value_text(script[slot.name])
            found[index] = slot.values.index(value) + 1 if value in slot.values else UNSAID
    return found


def script_of(slots: Collection[Slot], filled: np.ndarray) -> dict[str, str]:
    """The entries, as text, that numbers (S,) stand for; slots that are left open are left out."""
    return {slot.name: slot.values[number - 1] for slot, number in zip(slots, filled, strict=True) if number}


def value_of(text: str) -> bool | int | str:
    """The value of a script that `value_text` wrote."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else text


def value_text(value: object) -> str:
    """A script's value as the slots write it: ``true``, ``left``, or a number up to 6."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(min(value, _COUNT_MAX))
    return str(value).lower() if isinstance(value, bool) else str(value)
