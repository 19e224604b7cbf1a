"""Feet: when they stand in the source, where they are held meanwhile, and the legs that follow.

Everything here looks back only, never ahead, so that a motion that arrives in stretches gives what the whole one gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from protocol import rotations as rot

from .body import ANKLES, LEGS, TOES, size
from .easing import Easing
from .limb import REACH
from .pose import Pose

LAND_SPEED, LEAVE_SPEED = 0.15, 0.30
"""A part of a foot stands once it is slower than the first (metres a second), until it is faster than the second."""
LAND_HEIGHT, LEAVE_HEIGHT = 0.03, 0.05
"""The same for its height over where it stands in the T-pose, metres on the neutral body."""
STRAY = 0.10
"""Metres: a foot that creeps this far does slide, and takes a new place."""
RELEASE = 0.25
"""Seconds in which a foot that was held goes back to its own path."""
SOFT = 0.97
"""A leg that is bent more in the source keeps a bend: it is stretched to this share of its length at most."""
STILL = 0.02
"""Metres a second: a foot turns on its heel where that is slower and the toe is not."""
FREE, TOE, HEEL = -1, 0, 1
"""What a foot stands on."""


@dataclass
class Stance:
    """On which part the feet stand in the source, frame by frame.

    Attributes:
        fps: frames a second.
        offsets: (P, 22, 3) of the source, metres.
    """

    fps: float
    offsets: np.ndarray

    def __post_init__(self) -> None:
        self._before: np.ndarray | None = None
        self._size = size(self.offsets)[:, None, None]
        persons = len(self.offsets)
        self._on = np.zeros((persons, 2, 2), bool)
        self._since = np.zeros((persons, 2, 2, 3))
        self._barred = np.zeros((persons, 2, 2))

    def push(self, source: Pose) -> np.ndarray:
        """(T, P, 2) for the next frames, left and right foot: `TOE`, `HEEL`, or `FREE` where it does not stand."""
        joints = source.joints()
        places = np.stack((joints[:, :, TOES], joints[:, :, ANKLES]), axis=3).astype(float)
        rest = np.stack((np.zeros((len(self.offsets), 2)), -self.offsets[:, TOES, 1]), axis=-1)
        heights = (places[..., 1] - rest) / self._size
        start = self._before if self._before is not None else places[0] - (places[min(1, len(places) - 1)] - places[0])
        speeds = np.linalg.norm(np.diff(np.concatenate((start[None], places)), axis=0), axis=-1) * self.fps
        lands = (speeds < LAND_SPEED) & (heights < LAND_HEIGHT)
        stays = (speeds < LEAVE_SPEED) & (heights < LEAVE_HEIGHT)
        pivots = np.empty(lands.shape[:3], int)
        turns = (speeds[..., HEEL] < STILL) & (speeds[..., TOE] > STILL)
        for frame, place in enumerate(places):
            near = np.hypot(*(place - self._since)[..., [0, 2]].transpose(3, 0, 1, 2)) < STRAY
            kept = self._on & stays[frame] & near
            # A foot that strayed has to be let go for long enough to reach its new place.
            self._barred = np.where(self._on & stays[frame] & ~near, RELEASE, self._barred - 1 / self.fps)
            landed = ~self._on & lands[frame] & (self._barred <= 0)
            self._since[landed] = place[landed]
            self._on = kept | landed
            toe, heel = self._on[..., TOE], self._on[..., HEEL]
            # Where both stand the toe is held, for heels rise over it.
            pivots[frame] = np.where(toe & ~(heel & turns[frame]), TOE, np.where(heel, HEEL, FREE))
        self._before = places[-1]
        return pivots


class FootLock:
    """Holds standing feet in place on the targets, from stretch to stretch."""

    def __init__(self, fps: float, persons: int) -> None:
        self._step = 1 / (fps * RELEASE)
        self._pivot = np.full((persons, 2), FREE)
        self._hold = np.zeros((persons, 2, 3))
        self._offset = np.zeros((persons, 2, 3))
        self._released = np.zeros((persons, 2, 3))
        self._age = np.ones((persons, 2, 1))

    def push(self, ankles: np.ndarray, pivots: np.ndarray, source: Pose, offsets: np.ndarray) -> np.ndarray:
        """Ankle targets (T, P, 2, 3) for which what stands stays where it came down, on the floor's plane.

        Args:
            ankles: (T, P, 2, 3) targets as `Ground.ankles` wants them, metres.
            pivots: (T, P, 2) from `Stance`.
            source: whose feet turn as the targets' do.
            offsets: (P, 22, 3) of the targets, metres.
        """
        toes = rot.rotate(source.world[:, :, ANKLES], offsets[:, TOES])
        held = ankles.astype(float)
        flat = np.array([1.0, 0, 1])
        for frame, pivot in enumerate(pivots):
            standing = (pivot != FREE)[..., None]
            left = ~standing & (self._pivot != FREE)[..., None]
            self._released = np.where(left, self._offset, self._released)
            self._age = np.where(left, 0.0, np.minimum(self._age + self._step, 1.0))
            ease = self._age * self._age * (3 - 2 * self._age)
            free = self._released * (1 - ease)
            arm = np.where((pivot == TOE)[..., None], toes[frame], 0.0)
            point = ankles[frame] + arm
            new = standing & (pivot != self._pivot)[..., None]
            # A foot that rolls from heel to toe is held already, by what it stood on before.
            carried = np.where((self._pivot != FREE)[..., None], self._offset, free)
            self._hold = np.where(new, point + carried, self._hold)
            self._offset = np.where(standing, (self._hold - point) * flat, free)
            self._pivot = pivot
            held[frame] += self._offset
        return held.astype(np.float32)


def plant(pose: Pose, source: Pose, ankles: np.ndarray, ease: Easing) -> None:
    """Lower hips where a leg is too short for its ankle, then bend the legs so that ankles are at ``ankles``.

    Args:
        pose: is changed.
        source: a leg is not straighter than there, if it is bent there.
        ankles: (T, P', 2, 3) for the first P' persons, metres.
        ease: how to smooth in time by how much hips go down.
    """
    led = ankles.shape[1]
    joints, meant = pose.joints()[:, :led], source.joints()[:, :led]
    drop = np.zeros(joints.shape[:2], np.float32)
    for number, (hip, knee, ankle) in enumerate(LEGS):
        length = np.linalg.norm(pose.offsets[:led, [knee, ankle]], axis=-1).sum(-1)
        whole = np.linalg.norm(source.offsets[:led, [knee, ankle]], axis=-1).sum(-1)
        straight = np.linalg.norm(meant[:, :, ankle] - meant[:, :, hip], axis=-1) / whole
        longest = length * np.clip(straight, SOFT, REACH)
        step = joints[:, :, hip] - ankles[:, :, number]
        height = np.sqrt(np.maximum(longest**2 - step[..., 0] ** 2 - step[..., 2] ** 2, 0))
        drop = np.maximum(drop, step[..., 1] - height)
    down = np.zeros((*pose.root.shape[:2], 3), np.float32)
    down[:, :led, 1] = -ease(drop)
    pose.shift(down)
    for number, leg in enumerate(LEGS):
        target = pose.joints()[:, :, leg[2]].copy()
        target[:, :led] = ankles[:, :, number]
        pose.lead(leg, target, forward=1.0)
