"""Several variations in a real window: each is played at a click, one is kept, and what is rejected leaves no trace.

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
from clicks import GENERATE, ended, jobs, pick_characters, prepare, settings, sidebar
from kit import OUT, Steps
from stage import CHARACTERS, CHARACTERS_HEIGHT, click, face_each_other, playing

context: Any = bpy.context
ROWS = ((133, 351), (133, 403), (133, 455))
ACCEPT, REJECT, RE_ROLL = (47, 527), (133, 527), (211, 527)
SHAKING = 55
HIGHER_METRES = 0.12
"""By how much the hands of a variation meet higher than those of the one before it, at least."""


def script() -> Steps:
    """Make three, look at each, keep the third; make three again, have them made anew, and reject them."""
    yield from prepare()
    face_each_other()
    yield from pick_characters()
    yield from click(CHARACTERS)
    yield from make_three()
    yield from look_at_each()
    yield from keep_the_third()
    yield from reject_all()
    (OUT / "report.json").write_text(json.dumps({"blender": bpy.app.version_string}))


def make_three() -> Steps:
    """Generate three, one after the other."""
    settings().variations = 3
    context.scene.frame_set(1)
    x, y = GENERATE
    yield from kit.click(*sidebar((x, y - CHARACTERS_HEIGHT)))
    yield from finished("Generate")
    assert len(settings().result.variations) == 3


def look_at_each() -> Steps:
    """A click on a row plays it on both; each is another motion."""
    context.scene.frame_set(SHAKING)
    heights = []
    for number in (2, 0, 1):
        yield from click(ROWS[number])
        made = settings().result.variations[number]
        assert settings().result.shown == number
        assert playing("Adam") == playing("Beth") == made.action
        assert made.action.preview.icon_id > 0
        heights.append((number, hand_height()))
        kit.picture(f"{number + 1}-variation")
    low, middle, high = (height for _, height in sorted(heights))
    assert low + HIGHER_METRES < middle < high - HIGHER_METRES, (low, middle, high)


def keep_the_third() -> Steps:
    """Accept keeps what is shown; the others are gone."""
    yield from click(ROWS[2])
    kept, *others = (settings().result.variations[number].action for number in (2, 0, 1))
    names = [one.name for one in others]
    yield from click(ACCEPT)
    assert not settings().result.variations
    assert playing("Adam") == playing("Beth") == kept
    assert not [name for name in names if name in bpy.data.actions]
    kit.picture("4-accepted")


def reject_all() -> Steps:
    """Three more, re-rolled with other seeds, then rejected: the kept one plays on, exactly."""
    kept = playing("Adam").name
    held = hand_height()
    actions = set(bpy.data.actions.keys())
    yield from make_three()
    seeds = [one.seed for one in settings().result.variations]
    yield from click(RE_ROLL)
    yield from finished("Re-roll")
    assert len(settings().result.variations) == 3
    assert not set(seeds) & {one.seed for one in settings().result.variations}
    yield from click(REJECT)
    assert not settings().result.variations
    assert playing("Adam").name == playing("Beth").name == kept
    assert set(bpy.data.actions.keys()) == actions
    context.scene.frame_set(SHAKING)
    assert abs(hand_height() - held) < 1e-6
    yield from kit.settle()
    kit.picture("5-rejected")


def finished(title: str) -> Steps:
    """Wait for a job to begin and to end well."""
    yield from kit.until(lambda: jobs().running() and jobs().latest().title == title, f"{title} begun", 60)
    yield from ended()
    assert jobs().latest().error is None, jobs().latest().error
    yield from kit.settle()


def hand_height() -> float:
    """Metres over the floor at which Adam's right hand is."""
    adam: Any = bpy.data.objects["Adam"]
    context.view_layer.update()
    return (adam.matrix_world @ adam.pose.bones["mixamorig:RightHand"].head).z


if __name__ == "__main__":
    kit.run(script)
