"""Motion on the IK controls of a generated Rigify rig, on root bones and on objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon import compat
from blender_addon.animation.apply import PairWriter
from blender_addon.animation.capture import capture
from blender_addon.animation.rig import world_matrices
from blender_addon.retarget.options import ON_OBJECT, ON_ROOT_BONE, Options
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets
from tests.e2e import characters

context: Any = bpy.context
FRAMES = 45
IK = Options(ik=True)


@pytest.fixture(scope="session")
def rita_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a Mixamo and a Rigify character, built once."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    context.scene.render.fps = 30
    characters.build_mixamo("Marco", 1.85)
    characters.build_rigify("Rita", 1.62)
    path = tmp_path_factory.mktemp("cast") / "cast.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


@pytest.fixture
def rita(rita_file: Path) -> Iterator[Any]:
    """The Rigify character, fresh."""
    bpy.ops.wm.open_mainfile(filepath=str(rita_file))
    yield bpy.data.objects["Rita"]
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def walking(frames: int = FRAMES) -> Motion:
    """One person who walks a bend, arms and legs swinging, knees and elbows bending as hinges do."""
    t = np.arange(frames) / 30
    q = np.zeros((frames, 1, 22, 4), np.float32)
    q[..., 0] = 1
    swing = np.sin(4 * t)

    def turn(joint: str, axis: tuple[float, float, float], angle: np.ndarray) -> None:
        q[:, 0, JOINT[joint]] = rot.multiply(rot.from_axis_angle(np.array(axis), angle), q[:, 0, JOINT[joint]])

    for side, sign in (("left", 1.0), ("right", -1.0)):
        turn(f"{side}_hip", (1, 0, 0), -0.25 - 0.4 * sign * swing)
        turn(f"{side}_knee", (1, 0, 0), 0.5 + 0.3 * sign * swing)
        turn(f"{side}_ankle", (1, 0.1, 0), 0.15 * swing)
        turn(f"{side}_foot", (1, 0, 0), 0.1 * (1 + swing))
        turn(f"{side}_shoulder", (0, 0, 1), -1.1 * sign + 0 * t)
        turn(f"{side}_shoulder", (1, 0, 0), 0.5 * sign * swing)
        turn(f"{side}_elbow", (0, 1, 0), -sign * (0.7 + 0.3 * swing))
        turn(f"{side}_wrist", (0.3, 0, 1), 0.2 * swing)
    turn("spine1", (1, 0, 0.3), 0.25 + 0.1 * swing)
    turn("spine2", (0, 1, 0.2), 0.2 * swing)
    turn("head", (0, 1, 0), -0.3 * swing)
    turn("pelvis", (0, 1, 0.1), 0.9 * t)
    root = np.stack((np.sin(0.9 * t), 0.9 + 0.02 * swing, 1 - np.cos(0.9 * t)), axis=-1)[:, None]
    return Motion(30, root, q, neutral_offsets()[None])


def put_on(target: Any, motion: Motion, options: Options) -> Any:
    """Write a motion onto one character in stretches; returns the Action."""
    writer = PairWriter(context.scene, [target], motion.frames, 1, "test", options=options)
    for start in range(0, motion.frames, 16):
        writer.write(motion.slice(start, min(start + 16, motion.frames)), start)
    return writer.finish()


def on_its_own_body(target: Any, options: Options) -> Motion:
    """A motion that the rig can do as it is keyed: read from it after it was put onto it."""
    put_on(target, walking(), options)
    return capture(context.scene, [target], 1, FRAMES)


def degrees(a: Motion, b: Motion) -> np.ndarray:
    return np.degrees(2 * np.arccos(np.clip(np.abs(np.sum(a.rotations * b.rotations, axis=-1)), 0, 1)))


def keyed(target: Any) -> dict[str, Any]:
    """F-curves by data path, the first component of each."""
    curves = compat.fcurves_of(target.animation_data.action, target.animation_data.action_slot)
    return {curve.data_path: curve for curve in curves if curve.array_index == 0}


def missed(a: Motion, b: Motion) -> float:
    """Largest distance between joints, as a share of the body's height."""
    height = np.ptp(a.positions()[0, 0, :, 1])
    return float(np.linalg.norm(a.positions() - b.positions(), axis=-1).max() / height)


