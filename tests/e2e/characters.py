"""Two real skinned characters of different make and height, and a stage for them, built with bpy.

One has the skeleton and the bone names of Mixamo, the other is a generated Rigify rig.
"""

from __future__ import annotations

import contextlib
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from blender_addon.stubs import ArmatureObject, Context

from . import makehuman
from .makehuman import Body

_context: Context = bpy.context
Weights = dict[str, list[tuple[int, float]]]

_SKIN, _SHOES = (0.86, 0.50, 0.34, 1.0), (0.12, 0.12, 0.14, 1.0)
_MIXAMO_BARE = ("Head", "Neck", "Hand")
_RIGIFY_BARE = ("spine.004", "spine.005", "spine.006", "hand")
_RIGIFY_SPINE = {
    "spine": "spine",
    "spine.001": "spine.001",
    "spine.002": "spine.001",
    "spine.003": "spine.002",
    "spine.004": "spine.003",
    "spine.005": "spine.004",
    "spine.006": "spine.006",
}
"""MakeHuman's Rigify skeleton has five bones in the trunk and one in the neck, Rigify's basic human four and two."""
_HELPERS = {
    "elbow": ("upper_arm", "forearm"),
    "knee": ("thigh", "shin"),
    "pelvis": ("thigh", "spine"),
    "shoulder": ("shoulder", "upper_arm"),
}
"""Bones between which MakeHuman's helper bones lie; each takes half of the weight."""


def build_mixamo(name: str, height: float) -> ArmatureObject:
    """A man of ``height`` metres on a Mixamo-named armature; returns the armature."""
    body = makehuman.body("male", height)
    bones = makehuman.skeleton("rigs/standard/rig.mixamo.json")
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    _context.scene.collection.objects.link(armature)
    with _edited(armature) as edit_bones:
        for bone, place in bones.items():
            made = edit_bones.new(bone)
            made.head, made.tail = body.point(place["head"]), body.point(place["tail"])
            made.roll = place["roll"]
        for bone, place in bones.items():
            if place["parent"]:
                edit_bones[bone].parent = edit_bones[place["parent"]]
                edit_bones[bone].use_connect = place["use_connect"]
    weights = makehuman.weights("rigs/standard/weights.mixamo.json")
    bare = [bone for bone in weights if any(part in bone for part in _MIXAMO_BARE)]
    shod = [bone for bone in weights if bone.endswith(("Foot", "ToeBase"))]
    _add_skin(armature, body, weights, bare, shod, (0.10, 0.36, 0.72, 1.0))
    return armature


def build_rigify(name: str, height: float) -> ArmatureObject:
    """A woman of ``height`` metres on a generated Rigify rig, its limbs on IK as Rigify makes them; returns the rig."""
    body = makehuman.body("female", height)
    bones = makehuman.skeleton("rigs/rigify/rig.human_toes.json")
    bpy.ops.preferences.addon_enable(module="rigify")
    operators: Any = bpy.ops
    operators.object.armature_basic_human_metarig_add()
    metarig: ArmatureObject = _context.object
    with _edited(metarig) as edit_bones:
        for bone, (head, tail, roll) in _basic_human(body, bones).items():
            edit_bones[bone].head, edit_bones[bone].tail = head, tail
            edit_bones[bone].roll = roll
    with contextlib.redirect_stdout(io.StringIO()):
        operators.pose.rigify_generate()
    rig = _context.object
    bpy.data.objects.remove(metarig)
    rig.name = name
    weights = _deform_weights(makehuman.weights("rigs/rigify/weights.human_toes.json"), bones, rig)
    bare = [bone for bone in weights if any(part in bone for part in _RIGIFY_BARE)]
    shod = [bone for bone in weights if "foot" in bone or "toe" in bone]
    _add_skin(rig, body, weights, bare, shod, (0.78, 0.22, 0.16, 1.0))
    return rig


