"""Animated rigs to `Motion`, read from what Blender evaluates: any rig, IK or FK, actions, NLA or constraints."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from bpy.types import Scene

from protocol.errors import DuologueError
from protocol.motion import Motion, joined_as_persons

from ..retarget.rest_pose import calibrate
from ..retarget.transfer import to_motion
from ..stubs import ArmatureObject, Context
from .rig import Y_UP, bone_map_of, read_rig

FPS = 30.0
"""Frame rate of what is read, that of the backend."""
_STILL = 1e-6
"""Metres and units of rotation matrices that nothing may exceed for a rig to count as not moving."""


def capture(scene: Scene, objects: Sequence[ArmatureObject], frame_start: int, frame_end: int) -> Motion:
    """Read what rigs do from ``frame_start`` to ``frame_end``, both included, at 30 frames a second.

    Returns:
        A motion of as many persons as there are objects, on the rigs' own bodies, at their place in the world. Its
        seconds are those of the scene, whatever the scene's frame rate. The scene's current frame is left as it was.

    Raises:
        DuologueError: ``one_frame``, ``no_animation``, ``no_rig`` or ``rig_unmapped``.
    """
    if frame_end <= frame_start:
        raise DuologueError(
            "one_frame",
            f"Frames {frame_start} to {frame_end} are no stretch of animation.",
            "Choose a range of at least two frames.",
        )
    maps = [bone_map_of(one) for one in objects]
    calibrations = [calibrate(read_rig(one), found.read) for one, found in zip(objects, maps, strict=True)]
    rate = scene.render.fps / scene.render.fps_base
    times = np.arange(frame_start, frame_end + 1e-6, rate / FPS)
    matrices = _sampled(scene, objects, [one.bones for one in calibrations], times)
    for armature, sampled in zip(objects, matrices, strict=True):
        if np.ptp(sampled, axis=0).max() < _STILL and not _has_action(armature):
            raise DuologueError(
                "no_animation",
                f"“{armature.name}” does not move from frame {frame_start} to {frame_end}.",
                "Animate it, or choose frames in which it moves.",
            )
    motions = [to_motion(FPS, sampled, one) for sampled, one in zip(matrices, calibrations, strict=True)]
    return joined_as_persons(motions)


def _sampled(
    scene: Scene, objects: Sequence[ArmatureObject], bones: Sequence[tuple[str, ...]], times: np.ndarray
) -> list[np.ndarray]:
    """Per object (T, M, 4, 4) bone matrices in the world of `Motion` at scene frames ``times``, fractions included."""
    context: Context = bpy.context
    sampled = [np.empty((len(times), len(names), 4, 4)) for names in bones]
    current, subframe = scene.frame_current, scene.frame_subframe
    try:
        for number, time in enumerate(times):
            whole = int(np.floor(time + 1e-6))
            scene.frame_set(whole, subframe=float(np.clip(time - whole, 0, 1 - 1e-6)))
            depsgraph = context.evaluated_depsgraph_get()
            for armature, names, out in zip(objects, bones, sampled, strict=True):
                evaluated = armature.evaluated_get(depsgraph)
                poses = evaluated.pose.bones
                out[number] = [poses[name].matrix for name in names]
                out[number] = Y_UP @ np.array(evaluated.matrix_world) @ out[number]
    finally:
        scene.frame_set(current, subframe=subframe)
    return sampled


def _has_action(armature: ArmatureObject) -> bool:
    data = armature.animation_data
    return data is not None and (data.action is not None or any(track.strips for track in data.nla_tracks))
