"""Rigs of many makes, made of numbers: a body, a family's names, and the clutter that real rigs carry around a body.

Everything is drawn from seeds, so that a rig is the same whenever it is built. Bodies stand on Y = 0 and face +Z.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from blender_addon.retarget import mapping
from blender_addon.retarget.mapping import BoneMap
from blender_addon.retarget.rig import Rig
from protocol import rotations as rot
from protocol.skeleton import JOINT, JOINT_NAMES, PARENTS, neutral_offsets

SIDES = (("left", 1.0), ("right", -1.0))
Z_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""Armature space of Blender, Z up, to that of the bodies here."""


@dataclass(frozen=True)
class Make:
    """How a rig is built around its 22 joints.

    Attributes:
        arms_down: degrees below the horizontal; 0 is a T-pose, 45 an A-pose.
        bent: degrees by which elbows and knees are bent at rest.
        spine, neck: how many bones each has; None for as many as its names.
        toes, collars: whether the rig has them.
        hip_joints: a bone between pelvis and thigh, as CMU and MakeHuman have.
        split_pelvis: legs on a bone of their own beside the spine, as Daz and Character Creator have.
        collars_on_neck: as 3ds Max Biped has them.
        twists: "beside" for twist bones that nothing hangs on, "within" for such that the next joint hangs on.
        fingers: how many, of three bones each.
        clutter: any of "root", "tips", "face", "hair", "skirt", "tail", "props", "ik" and "chest".
        units: units of the armature in a metre.
        turned: degrees by which the object is turned about the vertical.
        seed: proportions, bone rolls, and the order of the bones.
    """

    arms_down: float = 0.0
    bent: float = 3.0
    spine: int | None = None
    neck: int | None = None
    toes: bool = True
    collars: bool = True
    hip_joints: bool = False
    split_pelvis: bool = False
    collars_on_neck: bool = False
    twists: str = ""
    fingers: int = 0
    clutter: frozenset[str] = frozenset()
    units: float = 1.0
    turned: float = 0.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Sample:
    """A rig, and the map that is right for it."""

    rig: Rig
    bones: Mapping[str, tuple[str, ...]]

    @property
    def rows(self) -> dict[str, str]:
        """The right bone by row; empty where the rig has none."""
        return mapping.rows_of(BoneMap("right", self.bones, self.bones))


def family(title: str) -> BoneMap:
    """A shipped bone map by its title."""
    return next(one for one in mapping.bone_maps() if one.name == title)


def build(names: BoneMap, make: Make) -> Sample:
    """A rig with a family's names on a body of the given make."""
    builder = _Builder(names, make)
    return Sample(builder.rig(), builder.bones)


def shuffled(sample: Sample, seed: int) -> Sample:
    """The same rig under names that mean nothing, its bones in another order."""
    draw, rig = np.random.default_rng(seed), sample.rig
    order = [int(bone) for bone in np.lexsort(np.array([draw.random(len(rig.bones)), _depths(rig.parents)]))]
    place = {old: new for new, old in enumerate(order)}
    labels = draw.permutation(len(rig.bones))
    names = {rig.bones[old]: f"Bone.{labels[old]:03}" for old in order}
    mixed = replace(
        rig,
        bones=tuple(names[rig.bones[old]] for old in order),
        parents=tuple(place[rig.parents[old]] if rig.parents[old] >= 0 else -1 for old in order),
        rest=rig.rest[order],
        tails=rig.tails[order],
    )
    return Sample(mixed, {key: tuple(names[name] for name in found) for key, found in sample.bones.items()})


def loose(names: Sequence[str]) -> Rig:
    """Bones that are only names: all in one place, and none on another."""
    count = len(names)
    rest = np.tile(np.eye(4), (count, 1, 1))
    return Rig("loose", tuple(names), (-1,) * count, rest, np.zeros((count, 3)), np.eye(4))


def _depths(parents: Sequence[int]) -> list[int]:
    depths: list[int] = []
    for parent in parents:
        depths.append(depths[parent] + 1 if parent >= 0 else 0)
    return depths


