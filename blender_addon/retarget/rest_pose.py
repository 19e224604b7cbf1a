"""The T-pose of a rig, estimated from its rest pose: what turns SMPL rotations into bone rotations and back.

Every mapped bone has one calibrated rotation, the one that it has when the rig stands in a T-pose at the origin and
faces +Z. A joint turned by S in the world then puts its bone at S times that rotation, whatever the bone's roll, the
rig's facing or the object's transform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from protocol import rotations as rot
from protocol.skeleton import JOINT, JOINT_COUNT, PARENTS, neutral_offsets

from .corrections import NOTHING, Corrections, rows_by_bone
from .mapping import LOCATION
from .rig import Rig

SNAP_DEGREES = 30.0
"""An estimated axis this near to one of the armature's own axes is taken to be that one."""
FLOOR_TOLERANCE = 0.1
"""How far, in leg lengths, the lowest leg bone may be from the armature's origin for that to be the floor."""

SPINE = [JOINT[name] for name in ("pelvis", "spine1", "spine2", "spine3")]
"""The joints over which a rig's spine bones are spread."""
_NECK = [JOINT[name] for name in ("spine3", "neck")]
_SIDES = (("left", 1.0), ("right", -1.0))
_NO_TURN = np.array([1.0, 0, 0, 0])


@dataclass(frozen=True, eq=False)
class Calibration:
    """A rig's mapped bones in the T-pose.

    Attributes:
        bones: M bone names, a bone that carries others before them.
        low, high, blend: (M,) the SMPL joints between whose world rotations the bone's lies, and where: ``blend`` 0 is
            ``low``, 1 is ``high``. Most bones have one joint for both.
        rest: (M, 4) world rotations in the calibrated T-pose.
        heads: (M, 3) metres, heads in the T-pose.
        pelvis: (3,) metres, the pelvis joint in the T-pose.
        offsets: (22, 3) metres, the rig as an SMPL body: rest offsets of the joints from their parents.
        clearance: metres from the floor up to the toe joints when the rig stands.
        location: index in ``bones`` of the bone that takes the location keys.
    """

    bones: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    blend: np.ndarray
    rest: np.ndarray
    heads: np.ndarray
    pelvis: np.ndarray
    offsets: np.ndarray
    clearance: float
    location: int

    def bone(self, joint: str) -> int | None:
        """Index of the bone that plays a joint alone, or None if the rig has none for it."""
        found = np.flatnonzero((self.low == JOINT[joint]) & (self.high == JOINT[joint]))
        return int(found[-1]) if len(found) else None


def calibrate(rig: Rig, bones: Mapping[str, tuple[str, ...]], corrections: Corrections = NOTHING) -> Calibration:
    """Estimate the T-pose of a rig: arms to the sides, legs straight down, feet forward, spine and head as they rest.

    Args:
        rig: the rig in its rest pose.
        bones: bone names by key of `mapping.KEYS`, as `detect.best_map` finds them.
        corrections: what a person found wrong with the estimate.

    Raises:
        DuologueError: ``rig_mirrored``.
    """
    turn = facing(rig, bones)
    heads = rot.rotate(turn, rig.heads())
    tails = rot.rotate(turn, rig.to_world(rig.tails))
    rest = rot.multiply(np.broadcast_to(turn, (len(rig.bones), 4)), rig.rest_rotations())
    posture = _Posture(rig, bones, heads, tails, floor=rot.rotate(turn, rig.world[:3, 3])[1])
    straightened = posture.straightened()
    for name, row in rows_by_bone(bones).items():
        if row in corrections:
            straightened[name] = rot.multiply(corrections[row], straightened.get(name, rot.IDENTITY))

    played = sorted(_played(rig, bones), key=lambda one: rig.index(one[0]))
    played.sort(key=lambda one: one[0] != bones.get(LOCATION, (None,))[0])
    names = tuple(name for name, *_ in played)
    joints = posture.joints(straightened)
    own = [straightened.get(name, rot.IDENTITY) for name in names]
    indices = [rig.index(name) for name in names]
    return Calibration(
        bones=names,
        low=np.array([low for _, low, _, _ in played]),
        high=np.array([high for _, _, high, _ in played]),
        blend=np.array([blend for *_, blend in played], np.float32),
        rest=rot.multiply(np.array(own, np.float32), rest[indices].astype(np.float32)),
        heads=np.array([posture.t_pose_head(name, joints, straightened) for name in names], np.float32),
        pelvis=joints[JOINT["pelvis"]].astype(np.float32),
        offsets=_offsets(joints),
        clearance=posture.clearance(),
        location=names.index(bones.get(LOCATION, bones["pelvis"])[0]),
    )


