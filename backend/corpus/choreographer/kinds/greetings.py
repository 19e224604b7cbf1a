"""Greetings: shaking hands, slapping palms, bowing and waving."""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot

from ...scene import Contact
from ..blend import ease, pulse, through
from ..path import leftward
from ..performer import ArmGoal, Performer
from ..staging import Performance, Stage, between_heading, midpoint, sides

Z = np.array([0.0, 0.0, 1.0])
ACTORS = ("both", "both", "both", "both", "A", "B")


def _walk_in(stage: Stage, low: float, high: float, needed: float, likely: float = 0.45) -> float:
    """Metres to come together first: none, or what the scene's length allows."""
    spare = stage.seconds - needed
    far = min(high, spare * 1.1 * stage.pace)
    return stage.uniform(low, far) if far > low + 0.1 and stage.chance(likely) else 0.0


def handshake(stage: Stage) -> Performance:
    """Both reach out the same hand, grasp, shake it up and down, and let go."""
    hand = stage.draw("hand", ("right", "right", "right", "left"))
    reach, idle = stage.uniform(0.55, 0.75) / stage.pace, stage.uniform(0.1, 0.6)
    walk_in = _walk_in(stage, 0.7, 2.2, idle + 2 * reach + 1.4)
    gap = stage.size * stage.uniform(0.82, 0.98)
    paths, ready = stage.meeting(gap, walk_in, idle, 1.05 * stage.pace)
    waiting = max(0.0, stage.seconds - ready - 2 * reach - 1.2) * stage.uniform(0.0, 0.3) * (not walk_in)
    start = max(ready - 0.35, idle) if walk_in else idle + waiting
    meet = max(start + reach, ready)
    spare = stage.seconds - meet - reach
    shaking = float(np.clip(spare * stage.uniform(0.6, 1.0), 0.7, 5.5))
    part = min(meet + shaking, stage.seconds - 0.3)
    pair = stage.pair(paths)
    height = min(body.shoulder_height for body in stage.bodies) * stage.uniform(0.72, 0.82)
    rate, swing = stage.uniform(1.7, 2.3) * stage.pace, stage.uniform(0.035, 0.06)
    target = midpoint(pair, height)
    pumping = pulse(stage.t, meet, meet + 0.25, part - 0.2, part)
    target[:, 1] += swing * pumping * np.sin(2 * np.pi * rate * (stage.t - meet))
    for index, one in enumerate(pair):
        lag = stage.uniform(0, 0.15) if index else 0.0
        weight = pulse(stage.t, start + lag, meet, part, part + reach)
        one.arms.append(ArmGoal(hand, target, weight))
        one.spine[:, 0] += stage.uniform(0.06, 0.16) * weight
        one.spine[:, 1] += stage.uniform(0.05, 0.15) * weight * (1 if hand == "right" else -1)
        one.pelvis[:, 0] += 0.04 * weight
    script = {
        "actor": "both",
        "hand": hand,
        "speed": stage.speed,
        "walk_in": walk_in > 0,
        "shakes": round(rate * shaking),
    }
    wrist = f"{hand}_wrist"
    return Performance(pair, script, (Contact(wrist, wrist, meet, part),))


