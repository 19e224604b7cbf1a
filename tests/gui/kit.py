"""Drives a Blender window from inside, as a person would: real mouse and key events, pictures of the whole screen.

A script is a generator of steps: it yields to let Blender go on, and `until` waits for a state with a deadline. Needs
X11 with ``xdotool`` and ImageMagick's ``import``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy

OUT = Path(os.environ["OUT"])
_STEP_SECONDS = 0.05
_SETTLE_SECONDS = 0.4
_RIGHT = 3
clicks_made = 0

Steps = Iterator[float | None]


def run(script: Callable[[], Steps]) -> None:
    """Run a script of steps, then end Blender: with exit code 0 if all went well, else 3."""
    steps = script()

    def tick() -> float:
        try:
            return next(steps) or _STEP_SECONDS
        except StopIteration:
            code = 0
        except BaseException:
            traceback.print_exc()
            picture("failed")
            code = 3
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    bpy.app.timers.register(tick, first_interval=2.0, persistent=True)


def until(state: Callable[[], object], what: str, seconds: float = 60.0) -> Steps:
    """Wait for a state; fails by naming it when the deadline has passed."""
    deadline = time.monotonic() + seconds
    while not state():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not after {seconds:g} s")
        yield None


def settle() -> Steps:
    """Let Blender draw what has just changed."""
    yield 2 * _SETTLE_SECONDS


def window() -> Any:
    """Blender's one window."""
    return bpy.context.window_manager.windows[0]  # pyright: ignore


def area(kind: str) -> Any:
    """The largest area of a kind, such as ``"VIEW_3D"``."""
    found = [one for one in window().screen.areas if one.type == kind]
    return max(found, key=lambda one: one.width * one.height)


def region(of: Any, kind: str = "WINDOW") -> Any:
    """An area's region of a kind."""
    return next(one for one in of.regions if one.type == kind)


def move(x: float, y: float) -> None:
    """Move the mouse to window pixels, counted from the bottom left as Blender does."""
    column, row = _on_screen(x, y)
    _command("xdotool", "mousemove", column - 3, row - 3, "mousemove", column, row)


def click(x: float, y: float, button: int = 1) -> Steps:
    """Click at window pixels, unhurriedly: Blender must have seen the mouse arrive, even on a machine that is busy."""
    global clicks_made
    clicks_made += 1
    move(x, y)
    yield _SETTLE_SECONDS
    column, row = _on_screen(x, y)
    # Blender ignores a press that does not follow right after a motion.
    _command("xdotool", "mousemove", column - 1, row, "mousemove", column, row, "sleep", "0.15", "click", button)
    yield _SETTLE_SECONDS


def right_click(x: float, y: float) -> Steps:
    """Click at window pixels with the right button."""
    yield from click(x, y, _RIGHT)


def drag(begin: tuple[float, float], end: tuple[float, float]) -> Steps:
    """Hold the left button from one place to another, in window pixels."""
    move(*begin)
    yield _SETTLE_SECONDS
    _command("xdotool", "mousemove", *_on_screen(*begin), "sleep", "0.15", "mousedown", 1)
    yield _SETTLE_SECONDS
    for part in (0.5, 1.0):
        move(*(start + part * (stop - start) for start, stop in zip(begin, end, strict=True)))
        yield _SETTLE_SECONDS
    _command("xdotool", "mouseup", 1)
    yield _SETTLE_SECONDS


def key(name: str) -> None:
    """Press a key or a combination, such as ``"ctrl+z"``."""
    _command("xdotool", "key", name)


def write(text: str) -> None:
    """Type text."""
    _command("xdotool", "type", "--delay", "20", text)


def picture(name: str) -> None:
    """Take a picture of the whole screen."""
    _command("import", "-window", "root", OUT / f"{name}.png")


def _on_screen(x: float, y: float) -> tuple[int, int]:
    height = int(_command("xdotool", "getdisplaygeometry").split()[1])
    return int(window().x + x), int(height - 1 - window().y - y)


def _command(*parts: object) -> str:
    return subprocess.run([str(part) for part in parts], capture_output=True, text=True, check=True).stdout
