"""Describe: what the characters do becomes words."""

from __future__ import annotations

from bpy.props import BoolProperty

from protocol.messages import DESCRIBE, Submit

from ..animation.capture import Reading
from ..link import jobs
from ..link.job import Request
from ..link.outcomes import CaptionOutcome
from ..preferences import backend_settings
from ..properties import pair_of
from ..stubs import Context
from . import checks
from .watch import JobOperator


class DUOLOGUE_OT_describe(JobOperator):
    """Say in words what this character does; together with its partner, if both of the pair are animated"""

    bl_idname = "duologue.describe"
    bl_label = "Describe Motion"

    alone: BoolProperty(  # pyright: ignore[reportInvalidTypeForm]
        name="Alone",
        description="Describe the clicked character without its partner",
        default=False,
    )

    def begin(self, context: Context) -> jobs.Job:
        """Start the job with the motion of the clicked character or of the pair."""
        scene = context.scene
        chosen = checks.chosen_armature(context)
        pair = pair_of(scene).characters()
        together = not self.alone and chosen in pair and all(checks.is_animated(one) for one in pair)
        described = checks.characters(scene) if together else (chosen,)
        checks.mapped(described)
        first, last = checks.frames_to_read(scene, list(described))
        reading = Reading(scene, described, first, last)
        names = " and ".join(f"“{one.name}”" for one in described)
        request = Request(names, Submit(task=DESCRIBE), CaptionOutcome(described), reading)
        return jobs.start("Describe", [request], backend_settings(context))


CLASSES = (DUOLOGUE_OT_describe,)
