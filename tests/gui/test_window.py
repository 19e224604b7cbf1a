"""A new user's way through a real Blender window, with pictures of it in out/gui.

Needs a Blender 5.1 or newer on PATH and what `screen` runs it with, or ``DUOLOGUE_BLENDER_GUI``: a command that is
called with a script and a folder, and runs the script in such a Blender's window. There, ``$OUT`` is that folder, and
what lies beside the script is beside it too.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import build
from protocol import connection as connection_file
from protocol.messages import MotionPart, Progress, Result, Submit
from protocol.wire import Envelope
from tests.fake_backend import Answer, FakeBackend, play, two_wave
from tests.gui import screen

HERE = Path(__file__).resolve().parent
CHECKPOINT = build.HERE / "checkpoints" / "duologue-small" / "checkpoint.json"
LIMIT_SECONDS = 900
"""Of a walk: a busy machine draws a window slowly."""
PICTURES = ("1-characters", "2-generating", "3-generated", "4-viewport-menu", "5-described", "6-outliner-menu")


@pytest.fixture
def runner() -> list[str]:
    """What is called with a script and a folder."""
    command = os.environ.get("DUOLOGUE_BLENDER_GUI")
    if command:
        return shlex.split(command)
    lacking = screen.lacking()
    if lacking:
        pytest.skip(f"no Blender window: {lacking}, and DUOLOGUE_BLENDER_GUI names no command that opens one")
    return [sys.executable, str(HERE / "screen.py")]


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Path:
    """A folder of this test with the zip and the two characters."""
    made = build.HERE / "out" / "gui" / request.node.name.removeprefix("test_")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    zips = sorted((build.HERE / "dist").glob("duologue-*-blender-5.1-up.zip"))
    assert zips, "dist/ holds no extension zip: run `python build.py extension` first"
    shutil.copy(zips[-1], made / "duologue.zip")
    command = [sys.executable, HERE / "make_characters.py", made / "characters.blend"]
    subprocess.run(command, cwd=build.HERE, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": "."})
    return made


def test_a_new_user_finds_the_way_with_a_scripted_backend(runner: list[str], folder: Path) -> None:
    report = walk_scripted(paced, runner, folder)
    assert report["caption"] == "two people wave"


def test_a_new_user_finds_the_way_with_the_real_backend(runner: list[str], folder: Path) -> None:
    if not CHECKPOINT.exists():
        pytest.skip("checkpoints/duologue-small is not here")
    with real_backend(folder / "connection.json"):
        report = walk_through(runner, folder, DUOLOGUE_GUI_REAL="1")
    assert len(report["caption"].split()) >= 3


def walk_through(
    runner: list[str], folder: Path, script: str = "clicks.py", pictures: tuple[str, ...] = PICTURES, **environment: str
) -> dict:
    """Run a script beside this file in the window, and see that it left its pictures; returns its report."""
    command = [*runner, str(HERE / script), str(folder)]
    limits = {"LIMIT": str(LIMIT_SECONDS), **environment}
    ran = subprocess.run(
        command, env={**os.environ, **limits}, timeout=LIMIT_SECONDS + 60, capture_output=True, text=True, check=False
    )
    log = folder / "blender.log"
    said = log.read_text(errors="replace")[-3000:] if log.exists() else ran.stdout[-3000:] + ran.stderr[-3000:]
    assert ran.returncode == 0, said
    for name in pictures:
        assert (folder / f"{name}.png").stat().st_size > 20_000
    return json.loads((folder / "report.json").read_text())


def walk_scripted(
    answer: Answer, runner: list[str], folder: Path, script: str = "clicks.py", pictures: tuple[str, ...] = PICTURES
) -> dict:
    """`walk_through` with a backend that follows a script of its own."""
    server = FakeBackend(answer)
    connection_file.write(server.connection, folder / "connection.json")
    try:
        return walk_through(runner, folder, script, pictures)
    finally:
        server.close()


def paced(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
    """Play motion at the pace of a real model; stop half-way or fall silent where the prompt says so."""
    submit, job = envelope.message, envelope.header.id
    if not isinstance(submit, Submit) or submit.task != "generate":
        play(server, to, envelope)
        return
    made = two_wave(round(submit.seconds * 30))
    server.say(to, Progress(0.1, "Generating"), job)
    server.say(to, MotionPart(0, 0, made.frames, made.slice(0, made.frames // 2)), job)
    server.say(to, Progress(0.5, "Generating"), job)
    if "dies" in submit.prompt:
        server.silent.set()
    if "slowly" not in submit.prompt and "dies" not in submit.prompt:
        time.sleep(2.0)
        server.say(to, MotionPart(0, made.frames // 2, made.frames, made.slice(made.frames // 2, made.frames)), job)
        server.say(to, Result(), job)


@contextmanager
def real_backend(connection: Path) -> Iterator[None]:
    """`duologue serve` as its own process."""
    command = [sys.executable, "-m", "backend", "serve", "--connection", str(connection)]
    process = subprocess.Popen(command, cwd=build.HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watchdog = threading.Timer(LIMIT_SECONDS, process.kill)
    watchdog.start()
    try:
        deadline = time.monotonic() + 60
        while not connection.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield
    finally:
        watchdog.cancel()
        process.terminate()
        process.wait(10)
