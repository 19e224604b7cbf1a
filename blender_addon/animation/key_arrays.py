"""The keys of an F-curve as arrays, with everything that a key has, to be cut and joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from bpy.types import FCurve

CONSTANT, LINEAR, _BEZIER = 0, 1, 2
"""Numbers of Blender's interpolation modes, as ``foreach_set`` takes them."""
_FREE, _AUTO_CLAMPED = 0, 4
"""Numbers of handle types: one that Blender never recalculates, and the usual one."""
_PAIRS = ("co", "handle_left", "handle_right")
_WHOLE = ("interpolation", "easing", "handle_left_type", "handle_right_type", "type")
_EASES = ("amplitude", "back", "period")
_FLAGS = ("select_control_point",)


@dataclass(frozen=True)
class Keys:
    """N keys in the order of their frames.

    Attributes:
        co: (N, 2) frame and value; so are both handles.
        interpolation: (N,) how the curve goes on from each key; so are the other enumerations, as Blender numbers them.
        amplitude: (N,) of elastic easing; so are ``back`` and ``period``.
        select_control_point: (N,) whether each key is selected.
    """

    co: np.ndarray
    handle_left: np.ndarray
    handle_right: np.ndarray
    interpolation: np.ndarray
    easing: np.ndarray
    handle_left_type: np.ndarray
    handle_right_type: np.ndarray
    type: np.ndarray
    amplitude: np.ndarray
    back: np.ndarray
    period: np.ndarray
    select_control_point: np.ndarray

    @classmethod
    def of(cls, curve: FCurve) -> Self:
        """The keys of a curve."""
        points = curve.keyframe_points
        found = {}
        for field in fields(cls):
            wide = 2 if field.name in _PAIRS else 1
            kind = np.int32 if field.name in _WHOLE else bool if field.name in _FLAGS else np.float32
            values = np.empty(len(points) * wide, kind)
            points.foreach_get(field.name, values)
            found[field.name] = values.reshape(-1, 2) if wide == 2 else values
        return cls(**found)

    @classmethod
    def at(cls, frames: np.ndarray, values: np.ndarray, *, constant: bool) -> Self:
        """Keys at frames (N,) with values (N,): linear ones, or ones that hold."""
        count = len(frames)
        co = np.stack((frames, values), axis=1).astype(np.float32)
        whole = {name: np.zeros(count, np.int32) for name in _WHOLE}
        whole["interpolation"] += CONSTANT if constant else LINEAR
        for name in ("handle_left_type", "handle_right_type"):
            whole[name] += _AUTO_CLAMPED
        eases = {name: np.zeros(count, np.float32) for name in _EASES}
        return cls(co, co.copy(), co.copy(), **whole, **eases, select_control_point=np.ones(count, bool))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The keys of all parts, one after the other."""
        return cls(**{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)})

    def __len__(self) -> int:
        return len(self.co)

    @property
    def holds(self) -> bool:
        """Whether the curve only ever jumps, as that of a switch does."""
        return len(self) > 0 and bool((self.interpolation == CONSTANT).all())

    def before(self, frame: float) -> Self:
        """The keys before a frame."""
        return self._chosen(self.co[:, 0] < frame)

    def after(self, frame: float) -> Self:
        """The keys after a frame."""
        return self._chosen(self.co[:, 0] > frame)

    def fixed(self) -> Self:
        """The same with handles that stay where they are, whatever comes beside them, where the curve is bent by them.

        Blender smooths automatic handles over whole stretches of a curve, so that one more key would bend it elsewhere.
        """
        copied = replace(self, **{one.name: getattr(self, one.name).copy() for one in fields(self)})
        bent = self.interpolation == _BEZIER
        bent[1:] |= bent[:-1].copy()
        copied.handle_left_type[bent] = copied.handle_right_type[bent] = _FREE
        return copied

    def write(self, curve: FCurve) -> None:
        """Make these the keys of a curve."""
        points = curve.keyframe_points
        points.clear()
        points.add(len(self))
        for field in fields(self):
            points.foreach_set(field.name, getattr(self, field.name).ravel())
        curve.update()

    def _chosen(self, mask: np.ndarray) -> Self:
        return replace(self, **{one.name: getattr(self, one.name)[mask] for one in fields(self)})
