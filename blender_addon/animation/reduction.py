"""The keys of a character made few: an Action that was keyed on every frame becomes one that can be edited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import bpy
import numpy as np
from bpy.types import Action, ActionSlot, FCurve, Scene

from protocol import rotations as rot

from .. import compat
from ..retarget.euler import AXIS_ANGLE, QUATERNION, rotations_of
from ..retarget.reduce import Errors, Reduced, reduced
from ..stubs import ArmatureObject
from .footing import Footing, footing_of
from .key_arrays import Keys
from .rig import OBJECT

_BEZIER, _ALIGNED = 2, 3
"""Blender's numbers for an interpolation mode and a handle type."""
_PROPERTY = re.compile(r'^(?:pose\.bones\["(.+)"\]\.)?(location|rotation_\w+)$')
_FIRM = 12
"""How many times less than anything else what a foot stands on may move."""
_FOURFOLD = {"rotation_quaternion": QUATERNION, "rotation_axis_angle": AXIS_ANGLE}


@dataclass(frozen=True)
class Bounds:
    """How far reduced keys may be from what was there; less where that would move a foot that stands.

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


class _Property(NamedTuple):
    """A location or a rotation whose keys can be made few.

    Attributes:
        bone: whose it is; `OBJECT` for the object.
        mode: rotation mode; empty for a location.
        curves: of its components.
        first, last: frames of its outermost keys.
        keys: how many it has.
    """

    bone: str
    mode: str
    curves: Sequence[FCurve]
    first: float
    last: float
    keys: int


def reduce_keys(scene: Scene, character: ArmatureObject, action: Action, slot: ActionSlot, bounds: Bounds) -> Saving:
    """Leave as few keys in a slot as its bounds allow; curves that jump, are modified or are no transforms stay.

    Args:
        scene: gives the time.
        character: plays the slot.
        action: local, so that it can be changed.
        slot: of that action.
        bounds: for every frame.
    """
    paths: dict[str, list[FCurve]] = {}
    for curve in compat.fcurves_of(action, slot):
        paths.setdefault(curve.data_path, []).append(curve)
    before = sum(len(curve.keyframe_points) for curves in paths.values() for curve in curves)
    found = [one for path, curves in paths.items() if (one := _property(character, path, curves))]
    if not found:
        return Saving(before, before)
    first, last = min(one.first for one in found), max(one.last for one in found)
    footing = footing_of(scene, character, {one.bone for one in found}, first, last)
    saved = sum(one.keys - _reduce(character, one, bounds, footing) for one in found)
    character.update_tag(refresh={"TIME"})
    return Saving(before, before - saved)


def _property(character: ArmatureObject, path: str, curves: Sequence[FCurve]) -> _Property | None:
    """What a path leads to; None where its keys had better stay as they are."""
    found = _PROPERTY.match(path)
    had = [Keys.of(curve) for curve in curves]
    if not found or any(len(curve.modifiers) for curve in curves) or any(keys.holds for keys in had):
        return None
    bone = bpy.utils.unescape_identifier(found[1]) if found[1] else OBJECT
    owner = character if bone == OBJECT else character.pose.bones.get(bone)
    if owner is None or max(map(len, had)) <= 2:
        return None
    mode = ""
    if found[2] != "location":
        mode = _FOURFOLD.get(found[2], "" if owner.rotation_mode in _FOURFOLD.values() else owner.rotation_mode)
        if not mode or len(curves) != (4 if mode in _FOURFOLD.values() else 3):
            return None
    keyed = np.concatenate([keys.co[:, 0] for keys in had])
    return _Property(bone, mode, curves, keyed.min(), keyed.max(), len(keyed))


def _reduce(character: ArmatureObject, one: _Property, bounds: Bounds, footing: Footing) -> int:
    """Reduce the keys of one property; returns how many there are then."""
    frames = np.arange(one.first, one.last + 1e-3)
    values = np.array([[curve.evaluate(frame) for curve in one.curves] for frame in frames])
    levers = footing.levers_at(one.bone, frames)
    left = reduced(frames, values, _errors(character, values, one.mode, bounds, levers))
    if len(left.frames) * len(one.curves) < one.keys:
        for channel, curve in enumerate(one.curves):
            _keys(frames, left, channel).write(curve)
    return sum(len(curve.keyframe_points) for curve in one.curves)


def _errors(character: ArmatureObject, values: np.ndarray, mode: str, bounds: Bounds, levers: np.ndarray) -> Errors:
    """Errors of a property's values (T, C), where it moves a standing foot by ``levers`` (T,) metres per radian."""
    firm = bounds.metres / _FIRM
    if not mode:
        scale = max(character.matrix_world.to_scale())
        metres = np.where(levers > 0, firm, bounds.metres)
        return lambda other: scale * np.linalg.norm(other - values, axis=-1) / metres
    wanted = rot.inverse(rotations_of(values, mode))
    radians = np.minimum(np.radians(bounds.degrees), firm / np.maximum(levers, 1e-9))

    def turned(other: np.ndarray) -> np.ndarray:
        sine = np.linalg.norm(rot.multiply(rotations_of(other, mode), wanted)[:, 1:], axis=-1)
        return 2 * np.arcsin(np.minimum(sine, 1)) / radians

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
