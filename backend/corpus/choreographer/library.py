"""The real motion that the choreographer builds on: quiet standing and gait cycles, heading removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, rest_height

from .. import clips
from ..clips import Clip
from ..cmu import Take
from .blend import FPS, sampled, sampled_linear, to_and_fro
from .body import NEUTRAL_HEIGHT

WRISTS = [JOINT["left_wrist"], JOINT["right_wrist"]]
ELBOWS = [JOINT["left_elbow"], JOINT["right_elbow"]]


@dataclass(frozen=True, eq=False)
class Stand:
    """Quiet standing: local rotations (N, 22, 4) and pelvis sway (N, 3) in metres for the neutral body."""

    name: str
    rotations: np.ndarray
    sway: np.ndarray

    def lasting(self, frames: int, start: float) -> Stand:
        """The same standing for ``frames`` frames, played forth and back from clip frame ``start``."""
        at = to_and_fro(len(self.sway), frames, start)
        return Stand(self.name, sampled(self.rotations, at), sampled_linear(self.sway, at))


@dataclass(frozen=True, eq=False)
class Walk:
    """One gait cycle from left landing to left landing: as a Stand, plus its speed in m/s for the neutral body."""

    name: str
    rotations: np.ndarray
    sway: np.ndarray
    speed: float

    def at(self, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Local rotations (T, 22, 4) and sway (T, 3) at walking phases (T,), whole numbers being left landings."""
        closed = np.concatenate((self.rotations, self.rotations[:1]))
        at = (phase % 1.0) * len(self.rotations)
        return sampled(closed, at), sampled_linear(np.concatenate((self.sway, self.sway[:1])), at)


@dataclass(frozen=True, eq=False)
class Library:
    """What the real takes offer."""

    stands: tuple[Stand, ...]
    walks: tuple[Walk, ...]


def stand_of(name: str, motion: Motion) -> Stand:
    """Standing taken from a clip of one person: mean heading and place removed, size made neutral."""
    root, rotations = _neutral(motion)
    heading = float(np.angle(np.exp(1j * rot.yaw(rotations[:, 0])).mean()))
    back = rot.about_y(-heading)
    rotations[:, 0] = rot.multiply(back, rotations[:, 0])
    sway = rot.rotate(back, root - root.mean(0))
    _relax_arms(rotations)
    return Stand(name, rot.continuous(rotations), np.clip(sway, -0.03, 0.03) * np.array([1, 0.5, 1]))


def _relax_arms(rotations: np.ndarray) -> None:
    """Let the arms hang, in place: what moves about the clip's mean pose stays, the mean pose itself goes.

    Many of the takes begin with the hands on the hips or ready to dance, which would say more than the script.
    """
    for side, sign in (("left", 1.0), ("right", -1.0)):
        hanging = {
            "collar": rot.from_axis_angle(np.array([0.0, 0.0, 1.0]), -sign * 0.06),
            "shoulder": rot.multiply(
                rot.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.06),
                rot.from_axis_angle(np.array([0.0, 0.0, 1.0]), -sign * 1.3),
            ),
            "elbow": rot.from_axis_angle(np.array([0.0, 1.0, 0.0]), -sign * 0.3),
            "wrist": rot.IDENTITY.astype(np.float64),
        }
        for name, pose in hanging.items():
            joint = rotations[:, JOINT[f"{side}_{name}"]]
            mean = rot.normalize(rot.continuous(joint).mean(0))
            rotations[:, JOINT[f"{side}_{name}"]] = rot.multiply(pose, rot.multiply(rot.inverse(mean), joint))


def walks_of(clip: Clip, samples: int = 32) -> list[Walk]:
    """Every gait cycle of a walk along +Z, from left strike to left strike, closed so that it loops without a jump."""
    root, rotations = _neutral(clip.motion)
    landings = [frame for frame, side in clip.strikes if side == "left"]
    found = []
    for start, end in pairwise(landings):
        seconds = (end - start) / FPS
        speed = float(np.hypot(*(root[end] - root[start])[[0, 2]])) / seconds
        if not (0.8 < seconds < 1.6 and 0.6 < speed < 1.8):
            continue
        share = np.linspace(0, 1, samples, endpoint=False)
        at = start + share * (end - start)
        sway = sampled_linear(root, at) - root[start] - share[:, None] * (root[end] - root[start])
        gap = rot.multiply(rot.inverse(rotations[end]), rotations[start])
        closing = rot.slerp(rot.IDENTITY.astype(float), gap[None], np.tile(share[:, None], (1, len(gap))))
        cycle = rot.multiply(sampled(rotations, at), closing)
        found.append(Walk(f"{clip.name}[{start}-{end}]", cycle, sway - sway.mean(0), speed))
    return found


def library_of(takes: Sequence[Take]) -> Library:
    """What the training takes offer."""
    stands = [stand_of(clip.name, clip.motion) for clip in clips.stands(takes) if _calm(clip.motion)]
    walks = [walk for clip in clips.walks(takes) for walk in walks_of(clip)]
    return Library(tuple(stands), tuple(walks))


def _calm(motion: Motion) -> bool:
    """Whether a stand is one to build on: hands hang below the elbows, feet together, head up."""
    p = motion.positions()[:, 0]
    hands = p[:, WRISTS].mean(0)
    hang = hands[:, 1] < p[:, ELBOWS, 1].mean(0) - 0.08
    lean = np.abs((p[:, JOINT["neck"]] - p[:, 0]).mean(0)[[0, 2]]).max()
    return bool(hang.all() and lean < 0.12)


def _neutral(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    size = float(rest_height(motion.offsets)[0]) / NEUTRAL_HEIGHT
    return motion.root[:, 0].astype(np.float64) / size, rot.continuous(motion.rotations[:, 0].astype(np.float64))
