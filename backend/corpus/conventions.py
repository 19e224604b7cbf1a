"""How the skeletons of known BVH files become SMPL-22: joint tables and rest-pose calibration.

A convention is a table with one row per SMPL joint. A row says where the joint sits, which of the file's joints it
turns with, and (limbs only) which joint its bone aims at. Calibration then needs no numbers by hand:

- In the file's zero pose, every limb bone aims somewhere near its T-pose direction. `Q` is the shortest turn from the
  T-pose direction (arms along +-X, legs along -Y, feet forward with the slope that they have) to that direction. Torso,
  neck and head keep the file's shape: there the zero pose is the T-pose.
- World rotation of an SMPL joint = world rotation of the file's joint * Q. So identity rotations mean T-pose.
- Rest offset = Q of the parent, undone, applied to the zero-pose step from parent to joint. Bone lengths stay as they
  are, and forward kinematics hits the file's joints exactly, wherever a joint hangs rigidly on its SMPL parent's row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.skeleton import JOINT_NAMES, PARENTS

from .bvh import END, BvhClip


@dataclass(frozen=True)
class Row:
    """One SMPL joint in terms of a file's joints.

    Attributes:
        turns_with: file joint whose world rotation it takes; of two, the rotation halfway between them.
        at: file joints whose mean place in the zero pose is its place; empty for the place of ``turns_with``.
        shift: added to that place, metres.
        aim: file joint at which its bone points; empty where the file's zero pose needs no calibration.
    """

    turns_with: tuple[str, ...]
    at: tuple[str, ...] = ()
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    aim: str = ""


@dataclass(frozen=True)
class Convention:
    """A known skeleton.

    Attributes:
        name: what people call it.
        unit: metres a file unit.
        rows: a row for every SMPL joint.
        lost: file joints whose offset the conversion has set to zero: joint -> (another joint, factor), for the true
            offset is that other joint's times the factor.
    """

    name: str
    unit: float
    rows: Mapping[str, Row]
    lost: Mapping[str, tuple[str, float]] = field(default_factory=dict)

    def needed(self) -> set[str]:
        """Names of all the file joints that the table mentions."""
        mentioned = {name for row in self.rows.values() for name in (*row.turns_with, *row.at, row.aim) if name}
        return mentioned | set(self.lost) | {source for source, _ in self.lost.values()}

    def restored(self, clip: BvhClip) -> BvhClip:
        """The clip with the offsets put back that its conversion has lost."""
        offsets = clip.offsets.copy()
        for joint, (source, factor) in self.lost.items():
            offsets[clip.joint(joint)] = clip.offsets[clip.joint(source)] * factor
        return replace(clip, offsets=offsets)


def _both_sides(left: Mapping[str, Row], swap: Mapping[str, str]) -> dict[str, Row]:
    """Rows for left joints, and the same for the right with the file's names changed by prefix."""

    def other(name: str) -> str:
        for mark, replacement in swap.items():
            if name.startswith(mark):
                return replacement + name.removeprefix(mark)
        return name

    right = {
        smpl.replace("left_", "right_"): Row(
            tuple(map(other, row.turns_with)), tuple(map(other, row.at)), row.shift, other(row.aim)
        )
        for smpl, row in left.items()
    }
    return {**left, **right}


HIP_TO_PELVIS = 0.07
"""Metres from the middle of the hip joints up to SMPL's pelvis, as in the neutral body."""

# One joint, the chest, turns where SMPL has two: spine2 and spine3 sit 3 cm below and above it and take half each,
# which moves the upper body by less than a millimetre. Collars and buttocks never turn in this conversion.
DAZ = Convention(
    name="cgspeed Daz-friendly",
    unit=0.01,
    rows={
        "pelvis": Row(("hip",), ("lThigh", "rThigh"), (0.0, HIP_TO_PELVIS, 0.0)),
        "spine1": Row(("abdomen",)),
        "spine2": Row(("abdomen", "chest"), ("chest",), (0.0, -0.03, 0.0)),
        "spine3": Row(("chest",), ("chest",), (0.0, 0.03, 0.0)),
        "neck": Row(("neck",)),
        "head": Row(("head",)),
        **_both_sides(
            {
                "left_hip": Row(("lThigh",), aim="lShin"),
                "left_knee": Row(("lShin",), aim="lFoot"),
                "left_ankle": Row(("lFoot",), aim="lFoot" + END),
                "left_foot": Row(("lFoot",), ("lFoot" + END,), aim="lFoot" + END),
                "left_collar": Row(("lCollar",)),
                "left_shoulder": Row(("lShldr",), aim="lForeArm"),
                "left_elbow": Row(("lForeArm",), aim="lHand"),
                "left_wrist": Row(("lHand",), aim="lMid1"),
            },
            {"l": "r"},
        ),
    },
)

