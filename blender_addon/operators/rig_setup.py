"""Say who A and B are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.types import Operator

from ..properties import pair_of
from ..stubs import Context
from . import checks

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class DUOLOGUE_OT_use_selected(Operator):
    """Take the two selected characters as A and B; A is the active one"""

    bl_idname = "duologue.use_selected"
    bl_label = "Use Selected"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Fill A and B from the selection."""
        objects = [context.view_layer.objects.active, *context.selected_objects]
        found = [checks.armature_of(candidate) for candidate in objects if candidate is not None]
        armatures = list(dict.fromkeys(armature for armature in found if armature is not None))
        if len(armatures) != 2:
            self.report({"ERROR"}, f"{len(armatures)} characters are selected. Select two armatures and try again.")
            return {"CANCELLED"}
        settings = pair_of(context.scene)
        settings.character_a, settings.character_b = armatures
        return {"FINISHED"}


class DUOLOGUE_OT_swap(Operator):
    """Let character A and character B change parts"""

    bl_idname = "duologue.swap"
    bl_label = "Swap A and B"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Exchange the two."""
        settings = pair_of(context.scene)
        settings.character_a, settings.character_b = settings.character_b, settings.character_a
        return {"FINISHED"}


CLASSES = (DUOLOGUE_OT_use_selected, DUOLOGUE_OT_swap)
