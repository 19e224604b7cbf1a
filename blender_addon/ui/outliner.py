"""The caption of the selected character at the foot of the Outliner, whose rows only have room for names."""

from __future__ import annotations

import blf
import bpy
import gpu
from bpy.types import SpaceOutliner
from gpu_extras.batch import batch_for_shader

from .. import captions
from ..operators.checks import armature_of
from ..preferences import preferences_of
from ..stubs import Context
from .text import wrapped

_FONT = 0
_FONT_SIZE = 11
_PADDING = 8
_LINES_MAX = 6
_SHARE_MAX = 0.4
"""Of the height of the Outliner: its rows must stay in sight, however small it is."""
_handle: object | None = None


def caption_of(context: Context) -> str:
    """The caption of the active character, its name before it; empty where it has none."""
    character = armature_of(context.view_layer.objects.active) if context.view_layer else None
    text = captions.read(character) if character is not None else ""
    return f"{character.name}: {text}" if character is not None and text else ""


def footer_of(context: Context) -> str:
    """What the foot of the Outliner shows: the active character's captions, a line each; empty where unwanted."""
    if not preferences_of(context).outliner_captions:
        return ""
    character = armature_of(context.view_layer.objects.active) if context.view_layer else None
    return captions.shown(character) if character is not None else ""


def shortened(lines: list[str], room: float) -> list[str]:
    """Those lines that may be shown where there is ``room`` for so many; the last of them says that there are more."""
    most = max(1, min(_LINES_MAX, int(_SHARE_MAX * room)))
    return lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1] + " …"]


def register() -> None:
    """Begin to draw."""
    global _handle
    _handle = SpaceOutliner.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")


def unregister() -> None:
    """Stop drawing."""
    global _handle
    if _handle is not None:
        SpaceOutliner.draw_handler_remove(_handle, "WINDOW")
        _handle = None


def _draw() -> None:
    context: Context = bpy.context
    text, region = footer_of(context), context.region
    if not text or region is None:
        return
    scale = context.preferences.system.ui_scale
    padding, line_height = _PADDING * scale, _FONT_SIZE * 1.5 * scale
    blf.size(_FONT, _FONT_SIZE * scale)
    lines = shortened(wrapped(text, region.width - 2 * padding, _FONT), region.height / line_height)
    theme = context.preferences.themes[0].user_interface.wcol_tooltip
    _fill(region.width, len(lines) * line_height + padding, tuple(theme.inner))
    red, green, blue = theme.text
    blf.color(_FONT, red, green, blue, 1.0)
    for number, line in enumerate(reversed(lines)):
        blf.position(_FONT, padding, padding + number * line_height, 0)
        blf.draw(_FONT, line)


def _fill(width: float, height: float, color: tuple[float, ...]) -> None:
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    corners = ((0, 0), (width, 0), (width, height), (0, height))
    batch = batch_for_shader(shader, "TRIS", {"pos": corners}, indices=((0, 1, 2), (0, 2, 3)))
    gpu.state.blend_set("ALPHA")
    shader.uniform_float("color", color)
    batch.draw(shader)
    gpu.state.blend_set("NONE")
