"""Nothing is left behind: not by coming and going fifty times, not by a thousand jobs."""

from __future__ import annotations

import gc
import importlib
import os
from pathlib import Path
from typing import Any

import bpy
import pytest

from tests.blender.stage import Addon, Stage, duologue
from tests.fake_backend import FakeBackend, play

ROUNDS = 50
JOBS = 1000
SECONDS = 1.0


def handlers() -> int:
    """How many functions Blender calls at its events."""
    found = (getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers))
    return sum(len(one) for one in found if isinstance(one, list))


def datablocks() -> dict[str, int]:
    """How many of each kind of datablock the file holds."""
    data: Any = bpy.data
    kinds = [one.identifier for one in data.bl_rna.properties if one.type == "COLLECTION"]
    return {kind: len(getattr(data, kind)) for kind in kinds}


def descriptors() -> int:
    """How many files and sockets this process has open."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("open files can only be counted on Linux")
    gc.collect()
    return len(os.listdir(folder))  # noqa: PTH208 - the folder changes while it is read


def timers(addon: Addon) -> list[str]:
    """Which of the extension's timers are registered."""
    known = {"link.jobs": "_timer", "link.install": "_timer", "versioning": "_provide_and_redraw"}
    return [module for module, name in known.items() if bpy.app.timers.is_registered(getattr(addon(module), name))]


def menus() -> int:
    """How many functions draw into the menus that the extension adds to."""
    names = ("VIEW3D_MT_object", "VIEW3D_MT_pose", "VIEW3D_MT_object_context_menu", "OUTLINER_MT_object")
    return sum(len(getattr(getattr(bpy.types, name).draw, "_draw_funcs", ())) for name in names)


def test_coming_and_going_fifty_times_leaves_nothing(extension: str, addon: Addon) -> None:
    addon_utils = importlib.import_module("addon_utils")
    before = handlers(), menus(), datablocks(), descriptors()
    old = addon("link.jobs")._timer
    for _ in range(ROUNDS):
        addon_utils.disable(extension)
        assert not bpy.app.timers.is_registered(old)
        addon_utils.enable(extension)
    assert timers(addon) == []
    assert (handlers(), menus(), datablocks(), descriptors()) == before


def test_a_thousand_jobs_leave_nothing(stage: Stage, backend: Any, addon: Addon) -> None:
    server: FakeBackend = backend(lambda server, to, envelope: play(server, to, envelope, pieces=1))
    stage.settings.seconds = SECONDS
    # What is made once for all is made here.
    ten_jobs(stage, server)
    before = handlers(), datablocks(), descriptors(), timers(addon)
    for _ in range(JOBS // 10):
        ten_jobs(stage, server)
    assert (handlers(), datablocks(), descriptors(), timers(addon)) == before
    assert stage.actions() == (None, None)


def ten_jobs(stage: Stage, server: FakeBackend) -> None:
    """Move the characters, describe that and reject it; then cancel, four times at once and four times a little later.

    Each time over a new connection.
    """
    server.received.clear()
    assert stage.run(duologue.generate).error is None
    assert stage.run(duologue.describe).error is None
    duologue.reject()
    for number in range(8):
        duologue.generate()
        for _ in range(number // 4 * number):
            stage.jobs.tick()
        if stage.jobs.running():
            duologue.cancel()
        else:  # on a busy machine the ticks take as long as the whole job
            duologue.reject()
    stage.jobs.disconnect()
