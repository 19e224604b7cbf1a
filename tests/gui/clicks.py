"""What a new user does in a real window: pick two characters, generate, undo, right-click, cancel, lose the backend.

Run inside Blender by `test_window.py`. Leaves pictures and ``report.json`` in ``$OUT``, and fails at the first thing
that is not as it should be.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import kit
from kit import OUT, Steps

PACKAGE = "bl_ext.user_default.duologue"
REAL = bool(os.environ.get("DUOLOGUE_GUI_REAL"))
context: Any = bpy.context

# Where things are in the sidebar at a resolution scale of 1: from its left and down from its top, in pixels.
USE_SELECTED_AT_FIRST = (130, 93)
PROMPT = (145, 211)
GENERATE = (145, 309)
STOP = (244, 309)
ADAMS_ROW = 51
"""From the top of the Outliner, below the scene's collection and that of Rigify's widgets."""

report: dict[str, Any] = {}


def script() -> Steps:
    """Everything, in the order in which a person would do it."""
    yield from prepare()
    yield from pick_characters()
    yield from generate()
    yield from undo_and_redo()
    yield from describe_from_the_viewport()
    yield from react_from_the_outliner()
    yield from undo_in_mid_job()
    yield from cancel_with_escape()
    yield from cancel_with_the_button()
    if not REAL:
        yield from lose_the_backend()
    (OUT / "report.json").write_text(json.dumps(report, indent=1))


def prepare() -> Steps:
    """Install the zip, open the file with the two characters, show the tab."""
    context.preferences.view.show_splash = False
    bpy.ops.extensions.package_install_files(
        repo="user_default", filepath=str(OUT / "duologue.zip"), enable_on_install=True
    )
    context.preferences.addons[PACKAGE].preferences.connection_file = str(OUT / "connection.json")
    bpy.ops.wm.open_mainfile(filepath=str(OUT / "characters.blend"), load_ui=False)
    yield from kit.settle()
    view = kit.area("VIEW_3D")
    view.spaces.active.show_region_ui = True
    view.spaces.active.shading.type = "SOLID"
    look = view.spaces.active.region_3d
    look.view_distance, look.view_location = 4.5, (0.6, -0.4, 0.8)
    view.spaces.active.overlay.show_bones = False
    yield from kit.settle()
    kit.region(view, "UI").active_panel_category = "Duologue"
    yield from kit.settle()
    # The first click only gives the window its focus.
    yield from kit.click(*nowhere())
    report["blender"] = bpy.app.version_string


def pick_characters() -> Steps:
    """Select both and press Use Selected."""
    for one in context.scene.objects:
        one.select_set(one.name in ("Adam", "Beth"))
    context.view_layer.objects.active = bpy.data.objects["Adam"]
    yield from kit.settle()
    yield from kit.click(*sidebar(USE_SELECTED_AT_FIRST))
    yield from kit.until(lambda: settings().character_b is not None, "two characters picked")
    assert (settings().character_a.name, settings().character_b.name) == ("Adam", "Beth")
    settings().prompt, settings().seconds, settings().new_seed = "two people shake hands", 4.0, False
    kit.move(*nowhere())
    yield from kit.settle()
    kit.picture("1-characters")


def generate() -> Steps:
    """Press Generate, and see motion and the bar before the end."""
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running(), "a job begun by the click", 20)
    yield from kit.until(lambda: keys("Beth") > 0, "motion before the end", 120)
    assert jobs().running(), "motion was only there at the end"
    yield from kit.settle()
    kit.picture("2-generating")
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    report["first_motion_seconds"] = jobs().latest().first_motion_seconds
    report["generate_seconds"] = jobs().latest().seconds
    assert keys("Adam") > 100
    assert keys("Beth") > 100
    context.scene.frame_set(70)
    yield from kit.settle()
    kit.picture("3-generated")


def undo_and_redo() -> Steps:
    """One Ctrl+Z takes both characters' keys away, one Ctrl+Shift+Z brings them back."""
    kit.move(*nowhere())
    kit.key("ctrl+z")
    yield from kit.until(lambda: keys("Adam") == keys("Beth") == 0, "everything undone by one step", 20)
    kit.key("ctrl+shift+z")
    yield from kit.until(lambda: keys("Adam") > 100 and keys("Beth") > 100, "everything redone by one step", 20)


