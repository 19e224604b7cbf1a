"""Results as Blender's own things: NLA strips and assets."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender.stage import Stage, context, duologue, refused


def hands(stage: Stage, frame: int) -> np.ndarray:
    """Where the right hands are."""
    stage.scene.frame_set(frame)
    found = []
    for one in (stage.a, stage.b):
        hand = next(bone for bone in one.pose.bones if bone.name.endswith("RightHand"))
        found.append(np.array(one.matrix_world @ hand.head))
    return np.array(found)


@pytest.mark.parametrize(("fps", "base"), [(24, 1.001), (120, 1.0)])
def test_strips_of_a_pair_are_aligned_and_play_what_the_action_played(stage, backend, fps, base):
    backend()
    stage.scene.render.fps, stage.scene.render.fps_base = fps, base
    stage.scene.frame_set(12)
    stage.settings.variations = 2
    stage.run(duologue.generate)
    action = stage.a.animation_data.action
    frames = (12, 20, 30, int(action.frame_range[1]))
    before = [hands(stage, frame) for frame in frames]
    assert np.ptp(before, axis=0).max() > 0.1
    duologue.push_to_nla()
    strips = []
    for one in (stage.a, stage.b):
        assert one.animation_data.action is None
        (track,) = one.animation_data.nla_tracks
        (strip,) = track.strips
        assert strip.action == action
        assert strip.action_slot.name_display.startswith(one.name)
        assert "two people wave" in strip.name
        strips.append((strip.frame_start, strip.frame_end, strip.scale, strip.influence))
    assert strips[0] == strips[1] == (*action.frame_range, 1.0, 1.0)
    for frame, there in zip(frames, before, strict=True):
        np.testing.assert_allclose(hands(stage, frame), there, atol=1e-4, err_msg=str(frame))
    assert list(bpy.data.actions) == [action]


@pytest.mark.parametrize("frames", [(-10, 100), (-90, -40)])
def test_actions_of_different_length_become_strips_over_the_same_frames(stage, backend, frames):
    backend()
    stage.run(duologue.generate)
    last = max(frames[1], stage.a.animation_data.action.frame_range[1])
    own = bpy.data.actions.new("Bob's own")
    stage.b.animation_data.action = own
    for frame in frames:
        stage.b.keyframe_insert("location", frame=frame)
    duologue.push_to_nla()
    extents = [
        (strip.frame_start, strip.frame_end, strip.action_frame_start, strip.action_frame_end, strip.scale)
        for one in (stage.a, stage.b)
        for track in one.animation_data.nla_tracks
        for strip in track.strips
    ]
    assert extents == [(frames[0], last, frames[0], last, 1.0)] * 2


def test_pushing_is_one_undo_step(stage, backend, addon):
    backend()
    stage.run(duologue.generate)
    duologue.push_to_nla("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    stage = Stage(addon)
    assert stage.keys(stage.a) > 0
    assert not stage.a.animation_data.nla_tracks
    assert duologue.reject.poll()


def test_nothing_to_push_or_mark_and_a_tweaked_strip_are_said(stage, backend):
    backend()
    for operator in (duologue.push_to_nla, duologue.mark_asset):
        assert refused(operator) == "Neither character plays an action. Generate or animate something first."
    stage.run(duologue.generate)
    duologue.push_to_nla()
    data: Any = stage.a.animation_data
    data.nla_tracks[0].strips[0].select = True
    data.use_tweak_mode = True
    assert "“Alice” is being tweaked. Leave tweak mode" in refused(duologue.push_to_nla)


def test_an_asset_is_described_by_its_caption_and_tagged_by_its_words(stage, backend):
    backend()
    stage.settings.prompt = "two people slowly shake hands and then they bow"
    stage.run(duologue.generate)
    action = stage.a.animation_data.action
    for _ in range(2):
        duologue.mark_asset()
    assert action.asset_data.description == "two people slowly shake hands and then they bow"
    assert [tag.name for tag in action.asset_data.tags] == ["Duologue", "two characters", "shake", "hands"]
    duologue.accept()
    assert action.asset_data is not None


def picture_of(action: Any) -> np.ndarray:
    pixels = np.empty(96 * 96 * 4, np.float32)
    assert tuple(action.preview.image_size) == (96, 96)
    action.preview.image_pixels_float.foreach_get(pixels)
    return pixels.reshape(96, 96, 4)


def test_an_asset_keeps_the_picture_of_its_motion_and_others_are_drawn_as_they_stand(stage, backend):
    backend()
    stage.run(duologue.generate)
    action = stage.a.animation_data.action
    before = picture_of(action)
    duologue.mark_asset()
    np.testing.assert_array_equal(picture_of(action), before)
    duologue.accept()
    own = bpy.data.actions.new("by hand")
    for one in (stage.a, stage.b):
        one.animation_data.action = own
    stage.a.keyframe_insert("location", frame=1)
    stage.b.keyframe_insert("location", frame=1)
    duologue.mark_asset()
    assert (picture_of(own)[..., 3] > 0.5).sum() > 200


def test_an_asset_survives_reject(stage, backend):
    backend()
    stage.run(duologue.generate)
    action = stage.a.animation_data.action
    duologue.mark_asset()
    duologue.reject()
    assert list(bpy.data.actions) == [action]
    assert stage.actions() == (None, None)
    assert action.asset_data is not None


def test_a_character_outside_the_pair_is_marked_alone(stage, backend):
    backend()
    stage.settings.character_b = None
    stage.b.keyframe_insert("location", frame=1)
    context.view_layer.objects.active = stage.b
    duologue.mark_asset()
    tags = [tag.name for tag in stage.b.animation_data.action.asset_data.tags]
    assert tags[:2] == ["Duologue", "one character"]
