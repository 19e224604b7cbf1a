"""Go back to an earlier turn of the conversation, or take one out of it."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.props import IntProperty
from bpy.types import Operator

from .. import conversation, results
from ..characters import active_pair, has_pair
from ..link import jobs
from ..stubs import Context

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class _OnTurn:
    bl_options = {"REGISTER", "UNDO"}

    number: IntProperty(min=0, options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Not while a job writes onto the characters."""
        return has_pair(context) and not jobs.running()


class DUOLOGUE_OT_turn_use(_OnTurn, Operator):
    """Let the characters play what they played at this turn; a result that was not accepted yet is"""

    bl_idname = "duologue.turn_use"
    bl_label = "Go Back to Turn"

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Play it."""
        pair = active_pair(context)
        turns = pair.conversation.turns
        if self.number >= len(turns) or turns[self.number].pending:
            return {"CANCELLED"}
        results.accept(pair.result)
        pair.conversation.active = self.number
        gone = conversation.play(turns[self.number])
        if gone:
            names = " and ".join(f"“{name}”" for name in gone)
            self.report({"WARNING"}, f"What {names} played at that turn is not there any more.")
        return {"FINISHED"}


class DUOLOGUE_OT_turn_remove(_OnTurn, Operator):
    """Take this turn out of the conversation; its motion goes too, unless something else uses it"""

    bl_idname = "duologue.turn_remove"
    bl_label = "Remove Turn"

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Remove it."""
        pair = active_pair(context)
        if self.number >= len(pair.conversation.turns) or pair.conversation.turns[self.number].pending:
            self.report({"ERROR"}, "The latest result must be accepted or rejected first.")
            return {"CANCELLED"}
        conversation.remove(pair.conversation, self.number)
        return {"FINISHED"}


CLASSES = (DUOLOGUE_OT_turn_use, DUOLOGUE_OT_turn_remove)
