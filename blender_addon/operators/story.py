"""Tell a story: scenes that both characters play one after the other."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bpy.props import IntProperty
from bpy.types import Object, Operator, Scene

from protocol.errors import DuologueError
from protocol.messages import STORY, Submit

from .. import conversation
from ..animation.capture import Reading
from ..characters import active_pair, has_pair
from ..link import jobs
from ..link.filling import FillingOutcome
from ..link.job import Request
from ..link.outcomes import MotionOutcome
from ..preferences import backend_settings
from ..results import Asked
from ..stubs import Context
from . import abilities, checks, stretch
from .converse import said_of
from .generate import next_seed
from .watch import JobOperator

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

_BETWEEN = "\n"
"""Between the scenes where a story is kept as one text."""
_SHOWN_BETWEEN = ", then "


class DUOLOGUE_OT_story(abilities.Offered, JobOperator):
    """Let both characters play the scenes of the story one after the other. Esc cancels"""

    bl_idname = "duologue.story"
    bl_label = "Tell Story"
    task = STORY

    def begin(self, context: Context) -> jobs.Job:
        """Start the job with the scenes of the active pair."""
        abilities.check(STORY)
        scene, pair = context.scene, active_pair(context)
        cast = checks.characters(scene, pair)
        checks.mapped(cast)
        checks.keyable(cast)
        told = pair.conversation
        scenes = [checks.prompt(text, needed=True) for text in conversation.prompts(told)]
        if not scenes:
            raise DuologueError("story_empty", "The story has no scene.", "Add a scene and say what happens in it.")
        first = stretch.ending(scene, cast)[2] if told.goes_on else scene.frame_current
        rate = scene.render.fps / scene.render.fps_base
        end = scene.frame_preview_end if scene.use_preview_range else scene.frame_end
        seconds = _seconds((end - first + 1) / rate if told.fill else told.story_seconds, len(scenes))
        last = first + round(seconds * rate) - 1 if told.goes_on else first
        count = checks.variations(pair.variations)
        prompt = _BETWEEN.join(scenes)
        asked = Asked(pair.key, STORY, prompt, next_seed(pair), count, first, seconds, last)
        return jobs.start("Story", [request_for(scene, cast, asked)], backend_settings(context))


class DUOLOGUE_OT_scene_add(Operator):
    """Add a scene to the story"""

    bl_idname = "duologue.scene_add"
    bl_label = "Add Scene"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Up to as many as one story may have."""
        return has_pair(context) and conversation.can_add_scene(active_pair(context).conversation)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Add an empty one at the end."""
        active_pair(context).conversation.scenes.add()
        return {"FINISHED"}


class DUOLOGUE_OT_scene_remove(Operator):
    """Take this scene out of the story"""

    bl_idname = "duologue.scene_remove"
    bl_label = "Remove Scene"
    bl_options = {"REGISTER", "UNDO"}

    number: IntProperty(min=0, options={"HIDDEN"})

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Remove it."""
        active_pair(context).conversation.scenes.remove(self.number)
        return {"FINISHED"}


CLASSES = (DUOLOGUE_OT_story, DUOLOGUE_OT_scene_add, DUOLOGUE_OT_scene_remove)


def request_for(scene: Scene, cast: Sequence[Object], asked: Asked, *, again: bool = False) -> Request:
    """What is asked of the backend; ``again`` where its answer takes the place of the result that there is."""
    scenes = asked.prompt.split(_BETWEEN)
    caption = _SHOWN_BETWEEN.join(scenes)
    submit = Submit(STORY, seconds=asked.seconds, seed=asked.seed, samples=asked.variations, prompts=scenes)
    if asked.frame_end <= asked.frame_start:
        return Request(f"“{caption}”", submit, MotionOutcome(scene, cast, caption, asked, again=again))
    data = cast[0].animation_data
    earlier = said_of(data.action if data is not None else None)
    caption = earlier if again else "; ".join(text for text in (earlier, caption) if text)
    read_from, read_to, _ = stretch.ending(scene, cast, asked.frame_start)
    reading = Reading(scene, cast, read_from, read_to)
    return Request(f"“{caption}”", submit, FillingOutcome(scene, cast, caption, asked, again=again), reading)


def _seconds(value: float, scenes: int) -> float:
    limits = checks.limits()
    least, most = scenes * limits.seconds_min, scenes * limits.seconds_max
    if not least <= value <= most:
        raise DuologueError(
            "seconds_out_of_range",
            f"{value:.1f} seconds do not suit a story of {scenes} scene{'s' * (scenes != 1)}.",
            f"Choose {least:g} to {most:g} seconds, or write more or fewer scenes.",
        )
    return value
