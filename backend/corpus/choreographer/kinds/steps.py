"""Going places: side by side, towards each other and back, and around each other."""

from __future__ import annotations

import numpy as np

from ..blend import FPS, pulse, smooth
from ..path import direction, heading_of, leftward, moving
from ..staging import Performance, Stage


def walk_together(stage: Stage) -> Performance:
    """Both walk side by side the same way, at the same speed, now and then with a look at the other."""
    side = stage.draw("partner_side", ("left", "right"))
    speed = {"slow": 0.7, "normal": 1.0, "fast": 1.32}[stage.speed] * stage.uniform(0.94, 1.06) * stage.size
    gap = stage.size * stage.uniform(0.7, 0.9)
    starts, stops = stage.chance(0.4), stage.chance(0.35) and stage.seconds > 3
    begin = stage.uniform(0.2, 0.7) if starts else -10.0
    end = stage.seconds - stage.uniform(0.5, 0.9) if stops else stage.seconds + 10
    walking = smooth(((stage.t > begin) & (stage.t < end)).astype(np.float64), 7)
    gone = np.cumsum(walking * speed) / FPS
    turn = np.radians(stage.uniform(-14, 14)) if stage.chance(0.6) else 0.0
    heading = turn * gone / max(gone[-1], 1e-6) * min(1.0, stage.seconds / 3)
    centre = np.cumsum(direction(heading) * (walking * speed)[:, None], axis=0) / FPS
    abreast = leftward(heading) * gap / 2 * (1 if side == "left" else -1)
    ahead = direction(heading) * stage.uniform(-0.06, 0.06)
    paths = (moving(centre - abreast, heading, 5), moving(centre + abreast + ahead, heading, 5))
    swing = float(np.clip(0.5 - 0.13 * speed, 0.32, 0.42))
    pair = (
        stage.performer(0, paths[0], swing=swing * stage.uniform(0.94, 1.06), support=0.07, stagger=0.0),
        stage.performer(1, paths[1], swing=swing * stage.uniform(0.94, 1.06), support=0.07, stagger=0.0),
    )
    for one, other in (pair, pair[::-1]):
        seen = np.zeros(stage.frames)
        for _ in range(1 + int(stage.seconds // 4)):
            at = stage.uniform(0.2, max(0.4, stage.seconds - 1.4))
            seen = np.maximum(seen, pulse(stage.t, at, at + 0.4, at + 1.0, at + 1.5))
        beyond = one.point(4.0, 0.0, one.body.pelvis_height + 0.6)
        one.gaze = (beyond + seen[:, None] * (other.head_point() - beyond), np.ones(stage.frames))
    script = {
        "actor": "both",
        "hand": "none",
        "speed": stage.speed,
        "partner_side": side,
        "starts": starts,
        "stops": stops,
    }
    return Performance(pair, script)


def approach_retreat(stage: Stage) -> Performance:
    """One person, or both, walks up to the other, waits a moment and steps back."""
    actor = stage.draw("actor", ("A", "B", "both"))
    idle, wait, rest = stage.uniform(0.1, 0.4), stage.uniform(0.2, 0.6), stage.uniform(0.1, 0.4)
    ahead, back = 1.05 * stage.pace, 0.8 * stage.pace
    movers = 2 if actor == "both" else 1
    free = stage.seconds - idle - wait - rest - 0.5
    far = free / (1 / ahead + 0.85 / back) * movers
    come = min(stage.uniform(1.0, 2.4), max(far, 0.8))
    wait += max(0.0, min(1.2, free - come / movers * (1 / ahead + 0.85 / back))) * stage.uniform(0.3, 0.9)
    gone = min(max(0.8, come * stage.uniform(0.75, 1.0)), come)
    gap = stage.size * stage.uniform(0.75, 1.05)
    there = idle + come / movers / ahead
    leave = there + wait + 0.2
    times = [0, idle, there, leave, leave + gone / movers / back]
    toward = np.interp(stage.t, times, [0, 0, come, come, come - gone])
    shares = {"A": (1.0, 0.0), "B": (0.0, 1.0), "both": (0.5, 0.5)}[actor]
    paths = stage.line((lambda t: toward * shares[0], lambda t: gap + come - toward * shares[1]))
    pair = stage.pair(paths, swing=0.36 / np.sqrt(stage.pace), support=0.09)
    for one, share in zip(pair, shares, strict=True):
        one.spine[:, 0] += 0.06 * (share > 0)
    script = {"actor": actor, "hand": "none", "speed": stage.speed, "metres": round(come, 2)}
    return Performance(pair, script)


def circle(stage: Stage) -> Performance:
    """Both move around their common centre, sidestepping face to face or walking with a look across."""
    turning = stage.draw("direction", ("clockwise", "counterclockwise"))
    style = stage.draw("style", ("facing", "facing", "walking"))
    speed = {"slow": 0.6, "normal": 0.8, "fast": 1.0}[stage.speed] * (0.85 if style == "facing" else 1.15)
    idle, rest = stage.uniform(0.0, 0.25), stage.uniform(0.0, 0.25)
    moving_time = stage.seconds - idle - rest
    radius = stage.size * stage.uniform(0.5, 0.7) * (1.0 if style == "facing" else 1.1)
    least = np.radians(140)
    speed = max(speed, least * radius / (moving_time - 0.4))
    going = smooth(((stage.t > idle) & (stage.t < stage.seconds - rest)).astype(np.float64), 7)
    # Seen from above with Z up the page, X points left: a growing heading turns counterclockwise.
    sign = 1.0 if turning == "counterclockwise" else -1.0
    angle = np.pi + sign * np.cumsum(going * speed / radius) / FPS
    paths = []
    for index in range(2):
        spoke = direction(angle + index * np.pi)
        inward = heading_of(-spoke[:1])[0] + (angle - angle[0])
        outside = -sign * np.pi / 2 * 0.9 if style == "walking" else 0.0
        paths.append(moving(spoke * radius, inward + outside, 5))
    quick = {"swing": 0.3 / np.sqrt(stage.pace), "support": 0.07, "stagger": 0.0}
    pair = stage.pair((paths[0], paths[1]), **(quick | {"width": 0.15} if style == "facing" else quick))
    if style == "facing":
        for one in pair:
            one.lower += stage.uniform(0.0, 0.06) * one.body.scale
    turned = round(float(np.degrees(abs(angle[-1] - angle[0]))))
    script = {
        "actor": "both",
        "hand": "none",
        "speed": stage.speed,
        "direction": turning,
        "style": style,
        "degrees": turned,
    }
    return Performance(pair, script)
