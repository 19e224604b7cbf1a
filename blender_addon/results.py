"""A pair's result that may still be rejected, with its variations and what was before: all of it in the .blend.

Because the scene holds it, undo, redo, saving and loading keep it in step with the actions that it speaks of.
"""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, FloatProperty, IntProperty, PointerProperty, StringProperty
from bpy.types import Action, Object, PropertyGroup

from . import conversation
from .animation.apply import PairWriter
from .animation.place import Place
from .animation.previous import Previous, put_back


@dataclass(frozen=True)
class Asked:
    """What a result was asked for, so that it can be asked for again.

    Attributes:
        pair: key of the pair that was asked; see `characters.pair_of_key`.
        task: as the protocol names it.
        prompt: may be empty where the task needs none.
        seconds: length, where the task needs one.
        seed: of the first variation; those after it take the numbers after it.
        variations: how many motions.
        frame_start: where the motion begins.
        frame_end: last frame of what was reacted to.
        actor: name of the object that was reacted to; empty where nobody was.
        place: where the motion begins; None for where the backend puts it.
        guidance: how strictly the prompt is followed; see `protocol.messages.Submit`.
    """

    pair: int
    task: str
    prompt: str
    seed: int
    variations: int
    frame_start: int
    seconds: float = 0.0
    frame_end: int = 0
    actor: str = ""
    place: Place | None = None
    guidance: float = 1.0


class DUOLOGUE_PG_variation(PropertyGroup):
    """One of several motions for the same request; its ``name`` is what the list shows."""

    action: PointerProperty(type=Action)
    slots: StringProperty(description="JSON: for each character, the handle of its slot of the action")
    seed: IntProperty()


class DUOLOGUE_PG_before(PropertyGroup):
    """What one character was like before."""

    character: PointerProperty(type=Object)
    action: PointerProperty(type=Action)
    slot: StringProperty(description="JSON: handle of its slot of the action, or null")
    had_data: BoolProperty()
    had_fake_user: BoolProperty()
    pose: StringProperty(description="JSON of an animation.rig.SavedPose")


def _show(result: DUOLOGUE_PG_result, _context: object) -> None:
    if result.variations:
        _play(result)


class DUOLOGUE_PG_result(PropertyGroup):
    """The latest result of a pair, as long as it is neither accepted nor rejected; empty otherwise."""

    variations: CollectionProperty(type=DUOLOGUE_PG_variation)
    before: CollectionProperty(type=DUOLOGUE_PG_before)
    shown: IntProperty(name="Variation", description="Click a variation to play it", min=0, update=_show)
    task: StringProperty()
    prompt: StringProperty()
    seconds: FloatProperty()
    frame_start: IntProperty()
    frame_end: IntProperty()
    actor: PointerProperty(type=Object)
    place: StringProperty(description="JSON of an animation.place.Place; empty for none")
    guidance: FloatProperty(default=1.0)


CLASSES = (DUOLOGUE_PG_variation, DUOLOGUE_PG_before, DUOLOGUE_PG_result)


def is_pending(result: DUOLOGUE_PG_result) -> bool:
    """Whether a result can be accepted or rejected."""
    return any(one.action is not None for one in result.variations)


def remember(result: DUOLOGUE_PG_result, asked: Asked, writers: Sequence[PairWriter], *, again: bool) -> None:
    """Hold what writers wrote as the result of a pair, one writer for each variation, of which the first is played.

    The result before it is accepted; where the same was asked for ``again``, it makes room instead, and what was before
    it is what will come back.
    """
    targets = [previous.find() for previous in writers[0].previous]
    # Undo may have taken the other result away meanwhile.
    if again and [one.character for one in result.before] == targets:
        _clear_variations(result, keep=None)
    else:
        accept(result)
        for previous in writers[0].previous:
            _note(result.before.add(), previous)
    for number, writer in enumerate(writers):
        one: Any = result.variations.add()
        one.name = f"Variation {number + 1}"
        one.action, one.slots, one.seed = writer.action, json.dumps(writer.slots), asked.seed + number
    result.shown = 0
    result.task, result.prompt, result.seconds = asked.task, asked.prompt, asked.seconds
    result.frame_start, result.frame_end = asked.frame_start, asked.frame_end
    result.guidance = asked.guidance
    result.actor = bpy.data.objects.get(asked.actor) if asked.actor else None
    result.place = json.dumps(asdict(asked.place)) if asked.place is not None else ""


def place_of(result: Any) -> Place | None:
    """Where a result was asked to begin; None where that was left to the backend."""
    return Place(**json.loads(result.place)) if result.place else None


def accept(result: Any) -> None:
    """Keep what is shown, remove the other variations, and forget what was before; actions of before stay in the file.

    Actions that something else uses by now stay as well.
    """
    conversation.settle(result)
    shown = result.variations[result.shown].action if result.shown < len(result.variations) else None
    _clear_variations(result, keep=shown)
    for action in _clear_before(result):
        if action.users == 0:
            action.use_fake_user = True


def reject(result: Any) -> list[str]:
    """Put everything back as it was before the result; returns the names of characters that play something else by now.

    Those are left alone.
    """
    conversation.drop(result)
    left = []
    for one in result.before:
        if one.character is None:
            continue
        if _plays(result, one.character):
            pose = json.loads(one.pose)
            put_back(one.character, one.action, json.loads(one.slot), one.had_data, (pose[0], pose[1]))
        else:
            left.append(one.character.name)
        if one.action is not None and one.action.library is None:
            one.action.use_fake_user = one.had_fake_user
    _clear_variations(result, keep=None)
    _clear_before(result)
    layer: Any = bpy.context.view_layer
    layer.update()
    return left


def _note(entry: Any, previous: Previous) -> None:
    entry.character, entry.action = previous.find(), previous.action
    entry.slot = json.dumps(previous.slot)
    entry.had_data, entry.had_fake_user = previous.had_data, previous.had_fake_user
    entry.pose = json.dumps(previous.pose)


def _play(result: Any) -> None:
    """Let the characters play the variation that is shown, except those that play something else by now."""
    chosen = result.variations[min(result.shown, len(result.variations) - 1)]
    if chosen.action is None:
        return
    for one, handle in zip(result.before, json.loads(chosen.slots), strict=True):
        slot = next((slot for slot in chosen.action.slots if slot.handle == handle), None)
        if slot is not None and one.character is not None and _plays(result, one.character):
            data = one.character.animation_data
            data.action, data.action_slot = chosen.action, slot


def _plays(result: Any, character: Object) -> bool:
    """Whether a character plays one of the variations."""
    data = character.animation_data
    own = [one.action for one in result.variations if one.action is not None]
    return data is not None and data.action is not None and data.action in own


def _clear_variations(result: Any, keep: Action | None) -> None:
    """Forget the variations and remove those that nothing uses, except the one to ``keep``."""
    actions = [one.action for one in result.variations if one.action is not None and one.action != keep]
    for one in result.variations:
        one.action = None
    result.variations.clear()
    for action in actions:
        if action.users == 0:
            bpy.data.actions.remove(action)


def _clear_before(result: Any) -> list[Action]:
    """Forget what was before; returns its actions."""
    actions = [one.action for one in result.before if one.action is not None]
    for one in result.before:
        one.character = one.action = None
    result.before.clear()
    result.actor = None
    return list(dict.fromkeys(actions))
