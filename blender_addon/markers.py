"""Timeline markers that say what begins where."""

from __future__ import annotations

from typing import Any

from bpy.types import Scene

from . import captions

_NAME_BYTES = 63


def mark(scene: Scene, frame: int, who: str, text: str) -> None:
    """Put a marker with a caption at a frame; one that shows an older caption of the same there is renamed."""
    # Told by its name alone: from Blender 5.0 on, markers hold no custom properties.
    begins = captions.cut(f"{who}: ", _NAME_BYTES)
    here = (one for one in scene.timeline_markers if one.frame == frame and one.name.startswith(begins))
    found: Any = next(here, None) or scene.timeline_markers.new("", frame=frame)
    found.name = captions.cut(f"{who}: {text}", _NAME_BYTES)
