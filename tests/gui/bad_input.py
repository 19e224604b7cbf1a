"""What people do wrong, and what they do meanwhile, by mouse and keyboard: it is said in words, and nothing is lost.

Run inside Blender by `test_bad_input.py`, with a backend that takes its time. Leaves pictures in ``$OUT``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import kit
from clicks import (
    GENERATE,
    PACKAGE,
    PROMPT,
    ended,
    held,
    jobs,
    keys,
    nowhere,
    pick_characters,
    prepare,
    settings,
    sidebar,
)
from kit import OUT, Steps
from stage import select

LONGEST = 10_000
OTHER_SCRIPT = "二人が握手する"
"""Two people shake hands."""
context: Any = bpy.context


def script() -> Steps:
    """Everything, the worst at the end."""
    yield from prepare()
    yield from pick_characters()
    yield from refused("", "prompt_empty")
    yield from refused("hand " * (LONGEST // 5), "prompt_too_long")
    yield from another_script()
    yield from delete_a_character()
    yield from rename_a_bone()
    yield from look_at_another_scene()
    yield from open_a_file()
    yield from remove_the_extension()
    (OUT / "report.json").write_text("{}")


def refused(prompt: str, code: str) -> Steps:
    """Paste a prompt, and press Generate: nothing begins, and the panel says why."""
    yield from paste(prompt)
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: getattr(jobs().refusal(), "code", "") == code, f"{code} told", 20)
    assert not jobs().running()
    yield from kit.settle()
    kit.picture(code)
    yield from read()


def read() -> Steps:
    """Close a message of Blender's, which takes the next key or click for itself."""
    kit.key("Escape")
    yield from kit.settle()


def another_script() -> Steps:
    """A prompt in another script is a prompt: its motion is named after it."""
    yield from paste(OTHER_SCRIPT)
    yield from generate(OTHER_SCRIPT)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    assert held()[0][0] == OTHER_SCRIPT, held()
    yield from kit.settle()
    kit.picture("3-another-script")


def delete_a_character() -> Steps:
    """Delete B while motion comes: A's is finished, the next press names who is missing, and undoing brings B back."""
    yield from generate("the second one goes away")
    select("Beth")
    kit.move(*nowhere())
    yield from kit.settle()
    kit.key("Delete")
    yield from kit.until(lambda: "Beth" not in context.scene.objects, "B deleted", 10)
    yield from ended()
    assert held()[0][0] == "the second one goes away", held()
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: "Beth" in str(jobs().refusal()), "who is missing", 20)
    yield from kit.settle()
    kit.picture("4-deleted")
    yield from read()
    for _ in range(3):
        kit.move(*nowhere())
        yield from kit.settle()
        if "Beth" not in context.scene.objects:
            kit.key("ctrl+z")
            yield from kit.settle()
    assert "Beth" in context.scene.objects


def rename_a_bone() -> Steps:
    """Rename a bone of A while motion comes: it is named, and both have what they had."""
    before = held()
    yield from generate("a bone is renamed")
    armature: Any = bpy.data.objects["Adam"].data
    armature.bones["mixamorig:Spine1"].name = "Waist"
    yield from ended()
    assert jobs().latest().error.code == "bone_gone", jobs().latest().error
    assert held() == before
    yield from kit.settle()
    kit.picture("5-renamed")
    yield from read()
    armature.bones["Waist"].name = "mixamorig:Spine1"
    yield from kit.settle()


def look_at_another_scene() -> Steps:
    """Look at another scene while motion comes: it is there in the first one afterwards."""
    yield from generate("in the first scene")
    first = context.scene
    bpy.ops.scene.new(type="EMPTY")
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    assert held()[0][0] == "in the first scene", held()
    kit.picture("6-other-scene")
    kit.window().scene = first
    yield from kit.settle()


def open_a_file() -> Steps:
    """Open the file anew while motion comes: the job is over, and the file is as it was saved."""
    yield from generate("before a file is opened")
    bpy.ops.wm.open_mainfile(filepath=str(OUT / "characters.blend"), load_ui=False)
    yield from kit.until(lambda: not jobs().running(), "the job's end", 20)
    yield from kit.settle()
    assert keys("Adam") == keys("Beth") == 0
    yield from read()
    kit.picture("7-other-file")


def remove_the_extension() -> Steps:
    """Disable the extension while motion comes: it takes everything along, and what was there is there again."""
    yield from pick_characters()
    yield from generate("before the extension goes")
    bpy.ops.preferences.addon_disable(module=PACKAGE)
    yield from kit.settle()
    assert not hasattr(bpy.types, "DUOLOGUE_PT_motion")
    assert keys("Adam") == keys("Beth") == 0
    kit.picture("8-removed")


def generate(prompt: str) -> Steps:
    """Press Generate, and wait for the first motion."""
    before = held()
    settings().prompt = prompt
    yield from kit.settle()
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running(), "a job begun by the click", 20)
    yield from kit.until(lambda: held() != before and keys("Beth") > 0, "new motion on the rigs")


def paste(prompt: str) -> Steps:
    """Put a prompt into its field by way of the clipboard, as long ones and those in other scripts come."""
    context.window_manager.clipboard = prompt
    yield from kit.click(*sidebar(PROMPT))
    kit.key("ctrl+a")
    yield from kit.settle()
    kit.key("ctrl+v" if prompt else "BackSpace")
    yield from kit.settle()
    kit.key("Return")
    yield from kit.settle()
    assert settings().prompt == prompt, settings().prompt[:80]


if __name__ == "__main__":
    kit.run(script)