def test_motion_on_ik_controls_reads_back_as_the_same_motion(rita: Any) -> None:
    motion = on_its_own_body(rita, IK)
    put_on(rita, motion, IK)

    read = capture(context.scene, [rita], 1, FRAMES)

    assert degrees(motion, read).mean() < 0.1
    assert missed(motion, read) < 0.005


def test_ik_controls_put_hands_feet_elbows_and_knees_where_fk_controls_put_them(rita: Any) -> None:
    put_on(rita, walking(), Options())
    on_fk = capture(context.scene, [rita], 1, FRAMES)
    put_on(rita, walking(), IK)
    on_ik = capture(context.scene, [rita], 1, FRAMES)

    assert missed(on_fk, on_ik) < 0.005
    ends = [JOINT[f"{side}_{end}"] for side in ("left", "right") for end in ("wrist", "ankle")]
    turned = [motion.forward_kinematics()[1][:, 0, ends] for motion in (on_fk, on_ik)]
    assert np.degrees(2 * np.arccos(np.clip(np.abs(np.sum(turned[0] * turned[1], axis=-1)), 0, 1))).max() < 0.5


@pytest.mark.parametrize("options", [Options(), IK], ids=["FK", "IK"])
def test_hands_and_head_are_in_the_scene_where_the_motion_has_them(rita: Any, options: Options) -> None:
    """A rig that hangs from its waist, as Rigify's, must bend where the body does that retargeting works with."""
    put_on(rita, walking(), options)
    read = capture(context.scene, [rita], 1, FRAMES).positions()[:, 0]
    hips, bones = JOINT["left_hip"], {"neck": "neck", "left_wrist": "ORG-hand.L", "right_wrist": "ORG-hand.R"}

    for frame in (1, 15, 30):
        context.scene.frame_set(frame)
        heads = world_matrices(rita, ["ORG-thigh.L", *bones.values()])[:, :3, 3]
        for joint, head in zip(bones, heads[1:], strict=True):
            there = read[frame - 1, JOINT[joint]] - read[frame - 1, hips]
            assert np.linalg.norm(head - heads[0] - there) < 0.005


def test_only_ik_controls_of_the_limbs_are_keyed_and_the_switches_play(rita: Any) -> None:
    arm = rita.pose.bones["upper_arm_parent.L"]
    arm["IK_FK"] = 1.0
    put_on(rita, walking(), IK)
    context.scene.frame_set(20)

    curves = keyed(rita)
    moved = {path.split('"')[1] for path in curves if path.endswith(".location")}
    assert moved == {"torso"} | {
        f"{control}.{side}"
        for control in ("hand_ik", "foot_ik", "upper_arm_ik_target", "thigh_ik_target")
        for side in "LR"
    }
    bones = {path.split('"')[1] for path in curves}
    assert not [bone for bone in bones if "_fk." in bone and not bone.startswith("spine")]
    assert {"toe_ik.L", "shoulder.L", "head", "spine_fk.003"} <= bones
    assert all(len(curve.keyframe_points) == 1 for path, curve in curves.items() if path.endswith("]"))
    assert (arm["IK_FK"], arm["pole_vector"], arm["IK_parent"], arm["pole_parent"]) == (0.0, True, 1, 1)


def test_taking_ik_keys_back_restores_pose_and_switches(rita: Any) -> None:
    arm, pole = rita.pose.bones["upper_arm_parent.L"], rita.pose.bones["upper_arm_ik_target.L"]
    arm["IK_FK"], pole.location = 0.5, (0.1, 0.2, 0.3)
    writer = PairWriter(context.scene, [rita], FRAMES, 1, "test", options=IK)
    writer.write(walking().slice(0, 20), 0)
    context.scene.frame_set(10)
    assert (arm["IK_FK"], arm["pole_vector"]) == (0.0, True)

    writer.discard()
    context.scene.frame_set(1)

    assert (arm["IK_FK"], arm["pole_vector"], arm["pole_parent"]) == (0.5, False, 6)
    np.testing.assert_allclose(pole.location, (0.1, 0.2, 0.3), atol=1e-6)


def test_a_rig_without_ik_controls_is_told_so(rita: Any) -> None:
    with pytest.raises(DuologueError) as caught:
        PairWriter(context.scene, [bpy.data.objects["Marco"]], FRAMES, 1, "test", options=IK)

    assert caught.value.code == "no_ik_controls"
    assert "Marco" in caught.value.message
    assert not bpy.data.actions


