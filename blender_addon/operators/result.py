"""Accept, Reject and Re-roll: what becomes of a result that was just made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpy.types import Object, Operator, Scene

from protocol.errors import DuologueError
from protocol.messages import COMPLETE, EDIT, GENERATE, REACT, STORY

from .. import markers, results
from ..characters import active_pair, has_pair
from ..link import jobs
from ..preferences import backend_settings, preferences_of
from ..results import Asked
from ..stubs import Context
from . import checks, converse, fill, generate, react, story
from .watch import JobOperator

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class _OnResult:
    """Poll of the operators on a result."""

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only while there is one, and no other is being made of it."""
        return has_pair(context) and results.is_pending(active_pair(context).result) and not jobs.running()


class DUOLOGUE_OT_accept(_OnResult, Operator):
    """Keep the variation that is shown and remove the others; what was there before stays in the file"""

    bl_idname = "duologue.accept"
    bl_label = "Accept Result"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Accept; where captions get timeline markers, so does this motion."""
        result: Any = active_pair(context).result
        if preferences_of(context).caption_markers and result.prompt:
            names = " and ".join(one.character.name for one in result.before if one.character is not None)
            markers.mark(context.scene, result.frame_start, names, result.prompt)
        results.accept(result)
        return {"FINISHED"}


class DUOLOGUE_OT_reject(_OnResult, Operator):
    """Remove the result and bring back exactly what was there before"""

    bl_idname = "duologue.reject"
    bl_label = "Reject Result"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Reject."""
        left = results.reject(active_pair(context).result)
        if left:
            names = " and ".join(f"“{name}”" for name in left)
            self.report({"WARNING"}, f"{names} was given other animation since; it was left as it is.")
        return {"FINISHED"}


class DUOLOGUE_OT_reroll(_OnResult, JobOperator):
    """Make another result for the same request with a new seed, in the place of this one. Esc brings this one back"""

    bl_idname = "duologue.reroll"
    bl_label = "Re-roll Result"

    def begin(self, context: Context) -> jobs.Job:
        """Start the job with what the result was asked for."""
        scene = context.scene
        settings = active_pair(context)
        found = settings.result
        cast = [_still_there(one.character, scene) for one in found.before]
        checks.mapped(cast)
        checks.keyable(cast)
        count = checks.variations(settings.variations)
        seed = generate.another_seed()
        if settings.new_seed:
            settings.seed = seed
        actor = _still_there(found.actor, scene) if found.task == REACT else None
        asked = Asked(
            settings.key,
            found.task,
            found.prompt,
            seed,
            count,
            found.frame_start,
            found.seconds,
            found.frame_end,
            actor.name if actor is not None else "",
            results.place_of(found),
            found.guidance,
        )
        if actor is not None:
            request = react.request_for(scene, actor, cast[0], asked, again=True)
        else:
            request = _REQUESTS[found.task](scene, cast, asked, again=True)
        return jobs.start("Re-roll", [request], backend_settings(context))


CLASSES = (DUOLOGUE_OT_accept, DUOLOGUE_OT_reject, DUOLOGUE_OT_reroll)

_REQUESTS = {
    GENERATE: generate.request_for,
    EDIT: converse.edit_request,
    STORY: story.request_for,
    COMPLETE: fill.request_for,
}
"""How each task that moves both characters is asked once more."""


def _still_there(character: Object | None, scene: Scene) -> Object:
    if character is None or character.name not in scene.objects:
        raise DuologueError(
            "character_gone",
            "A character of this result is not in this scene any more.",
            "Accept or reject the result, then generate with the characters that are there.",
        )
    return character
