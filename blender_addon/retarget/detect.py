"""The map of an unknown rig: by the names and the hierarchy of its bones, else by its structure alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from protocol.errors import DuologueError

from . import structure
from .limb_search import Skeleton
from .mapping import REQUIRED, BoneMap, bone_maps, listed, missing_keys, resolved, rows_of, unmapped
from .naming import plain
from .rig import Rig

LIMBS = (("collar", "shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "foot"))
"""Joints that hang on each other in every rig, from the trunk outwards."""
_LIMB_KEYS = [key for key in REQUIRED if key.startswith(("left_", "right_"))]
FLOOR_SHARE = 0.25
"""Hands nearer to the floor than this share of a leg stand on it."""
LEAST_LENGTH = 1e-4
"""A limb that is shorter than this share of a leg has no direction."""


@dataclass(frozen=True)
class Detection:
    """What was found out about a rig.

    Attributes:
        bone_map: the best map; without ``error`` it is complete.
        error: why the rig cannot be animated with it, if so.
    """

    bone_map: BoneMap
    error: DuologueError | None = None


def best_map(rig: Rig) -> BoneMap:
    """The map that fits a rig best.

    Raises:
        DuologueError: ``rig_unmapped``, which names the joints and the bones missing for the closest map, or what
            `structure.find` raises about a body that is not human.
    """
    found = detect(rig)
    if found.error is not None:
        raise found.error.with_traceback(None)
    return found.bone_map


# One click asks about the same two rigs several times.
@lru_cache(maxsize=8)
def detect(rig: Rig) -> Detection:
    """Choose among the families by names and hierarchy; where none is complete, go by structure.

    A family counts by the rows that it fills and by the limbs whose bones hang on each other; controls that animators
    use are preferred to the bones that they drive; of equals, the best known family is taken.
    """
    skeleton = Skeleton(np.zeros((len(rig.bones), 3)), rig.parents)
    families = _families(rig.bones)
    links = {one.name: _links(rig, skeleton, found) for one, found in families}
    fitting = [(one, found) for one, found in families if links[one.name] is not None]
    complete = [found for _, found in fitting if not missing_keys(found)]
    if complete:
        best = max(complete, key=lambda one: (bool(one.switches), _filled(one) + (links[one.name] or 0.0), _bones(one)))
        return Detection(best, structure.two_heads(rig.name) if _has_two_heads(rig, skeleton, best) else None)
    closest, partial = max(fitting or families, key=lambda one: _required(one[1]) / len(REQUIRED))
    try:
        by_structure = structure.find(rig)
        if _agree(partial, by_structure):
            return Detection(by_structure)
        return Detection(partial, unmapped(closest, partial, rig.name))
    except DuologueError as error:
        if error.code == "rig_not_humanoid" and _required(partial):
            error = unmapped(closest, partial, rig.name)
        return Detection(partial, error)


def checked(rig: Rig, found: Detection) -> Detection:
    """What was found, with the error that `check` raises if it can be used no more than that."""
    if found.error is not None:
        return found
    try:
        check(rig, found.bone_map.bones)
    except DuologueError as error:
        return replace(found, error=error)
    return found


def check(rig: Rig, bones: Mapping[str, tuple[str, ...]]) -> None:
    """See that a mapped rig can be calibrated at all.

    Args:
        rig: the rig at rest.
        bones: bone names by key of `mapping.KEYS`.

    Raises:
        DuologueError: ``rig_mirrored`` for a scale of zero or below, ``bone_twice``, ``bone_zero_length`` or
            ``rig_on_all_fours``.
    """
    rig.check_scale()
    played: dict[str, str] = {}
    for row, bone in rows_of(BoneMap("", bones, bones)).items():
        if bone and played.setdefault(bone, row) != row:
            raise DuologueError(
                "bone_twice",
                f"“{bone}” of “{rig.name}” is chosen for {listed([played[bone]])} and {listed([row])}.",
                "Choose another bone for one of them in the Duologue tab.",
            )
    heads = {key: rig.heads()[rig.index(names[0])] for key, names in bones.items()}
    size = float(np.ptp(rig.heads(), axis=0).max())
    pairs = [("left_hip", "right_hip"), ("left_shoulder", "right_shoulder"), ("pelvis", "head")]
    for limb in LIMBS:
        inner = [joint for joint in limb if joint not in ("collar", "foot")]
        pairs += [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in pairwise(inner)]
    for a, b in pairs:
        if not np.linalg.norm(heads[a] - heads[b]) > LEAST_LENGTH * size:
            raise DuologueError(
                "bone_zero_length",
                f"The bones “{bones[a][0]}” and “{bones[b][0]}” of “{rig.name}”, its {listed([a])} and {listed([b])}, "
                "begin at the same place.",
                "Move them apart in edit mode, or choose other bones in the Duologue tab.",
            )
    if _on_all_fours(heads):
        raise structure.on_all_fours(rig.name)


def _on_all_fours(heads: Mapping[str, np.ndarray]) -> bool:
    """Whether hands stand where feet do, under a trunk that is across the legs."""

    def middle(joint: str) -> np.ndarray:
        return (heads[f"left_{joint}"] + heads[f"right_{joint}"]) / 2

    leg, trunk = middle("hip") - middle("ankle"), middle("shoulder") - middle("hip")
    length = float(np.linalg.norm(leg))
    if length == 0.0 or np.linalg.norm(trunk) == 0.0:
        return False
    upright = leg / length
    level = abs(float(trunk @ upright)) < np.sin(np.radians(structure.LEVEL_DEGREES)) * np.linalg.norm(trunk)
    return bool(level and abs(float((middle("wrist") - middle("ankle")) @ upright)) < FLOOR_SHARE * length)


def _links(rig: Rig, skeleton: Skeleton, found: BoneMap) -> float | None:
    """Share of a map's limb bones that hang on the one before; None if one is on the wrong side or upside down."""
    index = {name: number for number, name in enumerate(rig.bones)}
    at = {key: index[names[0]] for key, names in found.bones.items()}
    good = count = 0
    for limb in LIMBS:
        for side, other in (("left", "right"), ("right", "left")):
            mine = [at[f"{side}_{joint}"] for joint in limb if f"{side}_{joint}" in at]
            theirs = [at[f"{other}_{joint}"] for joint in limb if f"{other}_{joint}" in at]
            for upper, lower in pairwise(mine):
                if (
                    upper == lower
                    or skeleton.is_above(lower, upper)
                    or any(skeleton.is_above(one, lower) for one in theirs)
                ):
                    return None
                good += skeleton.is_above(upper, lower)
                count += 1
    return good / count if count else 0.0


