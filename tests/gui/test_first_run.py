"""The first five minutes in a real Blender window: the backend is set up by one button, with pictures in out/gui."""

from __future__ import annotations

from pathlib import Path

from tests.fake_python import FakePython
from tests.gui.test_window import folder, runner, walk_through

__all__ = ["folder", "runner"]

PICTURES = ("1-first-look", "2-downloading", "3-cancelled", "4-set-up", "5-preferences", "6-twice-as-large", "7-narrow")


def test_one_button_sets_the_backend_up(runner: list[str], folder: Path) -> None:
    FakePython(folder / "fake", real="/usr/bin/env python3")
    walk_through(runner, folder, "first_run.py", PICTURES)
