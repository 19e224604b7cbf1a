"""The demo: two skinned characters, the installed extension's own operators, and the backend as its own process.

Run by ``python build.py demo``. Writes ``demo.blend``, ``preview.mp4``, ``contact_sheet.png`` and ``report.json``.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Set before bpy is imported: the demo must not touch the user's own Blender settings.
os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="duologue-demo-")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bpy

from tests.e2e import characters, preview

duologue: Any = bpy.ops.duologue  # pyright: ignore[reportAttributeAccessIssue]
"""The extension's operators; Blender looks each up when it is called."""

PACKAGE = "bl_ext.user_default.duologue"
PROMPT = "two people walk up to each other and shake hands"
SECONDS = 5.0
SEED = 7
PATIENCE = 180.0
"""Seconds after which a step of the demo counts as failed."""


@dataclass(frozen=True)
class Stage:
    """The scene, its two armatures and the installed extension's job module, all of which Blender types at run time."""

    scene: Any
    a: Any
    b: Any
    jobs: Any


def main() -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--extension", type=Path, required=True, help="the extension zip to install")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    # A backend of the demo's own, so that one that already runs is neither used nor disturbed.
    os.environ["DUOLOGUE_CONNECTION"] = str(Path(tempfile.mkdtemp(prefix="duologue-")) / "connection.json")
    os.environ["DUOLOGUE_PYTHON"] = sys.executable

    stage = build(chosen.extension)
    report = act(stage, chosen.out)
    report["seconds"] = round(time.monotonic() - start, 1)
    (chosen.out / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    for name in ("demo.blend", "preview.mp4", "contact_sheet.png", "report.json"):
        print(chosen.out / name)
    return 0


def build(extension: Path) -> Stage:
    """Install the extension and build the two characters on their stage."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.extensions.package_install_files(repo="user_default", filepath=str(extension), enable_on_install=True)
    scene: Any = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 30, 1.0
    characters.build_stage(scene)
    a: Any = characters.build_mixamo("Marco", 1.85)
    b: Any = characters.build_rigify("Rita", 1.62)
    pair = importlib.import_module(f"{PACKAGE}.characters").active_of(scene)
    pair.character_a, pair.character_b = a, b
    say(f"Characters: {a.name} ({len(a.data.bones)} Mixamo bones), {b.name} ({len(b.data.bones)} Rigify bones)")
    return Stage(scene, a, b, importlib.import_module(f"{PACKAGE}.link.jobs"))


def act(stage: Stage, out: Path) -> dict[str, Any]:
    """Generate, react and describe through the operators; returns the report."""
    steps: dict[str, Any] = {}
    settings = stage.scene.duologue.pairs[0]
    settings.prompt, settings.seconds, settings.seed, settings.new_seed = PROMPT, SECONDS, SEED, False
    stage.scene.frame_set(1)
    cast, last = (stage.a, stage.b), round(SECONDS * stage.scene.render.fps)

    steps["start the backend"] = {"seconds": start_backend(stage)}
    steps["generate"] = finished(stage, duologue.generate)
    generated = preview.render(stage.scene, out / "frames" / "generate", cast, last)

    activate(stage.a)
    steps["react"] = finished(stage, duologue.react)
    reacted = preview.render(stage.scene, out / "frames" / "react", cast, last)

    steps["describe"] = finished(stage, duologue.describe)
    caption = importlib.import_module(f"{PACKAGE}.captions").read(stage.a)
    say(f"Described as: {caption}")
    steps["300 frames onto two rigs"] = {"seconds": keyframe_300_frames(stage)}

    shots = [
        preview.Shot(f"Generate: “{PROMPT}”", generated),
        preview.Shot(f"{stage.b.name} reacts to {stage.a.name}. Described as: “{caption}”", reacted),
    ]
    preview.contact_sheet(shots, out / "contact_sheet.png")
    preview.movie(shots, out / "preview.mp4", stage.scene.render.fps)
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "demo.blend"))
    duologue.backend_stop()
    return {"prompt": PROMPT, "caption": caption, "steps": steps, "versions": versions()}


def start_backend(stage: Stage) -> float:
    """Start the backend through the extension and wait until its model is loaded; returns the seconds that took."""
    start = time.monotonic()
    duologue.backend_start()
    wait(stage, lambda: stage.jobs.session.state.name in ("READY", "FAILED"), "starting the backend")
    if stage.jobs.session.error is not None:
        raise SystemExit(f"The backend did not start. {stage.jobs.session.error}")
    seconds = round(time.monotonic() - start, 2)
    say(f"Backend ready after {seconds:.1f} s")
    return seconds


def finished(stage: Stage, operator: Any) -> dict[str, float | None]:
    """Run an operator until its job is over; returns its seconds and, where it made motion, its real-time factor."""
    operator()
    job: Any = stage.jobs.latest()
    wait(stage, lambda: not stage.jobs.running(), job.title)
    if job.phase.name != "DONE":
        raise SystemExit(f"{job.title} failed. {job.error}")
    made_motion = job.first_motion_seconds is not None
    say(
        f"{job.title}: {job.seconds:.2f} s"
        + (f", first motion after {job.first_motion_seconds:.2f} s" if made_motion else "")
    )
    return {
        "seconds": round(job.seconds, 2),
        "compute_seconds": round(job.compute_seconds, 2),
        "first_motion_seconds": round(job.first_motion_seconds, 2) if made_motion else None,
        "real_time_factor": round(SECONDS / job.compute_seconds, 2) if made_motion else None,
    }


def wait(stage: Stage, over: Callable[[], bool], what: str) -> None:
    """Do what Blender's timers do in a window, until something is over."""
    deadline = time.monotonic() + PATIENCE
    while not over():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} took longer than {PATIENCE:.0f} s; the backend's log may say why.")
        stage.jobs.tick()
        time.sleep(stage.jobs.BUSY_INTERVAL)


def activate(armature: Any) -> None:
    """Make a character the active object, as a click on it does."""
    layer: Any = bpy.context.view_layer
    for other in layer.objects:
        other.select_set(other == armature)
    layer.objects.active = armature


def keyframe_300_frames(stage: Stage) -> float:
    """Seconds to retarget 300 frames onto both rigs and write the keys; nothing of it is kept."""
    capture = importlib.import_module(f"{PACKAGE}.animation.capture")
    apply = importlib.import_module(f"{PACKAGE}.animation.apply")
    motion_module = importlib.import_module(f"{PACKAGE}.protocol.motion")
    last = round(SECONDS * stage.scene.render.fps)
    motion = capture.capture(stage.scene, [stage.a, stage.b], 1, last)
    motion = motion_module.joined_in_time([motion] * (300 // motion.frames + 1)).slice(0, 300)
    start = time.monotonic()
    writer = apply.PairWriter(stage.scene, [stage.a, stage.b], 300, 1, "benchmark")
    writer.write(motion, 0)
    seconds = time.monotonic() - start
    writer.discard()
    return round(seconds, 3)


def versions() -> dict[str, str]:
    """What the demo ran on."""
    names = ("duologue", "torch", "transformers", "numpy", "pyzmq")
    found = {name: importlib.metadata.version(name) for name in names}
    return {"python": platform.python_version(), "blender": bpy.app.version_string, **found}


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


if __name__ == "__main__":
    code = 1
    try:
        code = main()
    except SystemExit as stop:
        print(stop, file=sys.stderr)
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        # bpy 4.5 can hang for ever in its own exit.
        os._exit(code)
