"""Keys for the extension's operators, as people assign them who use them all day, and what happens when one is hit."""

from __future__ import annotations

from typing import Any

import bpy
import kit
from clicks import ended, jobs, nowhere
from kit import Steps

KEYS = {
    "duologue.accept": "y",
    "duologue.ask": "k",
    "duologue.continue": "n",
    "duologue.describe_all": "m",
    "duologue.edit": "e",
    "duologue.regenerate": "v",
    "duologue.reject": "x",
    "duologue.story": "j",
    "wm.search_menu": "h",
}
"""Letters that are pressed with Ctrl and Alt; Blender has no use for these. On a virtual screen F3 opens no search."""

_context: Any = bpy.context


def assign_keys() -> None:
    """Give the operators their keys."""
    keymap = _context.window_manager.keyconfigs.addon.keymaps.new(name="3D View", space_type="VIEW_3D")
    for operator, letter in KEYS.items():
        keymap.keymap_items.new(operator, letter.upper(), "PRESS", ctrl=True, alt=True)


def pressed(operator: str, *, job: bool = True) -> Steps:
    """Press the key of an operator; wait for its job's end."""
    kit.move(*nowhere())
    yield from kit.settle()
    earlier = jobs().latest()
    kit.key(f"ctrl+alt+{KEYS[operator]}")
    if job:
        yield from kit.until(lambda: jobs().latest() is not earlier or jobs().refusal() is not None, operator, 60)
        assert jobs().refusal() is None, jobs().refusal()
        yield from ended()
        assert jobs().latest().error is None, jobs().latest().error
    else:
        yield from kit.settle()


def found(words: str) -> Steps:
    """Run what Blender's search finds first."""
    yield from pressed("wm.search_menu", job=False)
    kit.write(words)
    yield from kit.settle()
    kit.key("Return")
    yield from kit.settle()
