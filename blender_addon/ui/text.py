"""Text of any length in Blender's one-line labels."""

from __future__ import annotations

import textwrap
from typing import Any

import blf
import bpy

from protocol.errors import DuologueError

from ..stubs import Context
from .remedies import draw_remedy

_CHARACTER_WIDTH = 6.4
"""Mean width of a character of the interface font at a resolution scale of 1, in pixels."""
_MARGIN, _ICON_WIDTH = 60, 24
"""Pixels of a panel that text cannot use: its border, its tabs and a box; an icon."""
_LEAST_CHARACTERS = 10


def paragraph(layout: Any, context: Context, text: str, icon: str = "NONE") -> None:
    """Draw text as labels that fit the width of the region, the icon before the first line."""
    scale = context.preferences.system.ui_scale
    width = context.region.width if context.region is not None else 300
    taken = _MARGIN + (_ICON_WIDTH if icon != "NONE" else 0)
    characters = max(_LEAST_CHARACTERS, int((width / scale - taken) / _CHARACTER_WIDTH))
    column = layout.column(align=True)
    column.scale_y = 0.8
    translations: Any = bpy.app.translations
    # Translated as a whole: no translation knows the lines.
    text = translations.pgettext_rpt(text)
    for number, line in enumerate(textwrap.wrap(text, characters) or [""]):
        column.label(text=line, translate=False, icon=icon if number == 0 else ("NONE" if icon == "NONE" else "BLANK1"))


def draw_error(layout: Any, context: Context, error: DuologueError) -> None:
    """Draw what went wrong, in red, what to do next, and the button that does it."""
    box = layout.box()
    box.alert = True
    paragraph(box, context, error.message, "ERROR")
    if error.hint:
        box.alert = False
        paragraph(box, context, error.hint, "FORWARD")
    draw_remedy(box, error.code)


def wrapped(text: str, width: float, font: int = 0) -> list[str]:
    """Lines of ``text`` of at most ``width`` pixels in the font's current size; a longer word stands alone."""
    lines: list[str] = []
    for source in text.splitlines():
        line = ""
        for word in source.split():
            longer = f"{line} {word}".strip()
            if line and blf.dimensions(font, longer)[0] > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines
