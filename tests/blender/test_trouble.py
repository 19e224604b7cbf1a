"""Cancelling, and everything that can go wrong while a job runs: nothing that was there is lost or changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import bpy
import pytest

from protocol.messages import Cancel, Error, MotionPart, Result, Submit
from protocol.motion import Motion
from protocol.wire import MAGIC, Envelope
from tests.blender.stage import Stage, duologue, refused, scene_object
from tests.fake_backend import Answer, FakeBackend, play, two_wave


def half(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
    """Send half of the motion and then nothing more."""
    if isinstance(envelope.message, Submit):
        server.say(to, MotionPart(0, 0, 60, two_wave(60).slice(0, 30)), envelope.header.id)


def begin_over_existing_motion(stage: Stage, server: FakeBackend) -> Any:
    """Give A an action of its own, begin to generate over it, and return that action."""
    own = bpy.data.actions.new("Alice's own")
    stage.a.animation_data_create().action = own
    stage.a.keyframe_insert("location", frame=3)
    duologue.generate()
    stage.tick_until(lambda: stage.jobs.latest().first_motion_seconds is not None)
    assert stage.a.animation_data.action != own
    return own


def everything_is_as_it_was(stage: Stage, own: Any) -> bool:
    held = (stage.a.animation_data.action, stage.keys(stage.a), stage.keys(stage.b))
    return held == (own, 3, 0) and [action.name for action in bpy.data.actions] == ["Alice's own"]


def test_cancel_stops_the_backend_and_puts_the_old_actions_back(stage, backend):
    server = backend(half)
    own = begin_over_existing_motion(stage, server)
    duologue.cancel()
    assert not stage.jobs.running()
    assert everything_is_as_it_was(stage, own)
    assert "cancelled" in stage.jobs.latest().note
    stage.tick_until(lambda: any(isinstance(message, Cancel) for message in server.received))


def test_what_arrives_after_a_cancel_is_ignored(stage, backend):
    late: list[Callable[[], None]] = []

    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        half(server, to, envelope)
        if isinstance(envelope.message, Submit):
            late.append(lambda: server.say(to, MotionPart(0, 30, 60, two_wave(60).slice(30, 60)), envelope.header.id))

    own = begin_over_existing_motion(stage, backend(answer))
    duologue.cancel()
    late[0]()
    time.sleep(0.05)
    stage.jobs.tick()
    assert everything_is_as_it_was(stage, own)


def test_a_backend_that_dies_in_mid_job_leaves_everything_as_it_was(stage, backend, addon, monkeypatch):
    monkeypatch.setattr(addon("link.client"), "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(addon("link.client"), "HEARTBEAT_SECONDS", 0.1)
    server = backend(half)
    own = begin_over_existing_motion(stage, server)
    server.silent.set()
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error.code == "backend_lost"
    assert "Restart" in stage.jobs.latest().error.hint
    assert everything_is_as_it_was(stage, own)


def test_restart_goes_on_with_what_the_lost_backend_still_owed(stage, backend, addon, monkeypatch):
    monkeypatch.setattr(addon("link.client"), "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(addon("link.client"), "HEARTBEAT_SECONDS", 0.1)
    server = backend(half)
    begin_over_existing_motion(stage, server)
    server.silent.set()
    stage.tick_until(lambda: not stage.jobs.running())
    assert addon("ui.remedies").REMEDIES[stage.jobs.latest().error.code].operator == "duologue.backend_restart"
    monkeypatch.undo()
    again = backend(play)
    duologue.backend_restart()
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error is None
    assert [message.prompt for message in again.received if isinstance(message, Submit)] == [stage.settings.prompt]
    for character in (stage.a, stage.b):
        assert character.animation_data.action.name == stage.settings.prompt
        assert tuple(character.animation_data.action.frame_range) == pytest.approx((1, 1 + 2 * 24), abs=1.5)
    duologue.backend_restart()
    assert not stage.jobs.running()


def test_an_error_from_the_backend_is_passed_on_with_its_hint(stage, backend):
    def altered(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        if isinstance(envelope.message, Submit):
            server.say(to, Error("checkpoint_altered", "The file was altered.", "Fetch it anew."), envelope.header.id)

    backend(altered)
    job = stage.run(duologue.generate)
    assert (job.error.code, job.error.hint) == ("checkpoint_altered", "Fetch it anew.")
    assert stage.actions() == (None, None)


def test_motion_with_nan_is_refused_and_nothing_changes(stage, backend):
    later: list[Callable[[], None]] = []

    def broken(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        if isinstance(envelope.message, Submit):
            half(server, to, envelope)
            bad: Motion = two_wave(30)
            bad.root[4] = float("nan")
            later.append(lambda: server.say(to, MotionPart(0, 30, 60, bad), envelope.header.id))

    own = begin_over_existing_motion(stage, backend(broken))
    later[0]()
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error.code == "motion_not_finite"
    assert everything_is_as_it_was(stage, own)


def test_a_backend_of_another_major_version_is_named_as_that(stage, backend):
    def newer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        server.socket.send_multipart([to, MAGIC + b"\x07\x00", bytes(32), b"{}", b"{}"])

    backend(newer)
    job = stage.run(duologue.generate)
    assert job.error.code == "version_mismatch"
    assert "version 7" in job.error.message
    assert "Update" in job.error.hint
    assert stage.actions() == (None, None)


def test_a_character_that_is_deleted_in_mid_job_ends_it_in_words(stage, backend):
    parts: list[Callable[[], None]] = []

    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        half(server, to, envelope)
        if isinstance(envelope.message, Submit):
            parts.append(lambda: server.say(to, MotionPart(0, 30, 60, two_wave(60).slice(30, 60)), envelope.header.id))

    begin_over_existing_motion(stage, backend(answer))
    bpy.data.objects.remove(stage.b)
    parts[0]()
    stage.tick_until(lambda: not stage.jobs.running())
    error = stage.jobs.latest().error
    assert error is not None
    assert error.code == "character_gone"
    assert stage.a.animation_data.action.name == "Alice's own"


def in_halves(parts: list[Callable[[], None]]) -> Answer:
    """Send half of the motion, and leave the other half and the result to be sent later."""

    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        half(server, to, envelope)
        if isinstance(envelope.message, Submit):
            job = envelope.header.id
            parts.append(lambda: server.say(to, MotionPart(0, 30, 60, two_wave(60).slice(30, 60)), job))
            parts.append(lambda: server.say(to, Result(), job))

    return answer


def test_a_bone_that_is_renamed_in_mid_job_is_named_and_what_was_there_is_there_again(stage, backend):
    parts: list[Callable[[], None]] = []
    own = begin_over_existing_motion(stage, backend(in_halves(parts)))
    stage.b.data.bones[0].name = "Renamed"
    parts[0]()
    stage.tick_until(lambda: not stage.jobs.running())
    error = stage.jobs.latest().error
    assert error.code == "bone_gone"
    assert "renamed or removed" in error.message
    assert everything_is_as_it_was(stage, own)


def test_a_job_goes_on_in_its_own_scene_while_another_one_is_looked_at(stage, backend):
    parts: list[Callable[[], None]] = []
    begin_over_existing_motion(stage, backend(in_halves(parts)))
    context: Any = bpy.context
    scene, window = context.scene, context.window_manager.windows[0]
    other = bpy.data.scenes.new("Other")
    window.scene = other
    for say in parts:
        say()
        stage.jobs.tick()
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error is None
    assert stage.b.animation_data.action.name == stage.a.animation_data.action.name
    window.scene = scene
    assert duologue.reject() == {"FINISHED"}
    bpy.data.scenes.remove(other)


@pytest.mark.parametrize("step", ["undo", "redo"])
def test_undo_and_redo_in_mid_job_lose_nothing_of_the_result(stage, backend, addon, step):
    later: list[Callable[[], None]] = []

    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        submit, job = envelope.message, envelope.header.id
        if not isinstance(submit, Submit) or submit.prompt != "two people bow":
            play(server, to, envelope)
            return
        half(server, to, envelope)
        later.append(lambda: server.say(to, MotionPart(0, 30, 60, two_wave(60).slice(30, 60)), job))
        later.append(lambda: server.say(to, Result(), job))

    backend(answer)
    bpy.ops.ed.undo_push(message="before")
    stage.run(duologue.generate)
    # From here on Alice is the same in two undo steps, and Blender keeps her as she is when it goes between them.
    stage.run(duologue.react)
    stage.run(duologue.react)
    if step == "redo":
        bpy.ops.ed.undo()
    stage = Stage(addon)
    stage.settings.prompt = "two people bow"
    duologue.generate()
    stage.tick_until(lambda: stage.jobs.latest().first_motion_seconds is not None)
    getattr(bpy.ops.ed, step)()
    assert stage.jobs.running()
    assert scene_object("Alice").animation_data.action.name == "two people wave at each other"
    assert "two people bow" not in bpy.data.actions
    for say in later:
        say()
        stage.jobs.tick()
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error is None
    for name in ("Alice", "Bob"):
        action = scene_object(name).animation_data.action
        assert action.name == "two people bow"
        assert tuple(action.frame_range) == pytest.approx((1, 1 + 2 * 24), abs=1.5)


def test_loading_another_file_ends_the_job(stage, backend):
    begin_over_existing_motion(stage, backend(half))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert not stage.jobs.running()
    stage.jobs.tick()


def test_only_one_thing_is_done_at_a_time(stage, backend):
    backend(half)
    duologue.generate()
    assert "at work" in refused(duologue.generate)
    assert stage.jobs.running()