# This conversion drops the length of every bone with more than one child: of the thorax (Neck and both shoulders have
# zero offsets from Spine1) and of the wrist bone (LeftFingerBase from LeftHand). In CMU's skeletons the back bones
# are as good as equal, and the wrist bone is half as long as the radius before it. With them put back, people stand as
# tall as their legs say, and the hands of 18_01 and 19_01 meet. LeftHand only twists (pronation), so the wrist that
# bends is LeftFingerBase.
MOTIONBUILDER = Convention(
    name="cgspeed Motionbuilder-friendly",
    unit=0.056444,
    rows={
        "pelvis": Row(("Hips",), ("LeftUpLeg", "RightUpLeg"), (0.0, HIP_TO_PELVIS, 0.0)),
        "spine1": Row(("LowerBack",)),
        "spine2": Row(("Spine",)),
        "spine3": Row(("Spine1",)),
        "neck": Row(("Neck", "Neck1"), ("Neck",)),
        "head": Row(("Head",)),
        **_both_sides(
            {
                "left_hip": Row(("LeftUpLeg",), aim="LeftLeg"),
                "left_knee": Row(("LeftLeg",), aim="LeftFoot"),
                "left_ankle": Row(("LeftFoot",), aim="LeftToeBase"),
                "left_foot": Row(("LeftToeBase",), aim="LeftToeBase" + END),
                "left_collar": Row(("LeftShoulder",)),
                "left_shoulder": Row(("LeftArm",), aim="LeftForeArm"),
                "left_elbow": Row(("LeftForeArm",), aim="LeftHand"),
                "left_wrist": Row(("LeftFingerBase",), aim="LeftHandIndex1"),
            },
            {"Left": "Right"},
        ),
    },
    lost={
        "Neck": ("Spine1", 1.0),
        "LeftShoulder": ("Spine1", 1.0),
        "RightShoulder": ("Spine1", 1.0),
        "LeftFingerBase": ("LeftHand", 0.5),
        "RightFingerBase": ("RightHand", 0.5),
    },
)

SMPL = Convention(name="Duologue", unit=1.0, rows={name: Row((name,)) for name in JOINT_NAMES})
"""Files that we write: SMPL's own joint names, metres, T-pose rest."""

CONVENTIONS = (SMPL, DAZ, MOTIONBUILDER)


def detect(names: Iterable[str], file: str = "the file") -> Convention:
    """The convention whose joints are all among ``names``.

    Raises:
        DuologueError: ``bvh_skeleton``, naming the joints that the nearest known convention misses.
    """
    have = set(names)
    missing = {convention.name: sorted(convention.needed() - have) for convention in CONVENTIONS}
    for convention in CONVENTIONS:
        if not missing[convention.name]:
            return convention
    nearest = min(missing, key=lambda name: len(missing[name]))
    lacks = ", ".join(missing[nearest][:8]) + (" …" if len(missing[nearest]) > 8 else "")
    raise DuologueError(
        "bvh_skeleton",
        f"The skeleton in {file} is not a known one; the nearest is {nearest}, of which it lacks {lacks}.",
        f"Known skeletons: {', '.join(c.name for c in CONVENTIONS)}. In Blender, map the rig and use it there.",
    )


def to_motion(clip: BvhClip, convention: Convention) -> Motion:
    """One person's motion on SMPL-22, in the file's world frame.

    Args:
        clip: a file whose joints include all that ``convention`` needs.
        convention: its table.
    """
    clip = convention.restored(clip)
    rest = clip.rest_positions() * convention.unit
    rows = [convention.rows[name] for name in JOINT_NAMES]
    places = np.stack([_place(clip, rest, row) for row in rows])
    calibration = np.stack([_calibration(clip, rest, row, name) for name, row in zip(JOINT_NAMES, rows, strict=True)])
    positions, world = clip.forward_kinematics({name for row in rows for name in row.turns_with})

    turned = np.stack([rot.multiply(_source(clip, world, row), q) for row, q in zip(rows, calibration, strict=True)], 1)
    offsets = np.zeros((len(rows), 3))
    local = turned.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            offsets[joint] = rot.rotate(rot.inverse(calibration[parent]), places[joint] - places[parent])
            local[:, joint] = rot.multiply(rot.inverse(turned[:, parent]), turned[:, joint])
    hips = clip.joint(rows[0].turns_with[0])
    root = positions[:, hips] * convention.unit + rot.rotate(world[:, hips], places[0] - rest[hips])
    return Motion(clip.fps, root[:, None], rot.continuous(rot.normalize(local))[:, None], offsets[None])


def _place(clip: BvhClip, rest: np.ndarray, row: Row) -> np.ndarray:
    return np.mean([rest[clip.joint(name)] for name in row.at or row.turns_with], axis=0) + row.shift


def _source(clip: BvhClip, world: np.ndarray, row: Row) -> np.ndarray:
    first, last = (world[:, clip.joint(name)] for name in (row.turns_with[0], row.turns_with[-1]))
    return first if first is last else rot.slerp(first, last, 0.5)


def _calibration(clip: BvhClip, rest: np.ndarray, row: Row, smpl: str) -> np.ndarray:
    if not row.aim:
        return rot.IDENTITY.astype(float)
    joint = row.turns_with[0]
    direction = rest[clip.joint(row.aim)] - rest[clip.joint(joint)]
    if smpl.endswith(("hip", "knee")):
        target = np.array([0.0, -1.0, 0.0])
    elif smpl.endswith(("ankle", "foot")):
        target = np.array([0.0, direction[1], np.hypot(direction[0], direction[2])])
    else:
        target = np.array([1.0 if smpl.startswith("left") else -1.0, 0.0, 0.0])
    return _shortest_turn(target, direction)


def _shortest_turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    return rot.normalize(np.concatenate(([1 + a @ b], np.cross(a, b))))
