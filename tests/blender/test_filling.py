"""Motion that is continued, and frames that are made anew: everything outside of them stays exactly as it was."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest

from protocol.messages import COMPLETE
from tests.blender.stage import Stage, bone_of, duologue, refused, scene_object, submitted

continue_motion: Any = getattr(duologue, "continue")


def keys_outside(stage: Stage, character: Any, first: int, last: int) -> dict[tuple[str, int], list[Any]]:
    """The keys of a character that lie outside of some frames: frame, value and how the curve goes on."""
    found = {}
    for curve in stage.curves(character):
        found[curve.data_path, curve.array_index] = [
            (*key.co, key.interpolation) for key in curve.keyframe_points if not first <= key.co[0] <= last
        ]
    return found


def arm(stage: Stage, character: Any, frame: float) -> np.ndarray:
    """The rotation that is keyed on the right upper arm, a unit quaternion."""
    path = f'pose.bones["{bone_of(character, "RightArm").name}"].rotation_quaternion'
    values = np.array([curve.evaluate(frame) for curve in stage.curves(character) if curve.data_path == path])
    return values / np.linalg.norm(values)


def turned(stage: Stage, character: Any, before: float, after: float) -> float:
    """Radians between the arm's rotations at two frames."""
    return 2 * np.arccos(min(1.0, abs(arm(stage, character, before) @ arm(stage, character, after))))


