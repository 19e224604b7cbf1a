"""IK controls of a rig's arms and legs: which there are, and where they go for a motion.

A hand or foot control turns and moves with the wrist or ankle joint; a pole stands where the elbow or knee points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.skeleton import JOINT, JOINT_NAMES

from . import mapping
from .body import ARMS, LEGS
from .limb import STRAIGHT
from .mapping import BoneMap
from .rest_pose import Calibration
from .rig import Rig

LIMBS = {
    f"{side}_{end}": f"{side}_{middle}"
    for end, middle in (("wrist", "elbow"), ("ankle", "knee"))
    for side in ("left", "right")
}
"""The joint in the middle of a limb, whose row of an IK map names the pole, by the one at its end."""
_BEND = {"wrist": -1.0, "ankle": 1.0}
"""Where the middle joint points in the T-pose: elbows backward, knees forward."""
_BACKWARD = (0.08, 0.16)
"""Shares of the upper bone: a joint bent the wrong way by less than the first is one that is straight but for noise."""

_FOLDER = Path(__file__).parent / "ik_maps"
_ORDER = ("rigify", "auto_rig_pro")


@cache
def ik_maps() -> tuple[BoneMap, ...]:
    """The tables of IK controls that come with Duologue: bone maps whose elbows and knees are the poles."""
    return tuple(mapping.parse_draft((_FOLDER / f"{name}.json").read_text("utf-8")) for name in _ORDER)


def ik_controls(rig: Rig) -> BoneMap:
    """A rig's IK controls: of each limb the control and the pole, and toes where there are any.

    Raises:
        DuologueError: ``no_ik_controls`` if no limb has both.
    """
    found = max((_complete(mapping.resolved(table, rig.bones)) for table in ik_maps()), key=lambda one: len(one.bones))
    if not found.bones:
        raise DuologueError(
            "no_ik_controls",
            f"“{rig.name}” has no IK controls that Duologue knows.",
            "Choose FK Controls under Retargeting, or a rig of Rigify or Auto-Rig Pro.",
        )
    return found


def _complete(found: BoneMap) -> BoneMap:
    kept = {}
    for end, middle in LIMBS.items():
        if end in found.bones and middle in found.bones:
            toe = end.replace("ankle", "foot")
            kept |= {key: found.bones[key] for key in (end, middle, toe) if key in found.bones}
    return BoneMap(found.name, kept, kept, found.switches if kept else ())


def on_controls(calibration: Calibration, rig: Rig, bones: Mapping[str, tuple[str, ...]]) -> Calibration:
    """The calibration of the bones that are keyed: those of the trunk, and IK controls for the limbs that have them.

    Args:
        calibration: of the FK bones.
        rig: the same rig.
        bones: as `ik_controls` finds them.
    """
    rest = rig.rest_rotations().astype(np.float32)
    heads = rig.heads()
    ends = [key for key in bones if key not in LIMBS.values()]
    replaced = {calibration.bone(key): bones[key][0] for key in ends}
    dropped = {calibration.bone(JOINT_NAMES[joint]) for end in LIMBS if end in bones for joint in chain(end)[:2]}
    names, rests, places, kept = [], [], [], []
    for number, name in enumerate(calibration.bones):
        control = replaced.get(number)
        if number in dropped and control is None:
            continue
        kept.append(number)
        if control is None:
            names.append(name)
            rests.append(calibration.rest[number])
            places.append(calibration.heads[number])
            continue
        fk, ik = rig.index(name), rig.index(control)
        turn = rot.multiply(calibration.rest[number], rot.inverse(rest[fk]))
        names.append(control)
        rests.append(rot.multiply(turn, rest[ik]))
        places.append(calibration.heads[number] + rot.rotate(turn, (heads[ik] - heads[fk]).astype(np.float32)))
    return replace(
        calibration,
        bones=tuple(names),
        low=calibration.low[kept],
        high=calibration.high[kept],
        blend=calibration.blend[kept],
        rest=np.array(rests, np.float32),
        heads=np.array(places, np.float32),
        location=kept.index(calibration.location),
    )


@dataclass(frozen=True, eq=False)
class Placed:
    """How a bone's location channels move it.

    Attributes:
        follows: the keyed bone that carries it whole, as an index of the calibration; -1 for the world.
        origin: (3,) its head at zero location, relative to what it follows, metres.
        axes: (3, 3) columns: metres per unit of its three channels, relative to what it follows.
    """

    follows: int
    origin: np.ndarray
    axes: np.ndarray

    def location(self, heads: np.ndarray, place: np.ndarray, turn: np.ndarray) -> np.ndarray:
        """(T, 3) channels that bring its head to ``heads`` (T, 3) where what it follows is at ``place``, ``turn``."""
        own = rot.rotate(rot.inverse(turn), (heads - place).astype(np.float32)) if self.follows >= 0 else heads
        return (own - self.origin) @ np.linalg.inv(self.axes).T


@dataclass(frozen=True, eq=False)
class LimbDrive:
    """How one limb follows its IK control.

    Attributes:
        end: ``left_wrist`` and so on.
        control: index of the control in the calibration of the keyed bones.
        from_joint: (3,) from the joint to the control's head in the T-pose, metres.
        pole: the pole's bone.
        control_placed, pole_placed: how their locations move them.
        angle: radians, about the line from the limb's start to its end, from where the pole stands to where the middle
            joint points.
        distance: metres that the pole stands further out than the middle joint.
    """

    end: str
    control: int
    from_joint: np.ndarray
    pole: str
    control_placed: Placed
    pole_placed: Placed
    angle: float
    distance: float


def limb_channels(
    motion: Motion, calibration: Calibration, limbs: Sequence[LimbDrive]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Locations (T, 3) of the control and of the pole of every limb, for a one-person motion on the rig's own body.

    Args:
        motion: P = 1.
        calibration: of the keyed bones.
        limbs: how they follow.
    """
    joints, world = (one[:, 0] for one in motion.forward_kinematics())
    found = []
    for limb in limbs:
        turn = world[:, JOINT[limb.end]]
        heads = joints[:, JOINT[limb.end]] + rot.rotate(turn, limb.from_joint.astype(np.float32))
        turn = rot.multiply(turn, np.broadcast_to(calibration.rest[limb.control], turn.shape))
        pole = _pole(limb, joints, world)
        found.append((limb.control_placed.location(heads, heads, turn), limb.pole_placed.location(pole, heads, turn)))
    return found


