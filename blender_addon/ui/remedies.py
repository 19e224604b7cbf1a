"""What can be done about an error, as a button: every code of an error that a person can mend from within Blender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Remedy:
    """One button.

    Attributes:
        operator: its ``bl_idname``.
        text: what the button says.
        options: properties of the operator.
    """

    operator: str
    text: str
    icon: str
    options: Mapping[str, str] = field(default_factory=dict)


_RESTART = Remedy("duologue.backend_restart", "Restart Backend", "FILE_REFRESH")
_START = Remedy("duologue.backend_start", "Start Backend", "PLAY")
_SET_UP = Remedy("duologue.backend_setup", "Set Up Backend", "IMPORT")
_FORGET = Remedy("duologue.forget_connection", "Delete the File and Restart", "TRASH")
_PREFERENCES = Remedy("duologue.open_preferences", "Open Preferences", "PREFERENCES", {"section": "DUOLOGUE"})
_ONLINE = Remedy("duologue.open_preferences", "Allow Online Access…", "INTERNET", {"section": "SYSTEM"})
_LOG = Remedy("duologue.open_log", "Open Log", "TEXT", {"log": "SETUP"})
_SELECTED = Remedy("duologue.use_selected", "Use Selected", "RESTRICT_SELECT_OFF")
_CORRECT = Remedy("duologue.correct_settings", "Correct It", "CHECKMARK")
_FREE = Remedy("duologue.free_characters", "Make Them Movable", "ARMATURE_DATA")
_GENERATE = Remedy("duologue.generate", "Generate", "PLAY")
_CANCEL = Remedy("duologue.cancel", "Cancel It", "X")

REMEDIES: Mapping[str, Remedy] = {
    **dict.fromkeys(("backend_lost", "backend_ended", "backend_slow", "internal"), _RESTART),
    **dict.fromkeys(("motion_gap", "motion_not_finite", "motion_shape", "motion_rotations", "no_motion"), _RESTART),
    **dict.fromkeys(("persons_mismatch", "wire_malformed", "wire_too_large", "wire_unknown_type"), _RESTART),
    **dict.fromkeys(("backend_off", "connection_missing", "connection_stale"), _START),
    **dict.fromkeys(("backend_missing", "setup_download", "setup_unpack", "setup_unexpected"), _SET_UP),
    **dict.fromkeys(("version_mismatch", "task_unknown", "checkpoint_version"), _SET_UP),
    **dict.fromkeys(("connection_exposed", "connection_malformed", "connection_unreadable", "backend_silent"), _FORGET),
    **dict.fromkeys(("backend_python", "python_unfit", "python_missing", "setup_nothing"), _PREFERENCES),
    **dict.fromkeys(("setup_unwritable", "setup_environment", "device_missing"), _PREFERENCES),
    **dict.fromkeys(("checkpoint_missing", "checkpoint_unreadable"), _PREFERENCES),
    **dict.fromkeys(("checkpoint_truncated", "checkpoint_altered"), _PREFERENCES),
    **dict.fromkeys(("offline", "setup_offline"), _ONLINE),
    **dict.fromkeys(("setup_broken", "setup_remove"), _LOG),
    **dict.fromkeys(("character_missing", "character_not_in_scene", "character_twice"), _SELECTED),
    **dict.fromkeys(("not_in_pair", "character_gone", "one_rig_for_both", "no_rig"), _SELECTED),
    **dict.fromkeys(("prompt_empty", "prompt_too_long", "seconds_out_of_range", "too_many_variations"), _CORRECT),
    **dict.fromkeys(("rig_in_edit_mode", "rig_in_rest_position", "rig_hidden", "channels_locked"), _FREE),
    **dict.fromkeys(("no_animation", "one_frame"), _GENERATE),
    "busy": _CANCEL,
}


def draw_remedy(layout: Any, code: str) -> None:
    """Draw the button for an error, if there is one."""
    remedy = REMEDIES.get(code)
    if remedy is None:
        return
    button = layout.operator(remedy.operator, text=remedy.text, icon=remedy.icon)
    for name, value in remedy.options.items():
        setattr(button, name, value)
