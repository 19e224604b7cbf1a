"""Which characters belong together, and how their rigs are mapped: remembered for panels, corrected by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bpy.types import Armature, Object, Scene

from protocol.errors import DuologueError

from .animation.own_map import forget_map, keep_map, own_map_of
from .animation.rig import detection_of
from .retarget import mapping
from .retarget.detect import Detection
from .stubs import Context

if TYPE_CHECKING:
    from .properties import DUOLOGUE_PG_pair

_known: dict[tuple[object, ...], Detection] = {}
_KNOWN_MAX = 16
_CORRECTED = ", corrected"


def pairs_of(scene: Scene) -> Any:
    """The pairs of a scene and which of them is active: `properties.DUOLOGUE_PG_pairs`."""
    held: Any = scene
    return held.duologue


def has_pair(context: Context) -> bool:
    """Whether there is a pair to draw in panels, which may change nothing; a new scene has none for a moment."""
    return context.scene is not None and len(pairs_of(context.scene).pairs) > 0


def active_pair(context: Context) -> DUOLOGUE_PG_pair:
    """The pair that is being worked on, with its settings and its result; made where the scene has none yet."""
    return active_of(context.scene)


def active_of(scene: Scene) -> DUOLOGUE_PG_pair:
    """The pair of a scene that is being worked on; made where there is none yet."""
    held = pairs_of(scene)
    return held.pairs[min(held.active, len(held.pairs) - 1)] if held.pairs else add_pair(scene)


def add_pair(scene: Scene) -> DUOLOGUE_PG_pair:
    """Add a pair to a scene and make it the active one."""
    held = pairs_of(scene)
    key = 1 + max((one.key for one in held.pairs), default=0)
    made = held.pairs.add()
    made.key, made.name = key, f"Pair {len(held.pairs)}"
    held.active = len(held.pairs) - 1
    return made


def pair_of_key(scene: Scene, key: int) -> DUOLOGUE_PG_pair | None:
    """The pair with that key; None if it was removed."""
    return next((one for one in pairs_of(scene).pairs if one.key == key), None)


def pair_with(scene: Scene, character: Object) -> DUOLOGUE_PG_pair:
    """The pair that a character belongs to: the active one if it is of that, else the first; the active one if none."""
    active = active_of(scene)
    found = [one for one in (active, *pairs_of(scene).pairs) if character in one.characters()]
    return found[0] if found else active


def work_on(scene: Scene, pair: DUOLOGUE_PG_pair) -> None:
    """Make a pair the active one, so that the tab shows what was begun from elsewhere."""
    held = pairs_of(scene)
    held.active = [one.key for one in held.pairs].index(pair.key)


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


def filled_rows(character: Object) -> int:
    """How many of the joints in `mapping.ROWS` a rig has a bone for."""
    rows = mapping.rows_of(mapping_of(character).bone_map)
    return sum(bool(rows[row]) for row in mapping.ROWS)


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
