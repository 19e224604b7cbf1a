"""React: one character's motion becomes its partner's answer."""

from __future__ import annotations

from bpy.props import BoolProperty

from protocol.messages import REACT, Submit

from ..animation.capture import Reading
from ..link import jobs
from ..link.job import Request
from ..link.outcomes import MotionOutcome
from ..preferences import backend_settings
from ..properties import pair_of
from ..stubs import Context
from . import checks
from .generate import next_seed
from .watch import JobOperator


class DUOLOGUE_OT_react(JobOperator):
    """Let the partner of this character, the other one in the Duologue tab, react to what it does"""

    bl_idname = "duologue.react"
    bl_label = "React to This Character"

    use_prompt: BoolProperty(  # pyright: ignore[reportInvalidTypeForm]
        name="Follow the Prompt",
        description="Let the prompt of the Duologue tab say what the partner does; else it is free",
        default=False,
    )

    def begin(self, context: Context) -> jobs.Job:
        """Start the job with the clicked character's motion."""
        scene = context.scene
        actor = checks.chosen_armature(context)
        partner = checks.partner_of(scene, actor)
        checks.mapped((actor, partner))
        first, last = checks.frames_to_read(scene, [actor])
        prompt = checks.prompt(pair_of(scene).prompt, needed=True) if self.use_prompt else ""
        reading = Reading(scene, [actor], first, last)
        outcome = MotionOutcome(scene, (partner,), first, prompt or f"reacts to {actor.name}", beside=reading)
        submit = Submit(task=REACT, prompt=prompt, seed=next_seed(context))
        request = Request(f"“{actor.name}”", submit, outcome, reading)
        return jobs.start("React", [request], backend_settings(context))


CLASSES = (DUOLOGUE_OT_react,)
