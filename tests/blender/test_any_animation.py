"""Whatever moves a rig is read from it: NLA strips, other rigs, constraints; and every rotation mode plays the same."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon import compat
from blender_addon.animation.capture import capture
from blender_addon.animation.condition import moved_by_others
from blender_addon.animation.key_arrays import Keys
from blender_addon.animation.nla import push_down
from blender_addon.retarget.options import ON_OBJECT, Options
from tests.blender.test_controls import FRAMES, degrees, put_on, rita, rita_file, walking

__all__ = ["rita", "rita_file"]
context: Any = bpy.context


@pytest.fixture
def marco(rita: Any) -> Any:
    """The Mixamo character of the same file."""
    return bpy.data.objects["Marco"]


def read(character: Any) -> Any:
    return capture(context.scene, [character], 1, FRAMES)


def test_nla_strips_read_as_the_action_in_them(marco: Any) -> None:
    put_on(marco, walking(), Options())
    before = read(marco)

    push_down([marco], "strip")

    assert marco.animation_data.action is None
    assert degrees(before, read(marco)).max() < 0.1


def test_a_rig_that_copies_another_one_reads_as_that(marco: Any) -> None:
    follower = marco.copy()
    context.scene.collection.objects.link(follower)
    assert not moved_by_others(marco)
    for bone in follower.pose.bones:
        held = bone.constraints.new("COPY_TRANSFORMS")
        held.target, held.subtarget = marco, bone.name
    put_on(marco, walking(), Options())

    assert moved_by_others(follower)
    assert follower.animation_data is None
    assert degrees(read(marco), read(follower)).max() < 0.1


def test_a_rig_on_an_animated_parent_reads_with_it(marco: Any) -> None:
    carrier = bpy.data.objects.new("Cart", None)
    context.scene.collection.objects.link(carrier)
    for frame, place in ((1, 0.0), (FRAMES, 2.0)):
        carrier.location = (place, 0, 0)
        carrier.keyframe_insert("location", frame=frame)
    marco.parent = carrier

    moved = read(marco).root[:, 0]

    assert moved_by_others(marco)
    np.testing.assert_allclose(moved[-1] - moved[0], [2, 0, 0], atol=1e-3)


@pytest.mark.parametrize("mode", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "AXIS_ANGLE"])
def test_every_rotation_mode_plays_the_same_without_jumps(marco: Any, mode: str) -> None:
    put_on(marco, walking(), Options(root=ON_OBJECT))
    wanted = read(marco)
    marco.rotation_mode = mode
    for bone in marco.pose.bones:
        bone.rotation_mode = mode

    action = put_on(marco, walking(), Options(root=ON_OBJECT))

    assert degrees(wanted, read(marco)).max() < 0.1
    np.testing.assert_allclose(read(marco).root, wanted.root, atol=1e-3)
    for curve in compat.fcurves_of(action, marco.animation_data.action_slot):
        if curve.data_path.endswith("rotation_euler") or (mode == "AXIS_ANGLE" and curve.array_index == 0):
            assert np.abs(np.diff(Keys.of(curve).co[:, 1])).max() < 1.0, curve.data_path
