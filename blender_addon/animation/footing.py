"""Where a character's feet stand while it plays, and how far each of its keyed bones could move them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from bpy.types import Scene

from protocol.errors import DuologueError

from ..retarget.feet import FREE, Stance
from ..retarget.ik import ik_controls
from ..retarget.mapping import BoneMap
from ..retarget.pose import Pose
from ..retarget.rig import Rig
from ..retarget.root import root_bone
from ..stubs import ArmatureObject
from .capture import FPS, capture
from .rig import OBJECT, bone_map_of, read_rig

_SIDES = ("left", "right")
_LEG = ("hip", "knee", "ankle")


@dataclass(frozen=True, eq=False)
class Footing:
    """When feet stand, and what moves them.

    Attributes:
        times: (T,) scene frames.
        stands: (T, 2) whether the left and the right foot do.
        levers: for the left and the right foot, how many metres a bone, or the object, moves it per radian.
    """

    times: np.ndarray
    stands: np.ndarray
    levers: tuple[Mapping[str, float], ...]

    def levers_at(self, bone: str, frames: np.ndarray) -> np.ndarray:
        """(N,) metres per radian by which a bone moves a foot that stands at scene frames (N,); 0 where none does."""
        if not len(self.times):
            return np.zeros(len(frames))
        own = self.stands * [lever.get(bone, 0.0) for lever in self.levers]
        # Between two frames that were read a foot stands if it does in either.
        after = np.clip(np.searchsorted(self.times, frames), 0, len(self.times) - 1)
        return np.maximum(own[after], own[np.maximum(after - 1, 0)]).max(-1)


def footing_of(scene: Scene, character: ArmatureObject, keyed: Collection[str], first: float, last: float) -> Footing:
    """How a character stands from one scene frame to another; of one that cannot be read no foot ever does.

    Args:
        scene: gives the time.
        character: plays what is looked at.
        keyed: names of the bones with keys, `OBJECT` for the object.
        first, last: scene frames, both included.
    """
    try:
        motion = capture(scene, [character], first, last)
        levers = _levers(read_rig(character), bone_map_of(character), keyed)
    except DuologueError:
        return Footing(np.empty(0), np.empty((0, 2), bool), ({}, {}))
    pivots = Stance(motion.fps, motion.offsets).push(Pose.of(motion))[:, 0]
    times = first + np.arange(len(pivots)) * scene.render.fps / scene.render.fps_base / FPS
    return Footing(times, pivots != FREE, levers)


def _levers(rig: Rig, bones: BoneMap, keyed: Collection[str]) -> tuple[Mapping[str, float], ...]:
    """Metres per radian, for each side, of what is keyed of all that carries its foot."""
    heads = dict(zip(rig.bones, rig.heads(), strict=True)) | {OBJECT: rig.world[:3, 3]}
    try:
        controls = ik_controls(rig).bones
    except DuologueError:
        controls = {}
    # Feet on IK controls follow the root bone too, often by a constraint.
    below = {OBJECT, root_bone(rig, bones)}
    found = []
    for side in _SIDES:
        ankle = f"{side}_ankle"
        toe = heads[bones.read.get(f"{side}_foot", bones.read[ankle])[0]]
        leg = {name for joint in _LEG for table in (bones.bones, bones.read) for name in table[f"{side}_{joint}"]}
        led = set(controls.get(ankle, ()))
        # A leg whose IK control has keys does not follow the hips.
        carriers = led if led & set(keyed) else leg
        above = {name for name in rig.bones if any(rig.hangs(one, name) for one in carriers)}
        moving = (carriers | above | below) & set(keyed)
        found.append({name: float(np.linalg.norm(toe - heads[name])) for name in moving})
    return tuple(found)
