"""Describe: what the characters do becomes words."""

from __future__ import annotations

from collections.abc import Sequence

from bpy.props import BoolProperty
from bpy.types import Object

from protocol.errors import DuologueError
from protocol.messages import DESCRIBE, Submit

from ..animation.capture import Reading
from ..characters import pair_with, pairs_of
from ..link import jobs
from ..link.caption import CaptionOutcome
from ..link.job import Request
from ..preferences import backend_settings, preferences_of
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
        pair = pair_with(scene, chosen)
        cast = pair.characters()
        together = not self.alone and chosen in cast and all(checks.is_animated(one) for one in cast)
        described = checks.characters(scene, pair) if together else (chosen,)
        return jobs.start("Describe", [_request(context, described)], backend_settings(context))


class DUOLOGUE_OT_describe_all(JobOperator):
    """Say in words what every animated character of this scene does, each alone, and each pair together"""

    bl_idname = "duologue.describe_all"
    bl_label = "Describe All Characters"

    def begin(self, context: Context) -> jobs.Job:
        """Start the job; characters that cannot be described are passed over and named at the end."""
        scene = context.scene
        animated = [one for one in scene.objects if one.type == "ARMATURE" and checks.is_animated(one)]
        animated.sort(key=lambda one: one.name)
        casts: list[tuple[Object, ...]] = [(one,) for one in animated]
        for pair in pairs_of(scene).pairs:
            first, second = pair.characters()
            if first != second and {first, second} <= set(animated):
                casts.append((first, second))
        if not casts:
            raise DuologueError(
                "no_animation",
                "No character of this scene has animation.",
                "Animate one, or let Generate do so, and try again.",
            )
        requests = []
        for cast in casts:
            try:
                requests.append(_request(context, cast))
            except DuologueError as error:
                requests.append(_refused(context, cast, error))
        return jobs.start("Describe All", requests, backend_settings(context))


CLASSES = (DUOLOGUE_OT_describe, DUOLOGUE_OT_describe_all)


def _request(context: Context, cast: Sequence[Object]) -> Request:
    scene = context.scene
    checks.mapped(cast)
    first, last = checks.frames_to_read(scene, list(cast))
    outcome = CaptionOutcome(cast, scene, first if preferences_of(context).caption_markers else None)
    return Request(_names(cast), Submit(task=DESCRIBE), outcome, Reading(scene, cast, first, last))


def _refused(context: Context, cast: Sequence[Object], error: DuologueError) -> Request:
    return Request(_names(cast), Submit(task=DESCRIBE), CaptionOutcome(cast, context.scene, None), refused=error)


def _names(cast: Sequence[Object]) -> str:
    return " and ".join(f"“{one.name}”" for one in cast)
