"""Which bone of a rig plays which SMPL joint: bone maps, as JSON and as 22 rows, and their match with a rig's names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from protocol.errors import DuologueError
from protocol.skeleton import JOINT_NAMES

from .naming import Name, plain, uncounted
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

ROWS = (
    *("pelvis", "spine1", "spine2", "spine3", "neck", "head"),
    *(
        f"{side}_{joint}"
        for side in ("left", "right")
        for joint in ("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot")
    ),
)
"""What a person sees of a bone map: a row for each of SMPL's 22 joints."""
CHAIN_MAX = {"spine": 8, "neck": 4}
"""How many bones of a chain have a row; those beyond SMPL's are called ``spine4``, ``neck2`` and so on."""

_FOLDER = Path(__file__).parent / "bone_maps"
_ORDER = (
    *("rigify", "auto_rig_pro", "mixamo", "unreal", "vrm", "vroid", "vroid_symmetrised", "smpl", "mpfb"),
    *("rigify_deform", "rigify_metarig", "auto_rig_pro_export", "character_creator", "daz_genesis9", "daz_genesis8"),
    *("poser", "biped", "cmu", "cmu_asf", "rokoko", "xsens", "xsens_bvh", "motionbuilder"),
)
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


NO_MAP = BoneMap("No map", {}, {})
"""The map of a rig of which nothing is known."""


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
    found = parse_draft(text)
    missing = missing_keys(found)
    if missing:
        raise _invalid(f"it names no bone for {listed(missing)}")
    return found


def parse_draft(text: str) -> BoneMap:
    """The same for a map that somebody is still working at: required joints may be missing."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise _invalid(f"it is not JSON ({error})") from error
    if not isinstance(data, dict) or not isinstance(data.get("bones"), dict):
        raise _invalid("it has no “bones” object")
    bones = _names(data["bones"])
    read = data.get("read", {})
    if not isinstance(read, dict):
        raise _invalid("its “read” is not an object")
    return BoneMap(str(data.get("name", "own map")), bones, {**bones, **_names(read)}, _switches(data))


def to_json(bone_map: BoneMap) -> str:
    """A bone map as JSON that `parse` reads."""
    data = {"name": bone_map.name, "bones": _table(bone_map.bones)}
    read = {key: names for key, names in bone_map.read.items() if names != bone_map.bones.get(key)}
    if read:
        data["read"] = _table(read)
    if bone_map.switches:
        data["properties"] = [vars(switch) for switch in bone_map.switches]
    return json.dumps(data, indent=2, ensure_ascii=False)


def missing_keys(bone_map: BoneMap) -> list[str]:
    """The required joints that a map names no bone for."""
    return [key for key in REQUIRED if not bone_map.bones.get(key)]


def rows_of(bone_map: BoneMap) -> dict[str, str]:
    """Bone by row, those of `ROWS` first; an empty name where no bone plays the joint."""
    found = dict.fromkeys(ROWS, "")
    for key, names in bone_map.bones.items():
        if key in CHAINS:
            found |= {_chain_row(key, number): name for number, name in enumerate(names)}
        elif key != LOCATION:
            found[key] = names[0]
    return found


def with_row(bone_map: BoneMap, row: str, bone: str) -> BoneMap:
    """The map with another bone in a row, or none if ``bone`` is empty; bones further up a chain then move down."""
    key, number = _place(row)
    names = list(bone_map.bones.get(key, ()))
    names[number : number + 1] = [bone] if bone else []
    bones, read = dict(bone_map.bones), dict(bone_map.read)
    if names:
        bones[key] = read[key] = tuple(names)
    else:
        bones.pop(key, None)
        read.pop(key, None)
    return replace(bone_map, bones=bones, read=read)


def match(bone_map: BoneMap, bones: Sequence[str], rig: str) -> BoneMap:
    """The map with the names that the bones have in one rig; chains and optional joints keep what is there.

    Args:
        bone_map: names without the rig's prefix; case, spaces and ``. _ -`` do not matter.
        bones: names of the rig's bones.
        rig: what people call the rig, for the message.

    Raises:
        DuologueError: ``rig_unmapped``, which names the joints and the bones that are missing.
    """
    found = resolved(bone_map, bones)
    if missing_keys(found):
        raise unmapped(bone_map, found, rig)
    return found


def resolved(bone_map: BoneMap, bones: Sequence[str]) -> BoneMap:
    """As much of a map as a rig's bones have, with the names that they have there."""
    views = [{bone: bone for bone in bones}, uncounted(bones)]
    return max((_resolved(bone_map, view) for view in views), key=_mapped_count)


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