def build_stage(scene: Any) -> None:
    """A floor, a sun and a camera, and Workbench set up to show characters in their colours."""
    floor = bpy.data.meshes.new("Floor")
    size = 12.0
    floor.from_pydata([(-size, -size, 0), (size, -size, 0), (size, size, 0), (-size, size, 0)], [], [(0, 1, 2, 3)])
    floor.materials.append(_material("Floor", (0.62, 0.64, 0.66, 1.0)))
    sun = bpy.data.lights.new("Sun", "SUN")
    camera = bpy.data.cameras.new("Camera")
    camera.lens = 40
    made = [bpy.data.objects.new(data.name, data) for data in (floor, sun, camera)]
    for one in made:
        scene.collection.objects.link(one)
    made[1].rotation_euler = (0.7, 0.2, 0.5)
    scene.camera = made[2]
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y = 960, 540
    shading = scene.display.shading
    shading.light, shading.color_type = "STUDIO", "MATERIAL"
    shading.show_shadows, shading.show_cavity, shading.shadow_intensity = True, True, 0.4
    scene.world = bpy.data.worlds.new("World")
    scene.world.color = (0.80, 0.84, 0.88)
    camera_object = made[2]
    camera_object.location = (2.0, -5.2, 2.0)
    camera_object.rotation_euler = (Vector((0, 0, 0.9)) - camera_object.location).to_track_quat("-Z", "Y").to_euler()


@contextlib.contextmanager
def _edited(armature: ArmatureObject) -> Iterator[Any]:
    """The edit bones of an armature, in edit mode and back."""
    bpy.ops.object.select_all(action="DESELECT")
    armature.select_set(True)
    _context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        yield armature.data.edit_bones
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")


def _basic_human(body: Body, bones: dict) -> dict[str, tuple[np.ndarray, np.ndarray, float]]:
    """Head, tail and roll of every bone of Rigify's basic human, on a body."""
    ends = {name: (body.point(bone["head"]), body.point(bone["tail"]), bone["roll"]) for name, bone in bones.items()}
    neck, head = ends["spine.005"], ends["spine.006"]
    half = (neck[0] + neck[1]) / 2
    fitted = {
        "spine": ends["spine"],
        "spine.001": (ends["spine.001"][0], ends["spine.002"][1], 0.0),
        "spine.002": ends["spine.003"],
        "spine.003": ends["spine.004"],
        "spine.004": (neck[0], half, 0.0),
        "spine.005": (half, neck[1], 0.0),
        "spine.006": head,
    }
    limbs = ("shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe", "heel.02", "pelvis", "breast")
    return fitted | {f"{limb}.{side}": ends[f"{limb}.{side}"] for limb in limbs for side in "LR"}


def _deform_weights(weights: Weights, bones: dict, rig: ArmatureObject) -> Weights:
    """Weights of MakeHuman's Rigify skeleton moved to the DEF bones of a generated basic human."""
    moved: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for bone, listed in weights.items():
        if bone.startswith("mhmask"):
            continue
        targets = _deform_bones(bone, bones, rig)
        for vertex, weight in listed:
            for target in targets:
                moved[target][vertex] += weight / len(targets)
    return {bone: list(members.items()) for bone, members in moved.items()}


def _deform_bones(bone: str, bones: dict, rig: ArmatureObject) -> list[str]:
    helper = bone.removeprefix("DEF-").split("-helper")[0]
    if helper in _HELPERS:
        names = [f"DEF-{part}.{bone[-1]}" for part in _HELPERS[helper]]
        return [name if name in rig.data.bones else name[:-2] for name in names]
    if bone.startswith("DEF-") and bone in rig.data.bones:
        return [bone]
    while bone in bones:
        name = f"DEF-{_RIGIFY_SPINE.get(bone, bone)}"
        if name in rig.data.bones:
            return [name]
        bone = bones[bone]["parent"]
    return ["DEF-spine.006"]


