"""From a fresh .blend with two rigs to motion that plays, in a real window, with every click counted.

Run inside Blender by `test_walks.py`, with a scripted backend. Leaves pictures and ``report.json`` in ``$OUT``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import kit
from clicks import GENERATE, USE_SELECTED_AT_FIRST, ended, jobs, keys, prepare, settings, sidebar
from kit import OUT, Steps

context: Any = bpy.context
MOST_CLICKS = 4
TAB = (279, 245)
"""The tab's handle, at the right edge of the sidebar."""
PLAY = (622, 14)
"""The play button in the timeline's header, from its left and up from its bottom, pixels."""


def script() -> Steps:
    """Click the tab, Use Selected, Generate and Play: nothing else is needed, not even a selection."""
    yield from prepare()
    view = kit.area("VIEW_3D")
    kit.region(view, "UI").active_panel_category = "View"
    for one in context.scene.objects:
        one.select_set(False)
    yield from kit.settle()
    before = kit.clicks_made
    yield from kit.click(*sidebar(TAB))
    yield from kit.settle()
    yield from kit.click(*sidebar(USE_SELECTED_AT_FIRST))
    yield from kit.until(lambda: settings().character_b is not None, "two characters picked", 20)
    yield from kit.settle()
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: keys("Beth") > 0, "motion on both", 120)
    header = kit.region(kit.area("DOPESHEET_EDITOR"), "HEADER")
    yield from kit.click(header.x + PLAY[0], header.y + PLAY[1])
    yield from kit.until(lambda: context.screen.is_animation_playing, "the animation playing", 20)
    assert kit.clicks_made - before <= MOST_CLICKS
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    yield from kit.settle()
    yield from kit.settle()
    kit.picture("1-playing")
    found = {"clicks": kit.clicks_made - before, "first_motion_seconds": jobs().latest().first_motion_seconds}
    (OUT / "report.json").write_text(json.dumps(found))


if __name__ == "__main__":
    kit.run(script)
