"""A scene for a moment, in which rigs are evaluated at other frames while nothing in the user's own scene moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import bpy
from bpy.types import Depsgraph, Scene

from ..stubs import ArmatureObject

_NAME = "Duologue is reading"
_TIMING = ("fps", "fps_base", "frame_map_old", "frame_map_new")


class ReadingRoom:
    """Rigs without their meshes, which are what takes long to evaluate."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def at(self, time: float) -> Depsgraph:
        """The rigs as evaluated at a scene frame, fractions included."""
        whole = int(time + 1e-6)
        whole -= whole > time + 1e-6
        self._scene.frame_set(whole, subframe=min(max(time - whole, 0.0), 1 - 1e-6))
        layer: Any = self._scene.view_layers[0]
        return layer.depsgraph


@contextmanager
def reading_room(scene: Scene, objects: Sequence[ArmatureObject]) -> Iterator[ReadingRoom]:
    """A room with ``objects``, and whatever they depend on, that keeps ``scene``'s time; gone when the block ends.

    Only the scene in the window writes what it evaluates back to the objects. So here neither the current frame nor a
    pose that has no keys yet is touched, and playback goes on. The room must not outlive a timer tick: it would be
    found in undo steps and saved files.
    """
    room: Any = bpy.data.scenes.new(_NAME)
    try:
        for name in _TIMING:
            setattr(room.render, name, getattr(scene.render, name))
        for one in objects:
            room.collection.objects.link(one)
        yield ReadingRoom(room)
    finally:
        bpy.data.scenes.remove(room)
