"""The hug."""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot
from protocol.skeleton import JOINT

from ...scene import Contact
from ..blend import ease, pulse
from ..body import world_pose
from ..path import leftward
from ..performer import ArmGoal
from ..staging import Performance, Stage

SPINE3 = JOINT["spine3"]


def hug(stage: Stage) -> Performance:
    """Both come close with open arms, close them round the other's back, hold, and part."""
    idle = stage.uniform(0.0, 0.3)
    speed = 0.85 * stage.pace
    opening, closing, letting_go = 0.55 / stage.pace, 0.5 / stage.pace, 0.6 / stage.pace
    gap = stage.uniform(0.32, 0.36) * stage.size
    longest = (stage.seconds - idle - closing - 0.9) * speed * 0.8
    walk_in = float(np.clip(stage.uniform(0.6, 2.0), 0.55, max(0.6, longest)))
    paths, ready = stage.meeting(gap, walk_in, idle, speed)
    parts = stage.chance(0.5) and stage.seconds - ready - closing > 2.6
    part = stage.seconds - stage.uniform(1.5, 1.8) if parts else stage.seconds + 5.0
    pair = stage.pair(paths)
    if parts:
        _step_apart(stage, pair, part + 0.2)
    lateral = 0.075 * stage.size
    over = int(stage.rng.integers(2))
    near = ease(stage.t, ready - 0.6, ready) * (1 - ease(stage.t, part + 0.1, part + 0.8))
    sway = 0.02 * np.sin(2 * np.pi * stage.uniform(0.3, 0.5) * (stage.t - ready)) * near
    for index, one in enumerate(pair):
        one.shift[:, 0] += lateral * near + sway * (1 if index == 0 else -1)
        one.spine[:, 0] += 0.1 * near
        one.spine[:, 2] -= 0.1 * near
        one.head[:, 2] -= 0.1 * near
        one.head[:, 1] -= 0.1 * near
    stage.look_at_each_other(pair, 1 - near)
    tracks = []
    for one in pair:
        root, rotations, _ = one.perform()
        tracks.append(world_pose(root, rotations, one.body.offsets)[0][:, SPINE3])
    for index, one in enumerate(pair):
        other, chest = pair[1 - index], tracks[1 - index]
        size = other.body.scale
        facing = rot.rotate(rot.about_y(other.path.heading), np.array([0.0, 0.0, 1.0]))
        closed = ease(stage.t, ready - 0.15, ready - 0.15 + closing) * (1 - ease(stage.t, part, part + letting_go))
        raised = pulse(stage.t, ready - 0.15 - opening, ready - 0.1, part + 0.2, part + 0.2 + letting_go)
        high = index == over
        for side, sign in (("left", 1.0), ("right", -1.0)):
            aside = np.zeros_like(chest)
            aside[:, [0, 2]] = leftward(one.path.heading) * sign
            height = np.array([0.0, 0.14 if high else -0.1, 0.0]) * size
            wide = (1 - closed)[:, None]
            behind = -facing * (0.14 * size * (2 * closed - 1))[:, None]
            target = chest + height + behind + aside * (0.05 * size + 0.42 * size * wide)
            one.arms.append(ArmGoal(side, target, raised, (1.0, 0.1 if high else -0.6, 0.0)))
    script = {
        "actor": "both",
        "hand": "both",
        "speed": stage.speed,
        "arms_over": "AB"[over],
        "parts": parts,
        "walk_in": True,
    }
    end = min(part, stage.seconds)
    start = ready - 0.15 + closing
    contacts = [Contact("spine3", "spine3", start, end)]
    return Performance(pair, script, tuple(contacts))


def _step_apart(stage: Stage, pair: tuple, at: float) -> None:
    for one in pair:
        back = 0.35 * ease(stage.t, at, at + 1.0)
        heading = one.path.heading
        one.path.xz[:] -= back[:, None] * np.stack((np.sin(heading), np.cos(heading)), axis=-1)
