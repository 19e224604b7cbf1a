"""What a person corrects of an estimated T-pose, and what motion makes of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from blender_addon.retarget import corrections, mapping
from blender_addon.retarget.detect import best_map
from blender_addon.retarget.rest_pose import calibrate
from blender_addon.retarget.transfer import to_motion
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.skeleton import JOINT
from tests.unit.synthetic_rigs import humanoid
from tests.unit.test_retarget import degrees, played, random_motion


def about(axis: tuple[float, float, float], angle: float) -> np.ndarray:
    return rot.from_axis_angle(np.array(axis, np.float32), np.radians(angle)).astype(np.float32)


def test_a_corrected_arm_is_where_it_was_put_and_what_hangs_from_it_goes_along():
    rig = humanoid(arms_down=45)
    bones = best_map(rig).bones
    estimate = calibrate(rig, bones)
    turn = about((0, 0, 1), 20)

    corrected = calibrate(rig, bones, {"left_shoulder": turn})

    bone = corrected.bone("left_shoulder")
    assert bone is not None
    np.testing.assert_allclose(corrected.rest[bone], rot.multiply(turn, estimate.rest[bone]), atol=1e-6)
    elbow, wrist = JOINT["left_elbow"], JOINT["left_wrist"]
    np.testing.assert_allclose(corrected.offsets[elbow], rot.rotate(turn, estimate.offsets[elbow]), atol=1e-6)
    np.testing.assert_allclose(corrected.offsets[wrist], estimate.offsets[wrist], atol=1e-6)


@pytest.mark.parametrize("rows", [["left_shoulder", "right_knee"], ["pelvis"], ["spine1", "spine3", "neck", "head"]])
def test_a_corrected_rig_still_takes_a_motion_and_gives_it_back(rows):
    rig = humanoid(arms_down=50, legs_apart=8)
    bones = best_map(rig).bones
    turns = {row: about((1, 0.3, 0.2), 25 - 5 * number) for number, row in enumerate(rows)}
    calibration = calibrate(rig, bones, turns)
    motion = random_motion(calibration.offsets)

    read = to_motion(30, played(rig, calibration, motion), calibration)

    assert degrees(motion, read).max() < 0.1
    standing = motion.root - np.array([0, calibration.clearance, 0])
    np.testing.assert_allclose(read.root, standing, atol=2e-3)


def test_a_bent_trunk_that_is_corrected_carries_head_and_arms_upright():
    rig = humanoid()
    bones = best_map(rig).bones
    plain, bent = calibrate(rig, bones), calibrate(rig, bones, {"spine1": about((1, 0, 0), 30)})

    above = plain.offsets[JOINT["spine2"]]
    np.testing.assert_allclose(bent.offsets[JOINT["spine2"]], rot.rotate(about((1, 0, 0), 30), above), atol=1e-6)
    np.testing.assert_allclose(bent.offsets[JOINT["left_elbow"]], plain.offsets[JOINT["left_elbow"]], atol=1e-6)


def test_corrections_survive_text_and_presets():
    bone_map = best_map(humanoid())
    turns = {
        "left_shoulder": about((0, 0, 1), 12),
        "spine2": about((1, 0, 0), -5),
        mapping.LOCATION: about((0, 1, 0), 3),
    }
    preset = corrections.with_preset(mapping.to_json(bone_map), turns)

    for back in (corrections.parse(corrections.to_text(turns)), corrections.of_preset(preset)):
        assert back.keys() == turns.keys()
        for row, turn in turns.items():
            np.testing.assert_allclose(back[row], turn, atol=1e-6)
    assert mapping.parse(preset).bones == bone_map.bones
    assert corrections.of_preset(mapping.to_json(bone_map)) == {}
    assert corrections.with_preset("{}", {}) == "{}"


@pytest.mark.parametrize(
    "wrong",
    [[1], {"left_tail": [1, 0, 0, 0]}, {"head": [1, 0, 0]}, {"head": [2, 0, 0, 0]}, {"head": "x"}, {"head": None}],
)
def test_what_is_no_calibration_is_refused(wrong):
    with pytest.raises(DuologueError) as caught:
        corrections.parse(json.dumps(wrong))

    assert caught.value.code == "calibration_invalid"


def test_what_hardly_differs_is_no_correction():
    estimate = {"head": rot.IDENTITY, "neck": rot.IDENTITY}

    found = corrections.corrections_between({"head": about((1, 0, 0), 0.05), "neck": about((1, 0, 0), 5)}, estimate)

    assert list(found) == ["neck"]
