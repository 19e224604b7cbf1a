"""Leave few keys where Duologue, or anything else, has keyed every frame."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpy.props import FloatProperty
from bpy.types import Event, Operator

from protocol.errors import DuologueError

from ..animation.reduction import Bounds, reduce_keys
from ..link import jobs
from ..stubs import Context
from .onpair import check_local, playing_cast

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class DUOLOGUE_OT_reduce_keys(Operator):
    """Leave only the keys that are needed in what both characters of the pair play, with smooth curves between them"""

    bl_idname = "duologue.reduce_keys"
    bl_label = "Reduce Keys…"
    bl_options = {"REGISTER", "UNDO"}

    degrees: FloatProperty(
        name="Degrees",
        description="How far the rotation of a bone may be from what it was, at any frame",
        default=1.0,
        min=0.01,
        soft_max=10.0,
        max=90.0,
    )
    centimetres: FloatProperty(
        name="Centimetres",
        description=(
            "How far hips, roots and IK controls may be from where they were, at any frame; "
            "what holds a standing foot a twelfth of that"
        ),
        default=0.5,
        min=0.01,
        soft_max=10.0,
        max=100.0,
    )

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Not while a job writes onto the characters."""
        return not jobs.running()

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask for the bounds."""
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Reduce the keys of every character of the pair that plays an action."""
        try:
            cast: list[Any] = playing_cast(context)
            for one in cast:
                check_local(one.animation_data.action)
        except DuologueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        bounds = Bounds(self.degrees, self.centimetres / 100)
        played = [(one, one.animation_data.action, one.animation_data.action_slot) for one in cast]
        found = [reduce_keys(context.scene, one, action, slot, bounds) for one, action, slot in played]
        before, after = sum(one.before for one in found), sum(one.after for one in found)
        names = " and ".join(one.name for one in cast)
        self.report({"INFO"}, f"{names}: {before:,} keys before, {after:,} now.")
        return {"FINISHED"}


CLASSES = (DUOLOGUE_OT_reduce_keys,)
