"""The workflows of the user guide, by mouse and keyboard: every picture in GUIDE.md is taken here.

Run inside Blender by `test_guide.py`, with a scripted backend. Leaves pictures and ``report.json`` in ``$OUT``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import kit
from clicks import (
    ALICES_ROW,
    GENERATE,
    PROMPT,
    ended,
    jobs,
    keys,
    nowhere,
    pick_characters,
    prepare,
    settings,
    sidebar,
)
from kit import OUT, Steps

context: Any = bpy.context
PROMPTS_MENU = (244, PROMPT[1])
ROW_OF_SECOND = (110, 505)
"""The second variation in the list under a result, and below it the other rows."""
_ROW_STEP, _ROWS_TRIED = 12, 8


def script() -> Steps:
    """The chapters of the guide, in its order."""
    yield from prepare()
    yield from pick_characters()
    yield from prompts()
    yield from variations()
    yield from reject_and_accept()
    yield from react()
    yield from describe()
    yield from several_pairs()
    yield from map_bones()
    yield from trouble()
    (OUT / "report.json").write_text(json.dumps({"blender": bpy.app.version_string}))


def prompts() -> Steps:
    """Open the menu beside the prompt and leave it again."""
    yield from kit.click(*sidebar(PROMPTS_MENU))
    yield from kit.settle()
    kit.picture("prompts")
    kit.key("Escape")
    yield from kit.settle()


def variations() -> Steps:
    """Ask for three, watch the bar, choose the second in the list."""
    settings().variations = 3
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running(), "a job begun by the click", 60)
    yield from kit.until(lambda: keys("Bob") > 0, "motion before the end", 120)
    yield from kit.settle()
    kit.picture("generating")
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    assert len(settings().result.variations) == 3
    context.scene.frame_set(45)
    x, y = ROW_OF_SECOND
    for number in range(_ROWS_TRIED):
        yield from kit.click(*sidebar((x, y + number * _ROW_STEP)))
        if settings().result.shown == 1:
            break
    assert settings().result.shown == 1
    second = settings().result.variations[1]
    assert playing("Alice") == second.action
    assert second.action.preview.icon_id > 0
    yield from kit.settle()
    kit.picture("variations")


def reject_and_accept() -> Steps:
    """Search finds Reject and Accept."""
    kit.move(*nowhere())
    yield from kit.search("Reject Result")
    yield from kit.until(lambda: keys("Alice") == keys("Bob") == 0, "everything as it was", 30)
    settings().variations = 1
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running(), "a job begun by the click", 60)
    yield from ended()
    kit.move(*nowhere())
    yield from kit.search("Accept Result")
    yield from kit.until(lambda: not settings().result.variations, "the result accepted", 30)
    assert keys("Alice") > 100


def react() -> Steps:
    """Right-click Alice in the Outliner: Bob answers."""
    before = playing("Bob")
    outliner = kit.region(kit.area("OUTLINER"))
    yield from kit.right_click(outliner.x + 80, outliner.y + outliner.height - ALICES_ROW)
    yield from kit.settle()
    kit.picture("right-click")
    kit.key("Return")
    yield from kit.until(lambda: jobs().latest().title == "React", "React begun from the menu", 60)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    assert playing("Bob") != before


def describe() -> Steps:
    """Search finds Describe All; captions show in the Outliner."""
    kit.move(*nowhere())
    yield from kit.search("Describe All Characters")
    yield from kit.until(lambda: jobs().latest().title == "Describe All", "Describe All begun", 60)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    yield from kit.settle()
    kit.picture("captions")


def several_pairs() -> Steps:
    """A second pair shows the list."""
    bpy.ops.duologue.add_pair()  # pyright: ignore[reportAttributeAccessIssue]
    yield from kit.settle()
    kit.picture("pairs")
    bpy.ops.duologue.remove_pair()  # pyright: ignore[reportAttributeAccessIssue]
    assert len(context.scene.duologue.pairs) == 1


def map_bones() -> Steps:
    """A rig whose hand is called otherwise: what is missing, and the rows to fill in."""
    armature: Any = bpy.data.objects["Alice"].data
    hand = next(bone for bone in armature.bones if bone.name.endswith("LeftHand"))
    hand.name = "Paw"
    yield from kit.settle()
    kit.picture("mapping")
    hand.name = "mixamorig:LeftHand"
    yield from kit.settle()


def trouble() -> Steps:
    """An empty prompt: what is wrong, and what to do."""
    settings().prompt = " "
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().refusal() is not None, "the refusal", 60)
    kit.move(*nowhere())
    yield from kit.settle()
    kit.picture("trouble")


def playing(name: str) -> Any:
    """The action of a character; None where it has none."""
    data: Any = bpy.data.objects[name].animation_data
    return data.action if data is not None else None


if __name__ == "__main__":
    kit.run(script)