def _body(make: Make, draw: np.random.Generator) -> dict[str, np.ndarray]:
    """Joint positions (3,) by name, metres; limbs vary in length by up to a tenth, the same on both sides."""
    offsets = neutral_offsets().astype(float)
    for part in ("knee", "ankle", "elbow", "wrist", "shoulder"):
        stretch = draw.uniform(0.9, 1.1)
        for side, _ in SIDES:
            offsets[JOINT[f"{side}_{part}"]] *= stretch
    turns = {}
    for side, sign in SIDES:
        hang = rot.from_axis_angle(np.array([0, 0, -sign]), np.radians(make.arms_down))
        fold = rot.from_axis_angle(np.array([0, -sign, 0]), np.radians(make.bent))
        turns[f"{side}_shoulder"], turns[f"{side}_elbow"] = hang, rot.multiply(hang, fold)
        turns[f"{side}_hip"] = rot.from_axis_angle(np.array([1.0, 0, 0]), -np.radians(make.bent) / 2)
        turns[f"{side}_knee"] = rot.from_axis_angle(np.array([1.0, 0, 0]), np.radians(make.bent) / 2)
    points = np.zeros((22, 3))
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            turn = turns.get(JOINT_NAMES[parent], rot.IDENTITY)
            points[joint] = points[parent] + rot.rotate(turn, offsets[joint])
    points[:, 1] -= points[JOINT["left_foot"], 1] - 0.02
    return dict(zip(JOINT_NAMES, points, strict=True))


