"""Animated rigs to `Motion`, read from what Blender evaluates: any rig, IK or FK, actions, NLA or constraints."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import bpy
import numpy as np
from bpy.types import Scene

from protocol.errors import DuologueError
from protocol.motion import Motion, joined_as_persons

from ..retarget.pair import Partner
from ..retarget.rest_pose import Calibration
from ..retarget.stretch import unstretched
from ..retarget.transfer import to_motion
from ..stubs import ArmatureObject
from .named import Named
from .reading_room import ReadingRoom, reading_room
from .replay import Played, replaying
from .rig import Y_UP, calibrated

FPS = 30.0
"""Frame rate of what is read, that of the backend."""
_STILL = 1e-6
"""Metres and units of rotation matrices that nothing may exceed for a rig to count as not moving."""
_FRAMES_AT_LEAST = 4
"""Frames of a slice, however long they take: making the room for a Rigify rig takes as long as some frames do."""


class Reading:
    """What rigs do over a stretch of frames, read in slices, between which Blender goes on.

    Objects are kept by name, because undo replaces them.

    Attributes:
        fraction: 0 to 1, how much has been read.
    """

    def __init__(
        self,
        scene: Scene,
        objects: Sequence[ArmatureObject],
        frame_start: float,
        frame_end: float,
        played: Sequence[Played] = (),
    ) -> None:
        """Get ready to read from ``frame_start`` to ``frame_end``, both included, at 30 frames a second.

        Args:
            scene: gives the time.
            objects: the rigs.
            frame_start: scene frame of the first frame that is read.
            frame_end: last scene frame.
            played: for each rig, what it shall be read doing, if not what it does now.

        Raises:
            DuologueError: ``one_frame``.
        """
        if frame_end <= frame_start:
            raise DuologueError(
                "one_frame",
                f"Frames {frame_start:g} to {frame_end:g} are no stretch of animation.",
                "Choose a range of at least two frames.",
            )
        self._scene = scene.name
        self._names = [Named.of(one) for one in objects]
        self._range = frame_start, frame_end
        self._played = played
        self.restart()

    def restart(self) -> None:
        """Forget what was read: undo may have changed the animation."""
        self.fraction = 0.0
        self._done = 0
        self._calibrations: list[Calibration] = []
        self._times = np.empty(0)
        self._matrices: list[np.ndarray] = []
        self._motion: Motion | None = None

    def work(self, seconds: float = math.inf) -> bool:
        """Read for about ``seconds``, at least a few frames; returns whether there is more to read.

        Raises:
            DuologueError: ``character_gone``, ``scene_gone``, ``no_rig``, ``rig_unmapped``, ``rig_hidden``,
                ``rig_in_edit_mode``, ``rig_in_rest_position`` or ``rig_changed``.
        """
        deadline = time.perf_counter() + seconds
        objects = [name.find() for name in self._names]
        for one in objects:
            _check_readable(one)
        if not self._calibrations:
            self._begin(objects)
            return True
        with replaying(objects, self._played), reading_room(self._own_scene(), objects) as room:
            last = min(self._done + _FRAMES_AT_LEAST, len(self._times))
            while self._done < last or (self._done < len(self._times) and time.perf_counter() < deadline):
                self._read(room, objects)
                self._done += 1
        self.fraction = self._done / len(self._times)
        return self._done < len(self._times)

    def motion(self) -> Motion:
        """What was read, once nothing is left to read.

        Returns:
            A motion of as many persons as there are objects, on the rigs' own bodies, at their place in the world. Its
            seconds are those of the scene, whatever the scene's frame rate.

        Raises:
            DuologueError: ``no_animation``.
        """
        if self._motion is not None:
            return self._motion
        for name, sampled in zip(self._names, self._matrices, strict=True):
            if np.ptp(sampled, axis=0).max() < _STILL and not _has_action(name.find()):
                first, last = self._range
                raise DuologueError(
                    "no_animation",
                    f"“{name.name}” does not move from frame {first:g} to {last:g}.",
                    "Animate it, or choose frames in which it moves.",
                )
        pairs = zip(self._matrices, self._calibrations, strict=True)
        read = [unstretched(to_motion(FPS, sampled, one), sampled, one) for sampled, one in pairs]
        self._motion = joined_as_persons(read)
        return self._motion

    def partner(self) -> Partner:
        """What was read of one rig, for another to move with.

        Raises:
            DuologueError: what `motion` raises.
        """
        return Partner(self.motion(), self._calibrations[0].clearance)

    def _own_scene(self) -> Scene:
        scene = bpy.data.scenes.get(self._scene)
        if scene is None:
            raise DuologueError(
                "scene_gone",
                f"The scene “{self._scene}” was removed or renamed while its animation was being read.",
                "Undo that, or try again in another scene.",
            )
        return scene

    def _begin(self, objects: Sequence[ArmatureObject]) -> None:
        """Fix the times at the scene's rate, and how the rigs are built."""
        render = self._own_scene().render
        first, last = self._range
        self._times = np.arange(first, last + 1e-6, render.fps / render.fps_base / FPS)
        self._calibrations = [calibrated(one) for one in objects]
        self._matrices = [np.empty((len(self._times), len(one.bones), 4, 4)) for one in self._calibrations]

    def _read(self, room: ReadingRoom, objects: Sequence[ArmatureObject]) -> None:
        """Read the next frame: the bones' matrices in the world of `Motion`."""
        depsgraph = room.at(float(self._times[self._done]))
        for armature, calibration, out in zip(objects, self._calibrations, self._matrices, strict=True):
            evaluated = armature.evaluated_get(depsgraph)
            if not evaluated.is_evaluated:
                raise DuologueError(
                    "rig_hidden",
                    f"Blender does not update “{armature.name}”, because it is disabled in viewports.",
                    "Enable the armature in the Outliner and try again.",
                )
            poses = evaluated.pose.bones
            try:
                out[self._done] = [poses[name].matrix for name in calibration.bones]
            except KeyError as error:
                raise DuologueError(
                    "rig_changed",
                    f"The bones of “{armature.name}” were changed while its animation was being read.",
                    "Try again when you are done with them.",
                ) from error
            out[self._done] = Y_UP @ np.array(evaluated.matrix_world) @ out[self._done]


def capture(scene: Scene, objects: Sequence[ArmatureObject], frame_start: float, frame_end: float) -> Motion:
    """Read at once what rigs do from ``frame_start`` to ``frame_end``, both included: `Reading` without slices.

    Raises:
        DuologueError: what `Reading` raises.
    """
    reading = Reading(scene, objects, frame_start, frame_end)
    while reading.work():
        pass
    return reading.motion()


def _check_readable(armature: ArmatureObject) -> None:
    if armature.mode == "EDIT":
        raise DuologueError(
            "rig_in_edit_mode",
            f"“{armature.name}” is in Edit Mode, where it does not move.",
            "Leave Edit Mode (Tab) and try again.",
        )
    if armature.type == "ARMATURE" and armature.data.pose_position == "REST":
        raise DuologueError(
            "rig_in_rest_position",
            f"“{armature.name}” is shown in its rest position, in which it does not move.",
            "Choose Pose Position in the armature's properties and try again.",
        )


def _has_action(armature: ArmatureObject) -> bool:
    data = armature.animation_data
    return data is not None and (data.action is not None or any(track.strips for track in data.nla_tracks))
