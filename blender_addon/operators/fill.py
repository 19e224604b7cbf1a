"""Continue the pair's motion, and make some frames of it anew with the rest kept."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from collections.abc import Sequence

from bpy.props import BoolProperty
from bpy.types import Object, Scene

from protocol.messages import COMPLETE, Submit

from ..animation.capture import Reading
from ..characters import active_pair, work_on
from ..link import jobs
from ..link.filling import FillingOutcome
from ..link.job import Request
from ..preferences import backend_settings
from ..results import Asked
from ..stubs import Context
from . import abilities, checks, stretch
from .converse import pair_meant, said_of
from .generate import next_seed
from .watch import JobOperator


class DUOLOGUE_OT_continue(abilities.Offered, JobOperator):
    """Let both characters go on from where their motion ends, for the seconds of the Duologue tab. Esc cancels"""

    bl_idname = "duologue.continue"
    bl_label = "Continue Motion"
    task = COMPLETE

    clicked: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    def begin(self, context: Context) -> jobs.Job:
        """Start the job with how the motion of both ends."""
        abilities.check(COMPLETE)
        scene, pair = context.scene, pair_meant(context, clicked=self.clicked)
        cast = _cast(scene, checks.characters(scene, pair))
        prompt = "" if self.clicked else checks.prompt(pair.conversation.words, needed=False)
        seconds = checks.seconds(pair.seconds)
        first = stretch.keyed(cast)[1] + 1
        last = first + max(1, round(seconds * scene.render.fps / scene.render.fps_base)) - 1
        count = checks.variations(pair.variations)
        asked = Asked(pair.key, COMPLETE, prompt, next_seed(pair), count, first, seconds, last)
        job = jobs.start("Continue", [request_for(scene, cast, asked)], backend_settings(context))
        work_on(scene, pair)
        return job


class DUOLOGUE_OT_regenerate(abilities.Offered, JobOperator):
    """Make the frames of the preview range, or of the selected keys, anew for both characters and keep all others"""

    bl_idname = "duologue.regenerate"
    bl_label = "Regenerate Frame Range"
    task = COMPLETE

    def begin(self, context: Context) -> jobs.Job:
        """Start the job with the motion of both around those frames."""
        abilities.check(COMPLETE)
        scene, pair = context.scene, active_pair(context)
        cast = _cast(scene, checks.characters(scene, pair))
        prompt = checks.prompt(pair.conversation.words, needed=False)
        stretch.keyed(cast)
        first, last = stretch.chosen(scene, cast)
        count = checks.variations(pair.variations)
        asked = Asked(pair.key, COMPLETE, prompt, next_seed(pair), count, first, frame_end=last)
        return jobs.start("Regenerate", [request_for(scene, cast, asked)], backend_settings(context))


CLASSES = (DUOLOGUE_OT_continue, DUOLOGUE_OT_regenerate)


def request_for(scene: Scene, cast: Sequence[Object], asked: Asked, *, again: bool = False) -> Request:
    """What is asked of the backend; ``again`` where its answer takes the place of the result that there is.

    Raises:
        DuologueError: what `stretch.stretch_of` raises.
    """
    made = stretch.stretch_of(scene, cast, asked.frame_start, asked.frame_end)
    data = cast[0].animation_data
    earlier = said_of(data.action if data is not None else None)
    caption = "; ".join(text for text in (earlier, "" if again else asked.prompt) if text)
    reading = Reading(scene, cast, made.read_from, made.read_to)
    outcome = FillingOutcome(scene, cast, caption, asked, again=again)
    submit = Submit(COMPLETE, asked.prompt, seed=asked.seed, samples=asked.variations, gap=list(made.gap))
    return Request(f"frames {asked.frame_start} to {asked.frame_end}", submit, outcome, reading)


def _cast(scene: Scene, cast: Sequence[Object]) -> Sequence[Object]:
    checks.mapped(cast)
    checks.keyable(cast)
    return cast
