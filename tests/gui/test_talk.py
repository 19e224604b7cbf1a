"""A conversation about a motion in a real Blender window, with pictures of it in out/gui."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fake_backend import play
from tests.gui.test_window import CHECKPOINT, folder, real_backend, runner, walk_scripted, walk_through

__all__ = ["folder", "runner"]

PICTURES = ("1-changed", "2-asked", "3-continued", "4-regenerated", "5-story")


def test_a_conversation_with_a_scripted_backend(runner: list[str], folder: Path) -> None:
    walk_scripted(play, runner, folder, "talk.py", PICTURES)


def test_a_conversation_with_the_real_backend(runner: list[str], folder: Path) -> None:
    if not CHECKPOINT.exists():
        pytest.skip("checkpoints/duologue-small is not here")
    with real_backend(folder / "connection.json"):
        report = walk_through(runner, folder, "talk.py", PICTURES)
    assert report["answer"]
