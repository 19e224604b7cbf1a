"""Motion onto real rigs and back, in Blender: a Mixamo and a generated Rigify character."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from backend.corpus.cmu import load_takes
from blender_addon import compat
from blender_addon.animation import rig as rigs
from blender_addon.animation.apply import PairWriter
from blender_addon.animation.capture import capture
from blender_addon.animation.own_map import keep_map
from blender_addon.retarget.body import palms
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets
from tests.e2e import characters
from tests.unit.cmu_sample import sample_folder

context: Any = bpy.context
FRAMES = 45


class Cast:
    """The scene and its two characters."""

    def __init__(self) -> None:
        self.scene: Any = context.scene
        self.mixamo: Any = bpy.data.objects["Marco"]
        self.rigify: Any = bpy.data.objects["Rita"]
        self.both = [self.mixamo, self.rigify]

    def write(self, motion: Motion, targets: list[Any] | None = None, step: int = 16) -> Any:
        """Write a motion in stretches; returns the Action."""
        writer = PairWriter(self.scene, targets or self.both, motion.frames, 1, "test")
        for start in range(0, motion.frames, step):
            writer.write(motion.slice(start, min(start + step, motion.frames)), start)
        return writer.finish()


@pytest.fixture(scope="session")
def cast_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the two characters, built once."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    context.scene.render.fps = 30
    characters.build_mixamo("Marco", 1.85)
    characters.build_rigify("Rita", 1.62)
    path = tmp_path_factory.mktemp("cast") / "cast.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


@pytest.fixture
def cast(cast_file: Path) -> Iterator[Cast]:
    """The two characters, fresh."""
    bpy.ops.wm.open_mainfile(filepath=str(cast_file))
    yield Cast()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def swinging(persons: int = 2, frames: int = FRAMES, turn: float = 0.25) -> Motion:
    """Everyone swings every joint at its own pace and wanders about."""
    draw = np.random.default_rng(5)
    time_ = np.arange(frames)[:, None, None] / 30
    axes = draw.normal(size=(persons, 22, 3))
    angles = turn * np.sin(time_ * draw.uniform(2, 5, (persons, 22)) + draw.uniform(0, 6, (persons, 22)))
    q = rot.from_axis_angle(np.broadcast_to(axes, (frames, persons, 22, 3)), angles)
    root = np.stack([np.sin(time_[..., 0] + one) * 0.2 + [0, 0, 0] for one in range(persons)], axis=1)
    root = root * [1, 0.2, 1] + [0, 0.95, 0] + np.arange(persons)[:, None] * [0.2, 0, 1.0]
    return Motion(30, root, q, np.stack([neutral_offsets()] * persons))


def degrees(a: Motion, b: Motion) -> np.ndarray:
    return np.degrees(2 * np.arccos(np.clip(np.abs(np.sum(a.rotations * b.rotations, axis=-1)), 0, 1)))


def on_their_own_bodies(cast: Cast) -> Motion:
    """A motion that needs no change to fit the two: read from them after it was put onto them."""
    cast.write(swinging())
    return capture(cast.scene, cast.both, 1, FRAMES)


def test_motion_written_onto_both_rigs_and_read_back_is_the_same_motion(cast: Cast) -> None:
    motion = on_their_own_bodies(cast)
    cast.write(motion)

    read = capture(cast.scene, cast.both, 1, FRAMES)

    assert degrees(motion, read).mean() < 0.2
    assert degrees(motion, read).max() < 2.0
    assert np.abs(motion.positions() - read.positions()).max() < 0.02


@pytest.mark.parametrize("number", [0, 1], ids=["Mixamo", "Rigify"])
def test_each_rig_turns_its_joints_as_the_motion_does(cast: Cast, number: int) -> None:
    motion = swinging(turn=0.15)
    cast.write(motion)

    read = capture(cast.scene, cast.both, 1, FRAMES)

    kept = [JOINT[name] for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head", "left_collar")]
    assert degrees(motion, read)[:, number, kept].max() < 0.5
    floor = read.positions()[:, number, :, 1].min()
    assert abs(floor - motion.positions()[:, number, :, 1].min()) < 0.05


def test_one_action_plays_both_rigs_each_from_its_own_slot(cast: Cast) -> None:
    action = cast.write(swinging())

    assert [one.animation_data.action for one in cast.both] == [action, action]
    assert cast.mixamo.animation_data.action_slot != cast.rigify.animation_data.action_slot
    assert [slot.name_display for slot in action.slots] == ["Marco", "Rita"]
    for armature, bone in ((cast.mixamo, "mixamorig:LeftHand"), (cast.rigify, "DEF-hand.L")):
        places = []
        for frame in (1, 20):
            cast.scene.frame_set(frame)
            places.append(np.array(armature.matrix_world @ armature.pose.bones[bone].head))
        assert np.linalg.norm(places[1] - places[0]) > 0.05


def test_only_mapped_bones_get_keys(cast: Cast) -> None:
    action = cast.write(swinging())

    for armature in cast.both:
        found = rigs.bone_map_of(armature)
        mapped = {name for names in found.bones.values() for name in names} | {one.bone for one in found.switches}
        keyed = {
            curve.data_path.split('"')[1] for curve in compat.fcurves_of(action, armature.animation_data.action_slot)
        }
        assert keyed == mapped


def test_rigify_limbs_are_switched_to_fk_by_a_key(cast: Cast) -> None:
    parent = cast.rigify.pose.bones["upper_arm_parent.L"]
    assert parent["IK_FK"] == 0.0

    action = cast.write(swinging())
    cast.scene.frame_set(10)

    curves = compat.fcurves_of(action, cast.rigify.animation_data.action_slot)
    switches = [curve for curve in curves if curve.data_path.endswith('["IK_FK"]')]
    assert len(switches) == 4
    assert all(curve.evaluate(10) == 1.0 for curve in switches)
    assert parent["IK_FK"] == 1.0


def test_motion_in_stretches_gives_the_same_keys_as_motion_in_one_piece(cast: Cast) -> None:
    def keys(step: int) -> dict[tuple[str, str, int], np.ndarray]:
        action = cast.write(swinging(), step=step)
        found = {}
        for armature in cast.both:
            for curve in compat.fcurves_of(action, armature.animation_data.action_slot):
                co = np.empty(2 * len(curve.keyframe_points), np.float32)
                curve.keyframe_points.foreach_get("co", co)
                found[armature.name, curve.data_path, curve.array_index] = co
        return found

    whole, stretched = keys(FRAMES), keys(7)

    assert whole.keys() == stretched.keys()
    for key, values in whole.items():
        np.testing.assert_allclose(stretched[key], values, atol=2e-4, err_msg=str(key))


@pytest.mark.parametrize(("fps", "base"), [(24, 1.0), (60, 1.001), (25, 1.0)])
def test_a_scene_of_another_frame_rate_keeps_it_and_plays_as_long(cast: Cast, fps: int, base: float) -> None:
    motion = on_their_own_bodies(cast)
    cast.scene.render.fps, cast.scene.render.fps_base = fps, base

    action = cast.write(motion)
    last = int((FRAMES - 1) / 30 * fps / base) + 1
    read = capture(cast.scene, cast.both, 1, last)

    assert (cast.scene.render.fps, cast.scene.render.fps_base) == (fps, pytest.approx(base))
    curve = compat.fcurves_of(action, cast.mixamo.animation_data.action_slot)[0]
    times = [point.co[0] for point in curve.keyframe_points]
    assert times == list(range(1, last + 1))
    assert abs(read.frames - FRAMES) <= 1
    kept = min(read.frames, FRAMES)
    assert degrees(motion.slice(0, kept), read.slice(0, kept)).mean() < 0.5


@pytest.mark.parametrize("mode", ["XYZ", "ZYX", "AXIS_ANGLE"])
def test_the_rotation_mode_of_a_bone_is_respected(cast: Cast, mode: str) -> None:
    motion = on_their_own_bodies(cast)
    for armature in cast.both:
        for bone in armature.pose.bones:
            bone.rotation_mode = mode

    action = cast.write(motion)
    read = capture(cast.scene, cast.both, 1, FRAMES)

    assert degrees(motion, read).mean() < 0.3
    assert all(bone.rotation_mode == mode for bone in cast.mixamo.pose.bones)
    path = "rotation_euler" if mode != "AXIS_ANGLE" else "rotation_axis_angle"
    curves = compat.fcurves_of(action, cast.mixamo.animation_data.action_slot)
    assert {curve.data_path.rsplit(".", 1)[1] for curve in curves} == {path, "location"}


def keyed_before(armature: Any) -> Any:
    """Give an armature an Action of its own, from frame 1 to 10."""
    bone = armature.pose.bones[0]
    bone.location = (0.1, 0.2, 0.3)
    bone.keyframe_insert("location", frame=1)
    bone.keyframe_insert("location", frame=10)
    return armature.animation_data.action


def test_discard_puts_back_action_slot_switches_and_poses(cast: Cast) -> None:
    before = keyed_before(cast.mixamo)
    slot = cast.mixamo.animation_data.action_slot.identifier
    chest = cast.rigify.pose.bones["spine_fk.002"]
    chest.rotation_quaternion = (0.8, 0.6, 0, 0)
    parent = cast.rigify.pose.bones["thigh_parent.R"]
    parent["IK_FK"] = 0.25

    writer = PairWriter(cast.scene, cast.both, FRAMES, 1, "test")
    writer.write(swinging().slice(0, 20), 0)
    cast.scene.frame_set(5)
    assert parent["IK_FK"] == 1.0
    writer.discard()
    cast.scene.frame_set(1)

    assert cast.mixamo.animation_data.action == before
    assert cast.mixamo.animation_data.action_slot.identifier == slot
    assert cast.rigify.animation_data is None or cast.rigify.animation_data.action is None
    np.testing.assert_allclose(chest.rotation_quaternion, (0.8, 0.6, 0, 0), atol=1e-6)
    assert parent["IK_FK"] == 0.25
    assert list(bpy.data.actions) == [before]


def test_a_writer_that_wrote_nothing_changes_nothing(cast: Cast) -> None:
    poses = {bone.name: np.array(bone.matrix_basis) for one in cast.both for bone in one.pose.bones}
    drivers = cast.rigify.animation_data is not None

    PairWriter(cast.scene, cast.both, FRAMES, 1, "test").discard()

    assert not bpy.data.actions
    assert (cast.rigify.animation_data is not None) == drivers
    assert cast.mixamo.animation_data is None
    for one in cast.both:
        for bone in one.pose.bones:
            np.testing.assert_array_equal(np.array(bone.matrix_basis), poses[bone.name])


def test_the_action_of_before_survives_saving(cast: Cast, tmp_path: Path) -> None:
    name = keyed_before(cast.mixamo).name
    cast.write(swinging())

    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)

    assert name in bpy.data.actions


def test_an_action_that_plays_does_not_disturb_the_next_motion(cast: Cast) -> None:
    motion = on_their_own_bodies(cast)
    cast.scene.frame_set(30)

    cast.write(motion)

    assert degrees(motion, capture(cast.scene, cast.both, 1, FRAMES)).mean() < 0.2


def test_turned_moved_and_scaled_objects_play_the_motion_at_its_place(cast: Cast) -> None:
    motion = on_their_own_bodies(cast)
    context.view_layer.objects.active = cast.mixamo
    cast.mixamo.scale = (0.01, 0.01, 0.01)
    cast.mixamo.data.transform(Matrix.Scale(100, 4))
    cast.mixamo.location, cast.mixamo.rotation_euler = (3, -2, 0), (0.0, 0, 2.0)
    cast.rigify.rotation_euler = (0, 0, -1.0)
    context.view_layer.update()

    cast.write(motion)
    read = capture(cast.scene, cast.both, 1, FRAMES)

    assert degrees(motion, read).mean() < 0.2
    np.testing.assert_allclose(read.root, motion.root, atol=0.01)


def test_capture_reads_ik_animation(cast: Cast) -> None:
    hand = cast.rigify.pose.bones["hand_ik.L"]
    for frame, height in ((1, 0.0), (20, 0.35)):
        hand.location = (0, 0, height)
        hand.keyframe_insert("location", frame=frame)

    read = capture(cast.scene, [cast.rigify], 1, 20)

    shoulder = [JOINT["left_shoulder"], JOINT["left_elbow"]]
    still = [JOINT["right_shoulder"], JOINT["left_knee"], JOINT["spine2"]]
    turned = degrees(read.slice(0, 1), read.slice(19, 20))[0, 0]
    assert turned[shoulder].max() > 15
    assert turned[still].max() < 1
    wrist = read.positions()[:, 0, JOINT["left_wrist"]]
    assert np.linalg.norm(wrist[-1] - wrist[0]) > 0.2


def test_capture_reads_a_character_that_is_moved_as_an_object(cast: Cast) -> None:
    for frame, place in ((1, 0.0), (31, 1.5)):
        cast.mixamo.location = (place, 0, 0)
        cast.mixamo.keyframe_insert("location", frame=frame)
    cast.scene.frame_set(7, subframe=0.5)

    read = capture(cast.scene, [cast.mixamo], 1, 31)

    np.testing.assert_allclose(read.root[-1, 0] - read.root[0, 0], [1.5, 0, 0], atol=1e-3)
    assert (cast.scene.frame_current, cast.scene.frame_subframe) == (7, 0.5)


def test_a_character_at_rest_reads_as_standing_upright_facing_forward(cast: Cast) -> None:
    hips = cast.mixamo.pose.bones["mixamorig:Hips"]
    for frame in (1, 2):
        hips.keyframe_insert("location", frame=frame)

    read = capture(cast.scene, [cast.mixamo], 1, 2)

    joints = read.positions()[0, 0]
    assert joints[JOINT["head"], 1] > joints[JOINT["pelvis"], 1] > joints[JOINT["left_ankle"], 1] > 0
    assert joints[JOINT["left_hip"], 0] > joints[JOINT["right_hip"], 0]
    assert joints[JOINT["left_foot"], 2] > joints[JOINT["left_ankle"], 2]
    assert abs(joints[[JOINT["left_foot"], JOINT["right_foot"]], 1].mean()) < 0.01


@pytest.fixture(scope="session")
def handshake(cmu_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Motion:
    folder = sample_folder(cmu_folder, ["18_01", "19_01"], tmp_path_factory.mktemp("cmu"))
    return load_takes(folder)[0].motion


def test_a_real_handshake_is_one_on_the_two_characters(cast: Cast, handshake: Motion) -> None:
    cast.write(handshake)
    read = capture(cast.scene, cast.both, 1, handshake.frames)

    def right_hands(motion: Motion) -> np.ndarray:
        hands = palms(motion)[:, :, 1]
        return np.linalg.norm(hands[:, 0] - hands[:, 1], axis=-1)

    meeting = right_hands(handshake) < 0.10
    assert meeting.sum() > 10
    # Reading puts each one's toe joints on the floor, which are 2 cm higher on one rig than on the other.
    assert np.median(right_hands(read)[meeting]) < 0.025
    assert right_hands(read)[meeting].max() < 0.09
    feet = [JOINT["left_foot"], JOINT["right_foot"]]
    assert read.positions()[:, :, feet, 1].min() > -0.03
    source, moved = (np.diff(one.positions()[:, :, feet], axis=0) * 30 for one in (handshake, read))
    planted = np.linalg.norm(source, axis=-1) < 0.1
    assert np.median(np.linalg.norm(moved, axis=-1)[planted]) < 0.03


def test_a_longer_motion_takes_no_more_time_per_frame(cast: Cast) -> None:
    def seconds(frames: int) -> float:
        start = time.process_time()  # not wall time: the machine may be busy with other things
        writer = PairWriter(cast.scene, cast.both, frames, 1, "test")
        writer.write(swinging(frames=frames), 0)
        writer.finish()
        return time.process_time() - start

    seconds(75)
    assert min(seconds(600) for _ in range(2)) < 3 * min(seconds(300) for _ in range(2))


def code_of(action: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(DuologueError) as caught:
        action()
    assert caught.value.hint
    return caught.value.code, caught.value.message


def armature_of(name: str, bones: dict[str, str | None]) -> Any:
    """An armature with bones by name and parent."""
    made: Any = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    context.scene.collection.objects.link(made)
    context.view_layer.objects.active = made
    bpy.ops.object.mode_set(mode="EDIT")
    for number, (bone, parent) in enumerate(bones.items()):
        new = made.data.edit_bones.new(bone)
        new.head, new.tail = (0, 0, number * 0.1), (0, 0, number * 0.1 + 0.1)
        new.parent = made.data.edit_bones[parent] if parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    return made


def test_what_is_no_rig_is_refused(cast: Cast) -> None:
    cube = bpy.data.objects.new("Cube", bpy.data.meshes.new("Cube"))
    context.scene.collection.objects.link(cube)
    empty = armature_of("Empty", {})

    for wrong in (cube, empty):
        code, message = code_of(lambda wrong=wrong: PairWriter(cast.scene, [cast.mixamo, wrong], 10, 1, "test"))
        assert code == "no_rig"
        assert wrong.name in message


def test_a_rig_that_is_no_human_is_refused_with_what_it_lacks(cast: Cast) -> None:
    horse = armature_of("Horse", {"body": None, "leg_fl": "body", "leg_fr": "body", "leg_hl": "body", "neck": "body"})

    code, message = code_of(lambda: PairWriter(cast.scene, [cast.mixamo, horse], 10, 1, "test"))

    assert code == "rig_not_humanoid"
    assert "Horse" in message
    assert "no two legs" in message


def test_a_mixamo_rig_without_legs_is_refused_by_the_names_of_its_legs(cast: Cast) -> None:
    context.view_layer.objects.active = cast.mixamo
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in list(cast.mixamo.data.edit_bones):
        if bone.name.endswith(("UpLeg", "Leg", "Foot", "ToeBase")):
            cast.mixamo.data.edit_bones.remove(bone)
    bpy.ops.object.mode_set(mode="OBJECT")

    with pytest.raises(DuologueError) as caught:
        PairWriter(cast.scene, cast.both, 10, 1, "test")

    assert caught.value.code == "rig_unmapped"
    assert "LeftUpLeg" in caught.value.hint


def test_one_rig_for_both_is_refused(cast: Cast) -> None:
    assert code_of(lambda: PairWriter(cast.scene, [cast.mixamo] * 2, 10, 1, "test"))[0] == "one_rig_for_both"


def test_a_motion_of_another_number_of_persons_is_refused(cast: Cast) -> None:
    writer = PairWriter(cast.scene, cast.both, FRAMES, 1, "test")

    assert code_of(lambda: writer.write(swinging(persons=1), 0))[0] == "persons_mismatch"
    assert not bpy.data.actions


def test_a_rig_removed_while_motion_arrives_is_told_and_the_other_is_put_back(cast: Cast) -> None:
    writer = PairWriter(cast.scene, cast.both, FRAMES, 1, "test")
    writer.write(swinging().slice(0, 10), 0)
    bpy.data.objects.remove(cast.rigify)

    assert code_of(lambda: writer.write(swinging().slice(10, 20), 10))[0] == "rig_gone"
    writer.discard()

    assert not bpy.data.actions
    assert cast.mixamo.animation_data is None


def test_a_range_of_one_frame_and_a_rig_without_animation_are_refused(cast: Cast) -> None:
    assert code_of(lambda: capture(cast.scene, [cast.mixamo], 5, 5))[0] == "one_frame"
    code, message = code_of(lambda: capture(cast.scene, [cast.mixamo], 1, 5))
    assert code == "no_animation"
    assert "Marco" in message


def test_a_strip_that_is_being_tweaked_is_refused(cast: Cast) -> None:
    action = keyed_before(cast.mixamo)
    data = cast.mixamo.animation_data
    track = data.nla_tracks.new()
    track.strips.new("strip", 1, action)
    data.action = None
    data.use_tweak_mode = True

    assert code_of(lambda: PairWriter(cast.scene, cast.both, 10, 1, "test"))[0] == "rig_in_tweak_mode"


def test_a_rig_that_blender_does_not_update_is_refused(cast: Cast) -> None:
    bpy.data.objects.remove(bpy.data.objects["Marco body"])
    cast.mixamo.hide_viewport = True

    assert code_of(lambda: PairWriter(cast.scene, cast.both, 10, 1, "test"))[0] == "rig_hidden"


def test_hips_that_are_glued_to_a_root_bone_leave_the_location_to_it(cast: Cast) -> None:
    motion = on_their_own_bodies(cast)
    cast.mixamo.animation_data_clear()
    for bone in cast.mixamo.pose.bones:
        bone.matrix_basis = Matrix()
    context.view_layer.objects.active = cast.mixamo
    bpy.ops.object.mode_set(mode="EDIT")
    edit_bones = cast.mixamo.data.edit_bones
    root = edit_bones.new("Root")
    root.head, root.tail = (0, 0, 0), edit_bones["mixamorig:Hips"].head
    edit_bones["mixamorig:Hips"].parent, edit_bones["mixamorig:Hips"].use_connect = root, True
    bpy.ops.object.mode_set(mode="OBJECT")

    action = cast.write(motion)

    assert degrees(motion, capture(cast.scene, cast.both, 1, FRAMES)).mean() < 0.2
    located = [
        curve.data_path
        for curve in compat.fcurves_of(action, cast.mixamo.animation_data.action_slot)
        if curve.data_path.endswith("location")
    ]
    assert set(located) == {'pose.bones["Root"].location'}


def test_a_linked_rig_is_refused_and_its_override_is_animated(cast_file: Path, empty_file: None) -> None:
    libraries: Any = bpy.data.libraries
    with libraries.load(str(cast_file), link=True) as (_, wanted):
        wanted.objects = ["Rita", "Rita body"]
    linked: Any = bpy.data.objects["Rita"]
    for one in list(bpy.data.objects):
        context.scene.collection.objects.link(one)
    motion = swinging(persons=1)
    scene: Any = context.scene
    scene.render.fps = 30
    assert code_of(lambda: PairWriter(scene, [linked], FRAMES, 1, "test"))[0] == "rig_linked"

    own: Any = linked.override_create(remap_local_usages=True)
    context.view_layer.update()
    writer = PairWriter(scene, [own], FRAMES, 1, "test")
    writer.write(motion, 0)
    writer.finish()
    read = capture(scene, [own], 1, FRAMES)

    kept = [JOINT[name] for name in ("pelvis", "spine2", "head", "left_collar")]
    assert degrees(motion, read)[:, 0, kept].max() < 0.5


def test_a_rig_of_unknown_names_is_animated_through_its_own_bone_map(cast: Cast) -> None:
    motion = on_their_own_bodies(cast)
    known = rigs.bone_map_of(cast.mixamo)
    renamed = {bone.name: f"thing{number}" for number, bone in enumerate(cast.mixamo.data.bones)}
    for old, new in renamed.items():
        cast.mixamo.data.bones[old].name = new
    assert rigs.bone_map_of(cast.mixamo).name == "Unnamed"

    bones = {key: [renamed[name] for name in names] for key, names in known.bones.items()}
    keep_map(cast.mixamo, json.dumps({"name": "Things", "bones": bones}))
    cast.write(motion)

    assert degrees(motion, capture(cast.scene, cast.both, 1, FRAMES)).mean() < 0.2
