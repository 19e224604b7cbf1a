"""Which bone of a rig plays which SMPL joint: found by name, or told by a JSON bone map."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from protocol.errors import DuologueError
from protocol.skeleton import JOINT_NAMES

from .rig import Rig

CHAINS = ("spine", "neck")
"""Keys of a bone map that take any number of bones, from the hips upwards."""
LOCATION = "location"
"""Key of a bone map for the control that carries the body, where it is another one than the pelvis."""
REQUIRED = (
    "pelvis",
    "spine",
    "head",
    *(
        f"{side}_{joint}"
        for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
        for side in ("left", "right")
    ),
)
"""What a rig must have; neck, collars and toes may be missing."""
KEYS = (
    LOCATION,
    *CHAINS,
    *(name for name in JOINT_NAMES if name != "neck" and not name.startswith("spine")),
)
"""Every key that a bone map may have: SMPL's joint names, with one chain each for the spine and the neck."""

_FOLDER = Path(__file__).parent / "bone_maps"
_ORDER = ("rigify", "mixamo", "unreal", "mpfb", "smpl", "smpl_short", "rigify_metarig")
"""Where two maps fit a rig equally well, the one named first is taken: a generated Rigify rig also holds a metarig."""


@dataclass(frozen=True)
class Switch:
    """A custom property that must have a value for the mapped bones to move the rig, such as Rigify's ``IK_FK``."""

    bone: str
    property: str
    value: float


@dataclass(frozen=True)
class BoneMap:
    """Names of the bones of one family of rigs.

    Attributes:
        name: what people call the family.
        bones: bones that are keyed, by key of `KEYS`.
        read: bones that are read where they are others than those keyed: deform bones that follow IK and FK alike.
        switches: properties that are keyed along.
    """

    name: str
    bones: Mapping[str, tuple[str, ...]]
    read: Mapping[str, tuple[str, ...]]
    switches: tuple[Switch, ...] = ()


def bone_maps() -> tuple[BoneMap, ...]:
    """The bone maps that come with Duologue, best known first."""
    return _bone_maps()


@cache
def _bone_maps() -> tuple[BoneMap, ...]:
    return tuple(parse((_FOLDER / f"{name}.json").read_text("utf-8")) for name in _ORDER)


