"""The BVH reader: what it understands, and what it says about files it cannot read."""

import numpy as np
import pytest

from backend.corpus.bvh import parse_bvh, read_bvh
from protocol.errors import DuologueError

SKELETON = """HIERARCHY
ROOT base
{
  OFFSET 0 0 0
  CHANNELS 6 Yposition Xposition Zposition Yrotation Zrotation Xrotation
  JOINT upper arm
  {
    OFFSET 1 0 0
    CHANNELS 3 Xrotation Yrotation Zrotation
    End Site
    {
      OFFSET 0 2 0
    }
  }
}
MOTION
"""
FRAMES = "Frames: 2\nFrame Time: 0.0333333\n"
FILE = SKELETON + FRAMES + "10 20 30 90 0 0 0 0 0\n10 20 30 0 0 0 0 0 90\n"


def test_names_with_spaces_and_end_sites_become_joints():
    clip = parse_bvh(FILE)
    assert clip.names == ("base", "upper arm", "upper arm_end")
    assert clip.parents == (-1, 0, 1)
    assert clip.frames == 2


def test_a_rounded_frame_time_is_a_whole_frame_rate():
    assert parse_bvh(FILE).fps == 30
    assert parse_bvh(FILE.replace("0.0333333", "0.04171")).fps == pytest.approx(1 / 0.04171)


def test_positions_follow_the_order_of_the_channels():
    positions, _ = parse_bvh(FILE).forward_kinematics()
    np.testing.assert_allclose(positions[0, 0], [20, 10, 30])


def test_a_turn_of_the_root_carries_the_child_and_a_turn_of_the_child_its_end():
    positions, _ = parse_bvh(FILE).forward_kinematics()
    np.testing.assert_allclose(positions[0] - positions[0, 0], [[0, 0, 0], [0, 0, -1], [0, 2, -1]], atol=1e-9)
    np.testing.assert_allclose(positions[1] - positions[1, 0], [[0, 0, 0], [1, 0, 0], [-1, 0, 0]], atol=1e-9)


def test_the_first_rotation_channel_is_the_outermost():
    text = FILE.replace("10 20 30 90 0 0 0 0 0", "0 0 0 90 90 0 0 0 0")
    positions, _ = parse_bvh(text).forward_kinematics()
    np.testing.assert_allclose(positions[0, 1], [0, 1, 0], atol=1e-9)


def test_only_the_wanted_joints_and_their_ancestors_are_computed():
    positions, world = parse_bvh(FILE).forward_kinematics(only=["upper arm"])
    assert np.abs(world[:, :2]).max() > 0
    assert not positions[:, 2].any()


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("hello", "bvh_hierarchy", "HIERARCHY"),
        (SKELETON.replace("MOTION\n", ""), "bvh_no_motion", "no MOTION"),
        (SKELETON, "bvh_truncated", "frame time"),
        (SKELETON + "Frames: 0\nFrame Time: 0.03\n", "bvh_no_motion", "0 frames"),
        (SKELETON + "Frames: 2\nFrame Time: nan\n1", "bvh_no_motion", "nan"),
        (FILE.rsplit("\n", 2)[0] + "\n", "bvh_truncated", "2 frames"),
        (FILE[:-6], "bvh_truncated", "2 frames"),
        (FILE.replace("10 20 30 90 0 0 0 0 0", "10 20 30 90"), "bvh_channels", "4 numbers"),
        (FILE.replace("10 20 30 90", "10 20 nan 90"), "bvh_not_finite", "NaN"),
        (FILE.replace("10 20 30 90", "10 20 oops 90"), "bvh_channels", "not a number"),
        (FILE.replace("CHANNELS 3 X", "CHANNELS 3 W"), "bvh_hierarchy", "Wrotation"),
        (FILE.replace("CHANNELS 3", "CHANNELS 4"), "bvh_hierarchy", "upper arm"),
        (FILE.replace("OFFSET 1 0 0", "OFFSET 1 0"), "bvh_hierarchy", "upper arm"),
        (FILE.replace("}\nMOTION", "MOTION"), "bvh_hierarchy", "braces"),
        (FILE.replace("JOINT upper", "BONE upper"), "bvh_hierarchy", "BONE"),
        (FILE.replace("JOINT upper", "ROOT upper"), "bvh_hierarchy", "ROOT"),
    ],
)
def test_a_broken_file_is_refused_with_what_is_wrong(text, code, says):
    with pytest.raises(DuologueError) as refusal:
        parse_bvh(text, "walk.bvh")
    assert refusal.value.code == code
    assert says in refusal.value.message
    assert "walk.bvh" in refusal.value.message
    assert refusal.value.hint


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DuologueError, match=r"nowhere\.bvh") as refusal:
        read_bvh(tmp_path / "nowhere.bvh")
    assert refusal.value.code == "file_missing"
