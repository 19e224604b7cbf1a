"""Setting up the backend within Blender: one at a time, followed by a timer that only redraws what shows it."""

from __future__ import annotations

import sys

import bpy

from protocol import installation

from ..installer.home import Home, State, default_home
from ..installer.payload import payload
from ..installer.setup import Phase, Setup, Wish
from ..stubs import Context
from . import jobs
from .process import Settings
from .session import State as Connection

_INTERVAL = 0.25
setup = Setup()
_settings: Settings | None = None


def begin(wish: Wish, settings: Settings) -> None:
    """Set the backend up; once it is, connect to it.

    Raises:
        DuologueError: what `Setup.begin` raises.
    """
    global _settings
    setup.begin(wish)
    _settings = settings
    _follow()


def begin_removal(home: Home) -> None:
    """Stop the backend and remove what was set up.

    Raises:
        DuologueError: what `Setup.begin_removal` raises.
    """
    global _settings
    jobs.disconnect()
    setup.begin_removal(home)
    _settings = None
    _follow()


def is_missing(settings: Settings) -> bool:
    """Whether there is no backend: none runs, none is set up, and none was named in the preferences."""
    if settings.fixed or settings.python or jobs.session.state not in (Connection.OFF, Connection.FAILED):
        return False
    return installation.find() is None and not settings.connection_file.exists()


def set_up_here() -> State | None:
    """What was set up from Blender, by this one or another; None for nothing."""
    return default_home().state()


def is_outdated() -> bool:
    """Whether the backend that was set up from Blender is not the one that this version of the extension carries."""
    state, carried = set_up_here(), payload()
    return state is not None and carried is not None and state.ready and state.program != carried.identity


def blender_python() -> str:
    """The interpreter that Blender comes with; empty where Blender is a Python module and it is that of its user."""
    return "" if bpy.app.module else sys.executable


def register() -> None:
    """Nothing is done before it is asked for."""


def unregister() -> None:
    """Stop what is being done; setting up can be gone on with later."""
    setup.end()
    if bpy.app.timers.is_registered(_timer):
        bpy.app.timers.unregister(_timer)


def _follow() -> None:
    if not bpy.app.timers.is_registered(_timer):
        bpy.app.timers.register(_timer, persistent=True)
    _redraw()


def _timer() -> float | None:
    _redraw()
    if setup.running:
        return _INTERVAL
    if setup.progress.phase is Phase.DONE and _settings is not None:
        jobs.connect(_settings)
    return None


def _redraw() -> None:
    context: Context = bpy.context
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES"):
                area.tag_redraw()
