"""Change the pair's motion by words, and ask about it."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import Action, Event, Object, Operator, Scene

from protocol.errors import DuologueError
from protocol.messages import ASK, EDIT, Submit

from .. import captions, scripts
from ..animation.capture import Reading
from ..animation.replay import Played
from ..characters import active_pair, pair_of_key, pair_with, work_on
from ..link import jobs
from ..link.answer import AnswerOutcome
from ..link.filling import FillingOutcome
from ..link.job import Request
from ..link.outcomes import MotionOutcome
from ..preferences import backend_settings
from ..properties import DUOLOGUE_PG_pair
from ..results import Asked
from ..stubs import Context
from . import abilities, checks
from .generate import next_seed
from .watch import JobOperator

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

_WORDS_MAX = 500


class DUOLOGUE_OT_edit(abilities.Offered, JobOperator):
    """Change what both characters do as the words say, such as “slower” or “but B refuses”. Esc cancels"""

    bl_idname = "duologue.edit"
    bl_label = "Change Motion"
    task = EDIT

    instruction: StringProperty(name="Change", description="What shall be different; empty: the words of the tab")
    clicked: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    def begin(self, context: Context) -> jobs.Job:
        """Start the job with the motion of both."""
        abilities.check(EDIT)
        scene, pair = context.scene, pair_meant(context, clicked=self.clicked)
        cast = checks.characters(scene, pair)
        checks.mapped(cast)
        checks.keyable(cast)
        instruction = _words(self.instruction or pair.conversation.words, "Say what shall be different.")
        first, last = checks.frames_to_read(scene, list(cast))
        count = checks.variations(pair.variations)
        asked = Asked(pair.key, EDIT, instruction, next_seed(pair), count, first, frame_end=last)
        job = jobs.start("Change", [edit_request(scene, cast, asked)], backend_settings(context))
        work_on(scene, pair)
        return job


class DUOLOGUE_OT_edit_with_words(abilities.Offered, Operator):
    """Say in words what shall be different in what this character and its partner do"""

    bl_idname = "duologue.edit_with_words"
    bl_label = "Edit with Words…"
    task = EDIT

    instruction: StringProperty(name="Change", options={"SKIP_SAVE"})

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Let the words be typed."""
        return context.window_manager.invoke_props_dialog(self, width=360, confirm_text="Change")

    def draw(self, context: Context) -> None:
        """Draw the field, ready to be typed into."""
        layout: Any = self.layout
        layout.activate_init = True
        layout.prop(self, "instruction", text="")

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Begin the change, which then listens for Esc."""
        duologue: Any = bpy.ops.duologue  # pyright: ignore[reportAttributeAccessIssue]
        try:
            duologue.edit("INVOKE_DEFAULT", instruction=self.instruction, clicked=True)
        except RuntimeError as error:
            # Called by another operator, it raises what it would have shown.
            self.report({"ERROR"}, str(error).removeprefix("Error: ").strip())
            return {"CANCELLED"}
        return {"FINISHED"}


class DUOLOGUE_OT_ask(abilities.Offered, JobOperator):
    """Ask about what the characters do, such as “who leads?”; the answer stands in the conversation. Esc cancels"""

    bl_idname = "duologue.ask"
    bl_label = "Ask about Motion"
    task = ASK

    question: StringProperty(name="Question", description="What to ask; empty: the words of the tab")

    def begin(self, context: Context) -> jobs.Job:
        """Start the job with the motion of both, or of the one that is animated."""
        abilities.check(ASK)
        scene, pair = context.scene, active_pair(context)
        question = _words(self.question or pair.conversation.words, "Ask something, such as “who leads?”.")
        cast: Sequence[Object] = checks.characters(scene, pair)
        animated = [one for one in cast if checks.is_animated(one)]
        cast = animated or cast
        checks.mapped(cast)
        first, last = checks.frames_to_read(scene, list(cast))
        outcome = AnswerOutcome(scene, pair.key, question)
        request = Request(f"“{question}”", Submit(ASK, question), outcome, Reading(scene, cast, first, last))
        return jobs.start("Ask", [request], backend_settings(context))


CLASSES = (DUOLOGUE_OT_edit, DUOLOGUE_OT_edit_with_words, DUOLOGUE_OT_ask)


def pair_meant(context: Context, *, clicked: bool) -> DUOLOGUE_PG_pair:
    """The pair of the character that was clicked, else the active one.

    Raises:
        DuologueError: ``no_character``, or what `checks.partner_of` raises.
    """
    if not clicked:
        return active_pair(context)
    character = checks.chosen_armature(context)
    checks.partner_of(context.scene, character)
    return pair_with(context.scene, character)


def edit_request(scene: Scene, cast: Sequence[Object], asked: Asked, *, again: bool = False) -> Request:
    """What is asked of the backend; ``again`` where its answer takes the place of the result that there is.

    Raises:
        DuologueError: ``before_gone`` if that result has nothing before it any more.
    """
    actions, played = _before(scene, asked, cast) if again else _now(cast)
    script = scripts.read(actions[0]) if len(set(actions)) == 1 else ""
    caption = f"{said_of(actions[0])} ({asked.prompt})".strip()
    reading = Reading(scene, cast, asked.frame_start, asked.frame_end, played)
    kind = FillingOutcome if _is_part(cast, asked) else MotionOutcome
    outcome = kind(scene, cast, caption, asked, again=again)
    submit = Submit(EDIT, asked.prompt, seed=asked.seed, samples=asked.variations, script=script)
    return Request(f"“{asked.prompt}”", submit, outcome, reading)


def said_of(action: Action | None) -> str:
    """The caption of an action in one line; empty where it has none."""
    return captions.read_action(action).partition("\n")[0] if action is not None else ""


def _words(text: str, hint: str) -> str:
    text = text.strip()
    most = min(checks.limits().prompt_characters, _WORDS_MAX)
    if not text:
        raise DuologueError("prompt_empty", "There are no words.", hint)
    if len(text) > most:
        raise DuologueError(
            "prompt_too_long", f"There are {len(text)} characters, {most} are allowed.", "Say it in fewer words."
        )
    return text


def _is_part(cast: Sequence[Object], asked: Asked) -> bool:
    """Whether the characters do more than what is changed: the preview range may be narrower."""
    ranges = [bounds for bounds in map(checks.keyed_range, cast) if bounds is not None]
    return len(ranges) == len(cast) and any(begin < asked.frame_start or end > asked.frame_end for begin, end in ranges)


def _now(cast: Sequence[Object]) -> tuple[list[Action | None], list[Played]]:
    """What the characters play: actions, and how to play them for a moment where one has another by then."""
    held: list[Any] = [one.animation_data for one in cast]
    actions = [data.action if data is not None else None for data in held]
    bound = [data for data in held if data is not None and data.action is not None and data.action_slot is not None]
    played = [(data.action.name, data.action_slot.handle) for data in bound]
    return actions, played if len(played) == len(cast) else []


def _before(scene: Scene, asked: Asked, cast: Sequence[Object]) -> tuple[list[Action | None], list[Played]]:
    """What the characters did before the result that makes room: actions, and how to play them for a moment."""
    pair = pair_of_key(scene, asked.pair)
    entries = {one.character: one for one in pair.result.before} if pair is not None else {}
    found = [entries.get(one) for one in cast]
    if any(one is None or one.action is None or one.slot == "null" for one in found):
        raise DuologueError(
            "before_gone",
            "What was changed by words is not there any more.",
            "Go back to an earlier turn of the conversation, or ask for another change.",
        )
    known: list[Any] = [one for one in found if one is not None]
    return [one.action for one in known], [(one.action.name, json.loads(one.slot)) for one in known]
