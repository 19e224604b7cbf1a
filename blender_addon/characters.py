"""How the characters' rigs are mapped: remembered for panels, and corrected by hand."""

from __future__ import annotations

from dataclasses import replace

from bpy.types import Armature, Object

from protocol.errors import DuologueError

from .animation.own_map import forget_map, keep_map, own_map_of
from .animation.rig import detection_of
from .retarget import mapping
from .retarget.detect import Detection

_known: dict[tuple[object, ...], Detection] = {}
_KNOWN_MAX = 16
_CORRECTED = ", corrected"


def mapping_of(character: Object) -> Detection:
    """How a rig's bones are mapped, or why they are not; remembered, because panels ask at every redraw."""
    bones = character.data.bones if isinstance(character.data, Armature) else ()
    scale = tuple(round(one, 6) for one in character.matrix_world.to_scale())
    key = (character.name, own_map_of(character), scale, *(bone.name for bone in bones))
    if key not in _known:
        if len(_known) >= _KNOWN_MAX:
            _known.clear()
        try:
            _known[key] = detection_of(character)
        except DuologueError as error:
            _known[key] = Detection(mapping.NO_MAP, error)
    return _known[key]


def detect_again(character: Object) -> Detection:
    """Drop a rig's own map, and look anew at what its bones are."""
    forget_map(character)
    _known.clear()
    return mapping_of(character)


def correct(character: Object, row: str, bone: str) -> None:
    """Let another bone play the joint of a row, or none if ``bone`` is empty; what was found for the others is kept."""
    found = mapping_of(character).bone_map
    name = found.name.removesuffix(_CORRECTED) + _CORRECTED
    keep_map(character, mapping.to_json(replace(mapping.with_row(found, row, bone), name=name)))
