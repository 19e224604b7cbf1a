"""The user guide's workflows in a real Blender window; its pictures are made here, so that they never rot."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

import build
from tests.gui.acting import shaking_hands
from tests.gui.test_window import folder, runner, walk_scripted

__all__ = ["folder", "runner"]

PICTURES = build.HERE / "tests" / "pictures" / "guide"
VIEW, SIDEBAR, MENU = (440, 66, 1312, 812), (840, 66, 1312, 812), (1000, 66, 1600, 560)
BOXES = {
    "generating": VIEW,
    "pairs": SIDEBAR,
    "prompts": MENU,
    "variations": VIEW,
    "right-click": (1140, 66, 1600, 640),
    "conversation": VIEW,
    "captions": (1112, 66, 1600, 512),
    "mapping": SIDEBAR,
    "t-pose": VIEW,
    "trouble": SIDEBAR,
}
"""What of the screen each picture shows: left, top, right and bottom, pixels."""
MOST_BYTES = 150_000


def test_every_workflow_of_the_guide(runner: list[str], folder: Path) -> None:
    walk_scripted(shaking_hands(pause=2.0), runner, folder, "guide.py", tuple(BOXES))
    keep_pictures(folder)


def keep_pictures(folder: Path) -> None:
    """Cut what the guide shows out of the pictures of the screen."""
    PICTURES.mkdir(exist_ok=True)
    for name, box in BOXES.items():
        path = PICTURES / f"{name}.png"
        Image.open(folder / f"{name}.png").convert("RGB").crop(box).quantize(128).save(path, optimize=True)
        assert path.stat().st_size < MOST_BYTES, path
