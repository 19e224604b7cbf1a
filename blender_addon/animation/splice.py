"""New keys within keys that are kept: a stretch of an action is replaced, and outside of it nothing moves.

The Action that was written for the stretch alone takes over everything that the characters played before: what was
keyed outside the stretch with all its attributes, and curves that the new motion does not touch as a whole. Where a
curve ran through a border without a key there, it is keyed frame by frame up to its next key, to keep its shape.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np
from bpy.types import Action, ActionSlot, FCurve
from mathutils import Euler, Quaternion

from .. import compat
from ..retarget.euler import AXIS_ANGLE, QUATERNION, channel_values
from ..retarget.seam import led_rotations, led_values
from ..stubs import ArmatureObject
from .key_arrays import CONSTANT, LINEAR, Keys
from .rig import SavedPose

_BEFORE, _AFTER = -1, 0
"""The sides of the stretch: also the index of the kept key that is nearest to it."""
_JUMP = 0.5
"""Radians, or components of a quaternion, by which a channel changes in a frame only where it goes on with other
numbers for the same rotation: the opposite quaternion, or an angle that is a full turn more."""
_ROTATIONS = ("rotation_quaternion", "rotation_euler", "rotation_axis_angle")
_BONE = re.compile(r'^pose\.bones\["(.+)"\]\.(\w+)$')


class Splice:
    """What one character played before, and the stretch of it that is replaced.

    Args:
        target: the character.
        pose: what its bones were like where nothing was keyed.
        before: the action that it played, and the slot of it.
        first: first scene frame of the stretch.
        last: last scene frame of it.
    """

    def __init__(
        self, target: ArmatureObject, pose: SavedPose, before: tuple[Action, ActionSlot], first: int, last: int
    ) -> None:
        self._target, self._pose = target, pose
        self._kept = {(one.data_path, one.array_index): one for one in compat.fcurves_of(*before)}
        self._first, self._last = first, last
        self._frames = np.arange(first, last + 1)
        ends = [bound for one in self._kept.values() if len(one.keyframe_points) for bound in one.range()]
        self._sides = (
            [side for side, kept in ((_BEFORE, min(ends) < first), (_AFTER, max(ends) > last)) if kept] if ends else []
        )

    def into(self, action: Action, slot: ActionSlot, fps: float) -> None:
        """Complete the action that was written for the stretch with what was played before."""
        bag = compat.channelbag(action, slot)
        written: dict[str, list[FCurve]] = {}
        for curve in bag.fcurves:
            written.setdefault(curve.data_path, []).append(curve)
        for path, curves in written.items():
            self._merge(path, curves, fps)
        for key, kept in self._kept.items():
            if key[0] not in written:
                copied = compat.new_fcurve(bag, *key, kept.group.name if kept.group else "")
                Keys.of(kept).write(copied)
                _copy_look(kept, copied)

    def _merge(self, path: str, curves: Sequence[FCurve], fps: float) -> None:
        """Replace what is keyed for one property by the kept keys with the new ones within the stretch."""
        kept = [self._kept.get((path, curve.array_index)) for curve in curves]
        written = [Keys.of(curve) for curve in curves]
        if all(keys.holds for keys in written):
            new = [Keys.at(self._frames[:1], keys.co[:1, 1], constant=True) for keys in written]
        else:
            count = len(self._frames)
            values = np.stack([keys.co[np.minimum(np.arange(count), len(keys) - 1), 1] for keys in written], axis=1)
            # What was not keyed was moved by something else, such as IK, and does not say where the pose was heading.
            known = any(one is not None for one in kept)
            seams = {side: self._seam(curves, kept, side) for side in self._sides if known}
            led = self._led(path, values, seams.get(_BEFORE), seams.get(_AFTER), fps)
            new = [Keys.at(self._frames, column, constant=False) for column in led.T]
        for curve, source, keys in zip(curves, kept, new, strict=True):
            around = {side: self._outside(curve, source, side) for side in self._sides}
            if _AFTER in around and _is_rotation(path) and abs(around[_AFTER].co[0, 1] - keys.co[-1, 1]) > _JUMP:
                keys.interpolation[-1] = CONSTANT
            parts = [around.get(_BEFORE), keys, around.get(_AFTER)]
            Keys.joined([part for part in parts if part is not None]).write(curve)
            if source is not None:
                _copy_look(source, curve)

    def _outside(self, curve: FCurve, source: FCurve | None, side: int) -> Keys:
        """The keys of one side of the stretch, with the border itself keyed."""
        border = self._first - 1 if side == _BEFORE else self._last + 1
        if source is None:
            return Keys.at(np.array([border]), np.array([self._unkeyed(curve)]), constant=True)
        keys = Keys.of(source)
        own = keys.before(self._first - 0.5) if side == _BEFORE else keys.after(self._last + 0.5)
        if not len(own):
            return Keys.at(np.array([border]), np.array([source.evaluate(border)]), constant=keys.holds)
        own, nearest = own.fixed(), own.co[side, 0]
        if side == _BEFORE:
            frames = np.arange(np.floor(nearest) + 1, border + 1)
        else:
            frames = np.arange(border, np.ceil(nearest - 1e-3))
        if not len(frames) or (side == _BEFORE and own.interpolation[-1] == CONSTANT):
            return own
        sampled = Keys.at(frames, np.array([source.evaluate(frame) for frame in frames]), constant=keys.holds)
        if side == _AFTER:
            return Keys.joined([sampled, own])
        own.interpolation[-1] = LINEAR
        return Keys.joined([own, sampled])

    def _seam(self, curves: Sequence[FCurve], kept: Sequence[FCurve | None], side: int) -> np.ndarray:
        """(2, C) values of the two kept frames beside the stretch, the earlier one first."""
        frames = (self._first - 2, self._first - 1) if side == _BEFORE else (self._last + 1, self._last + 2)
        pairs = list(zip(curves, kept, strict=True))
        rows = [[self._unkeyed(one) if old is None else old.evaluate(at) for one, old in pairs] for at in frames]
        return np.array(rows)

    def _led(self, path: str, new: np.ndarray, before: Any, after: Any, fps: float) -> np.ndarray:
        if not _is_rotation(path):
            return led_values(new, before, after, fps)
        found = _BONE.match(path)
        channel = found[2] if found else path
        bone = bpy.utils.unescape_identifier(found[1]) if found else ""
        mode: Any = {"rotation_quaternion": QUATERNION, "rotation_axis_angle": AXIS_ANGLE}.get(
            channel, (self._target.pose.bones[bone] if bone else self._target).rotation_mode
        )
        turned = led_rotations(_turned(new, mode), _turned(before, mode), _turned(after, mode), fps)
        return channel_values(turned, mode, before[1] if before is not None else new[0])

    def _unkeyed(self, curve: FCurve) -> float:
        """The value of a channel that was not keyed, as it stood before; what cannot be told stays as it is keyed."""
        found = _BONE.match(curve.data_path)
        values: Any = None
        if found:
            values = self._pose[0].get(bpy.utils.unescape_identifier(found[1]), {}).get(found[2])
        else:
            values = self._pose[0].get("", {}).get(curve.data_path)
            for bone, name, value in self._pose[1]:
                escaped = bpy.utils.escape_identifier
                if curve.data_path == f'pose.bones["{escaped(bone)}"]["{escaped(name)}"]':
                    values = (value,)
        return float(values[curve.array_index]) if values is not None else curve.evaluate(self._first)


def _turned(values: Any, mode: str) -> Any:
    """Rotation channels (T, 3 or 4) as quaternions (T, 4)."""
    if values is None:
        return None
    if mode == QUATERNION:
        lengths = np.linalg.norm(values, axis=-1, keepdims=True)
        return np.where(lengths > 1e-9, values / np.maximum(lengths, 1e-9), [1, 0, 0, 0])
    if mode == AXIS_ANGLE:
        return np.array([Quaternion(row[1:], row[0]) for row in values])
    return np.array([Euler(row, mode).to_quaternion() for row in values])


def _is_rotation(path: str) -> bool:
    return path.rpartition(".")[2] in _ROTATIONS


def _copy_look(source: FCurve, target: FCurve) -> None:
    """Give a curve what another has beside its keys: how it goes on outside of them, its colour, its modifiers."""
    for name in ("extrapolation", "mute", "lock", "hide", "auto_smoothing", "color_mode", "color"):
        setattr(target, name, getattr(source, name))
    for one in source.modifiers:
        made: Any = target.modifiers.new(one.type)
        for prop in one.bl_rna.properties:
            if not prop.is_readonly and prop.identifier not in ("rna_type", "type", "active"):
                setattr(made, prop.identifier, getattr(one, prop.identifier))
