"""What Generate takes from its panel: prompts of before, the place; pictures of what was made, and the time left."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest

from protocol.messages import Submit
from tests.blender.stage import Stage, context, duologue
from tests.blender.test_results import different_each_time


def hips(character: Any) -> np.ndarray:
    """Where a character's hips are in the world, and which way its toes point, at the current frame."""
    bones = {bone.name.partition(":")[2] or bone.name: bone for bone in character.pose.bones}
    place = np.array(character.matrix_world @ bones["Hips"].head)
    toes = np.array(character.matrix_world @ bones["LeftToeBase"].tail)
    ankle = np.array(character.matrix_world @ bones["LeftFoot"].head)
    ahead = (toes - ankle)[:2]
    return np.array([*place[:2], *(ahead / np.linalg.norm(ahead))])


def at_first_frame(stage: Stage) -> tuple[np.ndarray, np.ndarray]:
    stage.scene.frame_set(1)
    context.view_layer.update()
    return hips(stage.a), hips(stage.b)


def test_a_pair_begins_between_where_both_stand(stage, backend):
    backend()
    stage.a.location, stage.b.location = (3.0, 1.0, 0.0), (3.0, 5.0, 0.0)
    context.view_layer.update()
    stage.run(duologue.generate)
    a, b = at_first_frame(stage)
    np.testing.assert_allclose((a + b)[:2] / 2, (3.0, 3.0), atol=0.03)
    assert b[1] - a[1] > 0.8
    assert abs(b[0] - a[0]) < 0.05
    np.testing.assert_allclose(a[2:], (0, 1), atol=0.1)


def test_a_pair_that_stands_on_one_spot_begins_there(stage, backend):
    backend()
    stage.run(duologue.generate)
    a, b = at_first_frame(stage)
    np.testing.assert_allclose(a[:2], (0, 0), atol=0.05)
    assert b[1] < -0.8


def test_a_pair_begins_at_a_and_as_a_faces(stage, backend):
    backend()
    stage.settings.place = "A"
    stage.a.location, stage.a.rotation_euler = (-2.0, 4.0, 0.0), (0.0, 0.0, np.pi / 2)
    context.view_layer.update()
    before = hips(stage.a)
    stage.run(duologue.generate)
    a, b = at_first_frame(stage)
    np.testing.assert_allclose(a[:2], before[:2], atol=0.05)
    np.testing.assert_allclose(a[2:], before[2:], atol=0.1)
    np.testing.assert_allclose(a[2:], (1, 0), atol=0.1)
    assert b[0] - a[0] > 0.8


def test_a_pair_begins_at_the_cursor_and_a_reroll_at_the_same_place(stage, backend):
    backend(different_each_time)
    stage.settings.place = "CURSOR"
    stage.scene.cursor.location = (1.5, -2.5, 0.7)
    stage.scene.cursor.rotation_euler = (0.0, 0.0, np.pi)
    stage.run(duologue.generate)
    a, b = at_first_frame(stage)
    np.testing.assert_allclose(a[:2], (1.5, -2.5), atol=0.05)
    np.testing.assert_allclose(a[2:], (0, 1), atol=0.1)
    assert b[1] - a[1] > 0.8
    stage.scene.cursor.location = (9.0, 9.0, 0.0)
    stage.run(duologue.reroll)
    np.testing.assert_allclose(at_first_frame(stage)[0][:2], (1.5, -2.5), atol=0.05)


def test_every_part_of_a_streamed_motion_and_every_variation_is_moved_alike(stage, backend):
    backend(different_each_time)
    stage.settings.variations = 2
    stage.a.location = stage.b.location = (5.0, 0.0, 0.0)
    context.view_layer.update()
    stage.run(duologue.generate)
    for number in (0, 1):
        stage.settings.result.shown = number
        for frame in (1, 20, 40, 60):
            stage.scene.frame_set(frame)
            np.testing.assert_allclose(hips(stage.a)[:2], (5.0, 0.0), atol=0.06, err_msg=f"{number} {frame}")


def test_prompts_are_remembered_once_each_newest_first(stage, backend, addon):
    backend()
    for prompt in ("two people bow", "two people hug", " two people bow "):
        stage.settings.prompt = prompt
        stage.run(duologue.generate)
    assert [one.name for one in stage.settings.history] == ["two people bow", "two people hug"]
    duologue.use_prompt(prompt="two people hug")
    assert stage.settings.prompt == "two people hug"
    remember = addon("operators.generate").remember_prompt
    for number in range(30):
        remember(stage.settings, f"prompt {number}")
    assert len(stage.settings.history) == 20
    assert stage.settings.history[0].name == "prompt 29"


def test_a_prompt_that_is_refused_is_not_remembered(stage, backend):
    backend()
    stage.settings.character_b = None
    with pytest.raises(RuntimeError):
        duologue.generate()
    assert not stage.settings.history


def test_every_variation_has_a_picture_of_its_own(stage, backend, addon):
    backend(different_each_time)
    stage.settings.variations = 3
    stage.run(duologue.generate)
    seen = []
    for one in stage.settings.result.variations:
        preview = one.action.preview
        assert tuple(preview.image_size) == (96, 96)
        pixels = np.empty(96 * 96 * 4, np.float32)
        preview.image_pixels_float.foreach_get(pixels)
        assert 0.01 < (pixels.reshape(-1, 4)[:, 3] > 0.5).mean() < 0.5
        seen.append(pixels)
        assert addon("previews").has(one.action)
    assert not np.array_equal(seen[0], seen[2])


def test_a_picture_is_saved_with_the_file(stage, backend, tmp_path):
    backend()
    stage.run(duologue.generate)
    duologue.accept()
    name = stage.a.animation_data.action.name
    path = str(tmp_path / "picture.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    preview: Any = bpy.data.actions[name].preview
    assert tuple(preview.image_size) == (96, 96)


def test_a_reaction_is_pictured_with_whom_it_answers(stage, backend, addon):
    backend()
    stage.run(duologue.generate)
    stage.run(duologue.react)
    pixels = np.empty(96 * 96 * 4, np.float32)
    stage.b.animation_data.action.preview.image_pixels_float.foreach_get(pixels)
    red, _, blue, alpha = pixels.reshape(-1, 4).T
    assert ((alpha > 0.5) & (red > blue + 0.3)).sum() > 100
    assert ((alpha > 0.5) & (blue > red + 0.3)).sum() > 100


def test_the_time_that_is_left_is_told_once_it_can_be(addon, monkeypatch):
    job: Any = addon("link.job")
    clock = [100.0]
    monkeypatch.setattr(job.time, "monotonic", lambda: clock[0])
    made = job.Job("Generate", [job.Request("", Submit("generate"), None)])
    made.at(0.0, "Waiting")
    clock[0] = 110.0
    made.at(0.1, "Generating")
    assert made.seconds_left is None
    clock[0] = 112.0
    made.at(0.5, "Generating")
    assert made.seconds_left == pytest.approx(2.5)