def describe_from_the_viewport() -> Steps:
    """Right-click in the viewport, Describe Motion."""
    yield from kit.right_click(*nowhere())
    yield from kit.settle()
    kit.picture("4-viewport-menu")
    # A menu opens with its first entry, React, lit; Describe is the next one.
    kit.key("Down")
    kit.key("Return")
    yield from kit.until(lambda: jobs().latest().title == "Describe", "Describe begun from the menu", 20)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    report["caption"] = captions().read(bpy.data.objects["Adam"])
    assert report["caption"]
    yield from kit.settle()
    kit.picture("5-described")


def react_from_the_outliner() -> Steps:
    """Right-click Adam's row in the Outliner, React."""
    before = held()
    outliner = kit.region(kit.area("OUTLINER"))
    x, y = outliner.x + 80, outliner.y + outliner.height - ADAMS_ROW
    yield from kit.right_click(x, y)
    yield from kit.settle()
    kit.picture("6-outliner-menu")
    # Menus remember: Describe is lit, and React stands above it.
    kit.key("Up")
    kit.key("Return")
    yield from kit.until(lambda: jobs().latest().title == "React", "React begun from the menu", 20)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    assert held()[0] == before[0]
    assert held()[1] != before[1]
    yield from kit.settle()
    kit.picture("7-reacted")


def undo_in_mid_job() -> Steps:
    """Ctrl+Z while motion arrives: the result is there in whole all the same."""
    kit.move(*nowhere())
    settings().prompt = "two people shake hands again"
    before = held()
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running() and held() != before, "new motion on the rigs", 120)
    kit.move(*nowhere())
    kit.key("ctrl+z")
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    assert keys("Adam") > 100
    assert keys("Beth") > 100


def cancel_with_escape() -> Steps:
    """Generate, then Esc: what was there before is there again."""
    before = held()
    # As long as can be, so that even a quick model is still at it when the key comes.
    settings().prompt, settings().seconds = "two people circle each other slowly", 10.0
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running() and held() != before, "new motion on the rigs", 120)
    kit.move(*nowhere())
    kit.key("Escape")
    yield from kit.until(lambda: not jobs().running(), "cancelled by Esc", 20)
    assert held() == before
    yield from kit.settle()
    kit.picture("8-cancelled")


def cancel_with_the_button() -> Steps:
    """Generate, then the X beside the bar."""
    before = held()
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running() and held() != before, "new motion on the rigs", 120)
    yield from kit.click(*sidebar(STOP))
    yield from kit.until(lambda: not jobs().running(), "cancelled by the button", 20)
    assert held() == before


def lose_the_backend() -> Steps:
    """The backend falls silent in mid-job: a message with Restart, and nothing lost."""
    before = held()
    settings().prompt = "the backend dies"
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running() and held() != before, "new motion on the rigs")
    yield from kit.until(lambda: not jobs().running(), "the loss noticed", 8)
    assert jobs().latest().error.code == "backend_lost"
    assert held() == before
    yield from kit.settle()
    kit.picture("9-lost")


def settings() -> Any:
    """The pair that the tab is about."""
    held = context.scene.duologue
    return held.pairs[held.active]


def jobs() -> Any:
    """The extension's job module."""
    return importlib.import_module(f"{PACKAGE}.link.jobs")


def captions() -> Any:
    """The extension's caption module."""
    return importlib.import_module(f"{PACKAGE}.captions")


def ended() -> Steps:
    """Wait for the end of the job."""
    yield from kit.until(lambda: not jobs().running(), "the job's end", 180)


def keys(name: str) -> int:
    """How many keys the action of an object holds for it."""
    data: Any = bpy.data.objects[name].animation_data
    if data is None or data.action is None:
        return 0
    bags = [strip.channelbag(data.action_slot) for layer in data.action.layers for strip in layer.strips]
    return sum(len(curve.keyframe_points) for bag in bags if bag for curve in bag.fcurves)


def held() -> list[tuple[str, int]]:
    """The actions that the two have, with their number of keys."""
    found: list[tuple[str, int]] = []
    for name in ("Adam", "Beth"):
        data: Any = bpy.data.objects[name].animation_data
        found.append((data.action.name if data and data.action else "", keys(name)))
    return found


def sidebar(offset: tuple[int, int]) -> tuple[int, int]:
    """Window pixels of a place in the sidebar."""
    region = kit.region(kit.area("VIEW_3D"), "UI")
    return region.x + offset[0], region.y + region.height - offset[1]


def nowhere() -> tuple[int, int]:
    """Window pixels of a place in the viewport where nothing is, with room for a long menu below."""
    region = kit.region(kit.area("VIEW_3D"))
    return region.x + region.width // 5, region.y + 3 * region.height // 4


if __name__ == "__main__":
    kit.run(script)