def _pole(limb: LimbDrive, joints: np.ndarray, world: np.ndarray) -> np.ndarray:
    """(T, 3) where the pole stands for the middle joint to be where it is, or bend as it should if it is straight."""
    upper, lower, end = chain(limb.end)
    start, middle = joints[:, upper], joints[:, lower]
    length = np.linalg.norm(middle - start, axis=-1, keepdims=True)
    line = _unit(joints[:, end] - start)
    out = _across(middle - start, line)
    bend = _unit(_across(rot.rotate(world[:, upper], np.array([0, 0, _BEND[_kind(limb.end)]], np.float32)), line))
    size = np.linalg.norm(out, axis=-1, keepdims=True)
    least, most = _BACKWARD
    noise = np.clip((most - size / length) / (most - least), 0, 1)
    wrong = np.maximum(-np.sum(out * bend, -1, keepdims=True), 0)
    side = out + bend * (2 * wrong * noise**2 * (3 - 2 * noise) + np.maximum(STRAIGHT * length - size, 0))
    turned = rot.rotate(rot.from_axis_angle(line, -limb.angle), _unit(side))
    return middle - out + turned * (size + limb.distance)


def pole_angle(start: np.ndarray, middle: np.ndarray, end: np.ndarray, pole: np.ndarray) -> float:
    """Angle (radians) about the line from ``start`` to ``end`` (3,) from a pole to a limb's middle joint."""
    line = _unit(end - start)
    towards, points = _unit(_across(pole - start, line)), _unit(_across(middle - start, line))
    return float(np.arctan2(np.cross(towards, points) @ line, towards @ points))


def chain(end: str) -> tuple[int, int, int]:
    """The three joints of the limb that ends in ``left_wrist`` and so on."""
    limbs = ARMS if end.endswith("wrist") else LEGS
    upper, lower, last = limbs[0 if end.startswith("left") else 1]
    return upper, lower, last


def _kind(end: str) -> str:
    return end.partition("_")[2]


def _across(v: np.ndarray, line: np.ndarray) -> np.ndarray:
    return v - line * np.sum(v * line, axis=-1, keepdims=True)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
