"""What a person corrected of a rig's estimated T-pose: a turn for each row of its bone map, whatever bone plays it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from protocol import rotations as rot
from protocol.errors import DuologueError

from .mapping import CHAIN_MAX, KEYS, LOCATION, BoneMap, rows_of

Corrections = Mapping[str, np.ndarray]
"""By row, or `LOCATION`: the turn (4,) away from the estimate, in the world in which the T-pose faces +Z."""
NOTHING: Corrections = {}
"""The corrections of an estimate that nobody touched."""

PRESET_KEY = "calibration"
"""Key of the corrections in a bone map's JSON."""
_LEAST = np.radians(0.1)
_ROWS = {*KEYS, *(f"{chain}{number}" for chain, most in CHAIN_MAX.items() for number in range(1, most + 1))}


def rows_by_bone(bones: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The row of every mapped bone, by the bone's name."""
    shown = rows_of(BoneMap("", bones, bones))
    return {bone: row for row, bone in shown.items() if bone} | dict.fromkeys(bones.get(LOCATION, ()), LOCATION)


def corrections_between(bones: Mapping[str, np.ndarray], estimate: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The turns, by row, that take estimated rotations (4,) to those that bones have, but for those that hardly turn.

    Args:
        bones: world rotations by row, in the world in which the T-pose faces +Z.
        estimate: the same as estimated.
    """
    turns = {row: rot.multiply(now, rot.inverse(estimate[row])) for row, now in bones.items()}
    return {row: turn for row, turn in turns.items() if 2 * np.arccos(min(abs(float(turn[0])), 1.0)) > _LEAST}


def to_text(corrections: Corrections) -> str:
    """Corrections as JSON that `parse` reads."""
    return json.dumps({row: [round(float(one), 7) for one in turn] for row, turn in corrections.items()})


def parse(text: str) -> dict[str, np.ndarray]:
    """Read corrections from JSON: an object with a quaternion w, x, y, z for each corrected row.

    Raises:
        DuologueError: ``calibration_invalid``.
    """
    try:
        found = {str(row): np.array(turn, np.float32) for row, turn in json.loads(text).items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise _invalid() from error
    for row, turn in found.items():
        if row not in _ROWS or turn.shape != (4,) or not abs(float(np.linalg.norm(turn)) - 1) < 1e-3:
            raise _invalid()
    return {row: rot.normalize(turn) for row, turn in found.items()}


def of_preset(text: str) -> dict[str, np.ndarray]:
    """The corrections in a bone map's JSON; none where it has none.

    Raises:
        DuologueError: ``calibration_invalid``.
    """
    return parse(json.dumps(json.loads(text).get(PRESET_KEY, {})))


def with_preset(text: str, corrections: Corrections) -> str:
    """A bone map's JSON with corrections in it, if there are any."""
    if not corrections:
        return text
    return json.dumps({**json.loads(text), PRESET_KEY: json.loads(to_text(corrections))}, indent=2, ensure_ascii=False)


def _invalid() -> DuologueError:
    return DuologueError(
        "calibration_invalid",
        "The calibration cannot be used: it is no list of rows with a unit quaternion each.",
        "Edit the calibration in the Duologue tab and save the bone map again.",
    )
