"""Rigs made of numbers, for tests of retargeting without Blender."""

from __future__ import annotations

import numpy as np

from blender_addon.retarget.rig import Rig
from protocol import rotations as rot
from protocol.skeleton import JOINT, JOINT_NAMES, PARENTS, neutral_offsets

SMPL_BONES = {
    **{name: (name,) for name in JOINT_NAMES if not name.startswith("spine") and name != "neck"},
    "spine": ("spine1", "spine2", "spine3"),
    "neck": ("neck",),
}


def humanoid(
    *,
    arms_down: float = 0.0,
    legs_apart: float = 0.0,
    rolls: np.random.Generator | None = None,
    world: np.ndarray | None = None,
    scale: float = 1.0,
) -> Rig:
    """A rig with SMPL's names: Y up in its own space, arms lowered by an angle in degrees, bones rolled at random."""
    turn = {name: np.array([1.0, 0, 0, 0]) for name in JOINT_NAMES}
    for side, sign in (("left", 1), ("right", -1)):
        for joint in ("shoulder", "elbow", "wrist"):
            turn[f"{side}_{joint}"] = rot.from_axis_angle(np.array([0, 0, 1.0]), -sign * np.radians(arms_down))
        for joint in ("hip", "knee"):
            turn[f"{side}_{joint}"] = rot.from_axis_angle(np.array([0, 0, 1.0]), sign * np.radians(legs_apart))
    offsets = neutral_offsets(scale).astype(float)
    heads = np.zeros((22, 3))
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            heads[joint] = heads[parent] + rot.rotate(turn[JOINT_NAMES[parent]], offsets[joint])
    heads[:, 1] -= heads[JOINT["left_foot"], 1]
    tails = heads + np.array([0, 0.1, 0])
    for joint, parent in enumerate(PARENTS):
        if JOINT_NAMES[joint].endswith(("knee", "ankle", "foot", "elbow", "wrist")):
            tails[parent] = heads[joint]
    for side, sign in (("left", 1), ("right", -1)):
        wrist = JOINT[f"{side}_wrist"]
        tails[wrist] = heads[wrist] + rot.rotate(turn[f"{side}_wrist"], np.array([sign * 0.1, 0, 0]))
        tails[JOINT[f"{side}_foot"]] = heads[JOINT[f"{side}_foot"]] + [0, 0, 0.05]
    rest = np.tile(np.eye(4), (22, 1, 1))
    rest[:, :3, 3] = heads
    if rolls is not None:
        rest[:, :3, :3] = rot.to_matrix(rot.normalize(rolls.normal(size=(22, 4))))
    return Rig("synthetic", JOINT_NAMES, PARENTS, rest, tails, np.eye(4) if world is None else world)


def posed(rig: Rig, bones: tuple[str, ...], rotations: np.ndarray, carrier: str, location: np.ndarray) -> np.ndarray:
    """What Blender does: (T, M, 4, 4) world matrices of ``bones`` for their channels; all other channels are zero."""
    frames = len(rotations)
    basis = np.tile(np.eye(4), (frames, len(rig.bones), 1, 1))
    for number, bone in enumerate(bones):
        basis[:, rig.index(bone), :3, :3] = rot.to_matrix(rotations[:, number])
    basis[:, rig.index(carrier), :3, 3] = location
    pose = np.empty_like(basis)
    for index, parent in enumerate(rig.parents):
        relative = rig.rest[index] if parent < 0 else np.linalg.inv(rig.rest[parent]) @ rig.rest[index]
        pose[:, index] = (relative if parent < 0 else pose[:, parent] @ relative) @ basis[:, index]
    return (rig.world @ pose)[:, [rig.index(bone) for bone in bones]]
