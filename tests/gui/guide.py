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
    ADAMS_ROW,
    GENERATE,
    PROMPT,
    captions,
    ended,
    jobs,
    keys,
    nowhere,
    pick_characters,
    prepare,
    settings,
    sidebar,
)
from hotkeys import assign_keys, found, pressed
from kit import OUT, Steps
from stage import CHARACTERS, MOTION, click, cut_off_hand, face_each_other, playing

context: Any = bpy.context
PROMPTS_MENU = (244, PROMPT[1])
ADD_PAIR, REMOVE_PAIR = (244, 146), (243, 62)
USE_SELECTED_OF_SECOND, SWAP_SECOND = (130, 160), (243, 212)
SECOND_VARIATION = (133, 544)
MAP_BONES = (140, 203)
WIDER = 200
RETARGETING, EDIT_T_POSE, CANCEL_T_POSE = (60, 508), (140, 655), (200, 660)
CORRECT_IT = (140, 434)
SHAKING = 55
"""A frame at which hands are held."""


def script() -> Steps:
    """The chapters of the guide, in its order."""
    yield from prepare()
    face_each_other()
    assign_keys()
    yield from pick_characters()
    yield from quick_start()
    yield from pairs()
    yield from prompts()
    yield from variations()
    yield from react()
    yield from converse()
    yield from describe()
    yield from map_bones()
    yield from edit_t_pose()
    yield from trouble()
    (OUT / "report.json").write_text(json.dumps({"blender": bpy.app.version_string}))


def quick_start() -> Steps:
    """Press Generate; motion plays while the rest of it is still being made."""
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running() and keys("Beth") > 0, "motion before the end", 120)
    context.scene.frame_set(SHAKING)
    yield 1.5
    assert jobs().running()
    kit.picture("generating")
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    yield from pressed("duologue.reject", job=False)
    yield from kit.until(lambda: keys("Adam") == keys("Beth") == 0, "everything as it was", 30)
    context.scene.frame_set(1)


def pairs() -> Steps:
    """A second pair shows the list; in it the two change parts."""
    yield from click(ADD_PAIR)
    assert settings().character_a is None
    yield from click(USE_SELECTED_OF_SECOND)
    yield from click(SWAP_SECOND)
    assert settings().character_a.name == "Beth"
    settings().prompt = "A comforts B"
    kit.move(*nowhere())
    yield from kit.settle()
    kit.picture("pairs")
    yield from click(REMOVE_PAIR)
    assert len(context.scene.duologue.pairs) == 1


def prompts() -> Steps:
    """Open the menu beside the prompt, look into a family, and leave it again."""
    yield from click(PROMPTS_MENU)
    for name in ("Down", "Down", "Right"):
        kit.key(name)
        yield from kit.settle()
    yield from kit.settle()
    kit.picture("prompts")
    kit.key("Escape")
    kit.key("Escape")
    yield from kit.settle()


def variations() -> Steps:
    """Ask for three, choose the second in the list, keep it."""
    settings().variations = 3
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running(), "a job begun by the click", 60)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    context.scene.frame_set(SHAKING)
    yield from click(SECOND_VARIATION)
    assert settings().result.shown == 1
    assert playing("Adam") == settings().result.variations[1].action
    kit.picture("variations")
    yield from pressed("duologue.accept", job=False)
    yield from kit.until(lambda: not settings().result.variations, "the result accepted", 30)
    settings().variations = 1


def react() -> Steps:
    """Right-click Adam in the Outliner: Beth answers."""
    before = playing("Beth")
    outliner = kit.region(kit.area("OUTLINER"))
    yield from kit.right_click(outliner.x + 80, outliner.y + outliner.height - ADAMS_ROW)
    yield from kit.settle()
    kit.picture("right-click")
    kit.key("Return")
    yield from kit.until(lambda: jobs().latest().title == "React", "React begun from the menu", 60)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    assert playing("Beth") != before
    yield from pressed("duologue.accept", job=False)


def converse() -> Steps:
    """Change what they do, ask about it, and look at the turns."""
    yield from click(CHARACTERS)
    yield from click(MOTION)
    context.scene.frame_set(1)
    settings().conversation.words = "with the left hand"
    yield from pressed("duologue.edit")
    settings().conversation.words = "which hand do they use?"
    yield from pressed("duologue.ask")
    assert len(settings().conversation.turns) == 4
    context.scene.frame_set(SHAKING)
    yield from kit.settle()
    kit.picture("conversation")
    yield from pressed("duologue.accept", job=False)
    yield from click(MOTION)
    yield from click(CHARACTERS)


def describe() -> Steps:
    """Search finds Describe All; captions show in the Outliner."""
    kit.move(*nowhere())
    yield from found("describe all")
    yield from kit.until(lambda: jobs().latest().title == "Describe All", "Describe All begun", 60)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    assert captions().read(bpy.data.objects["Adam"])
    outliner: Any = kit.area("OUTLINER")
    yield from resized(outliner, 0, -300)
    yield from resized(outliner, -WIDER, 0)
    outliner.spaces.active.use_filter_object_content = True
    with context.temp_override(window=kit.window(), area=outliner, region=kit.region(outliner)):
        for _ in range(3):
            bpy.ops.outliner.show_one_level()
    yield from kit.settle()
    kit.picture("captions")
    yield from resized(outliner, WIDER, 0)


def resized(area: Any, right: int, up: int) -> Steps:
    """Drag an area's left edge to the right or its lower edge up, pixels."""
    before = area.width, area.height
    edge = (area.x - 1, area.y + area.height // 2) if right else (area.x + area.width // 2, area.y - 1)
    yield from kit.drag(edge, (edge[0] + right, edge[1] + up))
    yield from kit.settle()
    assert abs(area.width - before[0] + right) < 10, (area.width, before)
    assert abs(area.height - before[1] + up) < 10, (area.height, before)


def map_bones() -> Steps:
    """A rig whose hand hangs on nothing and has a name of its own: what is missing, and the rows to fill in."""
    cut_off_hand(True)
    yield from click(MAP_BONES)
    assert settings().show_bones_a
    kit.move(*nowhere())
    yield from kit.settle()
    kit.picture("mapping")
    settings().show_bones_a = False
    cut_off_hand(False)
    yield from kit.settle()


def edit_t_pose() -> Steps:
    """A copy of Adam stands there in his T-pose, to be posed."""
    yield from click(CHARACTERS)
    yield from click(RETARGETING)
    kit.area("VIEW_3D").spaces.active.overlay.show_bones = True
    bpy.data.objects["Beth"].hide_set(True)
    yield from click(EDIT_T_POSE)
    assert context.mode == "POSE"
    kit.picture("t-pose")
    yield from click(CANCEL_T_POSE)
    assert context.mode == "OBJECT"
    kit.area("VIEW_3D").spaces.active.overlay.show_bones = False
    bpy.data.objects["Beth"].hide_set(False)
    yield from click(RETARGETING)
    yield from click(CHARACTERS)


def trouble() -> Steps:
    """An empty prompt: what is wrong, and what to do."""
    settings().prompt = " "
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().refusal() is not None, "the refusal", 60)
    # Blender shows the message at the mouse, too.
    kit.key("Escape")
    kit.move(*nowhere())
    yield from kit.settle()
    kit.picture("trouble")
    yield from click(CORRECT_IT)
    assert settings().prompt.strip()


if __name__ == "__main__":
    kit.run(script)
