"""Correct by hand what is taken for a character's T-pose: enter, apply, cancel, forget."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bpy.props import StringProperty
from bpy.types import Operator

from protocol.errors import DuologueError

from .. import calibrating
from ..animation.own_map import keep_corrections
from ..link import jobs
from ..retarget.corrections import NOTHING
from ..stubs import Context
from .rig_setup import character_called

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class DUOLOGUE_OT_calibrate(Operator):
    """Show a copy of this character in its T-pose, to be corrected where it is none. The character stays as it is"""

    bl_idname = "duologue.calibrate"
    bl_label = "Edit T-Pose"
    bl_options = {"REGISTER", "UNDO"}

    character: StringProperty(name="Character", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Not while a job writes onto the characters."""
        return context.scene is not None and not jobs.running()

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Begin."""
        return _told(self, lambda: calibrating.begin(context, character_called(context, self.character)))


class _WhileCalibrating(Operator):
    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only while a calibration is edited."""
        return context.scene is not None and bool(calibrating.calibrating(context.scene).hidden)


class DUOLOGUE_OT_calibration_apply(_WhileCalibrating):
    """Take the pose that is shown for the character's T-pose from now on"""

    bl_idname = "duologue.calibration_apply"
    bl_label = "Apply T-Pose"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """End and keep."""
        return _told(self, lambda: calibrating.end(context, keep=True))


class DUOLOGUE_OT_calibration_cancel(_WhileCalibrating):
    """Leave the T-pose as it was known before"""

    bl_idname = "duologue.calibration_cancel"
    bl_label = "Cancel"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """End and forget."""
        return _told(self, lambda: calibrating.end(context, keep=False))


class DUOLOGUE_OT_calibration_forget(Operator):
    """Drop what was corrected of this character's T-pose and go back to what is estimated"""

    bl_idname = "duologue.calibration_forget"
    bl_label = "Forget Corrections"
    bl_options = {"REGISTER", "UNDO"}

    character: StringProperty(name="Character", options={"HIDDEN"})

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Forget."""
        return _told(self, lambda: keep_corrections(character_called(context, self.character), NOTHING))


CLASSES = (
    DUOLOGUE_OT_calibrate,
    DUOLOGUE_OT_calibration_apply,
    DUOLOGUE_OT_calibration_cancel,
    DUOLOGUE_OT_calibration_forget,
)


def _told(operator: Operator, action: Callable[[], None]) -> set[OperatorReturnItems]:
    """Do something, or report in words why it cannot be done."""
    try:
        action()
    except DuologueError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}
