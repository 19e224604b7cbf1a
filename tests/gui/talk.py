"""A conversation about a motion in a real window: change it, ask about it, go on from it, tell a story, redo a part.

Run inside Blender by `test_talk.py`. Leaves pictures and ``report.json`` in ``$OUT``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import kit
import numpy as np
from clicks import GENERATE, ended, held, jobs, pick_characters, prepare, settings, sidebar
from hotkeys import assign_keys, pressed
from kit import OUT, Steps

context: Any = bpy.context
report: dict[str, Any] = {}


def script() -> Steps:
    """Everything, in the order in which a person would do it."""
    yield from prepare()
    yield from pick_characters()
    assign_keys()
    yield from generate()
    yield from change()
    yield from ask()
    yield from go_on()
    yield from redo_a_part()
    yield from tell_a_story()
    yield from save_and_open()
    (OUT / "report.json").write_text(json.dumps(report, indent=1))


def generate() -> Steps:
    """A motion to talk about, accepted."""
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running(), "a job begun by the click", 20)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    yield from pressed("duologue.accept", job=False)
    yield from kit.until(lambda: not settings().result.variations, "the result accepted", 30)


def change() -> Steps:
    """Say what shall be different: another motion on both."""
    before = held()
    talk().words = "slower"
    yield from pressed("duologue.edit")
    assert held() != before
    assert [turn.task for turn in talk().turns][-1] == "edit"
    yield from kit.settle()
    kit.picture("1-changed")


def ask() -> Steps:
    """Ask about it: words, and nothing moves."""
    before = held()
    talk().words = "who does it?"
    yield from pressed("duologue.ask")
    assert held() == before
    report["answer"] = talk().turns[-1].answer
    assert report["answer"]
    yield from kit.settle()
    kit.picture("2-asked")


def go_on() -> Steps:
    """Continue: keys after the end, and those of before as they were."""
    end = last_frame()
    shown = pose(end - 20)
    yield from pressed("duologue.continue")
    assert last_frame() > end + 20, (end, last_frame())
    assert np.allclose(pose(end - 20), shown, atol=1e-4)
    yield from kit.settle()
    kit.picture("3-continued")


def redo_a_part() -> Steps:
    """Regenerate a preview range: what is around it stays."""
    scene = context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 50, 80
    yield from kit.settle()
    around = pose(20), pose(130)
    inside = pose(65)
    yield from pressed("duologue.regenerate")
    assert np.allclose(np.stack((pose(20), pose(130))), around, atol=1e-4)
    assert not np.allclose(pose(65), inside, atol=1e-3)
    scene.use_preview_range = False
    yield from kit.settle()
    kit.picture("4-regenerated")


def tell_a_story() -> Steps:
    """Two scenes, one after the other, from the current frame on."""
    for prompt in ("two people shake hands", "A bows to B"):
        talk().scenes.add().prompt = prompt
    talk().story_seconds, talk().goes_on = 8.0, False
    context.scene.frame_set(1)
    yield from pressed("duologue.story")
    assert last_frame() >= 8 * 24
    assert talk().turns[-1].task == "story"
    context.scene.frame_set(150)
    yield from kit.settle()
    kit.picture("5-story")


def save_and_open() -> Steps:
    """The conversation is in the file."""
    said = [(turn.task, turn.said, turn.answer) for turn in talk().turns]
    assert len(said) >= 5, said
    yield from pressed("duologue.accept", job=False)
    path = str(OUT / "talk.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path, load_ui=False)
    yield from kit.settle()
    assert [(turn.task, turn.said, turn.answer) for turn in talk().turns] == said
    report["turns"] = said


def talk() -> Any:
    """The pair's conversation."""
    return settings().conversation


def last_frame() -> int:
    """The last keyed frame of Adam."""
    data: Any = bpy.data.objects["Adam"].animation_data
    return round(data.action.frame_range[1])


def pose(frame: int) -> np.ndarray:
    """Where Adam's bones are at a frame, (bones, 4, 4) in his space."""
    context.scene.frame_set(frame)
    adam: Any = bpy.data.objects["Adam"]
    return np.array([bone.matrix for bone in adam.pose.bones])


if __name__ == "__main__":
    kit.run(script)
