"""Say who A and B are, and how an unknown rig is built."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import StringProperty
from bpy.types import Event, Object, Operator

from protocol.errors import DuologueError

from ..animation.own_map import corrections_of, keep_corrections, keep_map
from ..animation.rig import read_rig
from ..characters import active_pair, detect_again, mapping_of
from ..retarget import corrections, mapping
from ..stubs import Context
from . import checks

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class DUOLOGUE_OT_use_selected(Operator):
    """Take the two selected characters as A and B, the active one as A; or the only two that there are"""

    bl_idname = "duologue.use_selected"
    bl_label = "Use Selected"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Fill A and B from the selection."""
        objects = [context.view_layer.objects.active, *context.selected_objects]
        found = [checks.armature_of(candidate) for candidate in objects if candidate is not None]
        armatures = list(dict.fromkeys(armature for armature in found if armature is not None))
        if len(armatures) < 2:
            # There may be no choice: two in sight are meant, whatever is selected.
            armatures += [one for one in context.visible_objects if one.type == "ARMATURE" and one not in armatures]
        if len(armatures) != 2:
            self.report({"ERROR"}, f"There are {len(armatures)} characters to choose from. Select two and try again.")
            return {"CANCELLED"}
        settings = active_pair(context)
        settings.character_a, settings.character_b = armatures
        return {"FINISHED"}


class DUOLOGUE_OT_swap(Operator):
    """Let character A and character B change parts"""

    bl_idname = "duologue.swap"
    bl_label = "Swap A and B"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Exchange the two."""
        settings = active_pair(context)
        settings.character_a, settings.character_b = settings.character_b, settings.character_a
        return {"FINISHED"}


class DUOLOGUE_OT_load_bone_map(Operator):
    """Read a JSON file that names the bones of this rig, with its T-pose if that was corrected; kept in the .blend"""

    bl_idname = "duologue.load_bone_map"
    bl_label = "Load Bone Map…"
    bl_options = {"REGISTER", "UNDO"}

    character: StringProperty(name="Character", options={"HIDDEN"})
    filepath: StringProperty(name="Bone Map", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Let the file be chosen."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Take the map if it fits the rig."""
        try:
            character = character_called(context, self.character)
            text = Path(self.filepath).read_text(encoding="utf-8")
            rig = read_rig(character)
            mapping.match(mapping.parse(text), rig.bones, rig.name)
            corrected = corrections.of_preset(text)
        except DuologueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        except (OSError, UnicodeDecodeError) as error:
            self.report({"ERROR"}, f"The bone map cannot be read: {error}. Choose another file.")
            return {"CANCELLED"}
        keep_map(character, text)
        keep_corrections(character, corrected)
        return {"FINISHED"}


class DUOLOGUE_OT_save_bone_map(Operator):
    """Write this rig's bone map, and its T-pose if that was corrected, to a JSON file, for other files and people"""

    bl_idname = "duologue.save_bone_map"
    bl_label = "Save Bone Map…"
    bl_options = {"REGISTER"}

    character: StringProperty(name="Character", options={"HIDDEN"})
    filepath: StringProperty(name="Bone Map", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Let a place for the file be chosen."""
        self.filepath = f"{bpy.path.clean_name(self.character)} bones.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Write the map, unless bones are still missing."""
        try:
            character = character_called(context, self.character)
            found = mapping_of(character)
            if found.error is not None:
                raise found.error
            text = corrections.with_preset(mapping.to_json(found.bone_map), corrections_of(character))
            path = Path(self.filepath if self.filepath.endswith(".json") else f"{self.filepath}.json")
            path.write_text(text, encoding="utf-8")
        except DuologueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        except OSError as error:
            self.report({"ERROR"}, f"The bone map cannot be written: {error}. Choose another place.")
            return {"CANCELLED"}
        return {"FINISHED"}


class DUOLOGUE_OT_detect_bones(Operator):
    """Find this rig's bones by their names and by how they hang together; what was loaded or corrected is dropped"""

    bl_idname = "duologue.detect_bones"
    bl_label = "Detect"
    bl_options = {"REGISTER", "UNDO"}

    character: StringProperty(name="Character", options={"HIDDEN"})

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Drop the rig's own map and say what was found instead."""
        try:
            character = character_called(context, self.character)
        except DuologueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        found = detect_again(character)
        if found.error is not None:
            self.report({"WARNING"}, str(found.error))
        return {"FINISHED"}


CLASSES = (
    DUOLOGUE_OT_use_selected,
    DUOLOGUE_OT_swap,
    DUOLOGUE_OT_load_bone_map,
    DUOLOGUE_OT_save_bone_map,
    DUOLOGUE_OT_detect_bones,
)


def character_called(context: Context, name: str) -> Object:
    """The object of that name in the scene; the active one for an empty name.

    Raises:
        DuologueError: ``no_character``.
    """
    found = context.scene.objects.get(name) if name else context.object
    if found is None:
        raise DuologueError("no_character", f"There is no “{name}” in this scene.", "Pick the armature again.")
    return found
