"""How Blender feels while Duologue works: figures, not verdicts, for a machine that may be busy.

    python -m tests.benchmarks.experience            against a scripted backend
    python -m tests.benchmarks.experience --real     and against the real one, which is killed and restarted

Installs the newest zip in ``dist/`` into a Blender of its own (the bpy wheel), with two Rigify characters. CPU time is
that of Blender's one thread; wall time includes whatever else the machine does.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PLACE = tempfile.mkdtemp(prefix="duologue-benchmark-")
os.environ["BLENDER_USER_RESOURCES"] = _PLACE
os.environ["DUOLOGUE_CONNECTION"] = str(Path(_PLACE, "connection.json"))
os.environ.setdefault("DUOLOGUE_PYTHON", sys.executable)

import importlib  # noqa: E402

import bpy  # noqa: E402

import build  # noqa: E402
from protocol import connection as connection_file  # noqa: E402
from protocol.messages import Accepted, MotionPart, Progress, Result, Submit  # noqa: E402
from protocol.wire import Envelope  # noqa: E402
from tests.e2e import characters  # noqa: E402
from tests.fake_backend import FakeBackend, two_wave  # noqa: E402

PACKAGE = "bl_ext.user_default.duologue"
SECONDS = 10.0
PIECE_FRAMES = 8
PACE = 4.0
"""Seconds of motion that the scripted backend makes in a second, about as the shipped model does."""
REPEATS = 3
context: Any = bpy.context
duologue: Any = bpy.ops.duologue  # pyright: ignore[reportAttributeAccessIssue]


def main() -> None:
    """Measure and print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", action="store_true", help="also start, kill and restart the real backend")
    chosen = parser.parse_args()
    print(f"Blender {bpy.app.version_string}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    install()
    measure_coming()
    stage()
    server = FakeBackend(paced)
    connection_file.write(server.connection, Path(os.environ["DUOLOGUE_CONNECTION"]))
    measure_blocks()
    measure_cancel()
    jobs().disconnect()
    server.close()
    if chosen.real:
        measure_restart()
    sys.stdout.flush()
    # bpy 4.5 can hang for ever in its own exit.
    os._exit(0)


def install() -> None:
    """Install the zip for this Blender and enable it."""
    name = "blender-4.5-5.0" if sys.version_info < (3, 12) else "blender-5.1-up"
    newest = sorted((build.HERE / "dist").glob(f"duologue-*-{name}.zip"))[-1]
    bpy.ops.extensions.package_install_files(repo="user_default", filepath=str(newest), enable_on_install=True)


def measure_coming() -> None:
    """The time that enabling the extension adds to Blender's start, everything of it imported anew."""
    # Blender keeps the bytecode of extensions, so only the first start after an update compiles anything.
    sys.dont_write_bytecode = False
    addon_utils: Any = importlib.import_module("addon_utils")
    took = []
    for _ in range(REPEATS):
        addon_utils.disable(PACKAGE)
        for module in [name for name in sys.modules if name.startswith(PACKAGE)]:
            del sys.modules[module]
        took.append(timed(lambda: addon_utils.enable(PACKAGE)))
    tell("import and register (wanted 0.15 s)", min(took))


def stage() -> None:
    """Two Rigify characters as A and B, ten seconds to be made."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    context.scene.render.fps = 30
    pair = importlib.import_module(f"{PACKAGE}.characters").active_of(context.scene)
    pair.character_a = characters.build_rigify("Alice", 1.7)
    pair.character_b = characters.build_rigify("Bob", 1.85)
    pair.prompt, pair.seconds = "two people wave at each other", SECONDS


def measure_blocks() -> None:
    """The longest that Blender's thread is kept busy at once while ten seconds are generated."""
    longest = []
    for _ in range(REPEATS):
        blocks = [timed(duologue.generate)]
        while jobs().running():
            blocks.append(timed(jobs().tick))
            time.sleep(0.005)
        assert jobs().latest().error is None, jobs().latest().error
        longest.append(max(blocks))
    tell(f"longest block, {SECONDS:g} s onto two Rigify rigs (wanted 0.05 s)", min(longest))


def measure_cancel() -> None:
    """From Esc, in the middle of the motion, until everything is as it was."""
    took = []
    for _ in range(REPEATS):
        duologue.generate()
        wait(lambda: jobs().latest().first_motion_seconds is not None)
        took.append(timed(duologue.cancel))
        assert not jobs().running()
    tell("Esc to idle (wanted 0.3 s)", min(took))


def measure_restart() -> None:
    """The real backend: from nothing to motion, once more while it is warm, and from its death to motion."""
    duologue.generate()
    begun = time.monotonic()
    wait(lambda: jobs().latest().first_motion_seconds is not None)
    print(f"  cold start to first motion: {time.monotonic() - begun:.2f} s wall")
    wait(lambda: not jobs().running())
    duologue.generate()
    wait(lambda: jobs().latest().first_motion_seconds is not None)
    print(f"  Generate to first motion, warm (wanted 1.5 s): {jobs().latest().first_motion_seconds:.2f} s wall")
    os.kill(connection_file.read(Path(os.environ["DUOLOGUE_CONNECTION"])).pid, signal.SIGKILL)
    begun = time.monotonic()
    wait(lambda: not jobs().running())
    print(f"  killed to noticed (wanted 3 s): {time.monotonic() - begun:.2f} s wall")
    begun = time.monotonic()
    duologue.backend_restart()
    wait(lambda: jobs().latest().first_motion_seconds is not None)
    print(f"  Restart to generating again (wanted 15 s): {time.monotonic() - begun:.2f} s wall")
    jobs().disconnect()


def paced(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
    """Send motion in the pieces and at the pace of a real model."""
    submit, job = envelope.message, envelope.header.id
    if not isinstance(submit, Submit):
        return
    server.say(to, Accepted(0), job)
    made = two_wave(round(submit.seconds * 30))
    for start in range(0, made.frames, PIECE_FRAMES):
        end = min(start + PIECE_FRAMES, made.frames)
        if server.ended.is_set():
            return
        server.say(to, Progress(start / made.frames, "Generating"), job)
        server.say(to, MotionPart(0, start, made.frames, made.slice(start, end)), job)
        time.sleep(PIECE_FRAMES / 30 / PACE)
    server.say(to, Result(compute_seconds=SECONDS / PACE), job)


def jobs() -> Any:
    """The extension's job module."""
    return importlib.import_module(f"{PACKAGE}.link.jobs")


def wait(over: Callable[[], object], seconds: float = 120.0) -> None:
    """Tick until something holds."""
    deadline = time.monotonic() + seconds
    while not over():
        assert time.monotonic() < deadline, jobs().session.error
        jobs().tick()
        time.sleep(0.005)


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds of this thread's CPU time and of the clock on the wall that something takes."""
    cpu, wall = time.thread_time(), time.perf_counter()
    action()
    return time.thread_time() - cpu, time.perf_counter() - wall


def tell(what: str, took: tuple[float, float]) -> None:
    """Print a figure."""
    print(f"  {what}: {took[0]:.3f} s CPU, {took[1]:.3f} s wall", flush=True)


if __name__ == "__main__":
    main()
