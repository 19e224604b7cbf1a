"""Single workflows in a real Blender window, with a scripted backend and pictures in out/gui."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gui.acting import shaking_hands
from tests.gui.test_window import folder, runner, walk_scripted

__all__ = ["folder", "runner"]

WALKS = {
    "four_clicks": ("1-playing",),
    "pairs": ("1-two-pairs", "2-first-changed", "3-reacted", "4-removed"),
    "variations": ("1-variation", "2-variation", "3-variation", "4-accepted", "5-rejected"),
    "fitting": ("1-not-understood", "2-understood", "3-t-pose", "4-fit"),
    "fewer_keys": ("1-asked", "2-reduced"),
}
"""Scripts beside this file, and the pictures that each leaves."""


@pytest.mark.parametrize("walk", WALKS)
def test_walk(walk: str, runner: list[str], folder: Path) -> None:
    walk_scripted(shaking_hands(pause=0.3), runner, folder, f"{walk}.py", WALKS[walk])
