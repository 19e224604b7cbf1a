"""One person of a scene: real idle and walking motion underneath, and what the script asks for on top of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from protocol import rotations as rot
from protocol.skeleton import JOINT

from .blend import envelope, mixed, smooth
from .body import ARM_JOINTS, ARMS, LEGS, SIDES, SPINE, Body, world_pose
from .feet import Footsteps, Gait, plan
from .ik import two_bone, unit
from .library import Stand, Walk
from .path import Path, direction

X, Y, Z = np.eye(3)
NECK, HEAD = JOINT["neck"], JOINT["head"]
SLACK = 0.006
"""Metres by which the knees stay bent while standing, on the neutral body."""


@dataclass(frozen=True, eq=False)
class ArmGoal:
    """Where a palm shall be.

    Attributes:
        side: "left" or "right".
        target: (T, 3) palm positions in the world, metres.
        weight: (T,) 0 leaves the arm to the clip below, 1 puts the palm on the target.
        pole: (3,) direction in which the elbow points, in the person's heading frame, for the left arm
            (X is outwards; the right arm takes the mirror image).
        wrist: (4,) rotation of the wrist, for the left arm; the right arm takes the mirror image.
        lean: whether the pelvis moves to where the arm alone does not reach.
    """

    side: str
    target: np.ndarray
    weight: np.ndarray
    pole: tuple[float, float, float] = (0.5, -1.0, -0.3)
    wrist: np.ndarray = field(default_factory=lambda: np.array([1.0, 0, 0, 0]))
    lean: bool = True


@dataclass(frozen=True, eq=False)
class LegGoal:
    """Where an ankle shall be instead of where the footsteps have it.

    Attributes:
        side: "left" or "right".
        target: (T, 3) ankle positions in the world, metres.
        weight: (T,) 0 leaves the foot to its steps, 1 puts the ankle on the target.
        pitch: (T,) radians by which the foot points down at weight 1; negative pulls the toes up.
    """

    side: str
    target: np.ndarray
    weight: np.ndarray
    pitch: np.ndarray


@dataclass(eq=False)
class Performer:
    """One person's channels over T frames; ``perform`` turns them into a pose for every frame.

    Attributes:
        body: the body.
        path: where the person goes.
        stand: real quiet standing (T, 22, 4), heading removed, and its sway.
        walk: the real gait cycle that the arms and the trunk follow while walking.
        gait: how the person steps.
        lower: (T,) metres by which the pelvis is lowered.
        rise: (T,) metres by which the whole body is off the floor, as in a jump.
        shift: (T, 3) metres by which the pelvis is moved, in the heading frame.
        pelvis: (T, 3) radians of pitch (forward), yaw (to the left) and roll (to the right) added to the pelvis.
        spine: (T, 3) the same, added to the spine as a whole.
        head: (T, 3) the same, added to neck and head.
        gaze: (T, 3) world point that the person looks at, and its weight (T,); None leaves the head to the clip.
        arms: palm goals, later ones over earlier ones.
        legs: ankle goals.
        steps: the footsteps, if they are planned already.
        finish: what becomes of the root (T, 3) and the rotations (T, 22, 4) before the feet are put on their steps.
    """

    body: Body
    path: Path
    stand: Stand
    walk: Walk
    gait: Gait
    lower: np.ndarray = field(init=False)
    rise: np.ndarray = field(init=False)
    shift: np.ndarray = field(init=False)
    pelvis: np.ndarray = field(init=False)
    spine: np.ndarray = field(init=False)
    head: np.ndarray = field(init=False)
    gaze: tuple[np.ndarray, np.ndarray] | None = None
    arms: list[ArmGoal] = field(default_factory=list)
    legs: list[LegGoal] = field(default_factory=list)
    steps: Footsteps | None = None
    finish: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None

    def __post_init__(self) -> None:
        frames = self.path.frames
        self.lower, self.rise = np.zeros(frames), np.zeros(frames)
        self.shift, self.pelvis, self.spine, self.head = (np.zeros((frames, 3)) for _ in range(4))

    def point(self, forward: float, left: float, height: float) -> np.ndarray:
        """World points (T, 3) at metres from the person's path, in its heading frame."""
        return self.around(np.broadcast_to(np.array([left, height, forward]), (self.path.frames, 3)))

    def around(self, local: np.ndarray) -> np.ndarray:
        """World points (T, 3) of points given in the heading frame: X left, Y up, Z forward, metres."""
        floor = np.stack((self.path.xz[:, 0], np.zeros(self.path.frames), self.path.xz[:, 1]), axis=-1)
        return floor + rot.rotate(rot.about_y(self.path.heading), local)

    def head_point(self) -> np.ndarray:
        """Roughly where the head is, (T, 3) metres: what others look at."""
        lean = np.sin(np.clip(self.pelvis[:, 0] + self.spine[:, 0], -1, 1.3))
        height = self.body.pelvis_height + (0.6 - 0.35 * np.abs(lean)) * self.body.scale - self.lower + self.rise
        return self.around(np.stack((self.shift[:, 0], height, self.shift[:, 2] + 0.5 * lean), axis=-1))

    def perform(self) -> tuple[np.ndarray, np.ndarray, Footsteps]:
        """Root (T, 3), local rotations (T, 22, 4) and the footsteps."""
        steps = self.planned()
        root, rotations = self.above(steps)
        if self.finish is not None:
            root, rotations = self.finish(root, rotations)
            root[:, 1] -= self._overstretch(root, rotations, steps)
        self._move_legs(root, rotations, steps)
        return root, rotations, steps

    def planned(self) -> Footsteps:
        """The footsteps; feet that a leg goal or a jump lifts do not bear."""
        steps = self.steps or plan(self.path, self.body.scale, self.gait)
        lifted = np.repeat(self.rise[:, None] > 1e-4, 2, axis=1)
        for goal in self.legs:
            lifted[:, SIDES.index(goal.side)] |= goal.weight > 1e-3
        return replace(steps, planted=steps.planted & ~lifted) if lifted.any() else steps

    def above(self, steps: Footsteps) -> tuple[np.ndarray, np.ndarray]:
        """Root (T, 3) and local rotations (T, 22, 4), in which the legs are still those of the clip."""
        body, path = self.body, self.path
        base, sway = self._base(steps)
        facing = rot.about_y(path.heading)
        rotations = base.copy()
        rotations[:, 0] = rot.multiply(rot.multiply(facing, _tilt(self.pelvis)), base[:, 0])
        for joint in SPINE:
            rotations[:, joint] = rot.multiply(_tilt(self.spine / 3), base[:, joint])
        height = body.pelvis_height - SLACK * body.scale - self.lower + self.rise
        local = self.shift + sway * body.scale
        local[:, 1] += height
        root = self.around(local)
        for _ in range(2):
            root = self._reach(root, rotations)
        root[:, 1] -= self._overstretch(root, rotations, steps)
        self._look(root, rotations)
        self._move_arms(root, rotations)
        return root, rotations

    def _base(self, steps: Footsteps) -> tuple[np.ndarray, np.ndarray]:
        """Standing mixed with walking: local rotations without heading (T, 22, 4) and pelvis sway (T, 3)."""
        speed = np.hypot(*self.path.velocity().T)
        walking = smooth(np.clip(speed / self.walk.speed, 0, 1), 6)
        forward = smooth(np.sum(self.path.velocity() * direction(self.path.heading), -1), 6) / np.maximum(speed, 0.2)
        walking = walking * np.clip(0.35 + 0.65 * forward, 0.2, 1)
        rotations, sway = self.walk.at(steps.phase)
        mix = mixed(self.stand.rotations, rotations, walking)
        return mix, self.stand.sway + walking[:, None] * (sway - self.stand.sway)

    def _reach(self, root: np.ndarray, rotations: np.ndarray) -> np.ndarray:
        """The pelvis moved towards palm goals that the arms alone cannot reach."""
        for goal in filter(lambda goal: goal.lean, self.arms):
            chain = ARMS[goal.side]
            joints = (0, *SPINE, *ARM_JOINTS[goal.side][:2])
            shoulder = world_pose(root, rotations, self.body.offsets, joints)[0][:, chain.root]
            upper, lower = self._arm_bones(goal)
            line = goal.target - shoulder
            farthest = 0.985 * (np.linalg.norm(upper) + np.linalg.norm(lower))
            missing = np.maximum(np.linalg.norm(line, axis=-1) - farthest, 0) * (goal.weight > 0.5) * goal.weight
            move = smooth(envelope(np.minimum(missing, 0.22), 6)[:, None] * unit(line), 2) * np.array([1, 0.5, 1])
            root = root + move
        return root

    def _arm_bones(self, goal: ArmGoal) -> tuple[np.ndarray, np.ndarray]:
        """Shoulder to elbow, and elbow to palm with the goal's wrist, each in its bone's frame (3,)."""
        chain = ARMS[goal.side]
        hand = rot.rotate(_sided(goal.wrist, goal.side), self.body.palm_offset(goal.side))
        return self.body.offsets[chain.hinge], self.body.offsets[chain.end] + hand

    def _overstretch(self, root: np.ndarray, rotations: np.ndarray, steps: Footsteps) -> np.ndarray:
        """By how much (T,) the pelvis must sink for both legs to reach their feet, smoothly."""
        ankles, _ = self._ankles(steps)
        needed = np.zeros(len(root))
        for index, side in enumerate(SIDES):
            chain = LEGS[side]
            hip = root + rot.rotate(rotations[:, 0], self.body.offsets[chain.root])
            length = 0.992 * sum(np.linalg.norm(self.body.offsets[j]) for j in (chain.hinge, chain.end))
            across = np.hypot(*(hip - ankles[:, index])[:, [0, 2]].T)
            drop = np.sqrt(np.maximum(length**2 - across**2, 0.2))
            missing = hip[:, 1] - ankles[:, index, 1] - drop
            needed = np.maximum(needed, np.where(steps.planted[:, index], missing, 0))
        return envelope(needed, 5)

    def _ankles(self, steps: Footsteps) -> tuple[np.ndarray, np.ndarray]:
        """Ankle positions (T, 2, 3) and world rotations (T, 2, 4) of the feet."""
        foot = self.body.offsets[JOINT["left_foot"]]
        yaw = rot.about_y(steps.yaw)
        toe = rot.rotate(yaw, np.array([0, 0, foot[2]]))
        toe[..., [0, 2]] += steps.ankle
        toe[..., 1] = steps.lift + self.rise[:, None]
        world = rot.multiply(yaw, rot.from_axis_angle(X, smooth(steps.pitch, 1)))
        ankles = toe - rot.rotate(world, foot)
        for goal in self.legs:
            index = SIDES.index(goal.side)
            turned = rot.multiply(rot.about_y(self.path.heading), rot.from_axis_angle(X, goal.pitch))
            ankles[:, index] += goal.weight[:, None] * (goal.target - ankles[:, index])
            world[:, index] = mixed(world[:, index], turned, goal.weight)
        return ankles, world

    def _look(self, root: np.ndarray, rotations: np.ndarray) -> None:
        """Turn neck and head towards the gaze point, as far as a neck can."""
        nod = self.head
        if self.gaze is not None:
            point, weight = self.gaze
            joints = (0, *SPINE, NECK)
            positions, world = world_pose(root, rotations, self.body.offsets, joints)
            eyes = positions[:, NECK] + np.array([0, 0.12, 0]) * self.body.scale
            line = rot.rotate(rot.inverse(world[:, SPINE[-1]]), point - eyes)
            yaw = np.arctan2(line[:, 0], line[:, 2])
            pitch = -np.arctan2(line[:, 1], np.hypot(line[:, 0], line[:, 2]))
            seen = weight * np.clip((2.6 - np.abs(yaw)) / 0.6, 0, 1)
            aim = np.stack((np.clip(pitch, -0.6, 0.6), np.clip(yaw, -1.1, 1.1), np.zeros_like(yaw)), axis=-1)
            nod = nod + smooth(aim * seen[:, None], 4)
            for joint in (NECK, HEAD):
                calm = mixed(rotations[:, joint], np.broadcast_to(rot.IDENTITY, (len(root), 4)), 0.7 * smooth(seen, 4))
                rotations[:, joint] = calm
        for joint, share in ((NECK, 0.45), (HEAD, 0.55)):
            rotations[:, joint] = rot.multiply(_tilt(nod * share), rotations[:, joint])

    def _move_arms(self, root: np.ndarray, rotations: np.ndarray) -> None:
        for goal in self.arms:
            chain = ARMS[goal.side]
            collar = ARM_JOINTS[goal.side][0]
            positions, world = world_pose(root, rotations, self.body.offsets, (0, *SPINE, collar, chain.root))
            upper, lower = self._arm_bones(goal)
            sign = 1 if goal.side == "left" else -1
            pole = rot.rotate(rot.about_y(self.path.heading), np.array(goal.pole) * np.array([sign, 1, 1]))
            # A left arm that bends swings its forearm from +X to +Z: about -Y; the right arm about +Y.
            arm, forearm = two_bone(positions[:, chain.root], goal.target, pole, upper, lower, -sign * Y)
            wanted = (
                (chain.root, rot.multiply(rot.inverse(world[:, collar]), arm)),
                (chain.hinge, rot.multiply(rot.inverse(arm), forearm)),
                (chain.end, np.broadcast_to(_sided(goal.wrist, goal.side), arm.shape)),
            )
            for joint, local in wanted:
                rotations[:, joint] = mixed(rotations[:, joint], local, goal.weight)

    def _move_legs(self, root: np.ndarray, rotations: np.ndarray, steps: Footsteps) -> None:
        ankles, feet = self._ankles(steps)
        for index, side in enumerate(SIDES):
            chain = LEGS[side]
            hip = root + rot.rotate(rotations[:, 0], self.body.offsets[chain.root])
            ahead = direction(self.path.heading) + 1.5 * direction(steps.yaw[:, index])
            pole = np.stack((ahead[:, 0], np.zeros(len(root)), ahead[:, 1]), axis=-1)
            upper, lower = self.body.offsets[chain.hinge], self.body.offsets[chain.end]
            thigh, shank = two_bone(hip, ankles[:, index], pole, upper, lower, X)
            rotations[:, chain.root] = rot.multiply(rot.inverse(rotations[:, 0]), thigh)
            rotations[:, chain.hinge] = rot.multiply(rot.inverse(thigh), shank)
            rotations[:, chain.end] = rot.multiply(rot.inverse(shank), feet[:, index])
            rotations[:, JOINT[f"{side}_foot"]] = rot.IDENTITY


def _tilt(angles: np.ndarray) -> np.ndarray:
    """Rotations (T, 4) of pitch, yaw and roll (T, 3) radians: yaw first in the parent's frame, then pitch, roll."""
    pitch, yaw, roll = angles.T
    return rot.multiply(rot.about_y(yaw), rot.multiply(rot.from_axis_angle(X, pitch), rot.from_axis_angle(Z, roll)))


def _sided(rotation: np.ndarray, side: str) -> np.ndarray:
    """A rotation given for the left side, or its mirror image across the midline."""
    return rotation if side == "left" else rotation * np.array([1, 1, -1, -1])
