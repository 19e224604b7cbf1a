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


def write_keys(
    curves: Sequence[bpy.types.FCurve], frames: np.ndarray, values: np.ndarray, *, anew: bool = False
) -> None:
    """Add linear keys to F-curves.

    Args:
        curves: C of them.
        frames: (T,) scene frames, after those that the curves have keys on; or from the first of these on.
        values: (T, C).
        anew: whether these keys take the place of all that there are, which are not more.
    """
    for index, curve in enumerate(curves):
        points = curve.keyframe_points
        had = len(points)
        points.add(len(frames) - had if anew else len(frames))
        co = np.empty(2 * len(points), np.float32)
        points.foreach_get("co", co)
        new = slice(0 if anew else 2 * had, None)
        co[new] = np.stack((frames, values[:, index]), axis=1).ravel()
        points.foreach_set("co", co)
        points.foreach_set("interpolation", np.full(len(points), _LINEAR, np.int32))
        curve.update()


def set_constant(curve: bpy.types.FCurve, frame: float, value: float) -> None:
    """Give an F-curve one key, which holds."""
    curve.keyframe_points.add(1)
    curve.keyframe_points[0].co = (frame, value)
    curve.keyframe_points.foreach_set("interpolation", np.array([_CONSTANT], np.int32))
    curve.update()
