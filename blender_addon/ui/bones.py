"""A character's bones in the sidebar: what was found, and a field to correct it for each of the 22 joints."""

from __future__ import annotations

import re
from typing import Any

from bpy.types import Object

from ..animation.own_map import own_map_of
from ..characters import active_pair, filled_rows, mapping_of
from ..operators.pairs import DUOLOGUE_OT_map_bones
from ..operators.rig_setup import DUOLOGUE_OT_detect_bones, DUOLOGUE_OT_load_bone_map, DUOLOGUE_OT_save_bone_map
from ..retarget import mapping, structure
from ..stubs import Context
from .text import draw_error

_BY_STRUCTURE = "By structure"
"""What a map is called that was found without the help of names."""
_REQUIRED = {"spine1" if key == "spine" else key for key in mapping.REQUIRED}


def draw_mapping(layout: Any, context: Context, character: Object, letter: str) -> None:
    """Draw how a rig is understood, its bones folded away unless something is wrong with them."""
    found = mapping_of(character)
    rows = mapping.rows_of(found.bone_map)
    pair = active_pair(context)
    shown = f"show_bones_{letter}"
    if found.error is not None:
        draw_error(layout.column(), context, found.error)
        if not getattr(pair, shown):
            layout.operator(DUOLOGUE_OT_map_bones.bl_idname, icon="BONE_DATA").person = letter
    name = found.bone_map.name.replace(structure.NAME, _BY_STRUCTURE)
    header, body = layout.panel_prop(pair, shown)
    header.label(
        text=f"{name}: {filled_rows(character)} of {len(mapping.ROWS)}",
        icon="CHECKMARK" if found.error is None else "ERROR",
    )
    if body is None:
        return
    row = body.row(align=True)
    row.operator(DUOLOGUE_OT_detect_bones.bl_idname, icon="VIEWZOOM").character = character.name
    row.operator(DUOLOGUE_OT_load_bone_map.bl_idname, text="", icon="FILE_FOLDER").character = character.name
    row.operator(DUOLOGUE_OT_save_bone_map.bl_idname, text="", icon="FILE_TICK").character = character.name
    fields = getattr(pair, f"bones_{letter}")
    column = body.column(align=True)
    for name in _shown(rows):
        _draw_row(column, fields, character, name, rows.get(name, ""))
    if own_map_of(character) is not None:
        body.label(text="Kept with the armature", icon="FAKE_USER_ON")


def _shown(rows: dict[str, str]) -> list[str]:
    """SMPL's 22 joints, with the further bones of a chain that is full, and one empty field on top of it."""
    shown = []
    for row in mapping.ROWS:
        shown.append(row)
        chain = {"spine3": "spine", "neck": "neck"}.get(row)
        if chain and rows[row]:
            first = 4 if chain == "spine" else 2
            further = range(first, mapping.CHAIN_MAX[chain] + 1)
            used = [number for number in further if rows.get(f"{chain}{number}")]
            shown += [f"{chain}{number}" for number in further if number <= max(used, default=first - 1) + 1]
    return shown


def _draw_row(layout: Any, fields: Any, character: Object, name: str, bone: str) -> None:
    row = layout.split(factor=0.4, align=True)
    needed = name in _REQUIRED and not bone
    row.alert = needed
    row.label(text=_label(name), icon="CHECKMARK" if bone else "ERROR" if needed else "REMOVE")
    row.prop_search(fields, name, character.data, "bones", text="")


def _label(row: str) -> str:
    """A row's joint in few letters, because sidebars are narrow: “L shoulder”, “Spine 2”."""
    side, _, joint = row.rpartition("_")
    return f"{side[0].upper()} {joint}" if side else re.sub(r"(\d)$", r" \1", row).capitalize()
