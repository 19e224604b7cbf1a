"""What cannot be begun: one clear sentence, a next step, and nothing sent or changed."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import pytest

from protocol import connection as connection_file
from protocol import installation
from protocol.messages import Submit
from tests.blender.stage import bone_of, context, duologue, refused


@pytest.fixture
def nothing_sent(stage, backend) -> Iterator[None]:
    server = backend()
    before = set(bpy.data.actions)
    yield
    assert not any(isinstance(message, Submit) for message in server.received)
    assert set(bpy.data.actions) == before
    assert stage.jobs.refusal() is not None


def test_an_empty_prompt_is_refused(stage, nothing_sent):
    stage.settings.prompt = "   "
    assert refused(duologue.generate) == ("The prompt is empty. Say what the two do, such as “two people shake hands”.")


def test_an_over_long_prompt_is_refused(stage, nothing_sent):
    stage.settings.prompt = "a" * 501
    assert "501 characters, 500 are allowed" in refused(duologue.generate)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 11.0, 1e6])
def test_seconds_out_of_range_are_refused(stage, nothing_sent, seconds):
    stage.settings.seconds = seconds
    assert "only 1 to 10 seconds" in refused(duologue.generate)


def test_no_character_is_said_to_be_missing(stage, nothing_sent):
    stage.settings.character_b = None
    assert refused(duologue.generate) == "Character B is not set. Pick an armature for it in the Duologue tab."


def test_one_rig_for_both_is_refused(stage, nothing_sent):
    stage.settings.character_b = stage.a
    assert "“Alice” is both character A and character B" in refused(duologue.generate)


def test_a_character_that_is_no_longer_in_the_scene_is_named(stage, nothing_sent):
    for collection in list(stage.b.users_collection):
        collection.objects.unlink(stage.b)
    assert "“Bob”, is not in this scene" in refused(duologue.generate)


def test_a_rig_that_cannot_be_mapped_is_refused_with_the_missing_bones(stage, nothing_sent):
    hand = bone_of(stage.b, "LeftHand").name
    stage.activate(stage.b)
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in [one for one in stage.b.data.edit_bones if one.name.startswith(hand)]:
        stage.b.data.edit_bones.remove(bone)
    bpy.ops.object.mode_set(mode="OBJECT")
    said = refused(duologue.generate)
    assert "“Bob”" in said
    assert "left wrist" in said
    assert "LeftHand" in said


def test_no_animation_to_react_to_is_said(stage, nothing_sent):
    assert "“Alice” has no animation" in refused(duologue.react)


def test_no_animation_to_describe_is_said(stage, nothing_sent):
    assert "“Alice” has no animation" in refused(duologue.describe)


def test_an_animation_of_one_frame_is_refused(stage, nothing_sent):
    stage.a.keyframe_insert("location", frame=10)
    bpy.data.actions[0].name = "own"
    assert "single frame, frame 10" in refused(duologue.describe)
    bpy.data.actions.remove(bpy.data.actions["own"])


def test_a_character_that_is_not_of_the_pair_has_no_partner(stage, nothing_sent):
    stranger = bpy.data.objects.new("Stranger", stage.a.data)
    stage.scene.collection.objects.link(stranger)
    stage.activate(stranger)
    assert "“Stranger” is neither character A nor character B" in refused(duologue.react)


def test_nothing_active_is_said(stage, nothing_sent):
    context.view_layer.objects.active = None
    assert "No character is active" in refused(duologue.describe)


def test_a_missing_backend_is_said_with_how_to_install_it(stage, addon, monkeypatch, tmp_path):
    monkeypatch.setenv(connection_file.ENVIRONMENT_VARIABLE, str(tmp_path / "none.json"))
    monkeypatch.delenv(installation.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr(addon("protocol.installation"), "note_path", lambda: tmp_path / "no-note.json")
    job = stage.run(duologue.generate)
    assert job.error.code == "backend_missing"
    assert "build.py setup" in job.error.hint
    assert stage.actions() == (None, None)
