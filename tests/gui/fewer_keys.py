"""Reduce Keys in a real window: few keys in the place of one on every frame, the same motion, and one step to undo.

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
from clicks import GENERATE, ended, jobs, keys, nowhere, pick_characters, prepare, sidebar
from hotkeys import assign_keys, pressed
from kit import OUT, Steps
from stage import CHARACTERS, click, face_each_other

context: Any = bpy.context
REDUCE_KEYS = (144, 381)
FRAMES = range(1, 121)
MOST_METRES = 0.02
"""How far a hand may be from where it was: a degree in each of the bones that carry it."""


def script() -> Steps:
    """Generate, accept, reduce, undo."""
    yield from prepare()
    face_each_other()
    assign_keys()
    yield from pick_characters()
    yield from kit.click(*sidebar(GENERATE))
    yield from kit.until(lambda: jobs().running(), "a job begun by the click", 60)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    yield from pressed("duologue.accept", job=False)
    yield from click(CHARACTERS)
    yield from reduce()


def reduce() -> Steps:
    """Press Reduce Keys, confirm what it asks, look at the result, and take it back."""
    many, way = (keys("Adam"), keys("Beth")), hands()
    yield from click(REDUCE_KEYS)
    kit.picture("1-asked")
    kit.key("Return")
    yield from kit.until(lambda: keys("Adam") < many[0] and keys("Beth") < many[1], "fewer keys", 60)
    few = keys("Adam"), keys("Beth")
    off = max((a - b).length for a, b in zip(way, hands(), strict=True))
    assert few[0] < many[0] / 4, (many, few)
    assert off < MOST_METRES, off
    context.scene.frame_set(55)
    kit.move(*nowhere())
    timeline = kit.area("DOPESHEET_EDITOR")
    yield from kit.settle()
    timeline.tag_redraw()
    yield from kit.settle()
    kit.picture("2-reduced")
    (OUT / "report.json").write_text(json.dumps({"keys_before": many, "keys_after": few, "metres": off}))
    kit.move(*nowhere())
    kit.key("ctrl+z")
    yield from kit.until(lambda: (keys("Adam"), keys("Beth")) == many, "all keys back by one step", 20)


def hands() -> list[Any]:
    """Where Adam's right hand is at every frame, in his space."""
    adam: Any = bpy.data.objects["Adam"]
    found = []
    for frame in FRAMES:
        context.scene.frame_set(frame)
        found.append(adam.pose.bones["mixamorig:RightHand"].tail.copy())
    return found


if __name__ == "__main__":
    kit.run(script)
