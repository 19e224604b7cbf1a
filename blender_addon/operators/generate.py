"""Generate: a prompt becomes motion on both characters."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bpy.props import StringProperty
from bpy.types import Object, Operator, Scene

from protocol.messages import GENERATE, Submit

from ..animation import place
from ..animation.place import Place
from ..characters import active_pair
from ..link import jobs
from ..link.job import Request
from ..link.outcomes import MotionOutcome
from ..preferences import backend_settings
from ..properties import AT_A, AT_CURSOR, SEED_MAX, DUOLOGUE_PG_pair
from ..results import Asked
from ..stubs import Context
from . import checks
from .watch import JobOperator

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class DUOLOGUE_OT_generate(JobOperator):
    """Let characters A and B act out the prompt, from the current frame on. Esc cancels"""

    bl_idname = "duologue.generate"
    bl_label = "Generate"

    def begin(self, context: Context) -> jobs.Job:
        """Start the job with the active pair's settings."""
        scene, settings = context.scene, active_pair(context)
        pair = checks.characters(scene, settings)
        checks.mapped(pair)
        checks.keyable(pair)
        prompt = checks.prompt(settings.prompt, needed=True)
        seconds = checks.seconds(settings.seconds)
        count = checks.variations(settings.variations)
        begin = place_for(scene, settings, pair)
        seed = next_seed(settings)
        asked = Asked(
            settings.key,
            GENERATE,
            prompt,
            seed,
            count,
            scene.frame_current,
            seconds,
            place=begin,
            guidance=settings.guidance,
        )
        job = jobs.start(self.bl_label, [request_for(scene, pair, asked)], backend_settings(context))
        remember_prompt(settings, prompt)
        return job


class DUOLOGUE_OT_cancel(Operator):
    """Stop what Duologue is doing and put everything back as it was"""

    bl_idname = "duologue.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only while something runs."""
        return jobs.running()

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Cancel the job."""
        jobs.cancel()
        return {"FINISHED"}


class DUOLOGUE_OT_use_prompt(Operator):
    """Put this prompt into the field"""

    bl_idname = "duologue.use_prompt"
    bl_label = "Use Prompt"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    prompt: StringProperty(name="Prompt")  # pyright: ignore[reportInvalidTypeForm]

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Fill the field of the active pair."""
        active_pair(context).prompt = self.prompt
        return {"FINISHED"}


CLASSES = (DUOLOGUE_OT_generate, DUOLOGUE_OT_cancel, DUOLOGUE_OT_use_prompt)
_HISTORY_MAX = 20
"""Most prompts that a pair remembers."""


def request_for(scene: Scene, pair: Sequence[Object], asked: Asked, *, again: bool = False) -> Request:
    """What is asked of the backend; ``again`` where its answer takes the place of the result that there is."""
    outcome = MotionOutcome(scene, pair, asked.prompt, asked, again=again)
    submit = Submit(GENERATE, asked.prompt, asked.seconds, asked.seed, asked.variations, guidance=asked.guidance)
    return Request(f"“{asked.prompt}”", submit, outcome)


def place_for(scene: Scene, settings: DUOLOGUE_PG_pair, pair: Sequence[Object]) -> Place:
    """Where a pair's next motion begins.

    Raises:
        DuologueError: what `animation.place` has against one of the rigs.
    """
    if settings.place == AT_CURSOR:
        return place.at_cursor(scene)
    return place.at_first(pair) if settings.place == AT_A else place.where_they_stand(pair)


def remember_prompt(settings: DUOLOGUE_PG_pair, prompt: str) -> None:
    """Put a prompt on top of those that were used before."""
    history: Any = settings.history
    known = history.find(prompt)
    if known < 0:
        history.add().name = prompt
        known = len(history) - 1
    history.move(known, 0)
    while len(history) > _HISTORY_MAX:
        history.remove(_HISTORY_MAX)


def next_seed(settings: DUOLOGUE_PG_pair) -> int:
    """A pair's seed, after drawing another one where that is wanted."""
    if settings.new_seed:
        settings.seed = another_seed()
    return settings.seed


def another_seed() -> int:
    """A seed that was hardly ever used before."""
    return random.randrange(SEED_MAX)
