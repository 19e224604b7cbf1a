"""Several pairs in a scene, each with its own characters, settings and result; files of before still open."""

from __future__ import annotations

from typing import Any

import bpy
import pytest

from tests.blender.stage import Stage, context, duologue, refused
from tests.e2e import characters


@pytest.fixture
def second(stage: Stage) -> Any:
    """A pair of Bob and a third character, which is the active one."""
    third = characters.build_mixamo("Carol", 1.6)
    duologue.add_pair()
    pair: Any = stage.scene.duologue.pairs[1]
    pair.character_a, pair.character_b = stage.b, third
    return pair


def test_a_file_that_is_opened_has_a_pair_and_a_new_scene_gets_one_where_it_is_missed(addon):
    assert [one.name for one in context.scene.duologue.pairs] == ["Pair 1"]
    made: Any = bpy.data.scenes.new("Another")
    context.window.scene = made
    panel = addon("ui.sidebar").DUOLOGUE_PT_motion
    assert not panel.poll(context)
    provide = addon("versioning")._provide_and_redraw
    assert bpy.app.timers.is_registered(provide)
    provide()
    assert len(made.duologue.pairs) == 1
    assert panel.poll(context)
    bpy.app.timers.unregister(provide)


def test_pairs_have_settings_of_their_own_and_keys_that_outlive_the_others(stage, addon, second):
    active_pair = addon("characters").active_pair
    assert active_pair(context) == second
    second.prompt = "two people bow"
    assert stage.scene.duologue.pairs[0].prompt == "two people wave at each other"
    stage.scene.duologue.active = 0
    duologue.remove_pair()
    (left,) = stage.scene.duologue.pairs
    assert (left.key, left.name, left.prompt) == (2, "Pair 2", "two people bow")
    assert active_pair(context) == left
    assert not duologue.remove_pair.poll()
    duologue.add_pair()
    assert [one.key for one in stage.scene.duologue.pairs] == [2, 3]


def test_each_pair_holds_its_own_result(stage, backend, second):
    backend()
    first: Any = stage.scene.duologue.pairs[0]
    stage.scene.duologue.active = 0
    stage.run(duologue.generate)
    stage.scene.duologue.active = 1
    assert not duologue.reject.poll()
    second.prompt, second.variations, second.seconds = "two people bow", 2, 2.0
    stage.run(duologue.generate)
    assert (len(first.result.variations), len(second.result.variations)) == (1, 2)
    carol = second.character_b
    assert stage.captions.read(carol) == "two people bow"
    duologue.reject()
    assert carol.animation_data is None
    assert stage.captions.read(stage.b) == "two people wave at each other"
    stage.scene.duologue.active = 0
    duologue.reject()
    assert stage.actions() == (None, None)


def test_a_pair_changed_while_its_job_runs_still_gets_the_result(stage, backend, second):
    backend()
    stage.scene.duologue.active = 0
    duologue.generate()
    assert not duologue.remove_pair.poll()
    stage.scene.duologue.active = 1
    stage.tick_until(lambda: not stage.jobs.running())
    assert len(stage.scene.duologue.pairs[0].result.variations) == 1
    assert not second.result.variations


def test_react_and_describe_find_the_pair_of_whom_was_clicked(stage, backend, second):
    backend()
    stage.run(duologue.generate)
    stage.scene.duologue.active = 0
    stage.activate(second.character_b)
    stage.run(duologue.react)
    assert stage.captions.read(stage.b) == "reacts to Carol"
    assert len(second.result.variations) == 1
    assert stage.scene.duologue.active == 1, "Accept and Reject in the tab are about what was just made"
    stage.run(duologue.describe)
    assert "Bob and Carol" in stage.jobs.latest().note
    stage.activate(None)
    assert "No character is active" in refused(duologue.react)


def test_removing_a_pair_keeps_what_its_characters_do(stage, backend, second):
    backend()
    stage.run(duologue.generate)
    duologue.remove_pair()
    assert len(stage.scene.duologue.pairs) == 1
    assert stage.keys(stage.b) > 100


def test_the_wizard_unfolds_the_rows_of_the_mapping(stage):
    duologue.map_bones(person="b")
    assert (stage.settings.show_bones_a, stage.settings.show_bones_b) == (False, True)


def stored_properties(scene: Any) -> Any:
    """Where Blender keeps the properties of extensions."""
    return scene if bpy.app.version < (5, 0, 0) else scene.bl_system_properties_get(do_create=True)


def test_a_file_with_the_single_pair_of_before_opens_with_its_pair_and_its_result(stage, addon, tmp_path):
    action = bpy.data.actions.new("two people bow")
    slot = action.slots.new(id_type="OBJECT", name="Alice")
    data = stage.a.animation_data_create()
    data.action, data.action_slot = action, slot
    kept = stored_properties(stage.scene)
    before = {"character": stage.a, "had_data": 0, "slot": "null", "pose": "[{}, []]"}
    del kept["duologue"]
    kept["duologue"] = {
        "character_a": stage.a,
        "character_b": stage.b,
        "prompt": "two people bow",
        "seconds": 3.5,
        "seed": 9,
        "new_seed": 0,
    }
    kept["duologue_result"] = {
        "variations": [{"name": "Variation 1", "action": action, "slots": f"[{slot.handle}]", "seed": 9}],
        "before": [before],
        "task": "react",
        "prompt": "two people bow",
        "frame_start": 5,
    }
    path = str(tmp_path / "single.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    scene: Any = context.scene
    (pair,) = scene.duologue.pairs
    assert [one.name for one in pair.characters()] == ["Alice", "Bob"]
    assert (pair.prompt, pair.seconds, pair.seed, pair.new_seed) == ("two people bow", 3.5, 9, False)
    assert (pair.name, pair.key) == ("Pair 1", 1)
    assert (pair.result.task, pair.result.frame_start) == ("react", 5)
    assert pair.result.variations[0].action == bpy.data.actions["two people bow"]
    assert "prompt" not in stored_properties(scene)["duologue"]
    assert "duologue_result" not in stored_properties(scene)
    duologue.reject()
    assert not bpy.data.actions
