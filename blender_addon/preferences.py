"""Settings of the person, not of the .blend: where the backend is, whether it may be started, where captions show."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import AddonPreferences

from protocol import connection

from . import compat
from .link.process import Settings
from .stubs import Context


def _redraw_outliners(_preferences: object, context: Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "OUTLINER":
                area.tag_redraw()


class DUOLOGUE_AP_preferences(AddonPreferences):
    """How the backend is found, and where captions are shown."""

    bl_idname = __package__ or ""

    auto_start: BoolProperty(
        name="Start the Backend When Needed",
        description="Start it in the background at the first Generate, React or Describe, and stop it with Blender",
        default=True,
    )
    backend_python: StringProperty(
        name="Backend Python",
        description="Interpreter that the backend is installed for; empty: the one that setting up Duologue noted down",
        subtype="FILE_PATH",
    )
    checkpoint: StringProperty(
        name="Checkpoint",
        description="Folder of the model to load; empty: the one that comes with the backend",
        subtype="DIR_PATH",
    )
    connection_file: StringProperty(
        name="Connection File",
        description="Connection file of a backend that you run yourself; empty: find or start one",
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
        column = self.layout.column()
        column.prop(self, "auto_start")
        column.separator()
        column.prop(self, "backend_python")
        column.prop(self, "checkpoint")
        column.prop(self, "connection_file")
        column.separator()
        column.prop(self, "outliner_captions")
        column.prop(self, "caption_markers")


CLASSES = (DUOLOGUE_AP_preferences,)


def preferences_of(context: Context) -> DUOLOGUE_AP_preferences:
    """What the person chose."""
    chosen = context.preferences.addons[__package__ or ""].preferences
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


def user_folder() -> Path:
    """The one folder of Blender's that an extension may write to."""
    return Path(compat.extension_user_folder(__package__ or ""))


def _absolute(path: str) -> str:
    return bpy.path.abspath(path) if path else ""