def parse(text: str) -> BoneMap:
    """Read a bone map from JSON.

    The JSON is an object with ``name``, ``bones`` (key of `KEYS` to a bone name, or a list of them for a chain), and
    optionally ``read`` (the same) and ``properties`` (a list of ``bone``, ``property``, ``value``).

    Raises:
        DuologueError: ``bone_map_invalid``, with the first thing that is wrong.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise _invalid(f"it is not JSON ({error})") from error
    if not isinstance(data, dict) or not isinstance(data.get("bones"), dict):
        raise _invalid("it has no “bones” object")
    bones = _names(data["bones"])
    missing = [key for key in REQUIRED if not bones.get(key)]
    if missing:
        raise _invalid(f"it names no bone for {_listed(missing)}")
    read = data.get("read", {})
    if not isinstance(read, dict):
        raise _invalid("its “read” is not an object")
    return BoneMap(str(data.get("name", "own map")), bones, {**bones, **_names(read)}, _switches(data))


def match(bone_map: BoneMap, bones: Sequence[str], rig: str) -> BoneMap:
    """The map with the names that the bones have in one rig; chains and optional joints keep what is there.

    Args:
        bone_map: names without the rig's prefix; case, spaces and ``. _ -`` do not matter.
        bones: names of the rig's bones.
        rig: what people call the rig, for the message.

    Raises:
        DuologueError: ``rig_unmapped``, which names the joints and the bones that are missing.
    """
    found, missing = _match(bone_map, bones)
    if missing:
        raise _unmapped(bone_map, missing, rig)
    return found


def best_map(bones: Sequence[str], rig: str) -> BoneMap:
    """The map that fits a rig best, of those that come with Duologue.

    Raises:
        DuologueError: ``rig_unmapped``, which names the joints and the bones missing for the closest map.
    """
    matches = [(bone_map, *_match(bone_map, bones)) for bone_map in bone_maps()]
    complete = [found for _, found, missing in matches if not missing]
    if complete:
        return max(complete, key=_mapped_count)  # max() takes the first of equals
    closest, _, missing = max(matches, key=lambda one: _mapped_count(one[1]) / sum(map(len, one[0].bones.values())))
    raise _unmapped(closest, missing, rig)


def movable(bone_map: BoneMap, rig: Rig) -> BoneMap:
    """The map with a bone for location keys: hips glued to a parent leave them to the first bone above that is not."""
    if LOCATION in bone_map.bones:
        return bone_map
    index = rig.index(bone_map.bones["pelvis"][0])
    while rig.bones[index] in rig.connected:
        index = rig.parents[index]
    if rig.bones[index] == bone_map.bones["pelvis"][0]:
        return bone_map
    return replace(bone_map, bones={LOCATION: (rig.bones[index],), **bone_map.bones})


def _match(bone_map: BoneMap, bones: Sequence[str]) -> tuple[BoneMap, list[str]]:
    by_plain = {}
    for bone in bones:
        by_plain.setdefault(_plain(bone), bone)
    wanted = [name for names in bone_map.bones.values() for name in names]
    prefix = _prefix(bone_map, wanted, by_plain)
    keyed, read = (_resolve(table, prefix, by_plain) for table in (bone_map.bones, bone_map.read))
    missing = [key for key in REQUIRED if key not in keyed]
    switches = [
        Switch(by_plain[prefix + _plain(switch.bone)], switch.property, switch.value)
        for switch in bone_map.switches
        if prefix + _plain(switch.bone) in by_plain
    ]
    return BoneMap(bone_map.name, keyed, {**keyed, **read}, tuple(switches)), missing


def _resolve(
    table: Mapping[str, tuple[str, ...]], prefix: str, by_plain: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    resolved = {
        key: tuple(by_plain[prefix + _plain(name)] for name in names if prefix + _plain(name) in by_plain)
        for key, names in table.items()
    }
    return {key: names for key, names in resolved.items() if names}


def _prefix(bone_map: BoneMap, wanted: Sequence[str], by_plain: Mapping[str, str]) -> str:
    """What the rig's bones carry before the map's names (``mixamorig7``, ``ORG``): the prefix that finds the most."""
    ends = [_plain(bone_map.bones[key][0]) for key in ("pelvis", "head", "left_knee", "right_wrist")]
    prefixes = {plain.removesuffix(end) for plain in by_plain for end in ends if plain.endswith(end)} | {""}
    return max(sorted(prefixes, key=len), key=lambda prefix: sum(prefix + _plain(name) in by_plain for name in wanted))


def _plain(name: str) -> str:
    return re.sub(r"[\s._:|-]+", "", name).lower()


def _mapped_count(bone_map: BoneMap) -> int:
    return sum(map(len, bone_map.bones.values()))


def _names(table: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    names = {}
    for key, value in table.items():
        if key not in KEYS:
            raise _invalid(f"“{key}” is no joint; joints are {', '.join(KEYS)}")
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(name, str) and name for name in listed):
            raise _invalid(f"the bone of “{key}” is neither a name nor a list of names")
        if len(listed) > 1 and key not in CHAINS:
            raise _invalid(f"“{key}” takes one bone, not {len(listed)}")
        names[key] = tuple(listed)
    return names


def _switches(data: Mapping[str, object]) -> tuple[Switch, ...]:
    entries = data.get("properties", [])
    try:
        if isinstance(entries, list):
            return tuple(Switch(str(one["bone"]), str(one["property"]), float(one["value"])) for one in entries)
    except (KeyError, TypeError, ValueError):
        pass
    raise _invalid("its “properties” are not a list of bone, property and value")


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(key.replace("_", " ") for key in keys)


def _invalid(reason: str) -> DuologueError:
    return DuologueError(
        "bone_map_invalid",
        f"The bone map cannot be used: {reason}.",
        "Correct the JSON; the maps in the extension's retarget/bone_maps folder are examples.",
    )


def _unmapped(bone_map: BoneMap, missing: Sequence[str], rig: str) -> DuologueError:
    expected = ", ".join("/".join(bone_map.bones[key]) for key in missing)
    return DuologueError(
        "rig_unmapped",
        f"The rig “{rig}” cannot be mapped: it has no bones for {_listed(missing)}.",
        f"Its closest match is {bone_map.name}, which names them {expected}: rename those bones, or give the rig a "
        "JSON bone map.",
    )
