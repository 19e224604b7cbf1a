"""Footsteps for any path: planted feet stay planted, and a foot that has fallen behind takes a step."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .blend import FPS, ease, smooth
from .path import Path, direction, leftward

PAD = 45
"""Frames simulated before and after the path, so that a walk may begin and end in mid-stride."""


@dataclass(frozen=True)
class Gait:
    """How a person steps; lengths for the neutral body.

    Attributes:
        swing: seconds a foot is in the air.
        support: seconds both feet are on the floor between two steps.
        width: metres from the midline to each ankle.
        toe_out: radians by which the feet point outwards.
        lift: metres a foot is raised at most.
        stagger: metres by which the left foot stands ahead of the right one.
    """

    swing: float = 0.38
    support: float = 0.09
    width: float = 0.1
    toe_out: float = 0.15
    lift: float = 0.035
    stagger: float = 0.0


@dataclass(frozen=True, eq=False)
class Footsteps:
    """What both feet do, left first.

    Attributes:
        ankle: (T, 2, 2) floor position of each ankle as it would be with the foot flat, metres.
        yaw: (T, 2) radians.
        lift: (T, 2) metres of the toe over the floor.
        pitch: (T, 2) radians by which the heel is raised about the toe.
        planted: (T, 2) whether the foot bears on the floor.
        phase: (T,) walking phase: whole where the left foot lands, half where the right one does.
    """

    ankle: np.ndarray
    yaw: np.ndarray
    lift: np.ndarray
    pitch: np.ndarray
    planted: np.ndarray
    phase: np.ndarray


@dataclass(frozen=True)
class _Step:
    foot: int
    leave: int
    land: int


def plan(path: Path, scale: float, gait: Gait) -> Footsteps:
    """Footsteps that carry a body along ``path``; every foot rests where it will best support the coming stance."""
    longer = path.extended(PAD)
    frames = longer.frames
    lateral = np.array([1.0, -1.0])
    ideal = longer.xz[:, None] + scale * (
        leftward(longer.heading)[:, None] * (lateral * gait.width)[:, None]
        + direction(longer.heading)[:, None] * (lateral * gait.stagger / 2)[:, None]
    )
    turned = longer.heading[:, None] + lateral * gait.toe_out
    ankle, yaw = np.empty((frames, 2, 2)), np.empty((frames, 2))
    ankle[0], yaw[0] = ideal[0], turned[0]
    lift, pitch = np.zeros((frames, 2)), np.zeros((frames, 2))
    planted = np.ones((frames, 2), bool)
    swing, support = max(6, round(gait.swing * FPS)), max(1, round(gait.support * FPS))
    ahead = (swing + 2 * support) // 2 - 1
    steps: list[_Step] = []
    busy_until, at = 0, 1
    here, facing = ideal[0].copy(), turned[0].copy()
    while at < frames:
        goal = min(at + swing + ahead, frames - 1)
        foot = _next_foot(here, facing, ideal[goal], turned[goal], longer.heading[at], steps, at)
        if foot is None or at < busy_until or at + swing >= frames:
            ankle[at], yaw[at] = here, facing
            at += 1
            continue
        land = at + swing
        u = np.arange(1, swing + 1)[:, None] / swing
        u = u * u * (3 - 2 * u)
        start, start_yaw = here[foot].copy(), facing[foot]
        stride = ideal[goal, foot] - start
        ankle[at:land], yaw[at:land] = here, facing
        ankle[at:land, foot] = start + u * stride
        yaw[at:land, foot] = start_yaw + u[:, 0] * (turned[goal, foot] - start_yaw)
        _raise(lift, pitch, foot, at, land, float(stride @ direction(longer.heading[at])), np.hypot(*stride), gait)
        planted[at : land - 1, foot] = False
        here[foot], facing[foot] = ideal[goal, foot], turned[goal, foot]
        steps.append(_Step(foot, at, land))
        busy_until, at = land + support, land
    keep = slice(PAD, frames - PAD)
    return Footsteps(
        ankle[keep], yaw[keep], scale * lift[keep], pitch[keep], planted[keep], _phase(steps, frames)[keep]
    )


def _next_foot(
    here: np.ndarray,
    facing: np.ndarray,
    ideal: np.ndarray,
    turned: np.ndarray,
    heading: float,
    steps: list[_Step],
    at: int,
) -> int | None:
    """Which foot must step now, if any: the other one while walking, else the one that leads the way."""
    away = ideal - here
    amiss = np.hypot(*away.T) / 0.05 + np.abs(turned - facing) / 0.2
    if amiss.max() < 1:
        return None
    if steps and at - steps[-1].land < 15:
        other = 1 - steps[-1].foot
        return other if amiss[other] > 0.5 else steps[-1].foot
    sideways = float(away.mean(0) @ leftward(heading))
    if abs(sideways) > 0.6 * np.hypot(*away.mean(0)) and amiss.min() > 0.5:
        return 0 if sideways > 0 else 1
    return int(amiss.argmax())


def _raise(
    lift: np.ndarray, pitch: np.ndarray, foot: int, leave: int, land: int, onward: float, stride: float, gait: Gait
) -> None:
    """Write the toe's height and the heel's pitch of one step: push-off while still planted, swing, soft landing."""
    size = min(stride / 0.5, 1.0)
    u = (np.arange(leave, land) - leave + 1) / (land - leave)
    lift[leave:land, foot] = gait.lift * (0.35 + 0.65 * size) * np.sin(np.pi * u) ** 1.5 * (1 - 0.35 * u)
    peak = 0.85 * np.clip(onward / 0.8, 0, 1) + 0.12 * size
    early = leave - min(7, leave)
    pitch[early:leave, foot] = np.maximum(
        pitch[early:leave, foot], peak * ease(np.arange(early, leave), early - 1, leave + 2)
    )
    reached = pitch[leave - 1, foot] if leave else 0.0
    pitch[leave:land, foot] = reached * (1 - ease(u, 0.05, 0.75)) + 0.15 * peak * np.sin(np.pi * np.minimum(u * 2, 1))


def _phase(steps: list[_Step], frames: int) -> np.ndarray:
    if not steps:
        return np.zeros(frames)
    times, phases = [steps[0].land], [0.5 * steps[0].foot]
    for before, step in pairwise(steps):
        times.append(step.land)
        phases.append(phases[-1] + (1.0 if step.foot == before.foot else 0.5))
    rate = 0.5 / max(8, (times[-1] - times[0]) / max(len(times) - 1, 1))
    outside = np.arange(frames)
    phase = np.interp(outside, times, phases)
    phase += np.minimum(outside - times[0], 0) * rate + np.maximum(outside - times[-1], 0) * rate
    return smooth(phase, 3)
