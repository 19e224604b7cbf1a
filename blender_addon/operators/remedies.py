"""What an error's button does where no other operator would: each puts right what stood in the way of a job."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import bpy
from bpy.types import Operator

from ..animation.rig import bone_map_of
from ..characters import active_pair, mapping_of
from ..link import jobs
from ..preferences import backend_settings
from ..properties import VARIATIONS_MAX
from ..stubs import ArmatureObject, Context
from . import checks

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

_EXAMPLE = "two people shake hands"


class DUOLOGUE_OT_correct_settings(Operator):
    """Bring prompt, seconds and variations to what the backend accepts"""

    bl_idname = "duologue.correct_settings"
    bl_label = "Correct Settings"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Shorten, round, and put an example where there is no prompt."""
        pair, limits = active_pair(context), checks.limits()
        pair.prompt = shortened(pair.prompt.strip() or _EXAMPLE, limits.prompt_characters)
        pair.seconds = min(max(pair.seconds, limits.seconds_min), limits.seconds_max)
        pair.variations = min(pair.variations, limits.samples_max, VARIATIONS_MAX)
        jobs.forgive()
        return {"FINISHED"}


class DUOLOGUE_OT_free_characters(Operator):
    """Leave edit mode and the rest position, and unhide and unlock the bones of both characters"""

    bl_idname = "duologue.free_characters"
    bl_label = "Make Characters Movable"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Do so for each that is there and may be changed."""
        if context.mode.startswith("EDIT"):
            bpy.ops.object.mode_set(mode="OBJECT")
        for character in active_pair(context).characters():
            if character is not None:
                _free(character)
        jobs.forgive()
        return {"FINISHED"}


class DUOLOGUE_OT_forget_connection(Operator):
    """Delete the connection file that leads nowhere, and start the backend anew"""

    bl_idname = "duologue.forget_connection"
    bl_label = "Delete Connection File"

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Delete the file, then connect."""
        settings = backend_settings(context)
        jobs.disconnect()
        try:
            settings.connection_file.unlink(missing_ok=True)
        except OSError as error:
            self.report(
                {"ERROR"}, f"{settings.connection_file} cannot be deleted: {error.strerror}. Delete it by hand."
            )
            return {"CANCELLED"}
        jobs.connect(replace(settings, auto_start=True))
        return {"FINISHED"}


CLASSES = (DUOLOGUE_OT_correct_settings, DUOLOGUE_OT_free_characters, DUOLOGUE_OT_forget_connection)


def shortened(text: str, most: int) -> str:
    """As many whole words of a text as fit into ``most`` characters, or as many characters if it has no words."""
    if len(text) <= most:
        return text
    kept = text[: most + 1].rpartition(" ")[0].rstrip()
    return kept or text[:most]


def _free(character: ArmatureObject) -> None:
    if character.library is not None:
        return
    if character.data.library is None:
        character.data.pose_position = "POSE"
    character.hide_set(False)
    character.hide_viewport = False
    if mapping_of(character).error is None:
        _unlock(character)


def _unlock(character: ArmatureObject) -> None:
    for names in bone_map_of(character).bones.values():
        for name in names:
            bone = character.pose.bones[name]
            bone.lock_rotation, bone.lock_rotation_w, bone.lock_location = (False,) * 3, False, (False,) * 3
