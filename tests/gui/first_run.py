"""What a person without a backend sees: the button, the download, Cancel and Go On; then the tab when space is scarce.

Run inside Blender by `test_first_run.py`, with a made-up Python in ``$OUT/fake``. Leaves pictures in ``$OUT``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import kit
from kit import OUT, Steps

PACKAGE = "bl_ext.user_default.duologue"
context: Any = bpy.context
duologue: Any = bpy.ops.duologue  # pyright: ignore[reportAttributeAccessIssue]
FAKE = OUT / "fake"

# Where things are in the sidebar at a resolution scale of 1: from its left and down from its top, in pixels.
SET_UP = (135, 180)
GO_ON = SET_UP
CANCEL = (234, 68)


def script() -> Steps:
    """From the first look at the tab to a backend that is set up, then the same tab at 2x and in a narrow sidebar."""
    yield from prepare()
    kit.picture("1-first-look")
    yield from kit.click(*sidebar(SET_UP))
    yield from kit.until(lambda: "5 of 10 MB" in progress().detail, "a download under way", 60)
    yield from kit.settle()
    kit.picture("2-downloading")
    yield from kit.click(*sidebar(CANCEL))
    yield from kit.until(lambda: not setup().running, "the download cancelled", 10)
    yield from kit.settle()
    kit.picture("3-cancelled")
    tell(hangs="")
    yield from kit.click(*sidebar(GO_ON))
    yield from kit.until(lambda: progress().phase.name == "DONE", "the backend set up", 60)
    assert (FAKE / "said.txt").read_text().count("-m venv") == 1
    yield from kit.settle()
    kit.picture("4-set-up")
    yield from preferences()
    yield from scarce_space()
    (OUT / "report.json").write_text(json.dumps({"blender": bpy.app.version_string}))


def prepare() -> Steps:
    """Install the zip, say where the made-up Python is, show the tab."""
    os.environ["XDG_DATA_HOME"] = str(OUT / "data")
    os.environ["DUOLOGUE_CONNECTION"] = str(OUT / "connection.json")
    context.preferences.view.show_splash = False
    context.preferences.system.use_online_access = True
    # Rigify's file brings a script, and Blender would ask about it in the middle of the window.
    context.preferences.filepaths.use_scripts_auto_execute = True
    bpy.ops.extensions.package_install_files(
        repo="user_default", filepath=str(OUT / "duologue.zip"), enable_on_install=True
    )
    chosen = context.preferences.addons[PACKAGE].preferences
    chosen.setup_python, chosen.setup_device = str(FAKE / "python3.12"), "cpu"
    tell(hangs="torch")
    bpy.ops.wm.open_mainfile(filepath=str(OUT / "characters.blend"), load_ui=False)
    yield from kit.settle()
    view = kit.area("VIEW_3D")
    view.spaces.active.show_region_ui = True
    yield from kit.settle()
    kit.region(view, "UI").active_panel_category = "Duologue"
    yield from kit.settle()
    # The first click only gives the window its focus.
    yield from kit.click(*nowhere())


def preferences() -> Steps:
    """The preferences say what was set up, and offer to remove it."""
    view = kit.area("VIEW_3D")
    view.ui_type = "PREFERENCES"
    context.preferences.active_section = "ADDONS"
    context.window_manager.addon_search = "Duologue"
    yield from kit.settle()
    with context.temp_override(window=kit.window(), area=view):
        bpy.ops.preferences.addon_expand(module=PACKAGE)
    view.tag_redraw()
    yield from kit.settle()
    kit.picture("5-preferences")
    view.ui_type = "VIEW_3D"
    yield from kit.settle()


def scarce_space() -> Steps:
    """The tab with both characters and an error in it, twice as large, and then as narrow as it can be drawn."""
    pair = context.scene.duologue.pairs[0]
    pair.character_a, pair.character_b = bpy.data.objects["Adam"], bpy.data.objects["Beth"]
    pair.prompt = ""
    with suppress(RuntimeError):
        duologue.generate()
    context.preferences.view.ui_scale = 2.0
    yield from kit.settle()
    kit.region(kit.area("VIEW_3D"), "UI").active_panel_category = "Duologue"
    yield from kit.settle()
    yield from kit.settle()
    kit.picture("6-twice-as-large")
    context.preferences.view.ui_scale = 1.0
    yield from kit.settle()
    region = kit.region(kit.area("VIEW_3D"), "UI")
    edge = region.x - 1, region.y + region.height - 150
    yield from kit.drag(edge, (edge[0] + region.width // 3, edge[1]))
    yield from kit.settle()
    kit.picture("7-narrow")


def tell(*, hangs: str) -> None:
    """Tell the made-up Python whether its download hangs."""
    script = {"hangs": hangs, "fails": "", "version": [3, 12, 1]}
    (FAKE / "script.json").write_text(json.dumps(script))


def setup() -> Any:
    """The extension's one set-up."""
    return importlib.import_module(f"{PACKAGE}.link.install").setup


def progress() -> Any:
    """How far it is."""
    return setup().progress


def sidebar(offset: tuple[int, int]) -> tuple[int, int]:
    """Window pixels of a place in the sidebar."""
    region = kit.region(kit.area("VIEW_3D"), "UI")
    return region.x + offset[0], region.y + region.height - offset[1]


def nowhere() -> tuple[int, int]:
    """Window pixels of a place in the viewport where nothing is."""
    region = kit.region(kit.area("VIEW_3D"))
    return region.x + region.width // 5, region.y + 3 * region.height // 4


kit.run(script)
