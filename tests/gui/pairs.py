"""Two pairs in a scene, in a real window: each has its own characters, settings, result and conversation.

Run inside Blender by `test_walks.py`, with a scripted backend. Leaves pictures and ``report.json`` in ``$OUT``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import kit
from clicks import GENERATE, ended, jobs, keys, nowhere, pick_characters, prepare, settings, sidebar
from hotkeys import assign_keys, pressed
from kit import OUT, Steps
from stage import click, face_each_other, playing, select

context: Any = bpy.context
ADD_PAIR, REMOVE_PAIR = (244, 146), (243, 62)
FIRST_ROW, SECOND_ROW = (49, 46), (49, 67)
USE_SELECTED = (130, 160)
LIST_HEIGHT = 67
"""Pixels by which the list of two pairs moves down what is under it."""


def script() -> Steps:
    """Both pairs get a motion; what is said to one says nothing to the other; a right click finds the pair."""
    yield from prepare()
    yield from four_characters()
    assign_keys()
    yield from pick_characters()
    yield from first_pair()
    yield from second_pair()
    yield from back_to_the_first()
    yield from right_click_finds_the_pair()
    yield from remove_and_undo()
    (OUT / "report.json").write_text(json.dumps({"blender": bpy.app.version_string}))


def four_characters() -> Steps:
    """Adam and Beth, and copies of both who stand beside them."""
    with context.temp_override(window=kit.window(), area=kit.area("VIEW_3D"), region=kit.region(kit.area("VIEW_3D"))):
        select("Adam", "Beth", *(one.name for one in context.view_layer.objects if one.type == "MESH"))
        bpy.ops.object.duplicate()
    for name, other in (("Carl", "Adam.001"), ("Dora", "Beth.001")):
        bpy.data.objects[other].name = name
    face_each_other()
    face_each_other("Carl", "Dora", x=2.0)
    yield from kit.settle()


def first_pair() -> Steps:
    """Adam and Beth shake hands."""
    yield from kit.click(*sidebar(GENERATE))
    yield from done()
    yield from pressed("duologue.accept", job=False)
    assert keys("Adam") > 100
    assert playing("Carl") is None


def second_pair() -> Steps:
    """Add a pair, pick Carl and Dora, and let them do something else."""
    before = playing("Adam"), playing("Beth")
    yield from click(ADD_PAIR)
    assert len(context.scene.duologue.pairs) == 2
    assert settings().character_a is settings().character_b is None
    select("Carl", "Dora")
    yield from click(USE_SELECTED)
    assert (settings().character_a.name, settings().character_b.name) == ("Carl", "Dora")
    settings().prompt, settings().seconds = "two people hug", 2.0
    x, y = GENERATE
    yield from kit.click(*sidebar((x, y + LIST_HEIGHT)))
    yield from done()
    assert keys("Carl") > 100
    assert (playing("Adam"), playing("Beth")) == before
    context.scene.frame_set(30)
    yield from kit.settle()
    kit.picture("1-two-pairs")


def back_to_the_first() -> Steps:
    """A click on its row: its prompt, its conversation; a change moves only these two."""
    waiting = playing("Carl")
    yield from click(FIRST_ROW)
    assert context.scene.duologue.active == 0
    assert settings().prompt == "two people shake hands"
    assert said(0) == ["two people shake hands"]
    settings().conversation.words = "with the left hand"
    yield from pressed("duologue.edit")
    assert said(0) == ["two people shake hands", "with the left hand"]
    assert said(1) == ["two people hug"]
    assert playing("Carl") == playing("Dora") == waiting
    yield from kit.settle()
    kit.picture("2-first-changed")


def right_click_finds_the_pair() -> Steps:
    """Carl is of the second pair: Dora answers, though the first pair was the active one; the tab follows to theirs."""
    before = playing("Beth"), playing("Dora")
    select("Carl")
    yield from kit.right_click(*nowhere())
    yield from kit.settle()
    # The menu opens with its first entry, React, lit.
    kit.key("Return")
    yield from kit.until(lambda: jobs().latest().title == "React", "React begun from the menu", 60)
    yield from done()
    assert context.scene.duologue.active == 1
    assert playing("Beth") == before[0]
    assert playing("Dora") != before[1]
    assert len(said(0)) == 2
    assert len(said(1)) == 2
    yield from kit.settle()
    kit.picture("3-reacted")


def remove_and_undo() -> Steps:
    """Removing the second pair leaves its characters moving; Ctrl+Z brings it back with all that was said."""
    yield from click(SECOND_ROW)
    assert context.scene.duologue.active == 1
    moving = playing("Carl").name, playing("Dora").name
    turns = said(1)
    yield from click(REMOVE_PAIR)
    assert len(context.scene.duologue.pairs) == 1
    assert (playing("Carl").name, playing("Dora").name) == moving
    kit.move(*nowhere())
    yield from kit.settle()
    kit.picture("4-removed")
    kit.key("ctrl+z")
    yield from kit.until(lambda: len(context.scene.duologue.pairs) == 2, "the pair back", 20)
    assert said(1) == turns


def done() -> Steps:
    """Wait for a job to begin and to end well."""
    yield from kit.until(lambda: jobs().running(), "a job begun", 20)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error


def said(pair: int) -> list[str]:
    """What was said to a pair, turn by turn."""
    return [turn.said for turn in context.scene.duologue.pairs[pair].conversation.turns]


if __name__ == "__main__":
    kit.run(script)
