"""The conversation of a pair: what was asked for, turn by turn, and what both played then; all of it in the .blend.

The turn whose result may still be rejected is pending: it is settled with the variation that is accepted, and forgotten
where that is rejected. Settled turns hold their actions, so that each can be played again.
"""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)
from bpy.types import Action, Object, PropertyGroup

from protocol.messages import SCENES_MAX

from . import captions

BEFORE = "before"
"""Task of a turn that stands for what the characters did before the first one."""
_NO_SLOT = "null"
"""How `results` notes that an action was played without a slot."""


class DUOLOGUE_PG_part(PropertyGroup):
    """What one character played at the end of a turn."""

    character: PointerProperty(type=Object)
    action: PointerProperty(type=Action)
    slot: IntProperty(description="Handle of its slot of the action")


class DUOLOGUE_PG_turn(PropertyGroup):
    """One thing that was asked for, and what came of it."""

    task: StringProperty()
    said: StringProperty()
    answer: StringProperty()
    parts: CollectionProperty(type=DUOLOGUE_PG_part)
    pending: BoolProperty()


class DUOLOGUE_PG_scene(PropertyGroup):
    """One scene of a story."""

    prompt: StringProperty(name="Scene", description="What the two of them do in this scene, in plain words")


class DUOLOGUE_PG_conversation(PropertyGroup):
    """The turns of a pair, and what is about to be said."""

    turns: CollectionProperty(type=DUOLOGUE_PG_turn)
    active: IntProperty(name="Turn", description="The turn whose words are shown", min=0)
    words: StringProperty(
        name="Words",
        description="What to change, such as “slower” or “but B refuses”, or what to ask, such as “who leads?”",
    )
    scenes: CollectionProperty(type=DUOLOGUE_PG_scene)
    story_seconds: FloatProperty(
        name="Seconds",
        description="How long the whole story is, in seconds, whatever the scene's frame rate",
        default=12.0,
        min=1.0,
        soft_max=40.0,
        step=100,
        precision=1,
    )
    fill: BoolProperty(
        name="Fill the Timeline",
        description="Make the story as long as what is left of the scene's frames, instead of so many seconds",
        default=False,
    )
    goes_on: BoolProperty(
        name="Go On from the Motion",
        description="Begin the story where the motion of both ends, instead of at the current frame",
        default=False,
    )


CLASSES = (DUOLOGUE_PG_part, DUOLOGUE_PG_turn, DUOLOGUE_PG_scene, DUOLOGUE_PG_conversation)


def add_answer(pair: Any, task: str, said: str, answer: str) -> None:
    """Add a turn that was answered in words."""
    _add(pair.conversation, task, said).answer = answer


def add_motion(pair: Any, task: str, said: str, *, again: bool) -> None:
    """Add a turn for the result that a pair has just been given, in the place of its last one if asked ``again``.

    What the characters played before comes first where no turn tells of it yet, so that it can be gone back to.
    """
    conversation = pair.conversation
    if again and _pending(conversation) is not None:
        return
    before = [
        (one.character, one.action, json.loads(one.slot))
        for one in pair.result.before
        if one.action is not None and one.character is not None and one.slot != _NO_SLOT
    ]
    known = {(part.character, part.action) for turn in conversation.turns for part in turn.parts}
    if any(part[:2] not in known for part in before):
        texts = dict.fromkeys(captions.read_action(action) or action.name for _, action, _ in before)
        _hold(_add(conversation, BEFORE, " / ".join(texts)), before)
    _add(conversation, task, said).pending = True


def settle(result: Any) -> None:
    """A result is being accepted: its turn keeps what both characters play with the variation that is shown."""
    pair = _pair_of(result)
    turn = _pending(pair.conversation) if pair is not None else None
    if pair is None or turn is None:
        return
    shown = result.variations[result.shown] if result.shown < len(result.variations) else None
    if shown is None or shown.action is None:
        drop(result)
        return
    made = dict(zip((one.character for one in result.before), json.loads(shown.slots), strict=True))
    parts = []
    for character in pair.characters():
        data = character.animation_data if character is not None else None
        if character in made:
            parts.append((character, shown.action, made[character]))
        elif data is not None and data.action is not None and data.action_slot is not None:
            parts.append((character, data.action, data.action_slot.handle))
    _hold(turn, parts)
    turn.pending = False


def drop(result: Any) -> None:
    """A result is being rejected: its turn goes with it."""
    pair = _pair_of(result)
    if pair is None:
        return
    turns = pair.conversation.turns
    for number in reversed(range(len(turns))):
        if turns[number].pending:
            turns.remove(number)
    pair.conversation.active = max(len(turns) - 1, 0)


def play(turn: Any) -> list[str]:
    """Let the characters play what they played at the end of a turn; returns the names of those that are gone.

    Actions that nothing else uses get a fake user, so that saving does not throw them away.
    """
    gone = []
    for part in turn.parts:
        slot = next((one for one in part.action.slots if one.handle == part.slot), None) if part.action else None
        if part.character is None or slot is None:
            gone.append(part.character.name if part.character is not None else "a character")
            continue
        data = part.character.animation_data or part.character.animation_data_create()
        if data.action is not None and data.action != part.action and data.action.users == 1:
            data.action.use_fake_user = True
        data.action, data.action_slot = part.action, slot
    return gone


def remove(conversation: Any, number: int) -> None:
    """Remove a turn, and those of its actions that nothing else uses."""
    actions = {part.action for part in conversation.turns[number].parts if part.action is not None}
    for part in conversation.turns[number].parts:
        part.character = part.action = None
    conversation.turns.remove(number)
    conversation.active = max(0, min(conversation.active, len(conversation.turns) - 1))
    for action in actions:
        if action.users == 0 and action.library is None:
            bpy.data.actions.remove(action)


def leave(conversation: Any) -> None:
    """The conversation is about to be removed: the motions of its turns stay in the file."""
    for turn in conversation.turns:
        for part in turn.parts:
            if part.action is not None and part.action.library is None:
                part.action.use_fake_user = True


def is_current(pair: Any, turn: Any) -> bool:
    """Whether the characters play right now what they played at the end of a turn."""
    if turn.pending:
        own = [one.action for one in pair.result.variations if one.action is not None]
        return any(_playing(one.character) in own for one in pair.result.before if one.character is not None)
    parts = [part for part in turn.parts if part.character is not None]
    return bool(parts) and all(_playing(part.character) == part.action for part in parts)


def can_add_scene(conversation: Any) -> bool:
    """Whether a story may have one more scene."""
    return len(conversation.scenes) < SCENES_MAX


def prompts(conversation: Any) -> list[str]:
    """The scenes of the story that have words."""
    texts = [one.prompt.strip() for one in conversation.scenes]
    return [text for text in texts if text]


def _add(conversation: Any, task: str, said: str) -> Any:
    # What was said stands in the turn now; what did not get that far stays, to be said again.
    if conversation.words.strip() == said:
        conversation.words = ""
    turn = conversation.turns.add()
    turn.task, turn.said = task, said
    conversation.active = len(conversation.turns) - 1
    return turn


def _hold(turn: Any, parts: Iterable[tuple[Object, Action, int]]) -> None:
    for character, action, slot in parts:
        part = turn.parts.add()
        part.character, part.action, part.slot = character, action, slot


def _pending(conversation: Any) -> Any:
    return next((turn for turn in reversed(conversation.turns) if turn.pending), None)


def _pair_of(result: Any) -> Any:
    return next((pair for pair in result.id_data.duologue.pairs if pair.result == result), None)


def _playing(character: Object) -> Action | None:
    return character.animation_data.action if character.animation_data is not None else None