def facing(rig: Rig, bones: Mapping[str, tuple[str, ...]]) -> np.ndarray:
    """The rotation (4,) that makes a rig, as it rests in the world, stand upright and face +Z."""
    heads = rig.heads()

    def at(key: str) -> np.ndarray:
        return heads[rig.index(bones[key][0])]

    left = at("left_hip") - at("right_hip") + at("left_shoulder") - at("right_shoulder")
    up = at("head") - (at("left_hip") + at("right_hip")) / 2
    axes = rig.world[:3, :3] / np.linalg.norm(rig.world[:3, :3], axis=0)
    up = _snapped(up, axes)
    left = _snapped(left - up * (left @ up), axes)
    left = left - up * (left @ up)
    left /= np.linalg.norm(left)
    return rot.from_matrix(np.stack((left, up, np.cross(left, up))))


def _snapped(direction: np.ndarray, axes: np.ndarray) -> np.ndarray:
    direction = direction / np.linalg.norm(direction)
    cosines = direction @ axes
    nearest = np.argmax(np.abs(cosines))
    if abs(cosines[nearest]) < np.cos(np.radians(SNAP_DEGREES)):
        return direction
    return axes[:, nearest] * np.sign(cosines[nearest])


def _played(rig: Rig, bones: Mapping[str, tuple[str, ...]]) -> list[tuple[str, int, int, float]]:
    """Name, low joint, high joint and blend of every mapped bone; spine and neck are spread over their chains."""
    played = []
    for key, names in bones.items():
        if key == "spine":
            played += _spread(names, SPINE)
        elif key == "neck":
            played += _spread(names, _NECK)
        else:
            joint = JOINT["pelvis" if key == LOCATION else key]
            played += [(names[0], joint, joint, 1.0)]
    return played


def _spread(names: tuple[str, ...], chain: list[int]) -> list[tuple[str, int, int, float]]:
    """The last bone of a chain turns with the chain's last joint, those before by equal shares of the way to it."""
    spread = []
    for number, name in enumerate(names, 1):
        along = number * (len(chain) - 1) / len(names)
        low = min(int(np.ceil(along)) - 1, len(chain) - 2)
        blend = along - low
        joints = (chain[low + 1] if blend == 1 else chain[low], chain[low + 1])
        spread.append((name, *joints, float(blend)))
    return spread