def test_ik_controls_that_follow_the_body_are_named(rita: Any) -> None:
    held = rita.pose.bones["hand_ik.L"].constraints.new("COPY_LOCATION")
    held.target, held.subtarget = rita, "head"

    with pytest.raises(DuologueError) as caught:
        PairWriter(context.scene, [rita], FRAMES, 1, "test", options=IK)

    assert caught.value.code == "ik_controls_follow"
    assert "hand_ik.L" in caught.value.message


@pytest.mark.parametrize("ik", [False, True], ids=["FK", "IK"])
@pytest.mark.parametrize("root", [ON_ROOT_BONE, ON_OBJECT])
def test_a_root_carries_the_body_over_the_ground_and_turns_with_it(rita: Any, root: str, ik: bool) -> None:
    rita.location, rita.rotation_mode, rita.rotation_euler = (0.5, -0.4, 0.0), "ZXY", (0, 0, 2.0)
    context.view_layer.update()
    put_on(rita, walking(), Options(ik=ik))
    on_hips = capture(context.scene, [rita], 1, FRAMES)

    put_on(rita, walking(), Options(root=root, ik=ik))
    read = capture(context.scene, [rita], 1, FRAMES)

    assert missed(on_hips, read) < 0.005
    assert degrees(on_hips, read).max() < 1.0
    for frame in (1, 30, FRAMES):
        context.scene.frame_set(frame)
        carrier = rita.matrix_world
        if root == ON_ROOT_BONE:
            carrier = carrier @ rita.pose.bones["root"].matrix
        pelvis = read.root[frame - 1, 0]
        np.testing.assert_allclose(carrier.translation, (pelvis[0], -pelvis[2], 0), atol=0.002)
        faces = -(carrier.to_3x3().col[1])
        forward = rot.rotate(read.rotations[frame - 1, 0, 0], np.array([0.0, 0, 1], np.float32))
        assert abs(np.arctan2(faces[0], -faces[1]) - np.arctan2(forward[0], forward[2])) < 0.1
    torso = keyed(rita)['pose.bones["torso"].location']
    assert np.ptp([point.co[1] for point in torso.keyframe_points]) < 0.02


def test_keys_on_the_object_are_taken_back_with_its_place(rita: Any) -> None:
    rita.location = (3, 2, 0)
    writer = PairWriter(context.scene, [rita], FRAMES, 1, "test", options=Options(root=ON_OBJECT))
    writer.write(walking(), 0)
    context.scene.frame_set(30)
    assert abs(rita.location[0] - 3) > 0.5

    writer.discard()

    assert tuple(rita.location) == (3, 2, 0)


@pytest.mark.parametrize(
    ("options", "spoil", "code"),
    [
        (Options(root=ON_OBJECT), lambda rita: rita.driver_add("location", 0), "channels_driven"),
        (Options(root=ON_OBJECT), lambda rita: setattr(rita, "lock_rotation", (True, True, True)), "channels_locked"),
        (
            Options(root=ON_ROOT_BONE),
            lambda rita: setattr(rita.pose.bones["root"], "lock_location", (True, False, False)),
            "channels_locked",
        ),
        (
            IK,
            lambda rita: setattr(rita.pose.bones["hand_ik.R"], "lock_location", (True, True, True)),
            "channels_locked",
        ),
        (IK, lambda rita: rita.pose.bones["foot_ik.R"].driver_add("location", 1), "channels_driven"),
        (
            Options(root=ON_ROOT_BONE),
            lambda rita: rita.pose.bones["torso"].__setitem__("torso_parent", 0),
            "root_bone_carries_not",
        ),
    ],
)
def test_what_keeps_keys_from_working_is_named(rita: Any, options: Options, spoil: Any, code: str) -> None:
    spoil(rita)

    with pytest.raises(DuologueError) as caught:
        PairWriter(context.scene, [rita], FRAMES, 1, "test", options=options)

    assert caught.value.code == code
    assert caught.value.hint
    assert not bpy.data.actions


def test_locks_on_fk_controls_do_not_matter_to_ik(rita: Any) -> None:
    rita.pose.bones["forearm_fk.L"].lock_rotation = (True, True, True)

    assert put_on(rita, walking(), IK) is not None


def test_a_rig_without_a_bone_under_its_hips_has_no_root_bone(rita: Any) -> None:
    with pytest.raises(DuologueError) as caught:
        PairWriter(context.scene, [bpy.data.objects["Marco"]], FRAMES, 1, "test", options=Options(root=ON_ROOT_BONE))

    assert caught.value.code == "no_root_bone"
