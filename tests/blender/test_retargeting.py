"""What an animator chooses about retargeting, and what the panel says about the fit afterwards."""

from __future__ import annotations

from typing import Any

import bpy
import pytest

from tests.blender.stage import Stage, context, duologue, refused, scene_object
from tests.e2e import characters


def paths(stage: Stage, character: Any) -> set[str]:
    return {curve.data_path for curve in stage.curves(character)}


def test_choices_are_kept_with_the_pair_and_saved_with_the_file(stage, addon, tmp_path):
    chosen = stage.settings.retargeting
    chosen.root, chosen.keys, chosen.contact, chosen.in_place, chosen.keep_heights = "OBJECT", "IK", 0.5, True, True
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)

    libraries: Any = bpy.data.libraries
    with libraries.load(path) as (available, wanted):
        wanted.scenes = available.scenes
    options = addon("retargeting").options_of(wanted.scenes[0].duologue.pairs[0])

    Options = addon("retarget.options").Options
    assert options == Options(in_place=True, keep_heights=True, contact=0.5, root="OBJECT", ik=True)


def test_the_usual_choices_are_those_of_the_core(stage, addon):
    assert addon("retargeting").options_of(stage.settings) == addon("retarget.options").Options()


def test_a_motion_on_the_objects_moves_these_and_reject_puts_them_back(stage, backend):
    backend()
    stage.settings.retargeting.root = "OBJECT"
    stage.a.location = (1, 2, 0)
    stage.run(duologue.generate)

    stage.scene.frame_set(30)
    assert {"location", "rotation_euler"} <= paths(stage, stage.a) & paths(stage, stage.b)
    assert tuple(stage.a.location) != (1, 2, 0)

    duologue.reject()
    assert tuple(stage.a.location) == (1, 2, 0)


def test_ik_controls_on_a_rig_without_any_are_refused_at_the_click(stage, backend):
    server = backend()
    stage.settings.retargeting.keys = "IK"

    said = refused(duologue.generate)

    assert "no IK controls" in said
    assert "Choose FK" in said
    assert stage.actions() == (None, None)
    assert not [one for one in server.received if type(one).__name__ == "Submit"]


def test_a_result_lands_on_the_ik_controls_of_a_rigify_rig(stage, backend):
    backend()
    rita = characters.build_rigify("Rita", 1.62)
    stage.settings.character_a = stage.settings.character_b = None
    stage.settings.character_a, stage.settings.character_b = rita, stage.b
    stage.settings.retargeting.keys = "FK"
    stage.run(duologue.generate)
    assert 'pose.bones["hand_fk.L"].rotation_quaternion' in paths(stage, rita)

    other = characters.build_rigify("Rosa", 1.75)
    stage.settings.character_b = other
    stage.settings.retargeting.keys = "IK"
    stage.run(duologue.generate)

    for one in (scene_object("Rita"), scene_object("Rosa")):
        assert 'pose.bones["hand_ik.L"].location' in paths(stage, one)
        assert 'pose.bones["hand_fk.L"].rotation_quaternion' not in paths(stage, one)
        assert one.pose.bones["upper_arm_parent.L"]["IK_FK"] == 0.0


def test_the_fit_of_a_result_is_said_in_words_and_goes_with_its_action(stage, backend, addon):
    backend()
    fit = addon("fit")
    stage.run(duologue.generate)

    found = fit.of_action(stage.actions()[0])
    assert any(one.text.startswith("Standing feet") for one in found)
    assert all(isinstance(one.good, bool) for one in found)
    panel = addon("ui.retargeting").DUOLOGUE_PT_fit
    assert panel.poll(context)
    duologue.reject()
    assert not panel.poll(context)


@pytest.mark.parametrize(
    ("changed", "text", "good"),
    [
        ({"touches": 12}, "Hands are where they touch", True),
        ({"touches": 12, "hand_max_cm": 7.26}, "Hands miss what they touch by up to 7.3 cm", False),
        ({"touches": 12, "out_of_reach": 0.126}, "13 % of the touches are out of reach: an arm is too short", False),
        ({}, "Standing feet do not slide", True),
        ({"skate_mps": 0.041}, "Standing feet slide 4.1 cm a second", False),
        ({"penetration_cm": 0.84}, "Bodies overlap by up to 0.8 cm more than in the source", True),
    ],
)
def test_residuals_in_words(addon, changed, text, good):
    Residuals = addon("retarget.residuals").Residuals
    none = dict.fromkeys(Residuals.__dataclass_fields__, 0)

    found = addon("fit").findings(Residuals(**{**none, **changed}))

    assert (text, good) in found