class _Posture:
    """The rest pose, upright and facing +Z, and what it takes to make a T-pose of it."""

    def __init__(
        self, rig: Rig, bones: Mapping[str, tuple[str, ...]], heads: np.ndarray, tails: np.ndarray, floor: float
    ) -> None:
        self._rig, self._bones, self._heads, self._tails, self._floor = rig, bones, heads, tails, floor

    def head(self, key: str, number: int = 0) -> np.ndarray:
        """Head of a mapped bone at rest."""
        return self._heads[self._rig.index(self._bones[key][number])]

    def tail(self, key: str) -> np.ndarray:
        """Tail of a mapped bone at rest."""
        return self._tails[self._rig.index(self._bones[key][0])]

    def straightened(self) -> dict[str, np.ndarray]:
        """World rotation, by bone, that takes it from the rest pose into the T-pose; the others stay."""
        turns = {}
        for side, sign in _SIDES:
            shoulder, elbow, wrist = (f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist"))
            outward = np.array([sign, 0, 0])
            points = [self.head(shoulder), self.head(elbow), self.head(wrist), self.tail(wrist)]
            self._align(turns, (shoulder, elbow, wrist), points, outward)
            hip, knee, ankle, foot = (f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "foot"))
            points = [self.head(hip), self.head(knee), self.head(ankle)]
            self._align(turns, (hip, knee), points, np.array([0.0, -1, 0]))
            # The sole lies flat at rest, so the foot only turns about the vertical.
            forward = self._toe(side) - self.head(ankle)
            yaw = rot.between(forward * [1, 0, 1], np.array([0.0, 0, 1]))
            for key in (ankle, foot):
                if key in self._bones:
                    turns[self._bones[key][0]] = yaw
        return turns

    def _align(
        self, turns: dict[str, np.ndarray], keys: tuple[str, ...], points: list[np.ndarray], direction: np.ndarray
    ) -> None:
        turn = np.array([1.0, 0, 0, 0])
        for key, start, end in zip(keys, points[:-1], points[1:], strict=True):
            turn = rot.multiply(rot.between(rot.rotate(turn, end - start), direction), turn)
            turns[self._bones[key][0]] = turn

    def joints(self, turns: dict[str, np.ndarray]) -> np.ndarray:
        """(22, 3) joint positions in the T-pose, metres, the armature's floor at 0."""
        points = np.zeros((JOINT_COUNT, 3))
        trunk = self._trunk(turns)

        def at(key: str, number: int = 0) -> np.ndarray:
            return trunk[self._bones[key][number]]

        hips = (at("left_hip") + at("right_hip")) / 2
        leg = np.linalg.norm(self.head("left_hip") - self.head("left_knee")) + np.linalg.norm(
            self.head("left_knee") - self.head("left_ankle")
        )
        neutral = neutral_offsets()
        size = leg / -(neutral[JOINT["left_knee"], 1] + neutral[JOINT["left_ankle"], 1])
        # Rigs put the head of their hip bone anywhere between crotch and navel; SMPL's place makes them comparable.
        points[JOINT["pelvis"]] = hips - [0, neutral[JOINT["left_hip"], 1] * size, 0]

        spine = np.array([trunk[name] for name in self._hinges()])
        for number, joint in enumerate(SPINE[1:]):
            along = min(number * len(spine) / 3, len(spine) - 1)
            low = min(int(along), max(len(spine) - 2, 0))
            points[joint] = spine[low] + (along - low) * (spine[min(low + 1, len(spine) - 1)] - spine[low])
        points[JOINT["head"]] = at("head")
        points[JOINT["neck"]] = at("neck" if "neck" in self._bones else "head")

        for side, _ in _SIDES:
            chain = {
                joint: f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot")
            }
            for joint in ("shoulder", "hip"):
                points[JOINT[chain[joint]]] = at(chain[joint])
            for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")):
                turn = turns[self._bones[chain[start]][0]]
                step = rot.rotate(turn, self.head(chain[end]) - self.head(chain[start]))
                points[JOINT[chain[end]]] = points[JOINT[chain[start]]] + step
            step = rot.rotate(turns[self._bones[chain["ankle"]][0]], self._toe(side) - self.head(chain["ankle"]))
            points[JOINT[chain["foot"]]] = points[JOINT[chain["ankle"]]] + step
            collar = JOINT[f"{side}_collar"]
            if f"{side}_collar" in self._bones:
                points[collar] = at(f"{side}_collar")
            else:
                points[collar] = (points[JOINT["spine3"]] + points[JOINT[chain["shoulder"]]]) / 2
        return points

    def _hinges(self) -> list[str]:
        """For every spine bone, the bone at whose head it meets the one below: its own, or that one if it carries it.

        Rigify's lower spine hangs from the waist: its bones point up, but turn about their upper ends.
        """
        below = (self._bones["pelvis"][0], *self._bones["spine"])
        return [low if self._rig.hangs(low, name) else name for low, name in pairwise(below)]

    def _trunk(self, turns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Heads (3,) in the T-pose, by bone, of what is not moved by straight arms and legs, but by corrections."""
        bones = self._bones
        upwards = [*bones.get(LOCATION, ()), *bones["pelvis"], *bones["spine"], *bones.get("neck", ()), *bones["head"]]
        steps = list(pairwise(dict.fromkeys(upwards)))
        for side, _ in _SIDES:
            arm = [bones[key][0] for key in (f"{side}_collar", f"{side}_shoulder") if key in bones]
            steps += pairwise([bones["spine"][-1], *arm])
            steps.append((bones["pelvis"][0], bones[f"{side}_hip"][0]))
        rest = {name: self._heads[self._rig.index(name)] for step in steps for name in step}
        found = {steps[0][0]: rest[steps[0][0]]}
        for below, above in steps:
            found[above] = found[below] + rot.rotate(turns.get(below, _NO_TURN), rest[above] - rest[below])
        return found

    def t_pose_head(self, bone: str, joints: np.ndarray, turns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Head (3,) of a mapped bone in the T-pose."""
        for key, names in self._bones.items():
            if bone in names and key in JOINT and key not in ("pelvis", "head") and not key.endswith("collar"):
                return joints[JOINT[key]]
        return self._trunk(turns)[bone]

    def _toe(self, side: str) -> np.ndarray:
        return self.head(f"{side}_foot") if f"{side}_foot" in self._bones else self.tail(f"{side}_ankle")

    def clearance(self) -> float:
        """Height (metres) of the toe joints over what the rig stands on at rest."""
        toes = (self._toe("left")[1] + self._toe("right")[1]) / 2
        keys = [f"{side}_{joint}" for side, _ in _SIDES for joint in ("ankle", "foot")]
        lowest = min(toes, *(self.tail(key)[1] for key in keys if key in self._bones))
        leg = (self.head("left_hip") - self._toe("left"))[1]
        floor = self._floor if abs(self._floor - lowest) < FLOOR_TOLERANCE * leg else lowest
        return float(toes - floor)


def _offsets(joints: np.ndarray) -> np.ndarray:
    offsets = np.zeros((JOINT_COUNT, 3), np.float32)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            offsets[joint] = joints[joint] - joints[parent]
    return offsets
