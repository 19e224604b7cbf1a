"""Every scene has a pair, and what older versions of the extension stored is moved to where it is kept now.

Panels may change nothing while they are drawn, hence pairs are made when a file is opened, and otherwise as soon as a
panel misses one.
"""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent
from bpy.types import PropertyGroup, Scene

from . import compat
from .characters import active_of, pairs_of
from .stubs import Context

_PAIRS, _OLD_RESULT = "duologue", "duologue_result"
"""Properties of a scene. Up to version 0.1 the first held the settings of a single pair, the second its result."""


def register() -> None:
    """Watch for files being opened."""
    bpy.app.handlers.load_post.append(_on_load)


def unregister() -> None:
    """Watch no more."""
    bpy.app.handlers.load_post.remove(_on_load)
    if bpy.app.timers.is_registered(_provide_and_redraw):
        bpy.app.timers.unregister(_provide_and_redraw)


def provide_soon(scene: Scene) -> None:
    """Give a scene its first pair as soon as nothing is being drawn."""
    if scene.library is None and not bpy.app.timers.is_registered(_provide_and_redraw):
        bpy.app.timers.register(_provide_and_redraw, first_interval=0.0)


def provide(scene: Scene) -> None:
    """Give a scene its first pair, with what an older version stored of it; linked scenes are left as they are."""
    if scene.library is not None or pairs_of(scene).pairs:
        return
    pair = active_of(scene)
    old = compat.stored(scene, _PAIRS)
    single = [name for name in old if name in pair.bl_rna.properties]
    _fill(pair, {name: old[name] for name in single})
    for name in single:
        del old[name]
    result = compat.stored(scene, _OLD_RESULT)
    if result is not None:
        _fill(pair.result, result)
        compat.forget_stored(scene, _OLD_RESULT)


def _fill(group: PropertyGroup, stored: Any) -> None:
    """Set the properties of a group to what was stored under the same names."""
    for name in stored:
        known: Any = group.bl_rna.properties.get(name)
        if known is None:
            continue
        if known.type == "COLLECTION":
            for one in stored[name]:
                _fill(getattr(group, name).add(), one)
        elif known.type == "POINTER" and isinstance(getattr(group, name), PropertyGroup):
            _fill(getattr(group, name), stored[name])
        else:
            setattr(group, name, stored[name])


@persistent
def _on_load(*_file: object) -> None:
    for scene in bpy.data.scenes:
        provide(scene)


def _provide_and_redraw() -> None:
    context: Context = bpy.context
    for scene in bpy.data.scenes:
        provide(scene)
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
