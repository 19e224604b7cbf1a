"""React: one character's motion becomes its partner's answer."""

from __future__ import annotations

from bpy.props import BoolProperty
from bpy.types import Object, Scene

from protocol.messages import REACT, Submit

from ..animation.capture import Reading
from ..animation.rig import calibrated
from ..characters import pair_with, work_on
from ..link import jobs
from ..link.job import Request
from ..link.outcomes import MotionOutcome
from ..preferences import backend_settings
from ..results import Asked
from ..retarget.body import size
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
        settings = pair_with(scene, actor)
        partner = checks.partner_of(scene, actor)
        checks.mapped((actor, partner))
        checks.keyable((partner,))
        first, last = checks.frames_to_read(scene, [actor])
        prompt = checks.prompt(settings.prompt, needed=True) if self.use_prompt else ""
        count = checks.variations(settings.variations)
        asked = Asked(settings.key, REACT, prompt, next_seed(settings), count, first, frame_end=last, actor=actor.name)
        job = jobs.start("React", [request_for(scene, actor, partner, asked)], backend_settings(context))
        work_on(scene, settings)
        return job


CLASSES = (DUOLOGUE_OT_react,)


def request_for(scene: Scene, actor: Object, partner: Object, asked: Asked, *, again: bool = False) -> Request:
    """What is asked of the backend; ``again`` where its answer takes the place of the result that there is."""
    reading = Reading(scene, [actor], asked.frame_start, asked.frame_end)
    caption = asked.prompt or f"reacts to {actor.name}"
    outcome = MotionOutcome(scene, (partner,), caption, asked, beside=reading, again=again)
    scale = float(size(calibrated(partner).offsets))
    submit = Submit(REACT, asked.prompt, seed=asked.seed, samples=asked.variations, scale=scale)
    return Request(f"“{actor.name}”", submit, outcome, reading)