class _Builder:
    """Adds bone after bone; a parent always before its children."""

    def __init__(self, names: BoneMap, make: Make) -> None:
        self._names, self._make = names, make
        self._draw = np.random.default_rng(make.seed)
        self._at = _body(make, self._draw)
        self._bones: list[str] = []
        self._parents: list[int] = []
        self._heads: list[np.ndarray] = []
        self.bones: dict[str, tuple[str, ...]] = {}
        self._top = self._trunk()
        for side, sign in SIDES:
            self._leg(side)
            self._arm(side, sign)
        self._clutter()

    def rig(self) -> Rig:
        """What has been added, as a rig."""
        make, count = self._make, len(self._bones)
        heads = np.array(self._heads) * make.units
        rest = np.tile(np.eye(4), (count, 1, 1))
        rest[:, :3, :3] = rot.to_matrix(rot.normalize(self._draw.normal(size=(count, 4))))
        rest[:, :3, 3] = heads @ Z_UP[:3, :3]
        # A bone's tail says little in many rigs: importers put it anywhere along one of the bone's axes.
        tails = rest[:, :3, 3] + 0.05 * make.units * rest[:, :3, 1]
        world = np.eye(4)
        world[:3, :3] = rot.to_matrix(rot.from_axis_angle(np.array([0, 1.0, 0]), np.radians(make.turned)))
        world[:3, :3] /= make.units
        return Rig("made", tuple(self._bones), tuple(self._parents), rest, tails, world @ Z_UP)

    def _add(self, name: str, parent: str | None, head: np.ndarray) -> str:
        self._bones.append(name)
        self._parents.append(self._bones.index(parent) if parent else -1)
        self._heads.append(np.asarray(head, float))
        return name

    def _chain(self, name: str, parent: str, start: np.ndarray, end: np.ndarray, count: int) -> str:
        for number in range(count):
            parent = self._add(f"{name} {number}", parent, start + (end - start) * number / max(count - 1, 1))
        return parent

    def _play(self, key: str, parent: str | None, head: np.ndarray) -> str:
        """Add the bone that plays a joint."""
        name = self._names.bones[key][0]
        self.bones[key] = (name,)
        return self._add(name, parent, head)

    def _trunk(self) -> str:
        """Add pelvis, spine, neck and head; returns the bone that carries the arms."""
        at, make, names = self._at, self._make, self._names.bones
        top = self._add("Armature root", None, np.zeros(3)) if "root" in make.clutter else None
        if "location" in names:
            top = self._add(names["location"][0], top, at["pelvis"] + [0, 0.05, 0])
            self.bones["location"] = (top,)
        parent = self._play("pelvis", top, at["pelvis"])
        chest = at["spine3"] + 0.4 * (at["neck"] - at["spine3"])
        spine = names["spine"][: make.spine]
        for number, name in enumerate(spine):
            parent = self._add(name, parent, at["spine1"] + (chest - at["spine1"]) * number / max(len(spine) - 1, 1))
        self.bones["spine"] = spine
        arms = parent
        neck = names.get("neck", ())[: make.neck]
        for number, name in enumerate(neck):
            parent = self._add(name, parent, at["neck"] + (at["head"] - at["neck"]) * number / len(neck))
            arms = parent if make.collars_on_neck and number == 0 else arms
        if neck:
            self.bones["neck"] = neck
        self._play("head", parent, at["head"])
        return arms

    def _leg(self, side: str) -> None:
        at, make = self._at, self._make
        parent = self.bones["pelvis"][0]
        if make.split_pelvis:
            name = "lower pelvis"
            parent = name if name in self._bones else self._add(name, parent, at["pelvis"] - [0, 0.02, 0])
        if make.hip_joints:
            parent = self._add(
                f"{side} joint of the hip", parent, at["pelvis"] + 0.2 * (at[f"{side}_hip"] - at["pelvis"])
            )
        self._limb(side, ("hip", "knee", "ankle"), parent)
        if make.toes and f"{side}_foot" in self._names.bones:
            toe = self._play(f"{side}_foot", self.bones[f"{side}_ankle"][0], at[f"{side}_foot"])
            if "tips" in make.clutter:
                self._add(f"{side} tip of the toe", toe, at[f"{side}_foot"] + [0, 0, 0.07])

    def _arm(self, side: str, sign: float) -> None:
        at, make, parent = self._at, self._make, self._top
        if make.collars:
            parent = self._play(f"{side}_collar", parent, at[f"{side}_collar"])
        self._limb(side, ("shoulder", "elbow", "wrist"), parent)
        hand, elbow = at[f"{side}_wrist"], at[f"{side}_elbow"]
        along = (hand - elbow) / np.linalg.norm(hand - elbow)
        wrist = self.bones[f"{side}_wrist"][0]
        for finger in range(make.fingers):
            base = hand + along * (0.04 if finger == 0 else 0.09) + [0, 0, 0.04 - 0.02 * finger]
            joints = 3 + ("tips" in make.clutter)
            self._chain(f"{side} finger {finger}", wrist, base, base + along * 0.025 * joints, joints)

    def _limb(self, side: str, joints: tuple[str, str, str], parent: str) -> None:
        """Add the three joints of a limb, with twist bones in its halves."""
        at, twists = self._at, self._make.twists
        for number, joint in enumerate(joints):
            parent = self._play(f"{side}_{joint}", parent, at[f"{side}_{joint}"])
            if number < 2 and twists:
                half = (at[f"{side}_{joint}"] + at[f"{side}_{joints[number + 1]}"]) / 2
                twist = self._add(f"{side} {joint} twist", parent, half)
                parent = twist if twists == "within" else parent

    def _clutter(self) -> None:
        at, clutter = self._at, self._make.clutter
        head, pelvis, hand = (self.bones[key][0] for key in ("head", "pelvis", "right_wrist"))
        if "tips" in clutter:
            self._add("tip of the head", head, at["head"] + [0, 0.2, 0])
        if "face" in clutter:
            jaw = self._add("jaw", head, at["head"] + [0, 0, 0.03])
            self._add("chin", jaw, at["head"] + [0, -0.03, 0.1])
            for side, sign in SIDES:
                self._add(f"{side} eye", head, at["head"] + [sign * 0.03, 0.07, 0.09])
                self._add(f"{side} brow", head, at["head"] + [sign * 0.03, 0.1, 0.1])
        if "hair" in clutter:
            crown = np.add(at["head"], [0, 0.15, -0.05])
            self._chain("back hair", head, crown, np.add(crown, [0, -0.6, -0.1]), 6)
            for side, sign in SIDES:
                self._chain(
                    f"{side} plait", head, np.add(crown, [sign * 0.08, 0, 0]), np.add(crown, [sign * 0.15, -0.8, 0]), 6
                )
        if "skirt" in clutter:
            for number, angle in enumerate(np.arange(8) * np.pi / 4 + 0.2):
                out = np.array([np.cos(angle), 0, np.sin(angle)])
                self._chain(
                    f"skirt {number}", pelvis, at["pelvis"] + 0.12 * out, at["pelvis"] + 0.3 * out - [0, 0.6, 0], 4
                )
        if "tail" in clutter:
            self._chain("tail", pelvis, at["pelvis"] - [0, 0, 0.1], at["pelvis"] - [0, 0.3, 0.9], 9)
        if "props" in clutter:
            self._chain("sword", hand, at["right_wrist"] + [0, 0, 0.08], at["right_wrist"] + [0, 0, 1.1], 4)
            self._chain("cape", self._top, at["spine3"] - [0, -0.2, 0.12], at["spine3"] - [0, 0.9, 0.3], 5)
        if "chest" in clutter:
            for side, sign in SIDES:
                self._add(f"{side} breast", self._top, at["spine3"] + [sign * 0.07, 0.1, 0.1])
        if "ik" in clutter:
            top = self._add("targets", self._bones[0] if "root" in clutter else None, np.zeros(3))
            for side, _ in SIDES:
                for joint in ("wrist", "ankle"):
                    self._add(f"target of the {side} {joint}", top, at[f"{side}_{joint}"])
