"""The keys of a character made few: an Action that was keyed on every frame becomes one that can be edited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np
from bpy.types import Action, ActionSlot, FCurve

from protocol import rotations as rot

from .. import compat
from ..retarget.euler import AXIS_ANGLE, QUATERNION, rotations_of
from ..retarget.reduce import Errors, Reduced, reduced
from ..stubs import ArmatureObject
from .key_arrays import Keys

_BEZIER, _ALIGNED = 2, 3
"""Blender's numbers for an interpolation mode and a handle type."""
_PROPERTY = re.compile(r'^(?:pose\.bones\["(.+)"\]\.)?(location|rotation_\w+)$')
_FOURFOLD = {"rotation_quaternion": QUATERNION, "rotation_axis_angle": AXIS_ANGLE}


@dataclass(frozen=True)
class Bounds:
    """How far reduced keys may be from what was there.

    Attributes:
        degrees: of each bone's own rotation.
        metres: of what has a location: hips, roots and IK controls.
    """

    degrees: float
    metres: float


@dataclass(frozen=True)
class Saving:
    """What became of the keys of a character.

    Attributes:
        before, after: how many keys there were and are.
    """

    before: int
    after: int


def reduce_keys(character: ArmatureObject, action: Action, slot: ActionSlot, bounds: Bounds) -> Saving:
    """Leave as few keys in a slot as its bounds allow; curves that jump, are modified or are no transforms stay.

    Args:
        character: what the slot moves.
        action: local, so that it can be changed.
        slot: of that action.
        bounds: for every frame.
    """
    before = after = 0
    paths: dict[str, list[FCurve]] = {}
    for curve in compat.fcurves_of(action, slot):
        paths.setdefault(curve.data_path, []).append(curve)
    for path, curves in paths.items():
        count = sum(len(curve.keyframe_points) for curve in curves)
        before += count
        mode = _mode(character, path, curves)
        after += _reduce(character, curves, mode, bounds) if mode is not None else count
    character.update_tag(refresh={"TIME"})
    return Saving(before, after)


def _mode(character: ArmatureObject, path: str, curves: Sequence[FCurve]) -> str | None:
    """Rotation mode of a property, empty for a location; None where its keys had better stay as they are."""
    found = _PROPERTY.match(path)
    if not found or any(len(curve.modifiers) or Keys.of(curve).holds for curve in curves):
        return None
    bone = bpy.utils.unescape_identifier(found[1]) if found[1] else ""
    owner = character.pose.bones.get(bone) if bone else character
    if owner is None or not any(len(curve.keyframe_points) > 2 for curve in curves):
        return None
    if found[2] == "location":
        return ""
    mode = _FOURFOLD.get(found[2], "" if owner.rotation_mode in _FOURFOLD.values() else owner.rotation_mode)
    whole = len(curves) == (4 if mode in _FOURFOLD.values() else 3)
    return mode if mode and whole else None


def _reduce(character: ArmatureObject, curves: Sequence[FCurve], mode: str, bounds: Bounds) -> int:
    """Reduce the keys of one property; returns how many there are then."""
    had = [Keys.of(curve) for curve in curves]
    first, last = min(keys.co[0, 0] for keys in had), max(keys.co[-1, 0] for keys in had)
    frames = np.arange(first, last + 1e-3)
    values = np.array([[curve.evaluate(frame) for curve in curves] for frame in frames])
    left = reduced(frames, values, _errors(character, values, mode, bounds))
    if len(left.frames) * len(curves) < sum(map(len, had)):
        for channel, curve in enumerate(curves):
            _keys(frames, left, channel).write(curve)
    return sum(len(curve.keyframe_points) for curve in curves)


def _errors(character: ArmatureObject, values: np.ndarray, mode: str, bounds: Bounds) -> Errors:
    if not mode:
        metres = max(character.matrix_world.to_scale()) / bounds.metres
        return lambda other: metres * np.linalg.norm(other - values, axis=-1)
    wanted = rot.inverse(rotations_of(values, mode))

    def turned(other: np.ndarray) -> np.ndarray:
        sine = np.linalg.norm(rot.multiply(rotations_of(other, mode), wanted)[:, 1:], axis=-1)
        return np.degrees(2 * np.arcsin(np.minimum(sine, 1))) / bounds.degrees

    return turned


def _keys(frames: np.ndarray, left: Reduced, channel: int) -> Keys:
    """Bezier keys whose handles reach a third of the way to the next key."""
    times, values, slopes = frames[left.frames], left.values[:, channel], left.slopes[:, channel]
    keys = Keys.at(times, values, constant=False)
    steps = np.diff(times) / 3
    before, after = (np.concatenate(parts) for parts in ((steps[:1], steps), (steps, steps[-1:])))
    if len(times) == 1:
        before = after = np.ones(1)
    aligned = np.full(len(times), _ALIGNED, np.int32)
    return replace(
        keys,
        handle_left=np.stack((times - before, values - before * slopes), axis=1).astype(np.float32),
        handle_right=np.stack((times + after, values + after * slopes), axis=1).astype(np.float32),
        interpolation=np.full(len(times), _BEZIER, np.int32),
        handle_left_type=aligned,
        handle_right_type=aligned.copy(),
    )
