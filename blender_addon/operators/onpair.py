"""What the operators on finished motion share: whose motion is meant, when they can run, how they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpy.types import Action, Object, Operator

from protocol.errors import DuologueError

from ..characters import active_pair, pair_with
from ..link import jobs
from ..stubs import Context
from . import checks

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class CastOperator(Operator):
    """An operator on what the characters of a pair play."""

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Not while a job writes onto the characters."""
        return context.scene is not None and not jobs.running()

    def act(self, context: Context, cast: list[Any]) -> str:
        """Do it, and say in a sentence what was done.

        Raises:
            DuologueError: what stands in the way; nothing was changed then.
        """
        raise NotImplementedError

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Do it and report."""
        try:
            done = self.act(context, playing_cast(context))
        except DuologueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, done)
        return {"FINISHED"}


def playing_cast(context: Context) -> list[Any]:
    """Those of the active character's pair that play an action; itself where it is of none.

    Raises:
        DuologueError: ``no_animation`` if nobody does.
    """
    chosen = checks.armature_of(context.object)
    found = active_pair(context) if chosen is None else pair_with(context.scene, chosen)
    pair = [one for one in found.characters() if one is not None]
    cast = pair if chosen is None or chosen in pair else [chosen]
    playing = [one for one in cast if _plays(one) and one.name in context.scene.objects]
    if not playing:
        raise DuologueError(
            "no_animation",
            "Neither character plays an action." if len(cast) != 1 else f"“{cast[0].name}” plays no action.",
            "Generate or animate something first.",
        )
    return playing


def check_local(action: Action) -> None:
    """See that an action can be changed in this file.

    Raises:
        DuologueError: ``action_linked``.
    """
    if action.library is not None:
        raise DuologueError(
            "action_linked",
            f"The Action “{action.name}” is linked from another file and cannot be changed here.",
            "Change it in its own file, or make it local (Object > Relations > Make Local) first.",
        )


def _plays(character: Object) -> bool:
    data = character.animation_data
    return data is not None and data.action is not None and data.action_slot is not None
