"""How the characters' rigs are mapped: remembered for panels, and corrected by hand on the armature itself."""

from __future__ import annotations

from dataclasses import replace

from bpy.types import Armature, Object

from protocol.errors import DuologueError

from .animation.rig import BONE_MAP_PROPERTY, detection_of
from .retarget import mapping
from .retarget.detect import Detection

_known: dict[tuple[object, ...], Detection] = {}
_KNOWN_MAX = 16
_CORRECTED = ", corrected"


def mapping_of(character: Object) -> Detection:
    """How a rig's bones are mapped, or why they are not; remembered, because panels ask at every redraw."""
    bones = character.data.bones if isinstance(character.data, Armature) else ()
    scale = tuple(round(one, 6) for one in character.matrix_world.to_scale())
    key = (character.name, character.get(BONE_MAP_PROPERTY), scale, *(bone.name for bone in bones))
    if key not in _known:
        if len(_known) >= _KNOWN_MAX:
            _known.clear()
        try:
            _known[key] = detection_of(character)
        except DuologueError as error:
            _known[key] = Detection(mapping.NO_MAP, error)
    return _known[key]


def has_own_map(character: Object) -> bool:
    """Whether a rig's map was loaded or corrected, and not found."""
    return BONE_MAP_PROPERTY in character


def keep_map(character: Object, text: str) -> None:
    """Keep a map, as JSON, on the armature: it is saved with the .blend."""
    character[BONE_MAP_PROPERTY] = text


def forget_map(character: Object) -> None:
    """Take the map off the armature again, and look anew at what its bones are."""
    character.pop(BONE_MAP_PROPERTY, None)
    _known.clear()


def correct(character: Object, row: str, bone: str) -> None:
    """Let another bone play the joint of a row, or none if ``bone`` is empty; what was found for the others is kept."""
    found = mapping_of(character).bone_map
    name = found.name.removesuffix(_CORRECTED) + _CORRECTED
    keep_map(character, mapping.to_json(replace(mapping.with_row(found, row, bone), name=name)))
