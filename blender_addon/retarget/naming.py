"""Bone names made comparable: the side apart from the rest, whatever the case, separators and namespaces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

NUMBERED_SHARE = 0.9
"""Where so many of a rig's names end in a number of their own, an exporter has counted the bones."""

_SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}
_BREAKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^0-9A-Za-z]+")
_GLUED = re.compile(r"(left|right)(?=\w{2})")
_COUNTED = re.compile(r"[._ -]\d+$")


class Name(NamedTuple):
    """A bone's name for comparison: ``LeftUpLeg``, ``upleg_l`` and ``ns:L.UpLeg`` are all ``("left", "upleg")``."""

    side: str
    stem: str


@lru_cache(maxsize=8192)
def plain(name: str) -> Name:
    """A name without namespace, case and separators; of several words for a side, the last one counts."""
    words = []
    for word in _BREAKS.split(re.split(r"[:|]", name)[-1]):
        glued = _GLUED.match(word.lower())
        words += [glued[1], word.lower()[glued.end() :]] if glued else [word.lower()]
    words = [word for word in words if word]
    sides = [number for number, word in enumerate(words) if word in _SIDES]
    side = _SIDES[words.pop(sides[-1])] if sides else ""
    return Name(side, "".join(words))


def uncounted(bones: Sequence[str]) -> dict[str, str]:
    """Names without the number that an exporter or a duplicate has put after every one, by bone; empty if none has."""
    counted = [bone for bone in bones if _COUNTED.search(bone)]
    if not bones or len(counted) < NUMBERED_SHARE * len(bones):
        return {}
    return {bone: _COUNTED.sub("", bone) for bone in bones}
