"""Dances beside the salsa: a waltz, a slow dance, a mirror dance."""

from __future__ import annotations

import numpy as np

from ..beats import Score, Span, hands, moves, trunk
from ..beats.gestures import sign_of
from ..beats.hands import between, keyed, on, reach, space
from ..blend import FPS, smooth
from ..path import direction
from ..staging import Performance, Stage


def waltz(stage: Stage) -> Performance:
    """In closed hold they turn about each other with small steps, rising and sinking, and travel on."""
    score = Score(stage)
    turning = stage.draw("direction", ("clockwise", "counterclockwise"))
    lead = int(stage.draw("leader", ("A", "B")) == "B")
    sign = 1.0 if turning == "counterclockwise" else -1.0
    gap, tempo = stage.uniform(0.52, 0.58) * stage.size, stage.uniform(1.5, 1.8) * stage.pace
    going = smooth(((score.t > 0.4) & (score.t < stage.seconds - 0.3)).astype(np.float64), 9)
    angle = sign * np.cumsum(going * np.radians(stage.uniform(62, 80)) * stage.pace) / FPS
    travel = np.cumsum(going * stage.uniform(0.22, 0.36) * stage.pace) / FPS
    bend = stage.uniform(-0.15, 0.15)
    middle = np.stack((travel * np.sin(0.9 + bend * travel), travel * np.cos(0.9 + bend * travel)), axis=-1)
    for who in range(2):
        spoke = direction(angle + np.pi * (1 - who))
        # A little beside each other, each to the own left, as the hold wants it.
        aside = direction(angle + np.pi * (1 - who) + np.pi / 2)
        moves.track(score, who, middle + spoke * gap / 2 - 0.08 * aside, angle + np.pi * who)
    score.note("waltz", (0, 1), 0.4, stage.seconds, direction=turning)
    held = score.from_start(stage.seconds + 5)
    follow = 1 - lead
    joined = between(0.97, left=0.52 * stage.size * (1 if lead == 0 else -1))
    reach(score, lead, "left", joined, held, (1.0, -0.6, 0.0), hands.STRAIGHT, False, 0.0, "hold the hand out")
    reach(score, follow, "right", joined, held, (1.0, -0.6, 0.0), hands.STRAIGHT, False, 0.0, "hold the hand out")
    reach(
        score,
        lead,
        "right",
        on(follow, "left shoulder blade", 0.02),
        held,
        (1.0, -0.2, 0.2),
        hands.STRAIGHT,
        False,
        0.0,
        "hold the back",
    )
    reach(
        score,
        follow,
        "left",
        on(lead, "right shoulder", 0.01),
        held,
        (1.0, 0.1, 0.3),
        hands.PALM_DOWN,
        False,
        0.0,
        "hold the shoulder",
    )
    score.touch(lead, "left_wrist", "right_wrist", 0.0, stage.seconds)
    for who in range(2):
        rise = np.sin(2 * np.pi * tempo / 3 * score.t) * going

        def float_up(cast, who=who, rise=rise) -> None:
            cast.pair[who].lower += (0.028 - 0.024 * rise) * cast.pair[who].body.scale

        score.trunk(float_up)
        trunk.lean(score, who, held, pitch=-0.08, yaw=-0.06, beat="hold upright")
        trunk.look(score, who, "left", held)
    score.gait((0, 1), swing=0.27, support=0.05, width=0.07, stagger=0.0, lift=0.02)
    return score.perform("both", ("proud", "happy"), hand="both", direction=turning, leader="AB"[lead])


def slow_dance(stage: Stage) -> Performance:
    """Close together, hands on the other's shoulders and waist, they sway from foot to foot and slowly turn."""
    score = Score(stage)
    lead = int(stage.draw("leader", ("A", "B")) == "B")
    gap = stage.uniform(0.48, 0.55) * stage.size
    angle = stage.draw("direction", ("clockwise", "counterclockwise")) == "clockwise"
    turn = (-1.0 if angle else 1.0) * np.radians(stage.uniform(6, 14)) * score.t
    for who in range(2):
        spoke = direction(turn + np.pi * (1 - who))
        moves.track(score, who, spoke * gap / 2, turn + np.pi * who)
    held, rate = score.from_start(stage.seconds + 5), stage.uniform(0.38, 0.5) * stage.pace
    follow = 1 - lead
    for side, opposite in (("left", "right"), ("right", "left")):
        reach(
            score,
            lead,
            side,
            on(follow, f"{opposite} waist", 0.01),
            held,
            (0.8, -1.0, 0.0),
            hands.STRAIGHT,
            False,
            0.0,
            "hold the waist",
        )
        reach(
            score,
            follow,
            side,
            on(lead, f"{opposite} shoulder", 0.01),
            held,
            (1.0, -0.1, 0.3),
            hands.PALM_DOWN,
            False,
            0.0,
            "hold the shoulders",
        )
        score.touch(lead, f"{side}_wrist", "spine1", 0.0, stage.seconds)
        score.touch(follow, f"{side}_wrist", f"{opposite}_shoulder", 0.0, stage.seconds)
    for who in range(2):
        trunk.sway(score, who, score.span(0.0, stage.seconds + 5, 0.1), rate, 0.045, np.pi * who)
        trunk.lean(score, who, held, pitch=0.06, roll=0.05, beat="lean to each other")
    score.gait((0, 1), swing=0.34, support=0.12, lift=0.02, stagger=0.0)
    return score.perform("both", ("happy", "proud"), hand="both", leader="AB"[lead])


def mirror_dance(stage: Stage) -> Performance:
    """Face to face they move their arms and sway as each other's mirror images."""
    score = Score(stage)
    moves.place(score, stage.uniform(1.2, 1.6))
    beat = stage.uniform(0.85, 1.05) / stage.pace
    count = max(3, int((stage.seconds - 0.9) // beat))
    poses = [
        (0.1, 0.5, 0.0),
        (0.2, 0.28, 0.34),
        (0.4, 0.2, 0.02),
        (0.1, 0.42, 0.24),
        (0.35, -0.05, -0.05),
        (0.1, 0.36, -0.32),
    ]
    drawn = {side: [poses[int(stage.rng.integers(len(poses)))] for _ in range(count)] for side in ("left", "right")}
    lag = stage.uniform(0.02, 0.08)
    for who in range(2):
        for side in ("left", "right"):
            mirrored = side if who == 0 else {"left": "right", "right": "left"}[side]
            points = [space(who, ahead, out * sign_of(side), up) for ahead, out, up in drawn[mirrored]]
            times = [0.9 + (k + 0.5) * beat + lag * who for k in range(count)]
            span = Span(times[0] - 0.8, times[0] - 0.2, times[-1] + 0.2, times[-1] + 0.9)
            reach(
                score,
                who,
                side,
                keyed(score, times, points),
                span,
                (0.9, -0.7, 0.0),
                lean=False,
                trunk=0.0,
                beat="swing an arm",
            )
        trunk.sway(
            score,
            who,
            Span(0.6, 1.2 + lag * who, 0.9 + count * beat, 1.6 + count * beat),
            0.5 / beat,
            0.06,
            np.pi * who,
        )
    score.note("mirror", (0, 1), 0.9, 0.9 + count * beat)
    score.gait((0, 1), width=0.14)
    return score.perform("both", ("happy", "proud"), hand="both", count=count)
