"""Every difference between the Blender versions that the extension supports, and nowhere else."""

from typing import Any

import bpy
from bpy.types import ID, Action, ActionSlot, FCurve

NAME_BYTES = 63 if bpy.app.version < (5, 0, 0) else 255
"""Longest name of an ID or an action slot, in UTF-8 bytes; Blender cuts what is longer."""


def channelbag(action: Action, slot: ActionSlot) -> "bpy.types.ActionChannelbag":
    """The channelbag that holds a slot's F-curves, with the layer and the keyframe strip it needs made on demand."""
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip: Any = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True)


def new_fcurve(bag: "bpy.types.ActionChannelbag", data_path: str, index: int, group: str) -> FCurve:
    """Add an F-curve to a channelbag, in the named group."""
    curves: Any = bag.fcurves
    if bpy.app.version >= (5, 0, 0):
        return curves.new(data_path, index=index, group_name=group)
    curve = curves.new(data_path, index=index)
    curve.group = bag.groups.get(group) or bag.groups.new(group)
    return curve


def extension_user_folder(package: str) -> str:
    """The folder that an extension may write to; a package that is no extension gets one among the settings."""
    if package.startswith("bl_ext."):
        return bpy.utils.extension_path_user(package, create=True)
    return bpy.utils.user_resource("CONFIG", path=package, create=True)


def fcurves_of(action: Action, slot: ActionSlot) -> list[FCurve]:
    """All F-curves of a slot, over all layers and strips; empty where it has none."""
    strips: list[Any] = [strip for layer in action.layers for strip in layer.strips]
    bags = [strip.channelbag(slot) for strip in strips]
    return [curve for bag in bags if bag is not None for curve in bag.fcurves]


def stored(owner: ID, name: str) -> Any:
    """What the file holds of an extension's property as it was saved, whatever the property looks like now; or None."""
    return _stored_properties(owner).get(name)


def forget_stored(owner: ID, name: str) -> None:
    """Remove from the file what `stored` returns."""
    del _stored_properties(owner)[name]


def _stored_properties(owner: Any) -> Any:
    if bpy.app.version < (5, 0, 0):
        return owner
    properties = owner.bl_system_properties_get()
    return {} if properties is None else properties