def _add_skin(
    armature: ArmatureObject,
    body: Body,
    weights: Weights,
    bare: Sequence[str],
    shod: Sequence[str],
    clothes: Sequence[float],
) -> None:
    """Give an armature its body: smooth, weighted, in clothes of one colour, with bare head and hands, and shoes."""
    used = np.unique(np.concatenate([np.array(face) for face in body.faces]))
    place = np.full(len(body.vertices), -1)
    place[used] = np.arange(len(used))
    naked, feet = (_share(weights, bones, len(body.vertices)) > 0.5 for bones in (bare, shod))
    eyes = np.zeros(len(naked), bool)
    eyes[np.concatenate([body.groups["helper-l-eye"], body.groups["helper-r-eye"]])] = True
    vertices = _smoothed(body, ~naked & ~eyes)

    mesh = bpy.data.meshes.new(f"{armature.name} body")
    mesh.from_pydata(vertices[used].tolist(), [], [place[list(face)].tolist() for face in body.faces])
    mesh.shade_smooth()
    for label, colour in (("clothes", clothes), ("skin", _SKIN), ("shoes", _SHOES), ("eyes", (1, 1, 1, 1))):
        mesh.materials.append(_material(f"{armature.name} {label}", colour))
    for polygon, face in zip(mesh.polygons, body.faces, strict=True):
        corners = list(face)
        parts = (part[corners].mean() > 0.5 for part in (eyes, feet, naked))
        polygon.material_index = next((index for index, there in zip((3, 2, 1), parts, strict=True) if there), 0)

    skin = bpy.data.objects.new(mesh.name, mesh)
    for bone, listed in weights.items():
        group = skin.vertex_groups.new(name=bone)
        for vertex, weight in listed:
            if place[vertex] >= 0:
                group.add([int(place[vertex])], weight, "REPLACE")
    skin.parent = armature
    modifier: Any = skin.modifiers.new("Armature", "ARMATURE")
    modifier.object = armature
    _context.scene.collection.objects.link(skin)


def _share(weights: Weights, bones: Sequence[str], count: int) -> np.ndarray:
    """(count,) what part of each vertex hangs on ``bones``."""
    total, share = np.zeros(count), np.zeros(count)
    for bone, listed in weights.items():
        for vertex, weight in listed:
            total[vertex] += weight
            share[vertex] += weight if bone in bones else 0.0
    return share / np.maximum(total, 1e-9)


def _smoothed(body: Body, dressed: np.ndarray) -> np.ndarray:
    """Vertices (V, 3) of a body whose ``dressed`` (V,) ones lie as smoothly as cloth does over small detail."""
    faces = np.array([face for face in body.faces if len(face) == 4])
    edges = np.concatenate([faces[:, [corner, (corner + 1) % 4]] for corner in range(4)])
    edges = np.concatenate((edges, edges[:, ::-1]))
    count = len(dressed)
    neighbours = np.maximum(np.bincount(edges[:, 0], minlength=count), 1)
    lengths = np.linalg.norm(np.subtract(*body.vertices[edges.T]), axis=1)
    spacing = np.bincount(edges[:, 0], lengths, count) / neighbours
    # A round smooths over the distance to the neighbours: where they are near, many rounds are needed.
    detail = dressed & (spacing < 0.6 * np.median(spacing[dressed]))
    vertices = body.vertices.copy()
    for smoothed, rounds in ((dressed, 10), (detail, 60)):
        moved = np.flatnonzero(smoothed)
        near = edges[smoothed[edges[:, 0]]]
        slot = np.searchsorted(moved, near[:, 0])
        for _ in range(rounds):
            ends = vertices[near[:, 1]]
            sums = np.stack([np.bincount(slot, ends[:, axis], len(moved)) for axis in range(3)], axis=1)
            vertices[moved] += 0.5 * (sums / neighbours[moved, None] - vertices[moved])
    return vertices


def _material(name: str, colour: Sequence[float]) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    material.diffuse_color = colour
    return material
