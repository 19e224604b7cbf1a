"""The list of pairs: add one, remove one, and look into what a rig lacks."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.props import EnumProperty
from bpy.types import Operator

from .. import conversation, results
from ..characters import active_pair, add_pair, pairs_of
from ..link import jobs
from ..stubs import Context

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class DUOLOGUE_OT_add_pair(Operator):
    """Add a pair of characters with settings, results and a conversation of its own"""

    bl_idname = "duologue.add_pair"
    bl_label = "Add Pair"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Add it and make it the active one."""
        add_pair(context.scene)
        return {"FINISHED"}


class DUOLOGUE_OT_remove_pair(Operator):
    """Remove this pair from the list, and keep its characters with what they do"""

    bl_idname = "duologue.remove_pair"
    bl_label = "Remove Pair"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only where another one is left, and while no job needs it."""
        return context.scene is not None and len(pairs_of(context.scene).pairs) > 1 and not jobs.running()

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Accept what it still had to decide on, then remove it."""
        held = pairs_of(context.scene)
        removed = active_pair(context)
        results.accept(removed.result)
        conversation.leave(removed.conversation)
        number = next(number for number, one in enumerate(held.pairs) if one.key == removed.key)
        held.pairs.remove(number)
        held.active = min(number, len(held.pairs) - 1)
        return {"FINISHED"}


class DUOLOGUE_OT_map_bones(Operator):
    """Show which bone plays which joint of this character, to fill in those that are missing"""

    bl_idname = "duologue.map_bones"
    bl_label = "Map Bones…"

    person: EnumProperty(items=(("a", "A", ""), ("b", "B", "")), options={"HIDDEN"})

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Unfold the rows of the mapping."""
        setattr(active_pair(context), f"show_bones_{self.person}", True)
        return {"FINISHED"}


CLASSES = (DUOLOGUE_OT_add_pair, DUOLOGUE_OT_remove_pair, DUOLOGUE_OT_map_bones)