@pytest.mark.parametrize(("fps", "base"), [(24, 1.001), (30, 1.0), (120, 1.0)])
def test_the_stretch_is_made_anew_and_nothing_else_moves(stage, backend, fps, base):
    server = backend()
    stage.scene.render.fps, stage.scene.render.fps_base = fps, base
    stage.settings.seconds = 3.0
    stage.run(duologue.generate)
    duologue.accept()
    rate = fps / base
    first, last = round(1.0 * rate), round(1.8 * rate)
    before = [keys_outside(stage, one, first, last) for one in (stage.a, stage.b)]
    inside = arm(stage, stage.b, (first + last) // 2)
    stage.scene.use_preview_range = True
    stage.scene.frame_preview_start, stage.scene.frame_preview_end = first, last
    job = stage.run(duologue.regenerate)
    assert job.error is None
    sent = submitted(server)
    assert sent.task == COMPLETE
    assert sent.motion is not None
    made = sent.gap[1] - sent.gap[0]
    assert made / 30 == pytest.approx((last - first + 1) / rate, abs=0.05)
    assert sent.gap[0] / 30 == pytest.approx((first - 1) / rate, abs=0.05)
    assert sent.motion.seconds == pytest.approx(3.0, abs=0.1)
    for character, kept in zip((stage.a, stage.b), before, strict=True):
        assert keys_outside(stage, character, first, last) == kept
        steps = [turned(stage, character, frame - 1, frame) for frame in (first, first + 1, last, last + 1)]
        assert max(steps) < 3.0 / rate
    assert abs(inside @ arm(stage, stage.b, (first + last) // 2)) < 0.9999
    assert stage.actions()[0] == stage.actions()[1]
    assert stage.captions.read(stage.a) == "two people wave at each other"
    duologue.reject()
    assert [keys_outside(stage, one, first, last) for one in (stage.a, stage.b)] == before


def test_hand_made_curves_keep_their_shape_their_attributes_and_what_the_model_does_not_know(stage, backend):
    backend()
    stage.scene.render.fps = 30
    made = []
    for character in (stage.a, stage.b):
        upper, hand = (character.pose.bones[bone_of(character, end).name] for end in ("RightArm", "RightHand"))
        upper.rotation_mode = "XYZ"
        for frame, angle in ((1, 0.0), (20, 0.7), (55, -0.4), (90, 0.2)):
            upper.rotation_euler = (angle, 0.1, -angle)
            upper.keyframe_insert("rotation_euler", frame=frame)
        hand.scale = (1.1, 1.1, 1.1)
        hand.keyframe_insert("scale", frame=3)
        made.append(character.animation_data.action)
    assert made[0] != made[1]
    curves = [curve for curve in stage.curves(stage.b) if "rotation_euler" in curve.data_path]
    curves[0].modifiers.new("NOISE").strength = 0.0
    halves = [frame / 2 for frame in (*range(2, 59), *range(102, 180))]
    whole = [frame for frame in halves if frame == int(frame)]
    shape = [[[curve.evaluate(frame) for frame in frames] for curve in curves] for frames in (whole, halves)]
    stage.scene.use_preview_range = True
    stage.scene.frame_preview_start, stage.scene.frame_preview_end = 30, 50
    assert stage.run(duologue.regenerate).error is None
    assert stage.actions()[0] == stage.actions()[1]
    after = {(curve.data_path, curve.array_index): curve for curve in stage.curves(stage.b)}
    path = next(key[0] for key in after if key[0].endswith("rotation_euler"))
    # Between whole frames a curve that was cut is straight.
    for frames, before, most in zip((whole, halves), shape, (1e-5, 2e-3), strict=True):
        found = [[after[path, index].evaluate(frame) for frame in frames] for index in range(3)]
        np.testing.assert_allclose(found, before, atol=most)
    assert [modifier.type for modifier in after[path, 0].modifiers] == ["NOISE"]
    scale = [curve for key, curve in after.items() if key[0].endswith("scale")]
    assert [(len(curve.keyframe_points), curve.evaluate(70)) for curve in scale] == [(1, pytest.approx(1.1))] * 3
    kinds = {key.co[0]: key.interpolation for key in after[path, 0].keyframe_points}
    assert (kinds[1.0], kinds[90.0], kinds[40.0]) == ("BEZIER", "BEZIER", "LINEAR")
    duologue.reject()
    assert [one.animation_data.action for one in (stage.a, stage.b)] == made


def test_a_motion_is_continued_where_it_ends_with_variations_and_again(stage, backend):
    server = backend()
    stage.scene.render.fps, stage.settings.seconds = 24, 2.0
    stage.scene.frame_set(10)
    stage.run(duologue.generate)
    end = int(stage.actions()[0].frame_range[1])
    before = [keys_outside(stage, one, end + 1, end + 999) for one in (stage.a, stage.b)]
    stage.settings.variations = 2
    job = stage.run(continue_motion)
    assert job.error is None
    sent = submitted(server)
    assert sent.motion is not None
    assert sent.gap[0] == sent.motion.frames == pytest.approx(60, abs=2)
    assert sent.gap[1] - sent.gap[0] == 60
    listed = stage.settings.result.variations
    assert len(listed) == 2
    for one in (0, 1):
        stage.settings.result.shown = one
        assert tuple(stage.actions()[0].frame_range) == (10, end + 48)
        for character, kept in zip((stage.a, stage.b), before, strict=True):
            assert keys_outside(stage, character, end + 1, end + 999) == kept
            assert turned(stage, character, end, end + 1) < 0.1
    assert stage.settings.conversation.turns[-1].said == f"Frames {end + 1} to {end + 48}"
    assert stage.run(duologue.reroll).error is None
    assert submitted(server).gap == sent.gap
    assert tuple(stage.actions()[0].frame_range) == (10, end + 48)
    assert keys_outside(stage, stage.b, end + 1, end + 999) == before[1]
    duologue.reject()
    assert tuple(stage.actions()[0].frame_range) == (10, end)


def test_keys_that_are_selected_say_what_is_made_anew(stage, backend):
    server = backend()
    stage.scene.render.fps = 30
    stage.run(duologue.generate)
    assert "No frames were chosen" in refused(duologue.regenerate)
    for character in (stage.a, stage.b):
        for curve in stage.curves(character):
            for key in curve.keyframe_points:
                key.select_control_point = 20 <= key.co[0] <= 40
    assert stage.run(duologue.regenerate).error is None
    assert submitted(server).gap == [19, 40]
    chosen = {key.co[0] for curve in stage.curves(stage.a) for key in curve.keyframe_points if key.select_control_point}
    assert (min(chosen), max(chosen)) == (20, 40)


def test_what_cannot_be_filled_is_refused_in_words(stage, backend):
    backend()
    assert "“Alice” plays no Action with keys" in refused(continue_motion)
    stage.run(duologue.generate)
    stage.scene.use_preview_range = True
    stage.scene.frame_preview_start, stage.scene.frame_preview_end = -20, 400
    assert "Choose at most 9 seconds" in refused(duologue.regenerate)
    stage.scene.frame_preview_start, stage.scene.frame_preview_end = 1, 49
    assert "all that the characters do" in refused(duologue.regenerate)
    stage.settings.seconds = 9.5
    assert "Choose at most 9 seconds" in refused(continue_motion)


def test_a_continuation_is_one_undo_step(stage, backend):
    backend()
    stage.scene.render.fps, stage.settings.seconds = 30, 5.0
    stage.run(duologue.generate)
    duologue.accept()
    bpy.ops.ed.undo_push(message="before")
    assert stage.run(continue_motion).error is None
    assert scene_object("Alice").animation_data.action.frame_range[1] == pytest.approx(301, abs=1)
    bpy.ops.ed.undo()
    assert scene_object("Alice").animation_data.action.frame_range[1] == pytest.approx(151, abs=1)
