"""F-curves of one slot, filled in stretches."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from bpy.types import Action, ActionSlot

from .. import compat

_CONSTANT, _LINEAR = 0, 1
"""Numbers of Blender's interpolation modes, as ``foreach_set`` takes them."""


def add_curves(action: Action, slot: ActionSlot, data_path: str, group: str, count: int) -> None:
    """Add the empty F-curves of a property of ``count`` components."""
    bag = compat.channelbag(action, slot)
    for index in range(count):
        compat.new_fcurve(bag, data_path, index, group)


def append_keys(curves: Sequence[bpy.types.FCurve], frames: np.ndarray, values: np.ndarray) -> None:
    """Append linear keys to F-curves.

    Args:
        curves: C of them.
        frames: (T,) scene frames, after those that the curves have keys on.
        values: (T, C).
    """
    count = len(frames)
    for index, curve in enumerate(curves):
        points = curve.keyframe_points
        had = len(points)
        points.add(count)
        co = np.empty(2 * (had + count), np.float32)
        points.foreach_get("co", co)
        co[2 * had :: 2], co[2 * had + 1 :: 2] = frames, values[:, index]
        points.foreach_set("co", co)
        points.foreach_set("interpolation", np.full(had + count, _LINEAR, np.int32))
        curve.update()


def set_constant(curve: bpy.types.FCurve, frame: float, value: float) -> None:
    """Give an F-curve one key, which holds."""
    curve.keyframe_points.add(1)
    curve.keyframe_points[0].co = (frame, value)
    curve.keyframe_points.foreach_set("interpolation", np.array([_CONSTANT], np.int32))
    curve.update()
