"""Timeline markers that say what begins where."""

from __future__ import annotations

from typing import Any

from bpy.types import Scene

from . import captions

_OWNER = "duologue"
"""Custom property of a marker: whose caption it shows."""
_NAME_BYTES = 63


def mark(scene: Scene, frame: int, who: str, text: str) -> None:
    """Put a marker with a caption at a frame; one that shows an older caption of the same there is renamed."""
    found: Any = next((one for one in scene.timeline_markers if one.frame == frame and one.get(_OWNER) == who), None)
    if found is None:
        found = scene.timeline_markers.new("", frame=frame)
        found[_OWNER] = who
    found.name = captions.cut(f"{who}: {text}", _NAME_BYTES)
