"""A walk made by hand for tests of the clean-up: a standing foot does not move, a swinging one swings."""

import numpy as np

from backend.limbs import followed
from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets

STEP = 16
"""Frames a step."""


def stroll(frames: int = 60, persons: int = 1, speed: float = 0.6) -> Motion:
    """Persons side by side, 2 m apart, who walk along +Z with level feet; at speed 0 they stand."""
    offsets = neutral_offsets().astype(np.float64)
    time = np.arange(frames)
    root = np.stack((0 * time, 0 * time + 0.93, speed * time / 30), -1)
    rotations = np.tile(rot.IDENTITY.astype(np.float64), (frames, 22, 1))
    for index, side in enumerate(("left", "right")):
        hip, knee, ankle, toe = (JOINT[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "foot"))
        step = (time + STEP * index) // (2 * STEP)
        swing = np.clip(((time + STEP * index) % (2 * STEP) - STEP) / STEP, 0, 1)
        way = 0.25 + step + swing * swing * (3 - 2 * swing) - index / 2
        place = np.stack((0 * time + 0.09 * (1 - 2 * index), 0 * time, way * speed * 2 * STEP / 30), -1)
        place[:, 1] = 0.05 * np.sin(np.pi * swing) * (speed > 0)
        chain = np.stack(
            [root + offsets[hip], root + offsets[hip] + offsets[knee], root + offsets[hip] + 2 * offsets[knee]]
        )
        level = rotations[:, 0]
        bones = followed(tuple(chain), (level, level), place - offsets[toe], np.array([1.0, 0, 0]))
        thigh, shin = bones
        rotations[:, hip], rotations[:, knee] = thigh, rot.multiply(rot.inverse(thigh), shin)
        rotations[:, ankle] = rot.inverse(shin)
        arm = rot.from_axis_angle(np.array([0.0, 0, 1]), 1.3 * (2 * index - 1) * np.ones(frames))
        rotations[:, JOINT[f"{side}_shoulder"]] = arm
    beside = 2.0 * np.arange(persons)[:, None] * np.array([1.0, 0, 0])
    return Motion(30, root[:, None] + beside, np.repeat(rotations[:, None], persons, 1), np.stack([offsets] * persons))


def noisy(motion: Motion) -> Motion:
    """The motion with roots that sway by centimetres, as those of separately drawn latent steps do."""
    time = np.arange(motion.frames)[:, None]
    sway = 0.03 * np.stack((np.sin(time / 2.1), 0.5 * np.sin(time / 2.9), np.cos(time / 2.5)), -1)
    return Motion(motion.fps, motion.root + sway, motion.rotations, motion.offsets)