def _has_two_heads(rig: Rig, skeleton: Skeleton, found: BoneMap) -> bool:
    """Whether a second bone is called what the head is called, but for a side or a number, and is not part of it."""
    head = found.bones["head"][0]
    own, stem = rig.index(head), _bare(head)
    if "head" not in stem:  # Rigify's is one of the spine's bones.
        return False
    twins = [number for number, bone in enumerate(rig.bones) if number != own and _bare(bone) == stem]
    return any(not skeleton.is_above(own, twin) and not skeleton.is_above(twin, own) for twin in twins)


def _bare(name: str) -> str:
    return re.sub(r"\d+$", "", plain(name).stem)


def _agree(by_name: BoneMap, by_structure: BoneMap) -> bool:
    """Whether structure confirms names that tell much; where a wrist is gone, it takes the elbow for it."""
    if _required(by_name) < len(REQUIRED) / 2:
        return True
    return all(by_structure.bones.get(key) == by_name.bones.get(key, by_structure.bones.get(key)) for key in _LIMB_KEYS)


@lru_cache(maxsize=8)
def _families(bones: tuple[str, ...]) -> tuple[tuple[BoneMap, BoneMap], ...]:
    """Every family with what a rig has of it; kept, because a click looks at the same rigs several times."""
    return tuple((one, resolved(one, bones)) for one in bone_maps())


def _filled(bone_map: BoneMap) -> int:
    return sum(bool(bone) for bone in rows_of(bone_map).values())


def _bones(bone_map: BoneMap) -> int:
    return sum(map(len, bone_map.bones.values()))


def _required(bone_map: BoneMap) -> int:
    return len(REQUIRED) - len(missing_keys(bone_map))
