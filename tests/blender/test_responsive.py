"""Blender stays usable while Duologue works: no tick of its timer is long, and reading an animation moves nothing."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import bpy
import numpy as np
import pytest

from protocol.messages import Submit
from tests.blender.stage import Stage, bone_of, context, duologue, scene_object, submitted
from tests.fake_backend import play

TICK_SECONDS = 0.05
"""What a person does not notice, in CPU time, because the machine that tests may be busy with other things."""
TICK_SHARE = 0.25
"""Of the work of a job, at most, in one tick: on a slow machine all ticks are longer, but none does most of it."""


def ticks(stage: Stage) -> list[float]:
    """Tick until the job is over; returns how long each tick took, seconds of this thread's work."""
    took = []
    deadline = time.monotonic() + 120
    while stage.jobs.running():
        assert time.monotonic() < deadline, stage.jobs.latest()
        begun = time.thread_time()
        stage.jobs.tick()
        took.append(time.thread_time() - begun)
        time.sleep(0.005)
    assert stage.jobs.latest().error is None
    return took


@pytest.mark.parametrize("pieces", [1, 10])
def test_no_tick_takes_long_for_two_rigs_and_300_frames(stage, backend, pieces):
    stage.scene.render.fps, stage.settings.seconds = 30, 10.0
    backend(partial(play, pieces=pieces))
    for operator in (duologue.generate, duologue.react, duologue.describe):
        longest, shares = [], []
        # More than once, because a busy machine slows down even what is counted in CPU time.
        while not longest or (min(longest) >= TICK_SECONDS and len(longest) < 3):
            operator()
            took = ticks(stage)
            longest.append(max(took))
            shares.append(max(took) / sum(took))
        assert min(longest) < TICK_SECONDS or min(shares) < TICK_SHARE
    assert stage.a.animation_data.action.frame_range[1] == 300


@pytest.fixture
def reading(stage, backend) -> Any:
    """A backend, and Alice's animation of which a part has been read."""
    server = backend()
    stage.settings.seconds = 10.0
    stage.run(duologue.generate)
    server.received.clear()
    begin(stage)
    return server


def begin(stage: Stage) -> None:
    duologue.react()
    deadline = time.monotonic() + 60
    while stage.jobs.latest().fraction == 0:
        assert time.monotonic() < deadline
        stage.jobs.tick()
    assert stage.jobs.running()
    assert stage.jobs.latest().stage == "Reading the animation"


def test_reading_moves_neither_the_scene_nor_a_pose_without_keys(stage, reading):
    stage.scene.frame_set(7)
    arm = stage.a.pose.bones[bone_of(stage.a, "LeftArm").name]
    arm.rotation_quaternion = posed = (0.8, 0.6, 0.0, 0.0)
    for _ in range(3):
        stage.jobs.tick()
        assert stage.scene.frame_current == 7
        assert tuple(arm.rotation_quaternion) == pytest.approx(posed)
        assert list(bpy.data.scenes) == [stage.scene]


def test_reading_in_slices_gives_what_reading_at_once_gives(stage, reading, addon):
    stage.tick_until(lambda: not stage.jobs.running())
    whole = addon("animation.capture").capture(stage.scene, [stage.a], 1, 1 + 240)
    sent = submitted(reading).motion
    assert sent is not None
    np.testing.assert_array_equal(sent.rotations, whole.rotations[: sent.frames])
    assert sent.frames == pytest.approx(300, abs=2)


def test_cancel_while_reading_sends_nothing(stage, reading):
    duologue.cancel()
    stage.jobs.tick()
    assert stage.jobs.latest().note == "React was cancelled; everything is as it was."
    assert not any(isinstance(message, Submit) for message in reading.received)


def test_a_character_deleted_while_it_is_read_ends_the_job_in_words(stage, reading):
    bpy.data.objects.remove(stage.a)
    stage.tick_until(lambda: not stage.jobs.running())
    error = stage.jobs.latest().error
    assert (error.code, bool(error.hint)) == ("character_gone", True)
    assert "“Alice” was removed or renamed" in error.message


def test_bones_renamed_while_they_are_read_end_the_job_in_words(stage, reading):
    bone_of(stage.a, "LeftHand").name = "Paw"
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error.code == "rig_changed"


def test_a_scene_removed_while_it_is_read_ends_the_job_in_words(stage, reading):
    stage.scene.name = "Other"
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error.code == "scene_gone"


def test_another_file_loaded_while_reading_ends_the_job(stage, reading):
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert not stage.jobs.running()
    stage.jobs.tick()


@pytest.mark.parametrize(("spoil", "code"), [("edit", "rig_in_edit_mode"), ("rest", "rig_in_rest_position")])
def test_a_character_that_cannot_move_is_said_to_be_so(stage, reading, spoil, code):
    if spoil == "edit":
        bpy.ops.object.mode_set(mode="EDIT")
    else:
        stage.a.data.pose_position = "REST"
    stage.tick_until(lambda: not stage.jobs.running())
    if spoil == "edit":
        bpy.ops.object.mode_set(mode="OBJECT")
    assert stage.jobs.latest().error.code == code
    assert stage.jobs.latest().error.hint


def test_undo_while_reading_reads_what_is_there_afterwards(stage, backend, addon):
    server = backend()
    stage.settings.seconds = 10.0
    stage.run(duologue.generate)
    bpy.ops.ed.undo_push(message="as generated")
    for curve in stage.curves(stage.a):
        co = np.empty(2 * len(curve.keyframe_points), np.float32)
        curve.keyframe_points.foreach_get("co", co)
        co[1::2] = 0
        curve.keyframe_points.foreach_set("co", co)
    bpy.ops.ed.undo_push(message="spoiled")
    context.view_layer.objects.active = scene_object("Alice")
    begin(stage)
    bpy.ops.ed.undo()
    stage = Stage(addon)
    assert stage.jobs.latest().request.reading.fraction == 0
    assert stage.jobs.running()
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error is None
    sent = submitted(server).motion
    assert sent is not None
    assert np.ptp(sent.rotations, axis=0).max() > 0.2


@pytest.mark.parametrize(("fps", "base"), [(24, 1.001), (120, 1.0)])
def test_seconds_stay_seconds_at_any_frame_rate(stage, backend, fps, base):
    stage.scene.render.fps, stage.scene.render.fps_base = fps, base
    server = backend()
    stage.run(duologue.generate)
    rate = fps / base
    first, last = stage.a.animation_data.action.frame_range
    assert (last - first) / rate == pytest.approx(59 / 30, abs=1 / rate)
    stage.run(duologue.describe)
    sent = submitted(server).motion
    assert sent is not None
    assert sent.fps == 30
    assert sent.frames == pytest.approx(60, abs=1)
    assert (stage.scene.render.fps, stage.scene.render.fps_base) == (fps, pytest.approx(base))
