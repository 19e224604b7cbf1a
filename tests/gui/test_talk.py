"""A conversation about a motion in a real Blender window, with pictures of it in out/gui."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from protocol import connection as connection_file
from protocol.messages import TASKS
from tests.fake_backend import FakeBackend, play
from tests.gui.test_window import CHECKPOINT, HERE, LIMIT_SECONDS, folder, real_backend, runner

__all__ = ["folder", "runner"]

PICTURES = ("1-changed", "2-asked", "3-continued", "4-regenerated", "5-story")


def test_a_conversation_with_a_scripted_backend(runner: list[str], folder: Path) -> None:
    server = FakeBackend(play)
    connection_file.write(server.connection, folder / "connection.json")
    try:
        talk_through(runner, folder)
    finally:
        server.close()


def test_a_conversation_with_the_real_backend(runner: list[str], folder: Path) -> None:
    language = CHECKPOINT.parent / "language.json"
    if not language.exists() or set(TASKS) - {"story"} > set(json.loads(language.read_text()).get("tasks", ())):
        pytest.skip("checkpoints/duologue-small has not learned to edit and to answer")
    with real_backend(folder / "connection.json"):
        report = talk_through(runner, folder)
    assert report["answer"]


def talk_through(runner: list[str], folder: Path) -> dict:
    """Run `talk.py` in the window; returns its report."""
    ran = subprocess.run(
        [*runner, str(HERE / "talk.py"), str(folder)],
        env={**os.environ, "LIMIT": str(LIMIT_SECONDS)},
        timeout=LIMIT_SECONDS + 60,
        capture_output=True,
        text=True,
        check=False,
    )
    log = folder / "blender.log"
    assert ran.returncode == 0, log.read_text(errors="replace")[-3000:] if log.exists() else ran.stderr[-3000:]
    for name in PICTURES:
        assert (folder / f"{name}.png").stat().st_size > 20_000
    return json.loads((folder / "report.json").read_text())
