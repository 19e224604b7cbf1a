"""Settings of the person, not of the .blend: where the backend is, whether it may be started, where captions show."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty
from bpy.types import AddonPreferences

from protocol import connection
from protocol.errors import DuologueError

from . import compat
from .installer.home import default_home
from .installer.payload import payload
from .installer.setup import AUTO, CPU, CUDA, Wish
from .link.install import blender_python
from .link.process import Settings
from .stubs import Context

PACKAGE = __package__ or ""
_DEVICES = (
    (AUTO, "Automatic", "CUDA if an NVIDIA driver is found, else the processor"),
    (CPU, "Processor", "Run on the processor; the smaller download"),
    (CUDA, "CUDA", "Run on an NVIDIA card; several GB to download"),
)


def _redraw_outliners(_preferences: object, context: Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "OUTLINER":
                area.tag_redraw()


class DUOLOGUE_AP_preferences(AddonPreferences):
    """How the backend is found, and where captions are shown."""

    bl_idname = PACKAGE

    auto_start: BoolProperty(
        name="Start the Backend When Needed",
        description="Start it in the background at the first Generate, React or Describe, and stop it with Blender",
        default=True,
    )
    setup_device: EnumProperty(
        name="Device", description="Choose what the backend is set up to run on", items=_DEVICES, default=AUTO
    )
    setup_python: StringProperty(
        name="Python",
        description="Choose the Python (3.11 or newer) that the backend's environment is made with; empty: find one",
        subtype="FILE_PATH",
    )
    backend_python: StringProperty(
        name="Environment",
        description="Use the backend in this environment, or this interpreter; empty: what was set up",
        subtype="FILE_PATH",
    )
    checkpoint: StringProperty(
        name="Checkpoint",
        description="Choose the folder of the model to load; empty: the one that comes with the backend",
        subtype="DIR_PATH",
    )
    connection_file: StringProperty(
        name="Connection File",
        description=(
            "Use a backend that runs already, here or on another computer: the file that it wrote, with its address "
            "and its key; empty: find or start one"
        ),
        subtype="FILE_PATH",
    )

    outliner_captions: BoolProperty(
        name="Captions in the Outliner",
        description="Show what the active character does at the foot of the Outliner",
        default=True,
        update=_redraw_outliners,
    )
    caption_markers: BoolProperty(
        name="Timeline Markers for Captions",
        description="Add a timeline marker where the animation that was described begins",
        default=False,
    )

    def draw(self, context: Context) -> None:
        """Draw the settings in Blender's preferences."""
        # Here and not above: the drawing reads these preferences.
        from .ui.setup import draw_section

        layout: Any = self.layout
        draw_section(_titled(layout, "Backend on This Computer"), context)
        column = _titled(layout, "Or Another Backend")
        for name in ("backend_python", "connection_file"):
            column.prop(self, name)
        column = _titled(layout, "How It Runs")
        for name in ("auto_start", "checkpoint"):
            column.prop(self, name)
        column = _titled(layout, "Captions")
        for name in ("outliner_captions", "caption_markers"):
            column.prop(self, name)


CLASSES = (DUOLOGUE_AP_preferences,)


def preferences_of(context: Context) -> DUOLOGUE_AP_preferences:
    """What the person chose."""
    chosen = context.preferences.addons[PACKAGE].preferences
    assert isinstance(chosen, DUOLOGUE_AP_preferences)
    return chosen


def backend_settings(context: Context) -> Settings:
    """Where to look for a backend, from the preferences and the environment."""
    chosen = preferences_of(context)
    file = _absolute(chosen.connection_file)
    return Settings(
        connection_file=Path(file) if file else connection.default_path(),
        log=user_folder() / "backend.log",
        fixed=bool(file),
        python=_absolute(chosen.backend_python),
        checkpoint=_absolute(chosen.checkpoint),
        auto_start=chosen.auto_start,
        online=bpy.app.online_access,
    )


def setup_wish(context: Context) -> Wish:
    """What setting up shall make, from the preferences.

    Raises:
        DuologueError: ``setup_nothing`` if this copy of the extension carries no backend.
    """
    carried = payload()
    if carried is None:
        raise DuologueError(
            "setup_nothing",
            "This copy of the extension carries no backend.",
            "Run `python build.py setup` in the Duologue folder, or install the extension from its zip.",
        )
    chosen = preferences_of(context)
    python = _absolute(chosen.setup_python)
    return Wish(default_home(), carried, python, chosen.setup_device, bpy.app.online_access, blender_python())


def user_folder() -> Path:
    """The one folder of Blender's that an extension may write to."""
    return Path(compat.extension_user_folder(PACKAGE))


def _titled(layout: Any, title: str) -> Any:
    """A column with a title."""
    column = layout.column()
    column.label(text=title)
    box = column.box().column()
    column.separator()
    return box


def _absolute(path: str) -> str:
    return bpy.path.abspath(path) if path else ""
