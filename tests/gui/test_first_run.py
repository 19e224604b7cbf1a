"""The first five minutes in a real Blender window: the backend is set up by one button, with pictures in out/gui."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.fake_python import FakePython
from tests.gui.test_window import HERE, folder, runner

__all__ = ["folder", "runner"]

LIMIT_SECONDS = 420
PICTURES = ("1-first-look", "2-downloading", "3-cancelled", "4-set-up", "5-preferences", "6-twice-as-large", "7-narrow")


def test_one_button_sets_the_backend_up(runner: list[str], folder: Path) -> None:
    FakePython(folder / "fake", real="/usr/bin/env python3")
    command = [*runner, str(HERE / "first_run.py"), str(folder)]
    ran = subprocess.run(
        command,
        env={**os.environ, "LIMIT": str(LIMIT_SECONDS)},
        timeout=LIMIT_SECONDS + 60,
        capture_output=True,
        text=True,
        check=False,
    )
    log = folder / "blender.log"
    assert ran.returncode == 0, log.read_text(errors="replace")[-3000:] if log.exists() else ran.stdout[-3000:]
    for name in PICTURES:
        assert (folder / f"{name}.png").stat().st_size > 20_000