def _resolved(bone_map: BoneMap, seen_as: Mapping[str, str]) -> BoneMap:
    by_name: dict[Name, str] = {}
    for bone, seen in seen_as.items():
        by_name.setdefault(plain(seen), bone)
    prefix = _prefix(bone_map, by_name)

    def bone_of(name: str) -> str | None:
        if not prefix and name in seen_as:
            return name
        side, stem = plain(name)
        return by_name.get(Name(side, prefix + stem))

    def table_of(table: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        found = {key: tuple(filter(None, map(bone_of, names))) for key, names in table.items()}
        return {key: names for key, names in found.items() if names}

    keyed = table_of(bone_map.bones)
    switches = [(bone_of(one.bone), one) for one in bone_map.switches]
    there = tuple(replace(one, bone=bone) for bone, one in switches if bone)
    return BoneMap(bone_map.name, keyed, {**keyed, **table_of(bone_map.read)}, there)


def _prefix(bone_map: BoneMap, by_name: Mapping[Name, str]) -> str:
    """What the rig's bones carry before the map's names (``mixamorig7``, ``org``): the prefix that finds the most."""
    wanted = [plain(name) for names in bone_map.bones.values() for name in names]
    keys = [key for key in ("pelvis", "head", "left_knee", "right_wrist") if key in bone_map.bones]
    ends = [plain(bone_map.bones[key][0]) for key in keys]
    prefixes = {""} | {
        stem.removesuffix(end.stem)
        for side, stem in by_name
        for end in ends
        if side == end.side and stem.endswith(end.stem)
    }
    return max(
        sorted(prefixes, key=lambda prefix: (len(prefix), prefix)),
        key=lambda prefix: sum(Name(side, prefix + stem) in by_name for side, stem in wanted),
    )


def _chain_row(key: str, number: int) -> str:
    return f"{key}{number + 1}" if key == "spine" or number else key


def _place(row: str) -> tuple[str, int]:
    """Key of a row, and which bone of a chain it shows."""
    found = re.fullmatch(rf"({'|'.join(CHAINS)})(\d*)", row)
    return (found[1], int(found[2] or 1) - 1) if found else (row, 0)


def _table(table: Mapping[str, tuple[str, ...]]) -> dict[str, object]:
    return {key: list(names) if key in CHAINS else names[0] for key, names in table.items()}


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


def listed(keys: Sequence[str]) -> str:
    """Keys or rows as people read them."""
    return ", ".join(key.replace("_", " ") for key in keys)


def _invalid(reason: str) -> DuologueError:
    return DuologueError(
        "bone_map_invalid",
        f"The bone map cannot be used: {reason}.",
        "Correct the JSON; the maps in the extension's retarget/bone_maps folder are examples.",
    )


def unmapped(bone_map: BoneMap, found: BoneMap, rig: str) -> DuologueError:
    """The error that says which joints of ``bone_map`` were not ``found`` in a rig, and what their bones are called."""
    missing = missing_keys(found)
    expected = ", ".join("/".join(bone_map.bones[key]) for key in missing if key in bone_map.bones)
    hint = f"Its closest match is {bone_map.name}, which names them {expected}: rename those bones, or choose"
    return DuologueError(
        "rig_unmapped",
        f"The rig “{rig}” cannot be mapped: it has no bones for {listed(missing)}.",
        f"{hint if expected else 'Choose'} the bones in the Duologue tab.",
    )
