"""Generate: a prompt becomes motion on both characters."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bpy.types import Object, Operator, Scene

from protocol.messages import GENERATE, Submit

from ..characters import active_pair
from ..link import jobs
from ..link.job import Request
from ..link.outcomes import MotionOutcome
from ..preferences import backend_settings
from ..properties import SEED_MAX, DUOLOGUE_PG_pair
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
        asked = Asked(settings.key, GENERATE, prompt, next_seed(settings), count, scene.frame_current, seconds)
        return jobs.start(self.bl_label, [request_for(scene, pair, asked)], backend_settings(context))


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


CLASSES = (DUOLOGUE_OT_generate, DUOLOGUE_OT_cancel)


def request_for(scene: Scene, pair: Sequence[Object], asked: Asked, *, again: bool = False) -> Request:
    """What is asked of the backend; ``again`` where its answer takes the place of the result that there is."""
    outcome = MotionOutcome(scene, pair, asked.prompt, asked, again=again)
    submit = Submit(GENERATE, asked.prompt, asked.seconds, asked.seed, asked.variations)
    return Request(f"“{asked.prompt}”", submit, outcome)


def next_seed(settings: DUOLOGUE_PG_pair) -> int:
    """A pair's seed, after drawing another one where that is wanted."""
    if settings.new_seed:
        settings.seed = another_seed()
    return settings.seed


def another_seed() -> int:
    """A seed that was hardly ever used before."""
    return random.randrange(SEED_MAX)
