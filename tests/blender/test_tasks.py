"""Generate, React and Describe through the installed extension's own operators."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import pytest

from protocol.messages import DESCRIBE, GENERATE, REACT, MotionPart, Progress, Result, Submit
from protocol.wire import Envelope
from tests.blender.stage import duologue, scene_object, submitted
from tests.fake_backend import FakeBackend, two_wave


def test_generate_moves_both_characters_and_captions_them(stage, backend):
    server = backend()
    job = stage.run(duologue.generate)
    assert job.error is None
    assert submitted(server).task == GENERATE
    assert submitted(server).prompt == "two people wave at each other"
    action_a, action_b = stage.actions()
    assert action_a == action_b
    assert stage.keys(stage.a) > 100
    assert stage.keys(stage.b) > 100
    for character in (stage.a, stage.b):
        assert stage.captions.read(character) == "two people wave at each other"
        shown = character.animation_data.action_slot.name_display
        assert shown.startswith(f"{character.name}: two people wave")
    assert "two people wave" in action_a.name


def test_motion_is_on_the_rigs_before_the_job_is_over(stage, backend):
    parts: list[Callable[[], None]] = []

    def one_part(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        if isinstance(envelope.message, Submit):
            server.say(to, Progress(0.5, "Generating"), envelope.header.id)
            server.say(to, MotionPart(0, 0, 60, two_wave(60).slice(0, 30)), envelope.header.id)
            parts.append(lambda: server.say(to, MotionPart(0, 30, 60, two_wave(60).slice(30, 60)), envelope.header.id))
            parts.append(lambda: server.say(to, Result(), envelope.header.id))

    backend(one_part)
    duologue.generate()
    stage.tick_until(lambda: stage.jobs.latest().first_motion_seconds is not None)
    assert stage.jobs.running()
    assert stage.jobs.latest().fraction == 0.5
    half = stage.keys(stage.b)
    assert half > 0
    for say in parts:
        say()
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error is None
    assert stage.keys(stage.b) > half


def test_the_motion_starts_at_the_current_frame_and_the_scene_keeps_its_own_timing(stage, backend):
    backend()
    stage.scene.render.fps, stage.scene.frame_end = 24, 100
    stage.scene.frame_set(41)
    stage.run(duologue.generate)
    first, last = stage.a.animation_data.action.frame_range
    assert first == 41
    assert last == pytest.approx(41 + 2.0 * 24, abs=1.5)
    assert (stage.scene.render.fps, stage.scene.render.fps_base, stage.scene.frame_end) == (24, 1.0, 100)
    assert stage.scene.frame_current == 41


def test_a_seed_that_is_kept_is_sent_and_otherwise_a_new_one_is_drawn(stage, backend):
    server = backend()
    stage.settings.new_seed, stage.settings.seed = False, 77
    stage.run(duologue.generate)
    assert submitted(server).seed == 77
    stage.settings.new_seed = True
    stage.run(duologue.generate)
    assert submitted(server).seed == stage.settings.seed != 77


def test_react_sends_the_active_character_and_moves_only_its_partner(stage, backend):
    server = backend()
    stage.run(duologue.generate)
    before = stage.a.animation_data.action, stage.keys(stage.a)
    stage.activate(stage.a)
    job = stage.run(duologue.react)
    assert job.error is None
    submit = submitted(server)
    assert submit.task == REACT
    assert submit.motion is not None
    assert submit.motion.persons == 1
    assert submit.prompt == ""
    assert (stage.a.animation_data.action, stage.keys(stage.a)) == before
    assert stage.b.animation_data.action != stage.a.animation_data.action
    assert stage.captions.read(stage.b) == "reacts to Alice"


def test_react_asks_for_a_body_as_large_as_the_partners_rig(stage, backend):
    server = backend()
    stage.run(duologue.generate)
    stage.activate(stage.a)
    stage.run(duologue.react)
    usual = submitted(server).scale
    assert usual == pytest.approx(1, abs=0.15)
    stage.b.scale = (1.3,) * 3
    stage.run(duologue.react)
    assert submitted(server).scale == pytest.approx(1.3 * usual, rel=1e-3)


def test_react_works_from_b_to_a_and_from_a_mesh_that_a_character_wears(stage, backend):
    backend()
    stage.run(duologue.generate)
    worn = next(child for child in bpy.data.objects if child.type == "MESH" and child.find_armature() == stage.b)
    stage.activate(worn)
    stage.run(duologue.react)
    assert stage.captions.read(stage.a) == "reacts to Bob"


def test_describe_speaks_of_the_pair_where_both_are_animated(stage, backend):
    server = backend()
    stage.run(duologue.generate)
    stage.activate(stage.b)
    before = stage.keys(stage.a)
    job = stage.run(duologue.describe)
    motion = submitted(server).motion
    assert submitted(server).task == DESCRIBE
    assert motion is not None
    assert motion.persons == 2
    assert stage.captions.read(stage.a) == stage.captions.read(stage.b) == "two people wave"
    assert "Alice and Bob: two people wave" in job.note
    assert stage.keys(stage.a) == before


def test_describe_alone_speaks_of_the_clicked_character(stage, backend):
    server = backend()
    stage.run(duologue.generate)
    stage.run(duologue.describe, alone=True)
    motion = submitted(server).motion
    assert motion is not None
    assert motion.persons == 1
    assert stage.captions.read(stage.b) == "two people wave at each other"


def test_one_undo_takes_back_the_whole_result_and_redo_restores_it(stage, backend):
    backend()
    bpy.ops.ed.undo_push(message="before")
    stage.run(duologue.generate)
    assert stage.keys(scene_object("Alice")) > 0
    bpy.ops.ed.undo()
    alice, bob = scene_object("Alice"), scene_object("Bob")
    assert stage.keys(alice) == stage.keys(bob) == 0
    bpy.ops.ed.redo()
    alice, bob = scene_object("Alice"), scene_object("Bob")
    assert stage.keys(alice) > 0
    assert stage.keys(bob) > 0


def test_a_second_result_replaces_the_first_and_plays(stage, backend):
    backend()
    stage.run(duologue.generate)
    stage.settings.prompt = "two people bow"
    stage.run(duologue.generate)
    assert stage.captions.read(stage.a) == "two people bow"
    assert stage.keys(stage.a) > 100
    arm = next(bone for bone in stage.a.pose.bones if bone.name.endswith("RightArm"))
    stage.scene.frame_set(1)
    first = arm.matrix.copy()
    stage.scene.frame_set(45)
    assert arm.matrix.to_quaternion().rotation_difference(first.to_quaternion()).angle > 0.3
