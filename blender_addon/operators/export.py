"""Export what a pair plays: as FBX, USD or BVH by Blender's own exporters, or as AMASS-style files by ours."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import EnumProperty, StringProperty
from bpy.types import Event

from protocol.errors import DuologueError

from .. import amass
from ..animation.capture import capture
from ..stubs import ArmatureObject, Context
from . import checks
from .onpair import CastOperator, playing_cast

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

FBX, USD, BVH, AMASS = "FBX", "USD", "BVH", "AMASS"
FORMATS = (
    (FBX, "FBX (.fbx)", "Write both characters with their meshes into one file, for game engines"),
    (USD, "USD (.usdc)", "Write both characters with their meshes into one file, for other 3D programs"),
    (BVH, "BVH (.bvh)", "Write a motion capture file for each character"),
    (AMASS, "AMASS (.npz)", "Write SMPL-H parameters for each character, at 30 frames a second, for research"),
)
_ENDINGS = {FBX: ".fbx", USD: ".usdc", BVH: ".bvh", AMASS: ".npz"}


class DUOLOGUE_OT_export(CastOperator):
    """Write what the pair plays to a file, or to a file for each character"""

    bl_idname = "duologue.export"
    bl_label = "Export Motion"
    bl_options = {"REGISTER"}

    format: EnumProperty(name="Format", items=FORMATS, default=FBX)
    filepath: StringProperty(name="File", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.fbx;*.usdc;*.bvh;*.npz", options={"HIDDEN"})

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Let a place for the file be chosen; its name is that of the motion."""
        try:
            name = playing_cast(context)[0].animation_data.action.name
        except DuologueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.filepath = bpy.path.clean_name(name) + _ENDINGS[self.format]
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def act(self, context: Context, cast: list[Any]) -> str:
        """Write the files."""
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(_ENDINGS[self.format])
        if not path.parent.is_dir():
            raise DuologueError("folder_missing", f"There is no folder {path.parent}.", "Choose another place.")
        frames = checks.frames_to_read(context.scene, cast)
        try:
            written = _WRITERS[self.format](context, cast, frames, path)
        except (OSError, RuntimeError, AttributeError) as error:  # an exporter that is switched off is no attribute
            raise DuologueError(
                "export_failed",
                f"{path.name} was not written: {error}",
                "Choose another place, or see in the preferences that Blender's exporter is switched on.",
            ) from error
        return "Wrote " + " and ".join(one.name for one in written) + "."


CLASSES = (DUOLOGUE_OT_export,)

Writer = Callable[[Context, Sequence[ArmatureObject], tuple[int, int], Path], list[Path]]


def _fbx(context: Context, cast: Sequence[ArmatureObject], frames: tuple[int, int], path: Path) -> list[Path]:
    with _chosen(context, [*cast, *_worn(context, cast)], frames):
        bpy.ops.export_scene.fbx(
            filepath=str(path),
            use_selection=True,
            object_types={"ARMATURE", "MESH"},
            add_leaf_bones=False,
            bake_anim_use_nla_strips=False,
            bake_anim_use_all_actions=False,
            bake_anim_force_startend_keying=True,
            bake_anim_simplify_factor=0.0,
        )
    return [path]


def _usd(context: Context, cast: Sequence[ArmatureObject], frames: tuple[int, int], path: Path) -> list[Path]:
    with _chosen(context, [*cast, *_worn(context, cast)], frames):
        bpy.ops.wm.usd_export(filepath=str(path), selected_objects_only=True, export_animation=True)
    return [path]


def _bvh(context: Context, cast: Sequence[ArmatureObject], frames: tuple[int, int], path: Path) -> list[Path]:
    written = []
    for one in cast:
        own = _own_path(path, one, cast)
        with _chosen(context, [one], frames):
            bpy.ops.export_anim.bvh(
                filepath=str(own), frame_start=frames[0], frame_end=frames[1], root_transform_only=True
            )
        written.append(own)
    return written


def _amass(context: Context, cast: Sequence[ArmatureObject], frames: tuple[int, int], path: Path) -> list[Path]:
    checks.mapped(cast)
    motion = capture(context.scene, cast, *frames)
    written = [_own_path(path, one, cast) for one in cast]
    for person, own in enumerate(written):
        amass.write(motion, person, own)
    return written


_WRITERS: dict[str, Writer] = {FBX: _fbx, USD: _usd, BVH: _bvh, AMASS: _amass}


def _own_path(path: Path, character: ArmatureObject, cast: Sequence[ArmatureObject]) -> Path:
    """The file of one character, called after it where there are several."""
    if len(cast) == 1:
        return path
    return path.with_name(f"{path.stem} {bpy.path.clean_name(character.name)}{path.suffix}")


def _worn(context: Context, cast: Sequence[ArmatureObject]) -> list[Any]:
    """The meshes that characters wear, as far as they can be selected."""
    meshes = [one for one in context.view_layer.objects if one.type == "MESH" and not one.hide_select]
    return [one for one in meshes if checks.armature_of(one) in cast]


@contextmanager
def _chosen(context: Context, objects: Sequence[Any], frames: tuple[int, int]) -> Iterator[None]:
    """Select objects alone and let the scene last from the first to the last of ``frames``, until the block ends."""
    scene, layer = context.scene, context.view_layer
    selected, active = list(context.selected_objects), layer.objects.active
    span, current = (scene.frame_start, scene.frame_end), scene.frame_current
    if active is not None and active.mode != "OBJECT":
        raise DuologueError("not_in_object_mode", f"“{active.name}” is being edited.", "Go to Object Mode (Tab) first.")
    try:
        for one in selected:
            one.select_set(False)
        for one in objects:
            one.select_set(True)
        layer.objects.active = objects[0]
        scene.frame_start, scene.frame_end = frames
        yield
    finally:
        scene.frame_start, scene.frame_end = span
        scene.frame_set(current)
        for one in objects:
            one.select_set(False)
        for one in selected:
            one.select_set(True)
        layer.objects.active = active