def high_five(stage: Stage) -> Performance:
    """Both swing a raised hand (or both hands) until the palms slap together."""
    hand = stage.draw("hand", ("right", "right", "right", "left", "both"))
    idle, raising = stage.uniform(0.1, 0.5), stage.uniform(0.5, 0.65) / stage.pace
    slap, cycle = 0.2 / stage.pace, 1.3 / stage.pace
    walk_in = _walk_in(stage, 0.7, 2.0, idle + raising + 1.6)
    gap = stage.size * stage.uniform(0.75, 0.9)
    paths, ready = stage.meeting(gap, walk_in, idle, 1.1 * stage.pace)
    first = max(ready - 0.2, idle + raising + slap) if walk_in else idle + raising + slap
    repeats = int(np.clip((stage.seconds - first - 1.0) // cycle + 1, 1, 4))
    count = stage.times(max(1 + int(stage.rng.integers(repeats)), repeats - 1), repeats)
    first += max(0.0, stage.seconds - first - 1.0 - (count - 1) * cycle) * stage.uniform(0.1, 0.6)
    slaps = [first + k * cycle for k in range(count)]
    level = stage.draw("level", ("high", "high", "shoulder"))
    shoulders = [body.shoulder_height for body in stage.bodies]
    height = min(shoulders) * (1.2 if level == "high" else 1.0) * stage.uniform(0.98, 1.04)
    pair = stage.pair(paths)
    across = leftward(between_heading(pair))
    wrist = rot.from_axis_angle(Z, 0.5)
    for index, one in enumerate(pair):
        for side in sides(hand):
            outside = (1.0 if side == "left" else -1.0) * (1 if index == 0 else -1)
            # A's right palm meets B's right palm; with both hands A's right meets B's left.
            lateral = outside * (0.2 if hand == "both" else 0.0)
            target = midpoint(pair, height)
            target[:, [0, 2]] += lateral * across
            back = one.point(0.16, 0.26 if side == "left" else -0.26, height + 0.03)
            times, open_share = [0.0], [1.0]
            for hit in slaps:
                times += [hit - slap, hit, hit + 0.12, hit + 0.12 + 1.5 * slap]
                open_share += [1.0, 0.0, 0.0, 1.0]
            apart = through(stage.t, times, open_share)[:, None]
            lag = stage.uniform(0, 0.1)
            weight = pulse(
                stage.t,
                slaps[0] - slap - raising + lag,
                slaps[0] - slap,
                slaps[-1] + 0.14,
                slaps[-1] + 0.85 / stage.pace,
            )
            one.arms.append(ArmGoal(side, target + apart * (back - target), weight, (1.0, -0.6, 0.0), wrist))
            one.spine[:, 0] += 0.08 * weight * (1 - apart[:, 0])
    script = {
        "actor": "both",
        "hand": hand,
        "speed": stage.speed,
        "walk_in": walk_in > 0,
        "count": count,
        "level": level,
    }
    joints = (
        [("left_wrist", "right_wrist"), ("right_wrist", "left_wrist")] if hand == "both" else [(f"{hand}_wrist",) * 2]
    )
    contacts = [Contact(a, b, hit, hit + 0.12) for hit in slaps for a, b in joints]
    return Performance(pair, script, tuple(contacts))


def bow(stage: Stage) -> Performance:
    """Both bend the torso towards each other, hold, and rise."""
    actor = stage.draw("actor", ACTORS)
    depth = stage.draw("depth", ("slight", "deep", "deep"))
    angle = np.radians(stage.uniform(52, 60) if depth == "slight" else stage.uniform(70, 85))
    down, hold, rise = 0.75 / stage.pace, stage.uniform(0.15, 0.8), 0.85 / stage.pace
    idle, lag = stage.uniform(0.05, 0.5), stage.choose_end() * stage.uniform(0.1, 0.5) * (actor == "both")
    cycle = down + hold + rise + 0.15
    possible = int(np.clip((stage.seconds - idle - lag - 0.1) // cycle, 1, 4))
    count = stage.times(max(1 + int(stage.rng.integers(possible)), possible - 1), possible)
    hold += max(0.0, min(0.8, (stage.seconds - idle - lag - count * cycle) / count * stage.uniform(0.2, 0.7)))
    cycle = down + hold + rise + 0.15
    gap = stage.size * stage.uniform(1.5, 2.2)
    paths, _ = stage.meeting(gap, 0.0, 0.0, 1.0)
    pair = stage.pair(paths)
    first = int(stage.rng.integers(2))
    bent = [np.zeros(stage.frames) for _ in pair]
    for index in (index for index in range(2) if actor in ("both", "AB"[index])):
        begin = idle + (lag if index != first else 0.0)
        for k in range(count):
            at = begin + k * cycle
            bent[index] += pulse(stage.t, at, at + down, at + down + hold, at + down + hold + rise)
        _bend(pair[index], bent[index], angle * stage.uniform(0.93, 1.07))
    stage.look_at_each_other(pair, 1 - np.maximum(*bent))
    script = {
        "actor": actor,
        "hand": "none",
        "speed": stage.speed,
        "count": count,
        "depth": depth,
        "degrees": round(float(np.degrees(angle))),
    }
    return Performance(pair, script)


def _bend(one: Performer, amount: np.ndarray, angle: float) -> None:
    size = one.body.scale
    one.pelvis[:, 0] += 0.68 * angle * amount
    one.spine[:, 0] += 0.32 * angle * amount
    one.head[:, 0] += 0.15 * amount
    one.shift[:, 2] -= 0.14 * size * amount * np.sin(angle)
    for side in ("left", "right"):
        lateral = (0.19 if side == "left" else -0.19) * size
        local = np.array([lateral, (0.72 - 0.25 * np.sin(angle)) * size, 0.16 * size])
        target = one.around(np.broadcast_to(local, (len(amount), 3)))
        one.arms.append(ArmGoal(side, target, ease(amount, 0, 1), (0.6, 0.0, -1.0), lean=False))


def wave(stage: Stage) -> Performance:
    """Both raise a hand above the shoulder and swing it from side to side."""
    actor = stage.draw("actor", ACTORS)
    hand = stage.draw("hand", ("right", "right", "left", "both"))
    idle, lag = stage.uniform(0.05, 0.5), stage.uniform(0.0, min(0.8, stage.seconds * 0.12))
    raising, lowering = 0.6 / stage.pace, 0.7 / stage.pace
    waving = (stage.seconds - idle - lag - raising - lowering) * stage.uniform(0.6, 1.0)
    waving = max(waving, 0.8)
    gap = stage.size * stage.uniform(1.3, 3.0)
    paths, _ = stage.meeting(gap, 0.0, 0.0, 1.0)
    pair = stage.pair(paths)
    rate = stage.uniform(1.2, 1.6) * stage.pace
    first = int(stage.rng.integers(2))
    for index, one in enumerate(pair):
        if actor not in ("both", "AB"[index]):
            continue
        begin = idle + (lag if index != first else 0.0)
        up, down = begin + raising, begin + raising + waving
        weight = pulse(stage.t, begin, up, down, down + lowering)
        for side in sides(hand):
            sign = 1.0 if side == "left" else -1.0
            size = one.body.scale
            swing = stage.uniform(0.13, 0.18) * size * np.sin(2 * np.pi * rate * (stage.t - up))
            swing = swing * pulse(stage.t, up - 0.2, up + 0.2, down - 0.1, down + 0.2)
            height = one.body.shoulder_height + stage.uniform(0.3, 0.4) * size
            local = np.zeros((stage.frames, 3))
            local[:, 0] = sign * 0.36 * size + swing
            local[:, 1] = height - 0.6 * np.abs(swing)
            local[:, 2] = 0.16 * size
            tilt = rot.from_axis_angle(Z, 0.2)
            one.arms.append(ArmGoal(side, one.around(local), weight, (0.9, -1.0, -0.1), tilt, lean=False))
        one.spine[:, 2] += 0.03 * weight
    script: dict[str, object] = {
        "actor": actor,
        "hand": hand,
        "speed": stage.speed,
        "first": "AB"[first] if actor == "both" else actor,
    }
    return Performance(pair, script)
