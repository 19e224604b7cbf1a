"""Generate: a prompt becomes motion on both characters."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from bpy.types import Operator

from protocol.messages import GENERATE, Submit

from ..link import jobs
from ..link.job import Request
from ..link.outcomes import MotionOutcome
from ..preferences import backend_settings
from ..properties import pair_of
from ..stubs import Context
from . import checks
from .watch import JobOperator

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

SEED_LIMIT = 2**31


class DUOLOGUE_OT_generate(JobOperator):
    """Let characters A and B act out the prompt, from the current frame on. Esc cancels"""

    bl_idname = "duologue.generate"
    bl_label = "Generate"

    def begin(self, context: Context) -> jobs.Job:
        """Start the job with the scene's settings."""
        settings = pair_of(context.scene)
        pair = checks.characters(context.scene)
        checks.mapped(pair)
        prompt = checks.prompt(settings.prompt, needed=True)
        seconds = checks.seconds(settings.seconds)
        outcome = MotionOutcome(context.scene, pair, context.scene.frame_current, prompt)
        submit = Submit(task=GENERATE, prompt=prompt, seconds=seconds, seed=next_seed(context))
        request = Request(f"“{prompt}”", submit, outcome)
        return jobs.start(self.bl_label, [request], backend_settings(context))


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


def next_seed(context: Context) -> int:
    """The scene's seed, after drawing another one where that is wanted."""
    settings = pair_of(context.scene)
    if settings.new_seed:
        settings.seed = random.randrange(SEED_LIMIT)
    return settings.seed
