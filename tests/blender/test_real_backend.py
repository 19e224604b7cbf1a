"""The installed extension starts, uses and stops `duologue serve` itself; the model is tiny and knows nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from protocol import connection as connection_file
from protocol import installation
from tests.e2e import characters

context: Any = bpy.context
duologue: Any = bpy.ops.duologue  # pyright: ignore[reportAttributeAccessIssue]
MAKE_CHECKPOINT = (
    "import sys; from pathlib import Path; from tests.unit.tiny import *; tiny_checkpoint(Path(sys.argv[1]))"
)
START_SECONDS = 90.0
BACKEND_PYTHON = os.environ.get(installation.ENVIRONMENT_VARIABLE, sys.executable)
"""Has torch, where the Python of these tests has only bpy."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained checkpoint, made by another process, so that torch and bpy never meet in one."""
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    subprocess.run([BACKEND_PYTHON, "-c", MAKE_CHECKPOINT, str(folder)], check=True)
    return folder


@pytest.fixture
def jobs(
    extension: str,
    addon: Callable[[str], ModuleType],
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """The extension's job module, in a scene with two characters and with no backend running."""
    monkeypatch.setenv(connection_file.ENVIRONMENT_VARIABLE, str(tmp_path / "connection.json"))
    monkeypatch.setenv(installation.ENVIRONMENT_VARIABLE, BACKEND_PYTHON)
    settings(extension).checkpoint = str(checkpoint)
    scene: Any = context.scene
    scene.duologue.pairs[0].character_a = characters.build_mixamo("Alice", 1.7)
    scene.duologue.pairs[0].character_b = characters.build_rigify("Bob", 1.85)
    scene.duologue.pairs[0].seconds = 2.0
    context.view_layer.objects.active = scene.duologue.pairs[0].character_a
    found: Any = addon("link.jobs")
    yield found
    found.disconnect()
    settings(extension).checkpoint = ""


def settings(extension: str) -> Any:
    return context.preferences.addons[extension].preferences


def tick_until(jobs: Any, over: Callable[[], object], seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not over():
        assert time.monotonic() < deadline, f"{jobs.session.state}, {jobs.session.error}, {jobs.latest()}"
        jobs.tick()
        time.sleep(0.01)


def test_one_click_starts_the_backend_and_moves_both_and_disconnecting_ends_it(jobs: Any, tmp_path: Path) -> None:
    duologue.generate()
    tick_until(jobs, lambda: not jobs.running())
    assert jobs.latest().error is None
    assert jobs.session.started_here
    for name in ("Alice", "Bob"):
        data: Any = bpy.data.objects[name].animation_data
        assert tuple(data.action.frame_range) == pytest.approx((1, 1 + 2 * 24), abs=2)
    duologue.react()
    tick_until(jobs, lambda: not jobs.running())
    assert jobs.latest().error is None
    duologue.describe()
    tick_until(jobs, lambda: not jobs.running())
    # A model that knows nothing may also find no words.
    assert jobs.latest().error is None or jobs.latest().error.code == "no_caption"
    pid = connection_file.read(tmp_path / "connection.json").pid
    duologue.backend_stop()
    assert not connection_file.process_runs(pid)


def test_every_task_of_a_conversation_goes_over_the_wire(jobs: Any) -> None:
    pair = context.scene.duologue.pairs[0]
    duologue.generate()
    tick_until(jobs, lambda: not jobs.running())
    asked = (
        ("edit", duologue.edit, ("edit_unclear",)),
        ("ask", duologue.ask, ("no_answer",)),
        ("complete", getattr(duologue, "continue"), ()),
        ("story", duologue.story, ()),
    )
    for prompt in ("two people hug", "A bows to B"):
        pair.conversation.scenes.add().prompt = prompt
    pair.conversation.story_seconds = 3.0
    for task, operator, excused in asked:
        pair.conversation.words = "slower"
        operator()
        tick_until(jobs, lambda: not jobs.running())
        error = jobs.latest().error
        # A model that knows nothing may understand no change and find no words.
        assert error is None or error.code in excused, (task, error)
        if error is None:
            assert pair.conversation.turns[-1].task == task


def test_a_backend_that_is_killed_in_mid_job_is_noticed_and_restart_brings_another(jobs: Any, tmp_path: Path) -> None:
    context.scene.duologue.pairs[0].seconds = 10.0
    duologue.generate()
    tick_until(jobs, lambda: jobs.latest().first_motion_seconds is not None or not jobs.running())
    assert jobs.running()
    os.kill(connection_file.read(tmp_path / "connection.json").pid, signal.SIGKILL)
    tick_until(jobs, lambda: not jobs.running(), 10)
    assert jobs.latest().error.code in ("backend_ended", "backend_lost")
    assert bpy.data.objects["Alice"].animation_data is None or not bpy.data.actions
    duologue.backend_restart()
    tick_until(jobs, lambda: jobs.session.state.name == "READY")


def test_cancelling_frees_the_backend_for_the_next_job(jobs: Any) -> None:
    context.scene.duologue.pairs[0].seconds = 10.0
    duologue.generate()
    tick_until(jobs, lambda: jobs.latest().first_motion_seconds is not None)
    duologue.cancel()
    assert not bpy.data.actions
    context.scene.duologue.pairs[0].seconds = 1.0
    duologue.generate()
    tick_until(jobs, lambda: not jobs.running())
    assert jobs.latest().error is None


def test_an_altered_checkpoint_is_named_with_the_next_step(jobs: Any, extension: str, checkpoint: Path) -> None:
    altered = checkpoint.with_name("altered")
    shutil.copytree(checkpoint, altered)
    weights = next(altered.glob("language.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    settings(extension).checkpoint = str(altered)
    duologue.generate()
    tick_until(jobs, lambda: not jobs.running())
    assert "language.safetensors" in jobs.latest().error.message
    assert jobs.latest().error.hint
    assert not bpy.data.actions
