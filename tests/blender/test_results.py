"""A result is provisional: accept it, reject it, roll again, and choose among variations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest

from protocol.messages import GENERATE, REACT, Error, MotionPart, Result, Submit
from protocol.wire import Envelope
from tests.blender.stage import Stage, context, duologue, refused, scene_object, submitted
from tests.fake_backend import FakeBackend, two_wave


def channels(character: Any) -> dict[str, np.ndarray]:
    """Everything that a pose consists of."""
    names = ("location", "rotation_quaternion", "rotation_euler", "scale")
    return {f"{bone.name}.{name}": np.array(getattr(bone, name)) for bone in character.pose.bones for name in names}


def give_own_action(stage: Stage) -> Any:
    """Alice gets keys of her own, Bob a pose without keys."""
    arm = next(bone for bone in stage.a.pose.bones if bone.name.endswith("LeftArm"))
    for frame, turn in ((1, 0.0), (20, 0.6)):
        arm.rotation_quaternion = (0.8, turn, 0.0, 0.0)
        arm.keyframe_insert("rotation_quaternion", frame=frame)
    next(bone for bone in stage.b.pose.bones if bone.name.endswith("Spine")).rotation_quaternion = (0.9, 0.1, 0.2, 0.0)
    context.view_layer.update()
    return stage.a.animation_data.action


def snapshot(stage: Stage) -> tuple[Any, ...]:
    held = stage.a.animation_data
    return (
        held and (held.action.name, held.action_slot.identifier, held.action.use_fake_user),
        stage.b.animation_data is None or stage.b.animation_data.action is None,
        sorted(action.name for action in bpy.data.actions),
    )


def same_pose(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> bool:
    return all(np.allclose(before[name], after[name], atol=1e-6) for name in before)


def test_reject_brings_back_exactly_what_was_there(stage, backend):
    backend()
    give_own_action(stage)
    stage.scene.frame_set(10)
    before, poses = snapshot(stage), [channels(one) for one in (stage.a, stage.b)]
    stage.settings.variations = 3
    stage.run(duologue.generate)
    stage.scene.frame_set(30)
    assert not same_pose(poses[0], channels(stage.a))
    duologue.reject()
    stage.scene.frame_set(10)
    assert snapshot(stage) == before
    assert same_pose(poses[0], channels(stage.a))
    assert same_pose(poses[1], channels(stage.b))
    assert not duologue.reject.poll()


def test_accept_keeps_the_shown_variation_and_the_action_of_before(stage, backend):
    backend()
    own = give_own_action(stage)
    stage.settings.variations = 3
    stage.run(duologue.generate)
    stage.scene.duologue.pairs[0].result.shown = 1
    chosen = stage.a.animation_data.action
    duologue.accept()
    assert stage.a.animation_data.action == stage.b.animation_data.action == chosen
    assert set(bpy.data.actions) == {own, chosen}
    assert own.use_fake_user
    assert not duologue.accept.poll()


def test_variations_are_listed_with_their_seeds_and_switch_at_once(stage, backend):
    server = backend(different_each_time)
    stage.settings.variations, stage.settings.new_seed, stage.settings.seed = 4, False, 50
    job = stage.run(duologue.generate)
    assert submitted(server).samples == 4
    assert "in 4 variations" in job.note
    listed = stage.scene.duologue.pairs[0].result.variations
    assert [(one.name, one.seed) for one in listed] == [(f"Variation {n}", 49 + n) for n in range(1, 5)]
    assert [one.action.name[-2:] for one in listed] == [" 1", " 2", " 3", " 4"]
    arm = next(bone for bone in stage.b.pose.bones if bone.name.endswith("RightArm"))
    stage.scene.frame_set(40)
    seen = []
    for number in (0, 3, 1, 2):
        stage.scene.duologue.pairs[0].result.shown = number
        context.view_layer.update()
        assert stage.a.animation_data.action == stage.b.animation_data.action == listed[number].action
        assert stage.captions.read(stage.a) == "two people wave at each other"
        seen.append(arm.matrix.to_quaternion().copy())
    apart = [seen[0].rotation_difference(other).angle for other in seen[1:]]
    assert min(apart) > 0.05


def different_each_time(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
    """Each sample raises the arms further."""
    submit, job = envelope.message, envelope.header.id
    if not isinstance(submit, Submit):
        return
    for sample in range(submit.samples):
        motion = two_wave(200).slice(0, 60 * (sample + 1)).resampled(30 / (sample + 1)).slice(0, 60)
        motion = type(motion)(30, motion.root, motion.rotations, motion.offsets)
        server.say(to, MotionPart(sample, 0, 60, motion.slice(0, 25)), job)
        server.say(to, MotionPart(sample, 25, 60, motion.slice(25, 60)), job)
    server.say(to, Result(), job)


def test_a_result_with_all_its_variations_is_one_undo_step_and_so_are_accept_and_reject(stage, backend, addon):
    backend()
    bpy.ops.ed.undo_push(message="before")
    stage.settings.variations = 2
    stage.run(duologue.generate)
    bpy.ops.ed.undo()
    stage = Stage(addon)
    assert stage.keys(stage.a) == 0
    assert not bpy.data.actions
    assert not duologue.reject.poll()
    bpy.ops.ed.redo()
    stage = Stage(addon)
    assert len(bpy.data.actions) == 2
    duologue.reject("EXEC_DEFAULT", True)
    assert not bpy.data.actions
    bpy.ops.ed.undo()
    stage = Stage(addon)
    assert len(stage.scene.duologue.pairs[0].result.variations) == 2
    assert stage.keys(stage.b) > 0
    stage.scene.duologue.pairs[0].result.shown = 1
    duologue.accept("EXEC_DEFAULT", True)
    assert len(bpy.data.actions) == 1
    bpy.ops.ed.undo()
    assert len(bpy.data.actions) == 2
    duologue.reject("EXEC_DEFAULT", True)
    assert Stage(addon).keys(scene_object("Alice")) == 0


def test_a_saved_file_holds_the_result_and_can_still_reject_it(stage, backend, addon, tmp_path):
    backend()
    own = give_own_action(stage).name
    stage.settings.variations = 2
    stage.run(duologue.generate)
    path = str(tmp_path / "pending.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    alice = scene_object("Alice")
    scene: Any = context.scene
    assert alice.animation_data.action == scene.duologue.pairs[0].result.variations[0].action
    duologue.reject()
    assert alice.animation_data.action.name == own
    assert [action.name for action in bpy.data.actions] == [own]


def test_the_next_job_accepts_what_was_there_and_reject_goes_back_to_that(stage, backend):
    backend()
    stage.run(duologue.generate)
    first = stage.a.animation_data.action
    stage.settings.prompt = "two people bow"
    stage.run(duologue.generate)
    assert stage.a.animation_data.action != first
    duologue.reject()
    assert stage.a.animation_data.action == stage.b.animation_data.action == first
    assert not duologue.reject.poll()


def test_describe_leaves_a_result_as_provisional_as_it_was(stage, backend):
    backend()
    stage.run(duologue.generate)
    stage.run(duologue.describe)
    duologue.reject()
    assert stage.actions() == (None, None)


def test_reroll_asks_the_same_with_a_new_seed_and_reject_goes_back_to_before_both(stage, backend):
    server = backend()
    own = give_own_action(stage)
    stage.scene.frame_set(11)
    stage.settings.new_seed, stage.settings.seed = False, 5
    stage.run(duologue.generate)
    first = stage.a.animation_data.action.name
    stage.settings.prompt, stage.settings.seconds = "something else", 9.0
    stage.scene.frame_set(60)
    job = stage.run(duologue.reroll)
    assert job.error is None
    sent = submitted(server)
    assert (sent.task, sent.prompt, sent.seconds) == (GENERATE, "two people wave at each other", 2.0)
    assert sent.seed != 5
    assert stage.settings.seed == 5
    assert stage.a.animation_data.action.frame_range[0] == 11
    assert len(bpy.data.actions) == 2
    assert stage.a.animation_data.action.name == first or first not in bpy.data.actions
    duologue.reject()
    assert stage.a.animation_data.action == own
    assert set(bpy.data.actions) == {own}


def test_a_reroll_of_a_reaction_reads_the_actor_again(stage, backend):
    server = backend()
    stage.run(duologue.generate)
    duologue.accept()
    stage.run(duologue.react)
    stage.activate(stage.b)
    stage.run(duologue.reroll)
    sent = submitted(server)
    assert sent.task == REACT
    assert sent.motion is not None
    assert sent.motion.persons == 1
    assert stage.captions.read(stage.b) == "reacts to Alice"
    assert stage.a.animation_data.action != stage.b.animation_data.action
    duologue.reject()
    assert stage.a.animation_data.action == stage.b.animation_data.action


def test_a_cancelled_reroll_brings_the_result_back_still_to_be_rejected(stage, backend):
    answers: list[Callable[..., None]] = []

    def first_whole_then_half(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        if isinstance(envelope.message, Submit):
            server.say(to, MotionPart(0, 0, 60, two_wave(60).slice(0, 30)), envelope.header.id)
            if not answers:
                server.say(to, MotionPart(0, 30, 60, two_wave(60).slice(30, 60)), envelope.header.id)
                server.say(to, Result(), envelope.header.id)
            answers.append(server.say)

    backend(first_whole_then_half)
    stage.run(duologue.generate)
    first = stage.a.animation_data.action
    duologue.reroll()
    stage.tick_until(lambda: stage.jobs.latest().first_motion_seconds is not None)
    assert stage.a.animation_data.action != first
    assert not duologue.accept.poll()
    duologue.cancel()
    assert stage.a.animation_data.action == stage.b.animation_data.action == first
    duologue.reject()
    assert stage.actions() == (None, None)


@pytest.mark.parametrize("how", ["cancel", "error"])
def test_variations_that_were_complete_outlive_the_end_of_the_job(stage, backend, how):
    def one_and_a_half(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        if isinstance(envelope.message, Submit):
            server.say(to, MotionPart(0, 0, 60, two_wave(60)), envelope.header.id)
            server.say(to, MotionPart(1, 0, 60, two_wave(60).slice(0, 30)), envelope.header.id)
            if how == "error":
                server.say(to, Error("internal", "The backend failed.", "Try again."), envelope.header.id)

    backend(one_and_a_half)
    stage.settings.variations = 3
    duologue.generate()
    if how == "cancel":
        stage.tick_until(lambda: len(bpy.data.actions) == 2)
        duologue.cancel()
    stage.tick_until(lambda: not stage.jobs.running())
    job = stage.jobs.latest()
    assert (job.error and job.error.code) == (None if how == "cancel" else "internal")
    assert ("Stopped. " if how == "cancel" else "") + "Alice and Bob: 2.0 s" in job.note
    assert len(bpy.data.actions) == len(stage.scene.duologue.pairs[0].result.variations) == 1
    assert stage.keys(stage.b) > 100
    duologue.reject()
    assert stage.actions() == (None, None)


def test_a_character_that_was_given_other_animation_is_left_alone_by_reject(stage, backend):
    backend()
    stage.run(duologue.generate)
    other = bpy.data.actions.new("by hand")
    stage.a.animation_data.action = other
    duologue.reject()
    assert stage.a.animation_data.action == other
    assert stage.b.animation_data is None or stage.b.animation_data.action is None


def test_reject_and_switching_survive_what_was_deleted_meanwhile(stage, backend):
    backend()
    stage.settings.variations = 3
    stage.run(duologue.generate)
    result = stage.scene.duologue.pairs[0].result
    bpy.data.actions.remove(result.variations[1].action)
    result.shown = 1
    result.shown = 2
    assert stage.b.animation_data.action == result.variations[2].action
    bpy.data.objects.remove(stage.a)
    assert "not in this scene any more" in refused(duologue.reroll)
    duologue.reject()
    assert not bpy.data.actions


def test_more_variations_than_the_backend_makes_are_refused(stage, backend, monkeypatch, addon):
    backend()
    stage.run(duologue.generate)
    welcome: Any = stage.jobs.session.welcome
    monkeypatch.setitem(welcome.__dict__, "limits", addon("protocol.messages").Limits(500, 1.0, 10.0, 2))
    stage.settings.variations = 3
    assert "at most 2 variations" in refused(duologue.generate)


def test_a_better_attempt_takes_the_place_of_the_first_and_reject_still_restores(stage, backend):
    first, better = two_wave(60), two_wave(60).mirrored()
    answers = [(first,), (first, better), (better,)]

    def attempts(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        if isinstance(envelope.message, Submit):
            for motion in answers.pop(0):
                server.say(to, MotionPart(0, 0, 60, motion.slice(0, 40)), envelope.header.id)
                server.say(to, MotionPart(0, 40, 60, motion.slice(40, 60)), envelope.header.id)
            server.say(to, Result(), envelope.header.id)

    backend(attempts)
    give_own_action(stage)
    before, poses = snapshot(stage), []
    for run in (duologue.generate, duologue.reroll, duologue.reroll):
        stage.run(run)
        stage.scene.frame_set(stage.scene.frame_start + 30)
        poses.append(channels(stage.a))
        assert len(stage.scene.duologue.pairs[0].result.variations) == 1
    assert same_pose(poses[1], poses[2])
    assert not same_pose(poses[0], poses[1])
    duologue.reject()
    assert snapshot(stage) == before
