"""The CMU takes as Motion: both conventions land on SMPL-22, pairs share a world, jumps are cut, floors are level."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.corpus import cmu
from backend.corpus.bvh import BvhClip, parse_bvh
from backend.corpus.conventions import CONVENTIONS, DAZ, MOTIONBUILDER, Convention, detect, to_motion
from backend.corpus.floor import FOOT_JOINTS, on_floor
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.skeleton import JOINT, MIRROR, neutral_offsets, rest_height
from tests.unit.cmu_sample import sample_folder, sample_texts

LIMBS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
SAMPLE = ("60_01", "61_01", "60_05", "61_05", "60_13", "61_13", "18_01", "19_01", "07_01", "10_01")


@pytest.fixture(scope="module")
def texts(cmu_folder: Path) -> dict[str, str]:
    return sample_texts(cmu_folder, SAMPLE)


@pytest.fixture(scope="module")
def takes(cmu_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, cmu.Take]:
    folder = sample_folder(cmu_folder, SAMPLE, tmp_path_factory.mktemp("cmu"))
    return {take.name: take for take in cmu.load_takes(folder)}


def _still(frames: int = 60, persons: int = 1) -> Motion:
    rotations = np.tile(rot.IDENTITY, (frames, persons, 22, 1))
    offsets = np.stack([neutral_offsets()] * persons)
    root = np.zeros((frames, persons, 3), np.float32)
    root[..., 0] = np.arange(persons)
    root[..., 1] = rest_height(offsets)
    return Motion(30, root, rotations, offsets)


def _zero_pose(clip: BvhClip) -> BvhClip:
    return replace(clip, values=np.zeros_like(clip.values[:1]))


def _each_convention(texts: dict[str, str]) -> Iterator[tuple[Convention, BvhClip]]:
    for name, convention in (("60_01", DAZ), ("18_01", MOTIONBUILDER)):
        clip = parse_bvh(texts[name], name)
        yield convention, replace(clip, values=clip.values[::10])


def test_each_file_is_recognised_by_its_joint_names(texts):
    for convention, clip in _each_convention(texts):
        assert detect(clip.names) is convention


def test_an_unknown_skeleton_is_refused_with_the_joints_it_lacks(texts):
    names = set(parse_bvh(texts["60_01"]).names) - {"lShin", "neck"}
    with pytest.raises(DuologueError) as refusal:
        detect(names, "odd.bvh")
    assert refusal.value.code == "bvh_skeleton"
    assert "lShin, neck" in refusal.value.message
    assert "odd.bvh" in refusal.value.message


def test_every_convention_has_a_row_for_every_smpl_joint():
    assert all(set(convention.rows) == set(JOINT) for convention in CONVENTIONS)


def test_rest_is_a_t_pose(texts):
    for convention, clip in _each_convention(texts):
        offsets = to_motion(clip, convention).offsets[0]
        for side, sign in (("left", 1), ("right", -1)):
            for joint in ("elbow", "wrist"):
                direction = offsets[JOINT[f"{side}_{joint}"]]
                np.testing.assert_allclose(direction / np.linalg.norm(direction), [sign, 0, 0], atol=1e-5)
            for joint in ("knee", "ankle"):
                direction = offsets[JOINT[f"{side}_{joint}"]]
                np.testing.assert_allclose(direction / np.linalg.norm(direction), [0, -1, 0], atol=1e-5)
            foot = offsets[JOINT[f"{side}_foot"]]
            assert foot[2] > 0.1
            assert abs(foot[0]) < 1e-5
        spine = offsets[[JOINT[name] for name in ("spine1", "spine2", "spine3", "neck", "head")]]
        assert (spine[:, 1] > 0.02).all()
        assert np.abs(spine[:, 0]).max() < 0.01


def test_every_bone_has_a_length_and_the_body_is_an_adults(texts):
    for convention, clip in _each_convention(texts):
        offsets = to_motion(clip, convention).offsets
        assert np.linalg.norm(offsets[0, 1:], axis=-1).min() > 0.02
        assert 0.9 < rest_height(offsets)[0] / rest_height(neutral_offsets()) < 1.1


def test_the_zero_pose_of_a_file_is_close_to_the_t_pose_and_faces_forward(texts):
    for convention, clip in _each_convention(texts):
        motion = to_motion(_zero_pose(clip), convention)
        turns = 2 * np.degrees(np.arccos(np.clip(np.abs(motion.rotations[0, 0, :, 0]), 0, 1)))
        assert turns.max() < 30
        np.testing.assert_allclose(motion.rotations[0, 0, 0], rot.IDENTITY, atol=1e-6)


def test_limbs_and_head_stand_where_the_file_has_them(texts):
    for convention, clip in _each_convention(texts):
        motion = to_motion(clip, convention)
        ours = motion.positions()[:, 0]
        theirs = convention.restored(clip).forward_kinematics()[0] * convention.unit
        for name in (*(f"{side}_{joint}" for side in ("left", "right") for joint in LIMBS), "head"):
            source = (convention.rows[name].at or convention.rows[name].turns_with)[0]
            error = np.linalg.norm(ours[:, JOINT[name]] - theirs[:, clip.joint(source)], axis=-1)
            assert error.max() < 0.004, f"{convention.name} {name}: {error.max() * 1000:.1f} mm"


def test_left_and_right_are_not_exchanged(takes):
    for take in takes.values():
        p = take.motion.positions()
        across = p[:, :, JOINT["left_hip"]] - p[:, :, JOINT["right_hip"]]
        toes = p[:, :, JOINT["left_foot"]] - p[:, :, JOINT["left_ankle"]]
        forward = np.cross(across, [0, 1, 0])
        assert np.median(np.sum(forward * toes, axis=-1)) > 0, take.name


def test_mirrored_bodies_stay_bodies(takes):
    offsets = takes["60_01"].motion.offsets[0]
    np.testing.assert_allclose(offsets[list(MIRROR)] * [-1, 1, 1], offsets, atol=0.006)


def test_pairs_are_two_persons_in_one_world_and_singles_one(takes):
    assert takes["60_01"].motion.persons == 2
    assert takes["18_01"].motion.persons == 2
    assert takes["07_01"].motion.persons == 1
    assert not any(name.startswith(("61", "19")) for name in takes)


def test_the_real_handshake_joins_right_hands(takes):
    p = takes["18_01"].motion.positions()
    apart = np.linalg.norm(p[:, 0, JOINT["right_wrist"]] - p[:, 1, JOINT["right_wrist"]], axis=-1)
    left = np.linalg.norm(p[:, 0, JOINT["left_wrist"]] - p[:, 1, JOINT["left_wrist"]], axis=-1)
    assert 0.08 < apart.min() < 0.22
    assert left.min() > 0.5
    assert apart[0] > 0.8


def test_held_out_trials_are_held_out_whole(takes):
    assert takes["60_05"].split == "test"
    assert takes["60_01"].split == "train"
    assert cmu.SPLITS == {"60_05": "test", "60_15": "test", "60_10": "validation"}


def test_takes_carry_cmus_description(takes):
    assert takes["60_05"].description == "salsa dance"
    assert takes["10_01"].description == "soccer - kick ball"


def test_a_take_with_a_jump_is_cut_into_pieces_without_it(takes):
    assert "60_13" not in takes
    assert {"60_13#1", "60_13#2"} <= set(takes)


def test_no_take_holds_a_jump(takes):
    for take in takes.values():
        speed = np.linalg.norm(np.diff(take.motion.positions(), axis=0), axis=-1) * take.motion.fps
        assert speed.max() < cmu.IMPOSSIBLE_SPEED, take.name


def test_a_football_kick_is_not_taken_for_a_jump(takes):
    pieces = [take for name, take in takes.items() if name.startswith("10_01")]
    fastest = max(np.linalg.norm(np.diff(t.motion.positions(), axis=0), axis=-1).max() * 30 for t in pieces)
    assert fastest > cmu.GLITCH_SPEED


def test_a_jump_in_the_middle_is_cut_with_its_margin():
    motion = _still(100)
    root = motion.root.copy()
    root[40:, 0, 0] += 1.0
    pieces = list(cmu.without_jumps(replace(motion, root=root)))
    assert [piece.frames for piece in pieces] == [40 - cmu.GLITCH_MARGIN, 60 - cmu.GLITCH_MARGIN]


def test_pieces_shorter_than_a_second_are_dropped():
    motion = _still(100)
    root = motion.root.copy()
    root[20:, 0, 0] += 1.0
    assert len(list(cmu.without_jumps(replace(motion, root=root)))) == 1


def test_standing_feet_are_on_the_floor(takes):
    for name in ("60_01", "18_01", "07_01"):
        lowest = takes[name].motion.positions()[:, :, FOOT_JOINTS, 1].min(axis=2)
        assert np.percentile(lowest, 50) < 0.02, name
        assert np.percentile(lowest, 1) > -0.03, name


def test_a_leaning_floor_is_made_level():
    motion = _still(90)
    walk = motion.root.copy()
    walk[30:60, 0, 2], walk[60:, 0, 2] = 1.5, 3.0
    tilted = replace(motion, root=walk).moved(rot.from_axis_angle(np.array([1.0, 0, 0]), np.radians(-1.2)), np.ones(3))
    assert np.ptp(tilted.positions()[:, 0, FOOT_JOINTS, 1].min(-1)) > 0.05
    level = on_floor(tilted).positions()[:, 0, FOOT_JOINTS, 1].min(-1)
    assert np.abs(level).max() < 0.003


def test_stairs_are_not_taken_for_a_leaning_floor():
    motion = _still(90)
    stairs = motion.root.copy()
    for step in (1, 2):
        stairs[30 * step :, 0] += [0, 0.2, 0.3]
    climbed = on_floor(replace(motion, root=stairs))
    np.testing.assert_allclose(climbed.rotations[0, 0, 0], rot.IDENTITY, atol=1e-6)
    assert climbed.root[-1, 0, 1] - climbed.root[0, 0, 1] == pytest.approx(0.4, abs=1e-4)


def test_a_person_who_hovers_is_put_down():
    motion = _still(60, persons=2)
    root = motion.root.copy()
    root[:, 1, 1] += 0.04
    lowest = on_floor(replace(motion, root=root)).positions()[:, :, FOOT_JOINTS, 1].min(2)
    assert np.abs(lowest).max() < 0.005


def test_a_folder_without_the_data_is_refused(tmp_path, monkeypatch):
    with pytest.raises(DuologueError) as refusal:
        cmu.load_takes(tmp_path)
    assert refusal.value.code == "cmu_missing"
    monkeypatch.setenv("DUOLOGUE_CMU", str(tmp_path))
    with pytest.raises(DuologueError, match="DUOLOGUE_CMU"):
        cmu.cmu_folder()
