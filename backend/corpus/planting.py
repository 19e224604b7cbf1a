"""Keeps planted feet still: in these captures toes that stand on the floor creep by 0.1 m/s, and more while dancing.

Each stretch in which a toe stands gets one place on the floor. The step from where the toe was to that place is eased
from stretch to stretch, and the leg follows it: the knee bends or straightens about its own axis and the leg swings at
the hip, so that the way the knee points, the foot's direction and everything above the hips stay as captured.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT

from ..limbs import followed

STANDING_SPEED, STANDING_HEIGHT = 0.4, 0.06
"""A toe that is slower (metres a second) and lower (metres) stands."""
SHORTEST = 4
"""Frames."""
WIDEST = 0.1
"""Metres: a toe that strays farther within a stretch takes a new place half-way, for it does slide or pivot."""
RELEASE = 2
"""Frames left free on either side where a stretch is parted."""
HIGHEST_REST = 0.02
"""Metres: a standing toe joint is not higher than that."""
LEGS = tuple(tuple(JOINT[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "foot")) for side in ("left", "right"))


def planted(motion: Motion) -> Motion:
    """The motion with its standing toes held in place; only hips, knees and ankles turn differently.

    Args:
        motion: any number of persons, floor at y = 0.
    """
    positions, world = (array.astype(float) for array in motion.forward_kinematics())
    rotations = motion.rotations.astype(float)
    for person in range(motion.persons):
        for leg in LEGS:
            step = toe_steps(positions[:, person, leg[3]], motion.fps)
            _follow(rotations[:, person], positions[:, person], world[:, person], leg, step)
    return replace(motion, rotations=rot.normalize(rotations))


def toe_steps(toe: np.ndarray, fps: float) -> np.ndarray:
    """How far a toe has to move in each frame to stand still where it stands: (T, 3) metres.

    Args:
        toe: (T, 3) world positions, metres, floor at y = 0.
        fps: frames a second.
    """
    step = np.zeros_like(toe)
    free = np.ones(len(toe), bool)
    for start, stop in _standing(toe, fps):
        place = np.median(toe[start:stop], axis=0)
        place[1] = np.clip(place[1], 0.0, HIGHEST_REST)
        step[start:stop] = place - toe[start:stop]
        free[start:stop] = False
    held = np.flatnonzero(~free)
    if held.size == 0:
        return step
    frames = np.arange(len(toe))
    after = np.minimum(np.searchsorted(held, frames), held.size - 1)
    before = np.maximum(np.searchsorted(held, frames, side="right") - 1, 0)
    first, last = held[before], held[after]
    share = np.clip((frames - first) / np.maximum(last - first, 1), 0, 1)
    ease = (share * share * (3 - 2 * share))[:, None]
    eased = step[first] * (1 - ease) + step[last] * ease
    return np.where(free[:, None], eased, step)


def _standing(toe: np.ndarray, fps: float) -> list[tuple[int, int]]:
    speed = np.linalg.norm(np.gradient(toe, axis=0), axis=-1) * fps if len(toe) > 1 else np.zeros(1)
    stands = (speed < STANDING_SPEED) & (toe[:, 1] < STANDING_HEIGHT)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], stands, [False])).astype(int)))
    waiting = list(zip(edges[::2], edges[1::2], strict=True))
    found = []
    while waiting:
        start, stop = waiting.pop()
        if stop - start < SHORTEST:
            continue
        if np.ptp(toe[start:stop], axis=0).max() > WIDEST:
            middle = (start + stop) // 2
            waiting += [(start, middle - RELEASE), (middle + RELEASE, stop)]
        else:
            found.append((int(start), int(stop)))
    return sorted(found)


def _follow(
    rotations: np.ndarray, positions: np.ndarray, world: np.ndarray, leg: tuple[int, ...], step: np.ndarray
) -> None:
    """Turn hip, knee and ankle of one leg, in place, so that the foot is moved by ``step`` (T, 3) as it is."""
    hip, knee, ankle, _ = leg
    # A flexed shin lies behind the thigh, about the knee's own X.
    flexion = rot.rotate(world[:, knee], np.array([1.0, 0.0, 0.0]))
    chain = (positions[:, hip], positions[:, knee], positions[:, ankle])
    bones = (world[:, hip], world[:, knee])
    new_thigh, new_shin = followed(chain, bones, positions[:, ankle] + step, flexion)
    rotations[:, hip] = rot.multiply(rot.inverse(world[:, 0]), new_thigh)
    rotations[:, knee] = rot.multiply(rot.inverse(new_thigh), new_shin)
    rotations[:, ankle] = rot.multiply(rot.inverse(new_shin), world[:, ankle])
