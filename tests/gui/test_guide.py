"""The user guide's workflows in a real Blender window; its pictures are made here, so that they never rot."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from PIL import Image

import build
from protocol import connection as connection_file
from protocol.messages import MotionPart, Progress, Result, Submit
from protocol.wire import Envelope
from tests.fake_backend import FakeBackend, play, two_wave
from tests.gui.test_window import HERE, LIMIT_SECONDS, folder, runner

__all__ = ["folder", "runner"]

PICTURES = build.HERE / "tests" / "pictures" / "guide"
WHOLE = {"generating": 0.55, "variations": 0.55, "right-click": 0.55, "captions": 0.55}
"""Pictures of the whole window, and how much they are made smaller."""
SIDEBAR = ("prompts", "pairs", "mapping", "trouble")
"""Pictures of the sidebar and what it opens."""
SIDEBAR_BOX = (840, 100, 1310, 760)


def test_every_workflow_of_the_guide(runner: list[str], folder: Path) -> None:
    server = FakeBackend(unhurried)
    connection_file.write(server.connection, folder / "connection.json")
    command = [*runner, str(HERE / "guide.py"), str(folder)]
    limits = {**os.environ, "LIMIT": str(LIMIT_SECONDS)}
    try:
        ran = subprocess.run(
            command, env=limits, timeout=LIMIT_SECONDS + 60, capture_output=True, text=True, check=False
        )
    finally:
        server.close()
    log = folder / "blender.log"
    assert ran.returncode == 0, log.read_text(errors="replace")[-3000:] if log.exists() else ran.stderr[-3000:]
    PICTURES.mkdir(exist_ok=True)
    for name in (*WHOLE, *SIDEBAR):
        picture = Image.open(folder / f"{name}.png").convert("RGB")
        if name in SIDEBAR:
            picture = picture.crop(SIDEBAR_BOX)
        else:
            picture = picture.resize([round(WHOLE[name] * side) for side in picture.size], Image.Resampling.LANCZOS)
        picture.quantize(128).save(PICTURES / f"{name}.png", optimize=True)


def unhurried(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
    """Generate as a real model does, every variation wilder than the one before; the rest at once."""
    submit, job = envelope.message, envelope.header.id
    if not isinstance(submit, Submit) or submit.task != "generate":
        play(server, to, envelope)
        return
    frames = round(submit.seconds * 30)
    for sample in range(submit.samples):
        made = two_wave(frames * 3).resampled(30 * (sample + 1) / 3)
        made = type(made)(30, made.root, made.rotations, made.offsets).slice(0, frames)
        half = frames // 2
        for start, stop in ((0, half), (half, frames)):
            done = (sample + start / frames + 0.2) / submit.samples
            server.say(to, Progress(min(done, 1.0), "Generating"), job)
            server.say(to, MotionPart(sample, start, frames, made.slice(start, stop)), job)
            time.sleep(1.5)
    server.say(to, Result(compute_seconds=1.0), job)
