"""Rough play: pushing, pulling, and throwing punches that miss."""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot
from protocol.skeleton import JOINT

from ...scene import Contact
from ..blend import ease, pulse
from ..body import world_pose
from ..path import leftward
from ..performer import ArmGoal, Performer
from ..staging import Performance, Stage, sides

SPINE3, HEAD = JOINT["spine3"], JOINT["head"]
X, Z = np.eye(3)[0], np.eye(3)[2]


def _roles(stage: Stage) -> tuple[str, int]:
    actor = stage.draw("actor", ("A", "B"))
    return actor, "AB".index(actor)


def _contact(actor: int, of_actor: str, of_partner: str, start: float, end: float) -> Contact:
    pair = (of_actor, of_partner) if actor == 0 else (of_partner, of_actor)
    return Contact(*pair, start, end)


def _joint_track(one: Performer, joint: int) -> np.ndarray:
    root, rotations, _ = one.perform()
    return world_pose(root, rotations, one.body.offsets)[0][:, joint]


def push(stage: Stage) -> Performance:
    """The actor thrusts the arms against the other's chest; the other staggers back and catches the balance."""
    actor, who = _roles(stage)
    hand = stage.draw("hand", ("both", "both", "both", "right", "left"))
    idle, thrust = stage.uniform(0.3, 0.7), 0.26 / stage.pace
    wind = 0.45 / stage.pace
    lasting = stage.uniform(0.85, 1.05) / np.sqrt(stage.pace)
    again = wind + thrust + lasting + stage.uniform(1.1, 1.6)
    possible = int(np.clip((stage.seconds - idle - 0.3) // again, 1, 3))
    count = stage.times(max(1 + int(stage.rng.integers(possible)), possible - 1), possible)
    spare = max(0.0, stage.seconds - idle - count * again)
    waiting = spare * stage.uniform(0.1, 0.7)
    hits = [idle + waiting + wind + thrust + k * again for k in range(count)]
    falls = [stage.uniform(0.5, 0.95) / (1 + 0.25 * (count - 1)) for _ in hits]
    gap = stage.size * stage.uniform(0.66, 0.78)
    lunge = stage.uniform(0.12, 0.24) if stage.chance(0.7) else 0.0
    far = stage.uniform(0.7, 1.4) if stage.chance(0.4) and waiting > 1.4 / stage.pace else 0.0
    forth = -far * (1 - ease(stage.t, hits[0] - wind - thrust - far / stage.pace - 0.3, hits[0] - wind - thrust))
    away = np.zeros(stage.frames)
    for k, (hit, fall) in enumerate(zip(hits, falls, strict=True)):
        forth += lunge * ease(stage.t, hit - thrust, hit + 0.1)
        away += fall * ease(stage.t, hit - 0.02, hit + lasting)
        if k + 1 < count:
            forth += (fall - lunge) * ease(stage.t, hit + 0.5, hits[k + 1] - thrust - 0.15)
    routes = [lambda t: forth, lambda t: gap + lunge + away]
    if who == 1:
        routes = [lambda t: -away, lambda t: gap + lunge - forth]
    paths = stage.line((routes[0], routes[1]))
    pair = stage.pair(paths, swing=0.25, support=0.04)
    pusher, pushed = pair[who], pair[1 - who]
    jolt = _each(stage, hits, -0.02, 0.22, 0.35, lasting + 0.35)
    pushed.spine[:, 0] += -0.32 * jolt + 0.2 * _each(stage, hits, 0.3, lasting, lasting + 0.1, lasting + 0.7)
    pushed.pelvis[:, 0] -= 0.12 * jolt
    pushed.lower += 0.03 * pushed.body.scale * _each(stage, hits, 0, lasting * 0.7, lasting, lasting + 0.5)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        size = pushed.body.scale
        flung = pushed.point(0.36 * size, sign * stage.uniform(0.34, 0.45) * size, stage.uniform(1.05, 1.25) * size)
        pushed.arms.append(ArmGoal(side, flung, 0.85 * jolt, (0.8, -0.8, -0.4), lean=False))
    chest = _joint_track(pushed, SPINE3)
    ahead = rot.rotate(rot.about_y(pushed.path.heading), Z)
    broad = 0.13 * pushed.body.scale
    weight = _each(stage, hits, -thrust - wind, -thrust, 0.25, 0.8 / stage.pace)
    drive = _each(stage, hits, -thrust, 0, 0.12, 0.6)
    release = _each(stage, hits, 0.1, 0.35, 0.6, 0.9)[:, None]
    contact = chest + ahead * (0.13 * pushed.body.scale)
    left = np.zeros_like(contact)
    left[:, [0, 2]] = leftward(pusher.path.heading)
    wrist = rot.multiply(rot.from_axis_angle(Z, 0.7), rot.from_axis_angle(X, -0.5))
    pusher.spine[:, 0] += 0.22 * drive
    pusher.pelvis[:, 0] += 0.1 * drive
    pusher.shift[:, 2] += 0.05 * drive
    for side in sides(hand):
        sign = 1.0 if side == "left" else -1.0
        size = pusher.body.scale
        ready = pusher.point(0.2 * size, sign * 0.2 * size, 1.2 * size)
        reached = pusher.point(0.55 * size, sign * 0.13 * size, 1.25 * size)
        at = contact + sign * broad * (1.0 if hand == "both" else 0.3) * left
        target = ready + drive[:, None] * ((at + release * (reached - at)) - ready)
        pusher.arms.append(ArmGoal(side, target, weight, (0.9, -0.7, -0.2), wrist))
    script = {
        "actor": actor,
        "hand": hand,
        "speed": stage.speed,
        "metres": round(max(falls), 2),
        "steps_in": far > 0,
        "count": count,
    }
    contacts = [_contact(who, f"{side}_wrist", "spine3", hit, hit + 0.1) for hit in hits for side in sides(hand)]
    return Performance(pair, script, tuple(contacts))


def _each(stage: Stage, moments: list[float], start: float, attack: float, release: float, end: float) -> np.ndarray:
    """The same pulse about each of the moments, (T,)."""
    return np.sum([pulse(stage.t, m + start, m + attack, m + release, m + end) for m in moments], axis=0)


def pull(stage: Stage) -> Performance:
    """The actor takes the other's hand and draws them closer, leaning back."""
    actor, who = _roles(stage)
    hand = stage.draw("hand", ("right", "right", "left"))
    idle, reach = stage.uniform(0.1, 0.5), 0.6 / stage.pace
    lasting = stage.uniform(0.75, 1.0) / stage.pace
    least = idle + reach + 0.15 + lasting + 0.7
    spare = max(0.0, stage.seconds - least)
    grip = idle + reach + min(spare * stage.uniform(0.0, 0.3), 2.0)
    start = grip + 0.15 + min(spare * stage.uniform(0.0, 0.2), 0.6)
    done = start + lasting
    letgo = done + min(spare * stage.uniform(0.1, 0.4), 1.5)
    gap, close = stage.size * stage.uniform(1.12, 1.24), stage.size * stage.uniform(0.55, 0.66)
    back = stage.uniform(0.1, 0.35) if stage.chance(0.6) else 0.0
    drawn = gap - close + back
    step_back = back * ease(stage.t, start, done)
    come = drawn * ease(stage.t, start + 0.08, done + 0.1)
    routes = [lambda t: -step_back, lambda t: gap - come]
    if who == 1:
        routes = [lambda t: come, lambda t: gap + step_back]
    pair = stage.pair(stage.line((routes[0], routes[1])), swing=0.3, support=0.05)
    puller, pulled = pair[who], pair[1 - who]
    tug = pulse(stage.t, start - 0.05, start + 0.3, done - 0.15, done + 0.35)
    puller.pelvis[:, 0] -= 0.12 * tug
    puller.spine[:, 0] -= 0.12 * tug
    puller.shift[:, 2] -= 0.05 * tug
    puller.lower += 0.05 * puller.body.scale * tug
    pulled.spine[:, 0] += 0.2 * pulse(stage.t, start, start + 0.25, done - 0.3, done + 0.2)
    pulled.pelvis[:, 0] += 0.1 * pulse(stage.t, start, start + 0.25, done - 0.3, done + 0.2)
    turn = 1.0 if hand == "right" else -1.0
    held = pulse(stage.t, idle, grip, letgo, letgo + 0.6)
    puller.spine[:, 1] += turn * (0.12 * held - 0.4 * tug)
    pulled.spine[:, 1] += turn * 0.2 * held
    height = min(body.shoulder_height for body in stage.bodies) * stage.uniform(0.68, 0.76)
    reached = ease(stage.t, start, done)[:, None]
    between = 0.5 * (puller.point(0, 0, height) + pulled.point(0, 0, height))
    near = puller.point(0.27 * stage.size, -0.1 * turn * stage.size, height)
    target = between + reached * (near - between)
    puller.arms.append(ArmGoal(hand, target, pulse(stage.t, grip - reach, grip, letgo, letgo + 0.6), (0.6, -1.0, -0.4)))
    pulled.arms.append(ArmGoal(hand, target, pulse(stage.t, grip - reach + 0.1, grip, letgo, letgo + 0.6)))
    script = {"actor": actor, "hand": hand, "speed": stage.speed, "metres": round(drawn, 2), "steps_back": back > 0}
    wrist = f"{hand}_wrist"
    return Performance(pair, script, (Contact(wrist, wrist, grip, letgo),))


def punch_dodge(stage: Stage) -> Performance:
    """The actor's fist shoots at the other's head, which is no longer there."""
    actor, who = _roles(stage)
    hand = stage.draw("hand", ("right", "right", "left"))
    dodge = stage.draw("dodge", ("back", "side", "duck"))
    idle, guard = stage.uniform(0.1, 0.4), 0.4 / stage.pace
    jab, hold, home = 0.24 / stage.pace, 0.1, 0.35 / stage.pace
    cycle = jab + hold + home + stage.uniform(0.7, 1.2)
    possible = int(np.clip((stage.seconds - idle - guard - 0.6) // cycle, 1, 4))
    count = stage.times(max(1 + int(stage.rng.integers(possible)), possible - 1), possible)
    slack = max(0.0, stage.seconds - idle - guard - 0.5 - count * cycle)
    first = idle + guard + jab + 0.15 + slack * stage.uniform(0.1, 0.6)
    hits = [first + k * cycle for k in range(count)]
    gap = stage.size * stage.uniform(0.8, 0.92)
    pair = stage.pair(
        stage.line((lambda t: 0 * t, lambda t: 0 * t + gap)), stagger=0.22 if hand == "right" else -0.22, width=0.12
    )
    puncher, dodger = pair[who], pair[1 - who]
    out, gone = np.zeros(stage.frames), np.zeros(stage.frames)
    for hit in hits:
        out += pulse(stage.t, hit - jab, hit, hit + hold, hit + hold + home)
        gone += pulse(stage.t, hit - jab - 0.16, hit - 0.03, hit + hold + 0.1, hit + hold + home + 0.25)
    face = _joint_track(dodger, HEAD)
    aside = stage.draw("aside", ("left", "right"))
    _dodge(dodger, dodge, 1.0 if aside == "left" else -1.0, gone)
    turn = 1.0 if hand == "right" else -1.0
    puncher.spine[:, 1] += turn * (0.55 * out - 0.15)
    puncher.pelvis[:, 1] += turn * 0.2 * out
    puncher.spine[:, 0] += 0.14 * out
    puncher.shift[:, 2] += 0.1 * out
    raised = pulse(
        stage.t, hits[0] - jab - guard - 0.1, hits[0] - jab - 0.1, hits[-1] + hold + home, hits[-1] + hold + home + 0.6
    )
    for one in pair:
        one.lower += 0.04 * one.body.scale * raised
        for side, sign in (("left", 1.0), ("right", -1.0)):
            size = one.body.scale
            guarded = (
                one.point(0.26 * size, sign * 0.12 * size, one.body.shoulder_height - 0.02)
                + one.around(one.shift)
                - one.point(0, 0, 0)
            )
            if one is puncher and side == hand:
                guarded = guarded + out[:, None] * (face + np.array([0, 0.05, 0]) - guarded)
            one.arms.append(ArmGoal(side, guarded, raised, (0.7, -1.0, 0.0), lean=one is puncher and side == hand))
    script = {
        "actor": actor,
        "hand": hand,
        "speed": stage.speed,
        "dodge": dodge,
        "aside": aside if dodge == "side" else "none",
        "count": count,
    }
    return Performance(pair, script)


def _dodge(one: Performer, how: str, sign: float, amount: np.ndarray) -> None:
    size = one.body.scale
    if how == "back":
        one.spine[:, 0] -= 0.5 * amount
        one.pelvis[:, 0] -= 0.2 * amount
        one.shift[:, 2] -= 0.1 * size * amount
        one.lower += 0.06 * size * amount
    elif how == "side":
        one.spine[:, 2] -= sign * 0.5 * amount
        one.pelvis[:, 2] -= sign * 0.12 * amount
        one.shift[:, 0] += sign * 0.1 * size * amount
        one.lower += 0.08 * size * amount
    else:
        one.lower += 0.3 * size * amount
        one.spine[:, 0] += 0.45 * amount
        one.pelvis[:, 0] += 0.25 * amount
        one.shift[:, 2] -= 0.16 * size * amount
