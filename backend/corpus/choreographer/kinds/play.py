"""Play and sport: throwing and catching, tug of war, a clapping game, jumping together."""

from __future__ import annotations

import numpy as np

from ..beats import Score, Span, hands, legs, moves, trunk
from ..beats.gestures import sign_of
from ..beats.hands import between, keyed, pair_of, reach, space
from ..staging import Performance, Stage


def throw_catch(stage: Stage) -> Performance:
    """They throw something to and fro: one swings an arm and lets go, the other catches it with both hands."""
    score, hand = Score(stage), stage.draw("hand", ("right", "right", "left"))
    far = stage.uniform(1.9, 2.8)
    moves.place(score, far)
    wind, flight = 0.5 / stage.pace, 0.28 + 0.16 * far
    at, thrower, count = stage.uniform(0.5, 0.8) / stage.pace, int(stage.choose_end()), 0
    holding = pair_of(lambda s: space(thrower, 0.27, 0.09 * s, -0.28))
    hands.both(score, thrower, holding, score.from_start(at - 0.3, 0.3), "hold the ball", lean=False)
    while at + flight + 0.5 < stage.seconds or count < 1:
        throw, caught = at + wind, at + wind + flight
        back = space(thrower, -0.05, 0.3 * sign_of(hand), 0.12)
        out = space(thrower, 0.52, 0.12 * sign_of(hand), 0.08)
        path = keyed(score, [throw - 0.2 / stage.pace, throw + 0.06], [back, out])
        reach(
            score,
            thrower,
            hand,
            path,
            Span(at - 0.25, at + 0.25, throw + 0.2, throw + 0.8),
            (1.0, -0.4, 0.0),
            lean=False,
            trunk=0.0,
            beat="throw",
        )
        trunk.lean(
            score,
            thrower,
            Span(at - 0.2, at + 0.2, throw - 0.1, throw + 0.05),
            yaw=0.4 * sign_of(hand),
            pitch=-0.05,
            beat="wind up",
        )
        trunk.lean(
            score,
            thrower,
            Span(throw - 0.08, throw + 0.08, throw + 0.2, throw + 0.7),
            yaw=-0.25 * sign_of(hand),
            pitch=0.16,
            beat="follow through",
        )
        catcher = 1 - thrower
        meet, keep = space(catcher, 0.46, 0.0, stage.uniform(-0.18, 0.0)), space(catcher, 0.26, 0.0, -0.26)
        for side in ("left", "right"):
            beside = space(catcher, 0.36, 0.16 * sign_of(side), -0.15)
            path = keyed(score, [caught, caught + 0.3], [hands.mixed(point, beside, 0.5) for point in (meet, keep)])
            span = Span(caught - 0.5, caught - 0.12, caught + 0.45, caught + 0.85)
            reach(score, catcher, side, path, span, lean=False, trunk=0.0, beat="catch")
        trunk.crouch(score, catcher, Span(caught - 0.3, caught, caught + 0.15, caught + 0.5), 0.06, 0.15, "give way")
        at, thrower, count = caught + 0.55 / stage.pace, catcher, count + 1
    score.gait((0, 1), stagger=-0.2 * sign_of(hand), width=0.13)
    return score.perform("both", ("happy",), hand=hand, count=count)


def tug_of_war(stage: Stage) -> Performance:
    """Both lean back on a rope that they hold with both hands, low on their legs, and drag each other to and fro."""
    score = Score(stage)
    winner = stage.draw("winner", ("A", "B", "nobody"))
    moves.place(score, stage.uniform(1.9, 2.3), 3)
    begin = stage.uniform(0.6, 0.9)
    pulling = np.clip((score.t - begin) / 0.5, 0, 1)
    rate = stage.uniform(0.22, 0.32) * stage.pace
    swing = stage.uniform(0.14, 0.22) * np.sin(2 * np.pi * rate * (score.t - begin)) * pulling
    gain = {"A": -1.0, "B": 1.0, "nobody": 0.0}[winner] * stage.uniform(0.4, 0.7)
    drift = gain * np.clip((score.t - 0.55 * stage.seconds) / (0.4 * stage.seconds), 0, 1)
    ahead, _ = score.direction(0, 0.0)
    held = score.from_start(stage.seconds + 5)
    for who in range(2):
        score.xz[who] += (swing + drift)[:, None] * ahead
        trunk.crouch(score, who, score.to_end(begin, 0.6), 0.17, 0.0, "brace")
        trunk.lean(score, who, score.to_end(begin, 0.6), pitch=-0.3, hips=0.6, shift=(0.0, -0.1), beat="lean back")
        tug = 2 * np.pi * rate * 3
        for side, front in (("left", 0.5), ("right", 0.28)):
            rest = space(who, front, 0.05 * sign_of(side), -0.34)
            rope = hands.swinging(
                score, who, rest, score.to_end(begin), tug / (2 * np.pi), (0.0, 0.01, 0.05), np.pi * who
            )
            reach(score, who, side, rope, held, (0.6, -1.0, -0.3), hands.PALM_DOWN, False, 0.0, "hold the rope")
    score.note("pull", (0, 1), begin, stage.seconds)
    score.gait((0, 1), width=0.14, stagger=0.3, swing=0.27, support=0.08)
    return score.perform("both", ("angry", "happy"), hand="both", winner=winner)


def clap_game(stage: Stage) -> Performance:
    """They clap their own hands and then each other's, in turns, to one rhythm."""
    score = Score(stage)
    moves.place(score, stage.uniform(0.76, 0.86))
    beat = stage.uniform(0.5, 0.6) / stage.pace
    start = score.opening(0.7 + 5 * beat, 0.2, 0.7) + 0.5
    count = max(4, int((stage.seconds - start - 0.5) // beat))
    cross = stage.draw("style", ("straight", "crosswise"))
    level = stage.uniform(0.9, 0.98)
    span = Span(start - 0.5, start - 0.1, start + (count - 1) * beat + 0.15, start + (count - 1) * beat + 0.8)
    for who in range(2):
        for side in ("left", "right"):
            sign = sign_of(side)
            own = space(who, 0.27, 0.015 * sign, -0.1)
            across = 0.15 * stage.size * sign * (1 if who == 0 else -1)
            times, points = [], []
            for k in range(count):
                at = start + k * beat
                turn = k % 4
                meeting = between(level, left=across)
                if cross == "crosswise" and turn == 1:
                    meeting = between(level) if side == "right" else own
                elif cross == "crosswise" and turn == 3:
                    meeting = between(level) if side == "left" else own
                target = own if k % 2 == 0 else meeting
                times += [at, at + 0.08]
                points += [target, target]
            reach(
                score,
                who,
                side,
                keyed(score, times, points),
                span,
                (0.9, -1.0, 0.0),
                hands.PALM_AHEAD,
                True,
                0.0,
                "clap",
            )
    for k in range(1, count, 2):
        at = start + k * beat
        pairs = [("left", "right"), ("right", "left")]
        if cross == "crosswise":
            pairs = [("right", "right")] if k % 4 == 1 else [("left", "left")]
        for a, b in pairs:
            score.touch(0, f"{a}_wrist", f"{b}_wrist", at, at + 0.07)
        score.note("clap each other's hands", (0, 1), at, at + 0.08)
    return score.perform("both", ("happy",), hand="both", style=cross, claps=count)


def jump_together(stage: Stage) -> Performance:
    """Both crouch, swing the arms up and jump, at the same time, again and again."""
    score = Score(stage)
    moves.place(score, stage.uniform(0.95, 1.5))
    height, cycle = stage.uniform(0.13, 0.22), 1.35 / np.sqrt(stage.pace)
    first = score.opening(2.2, 0.2, 1.2) + 0.6
    count = score.repeats(first, cycle, most=6, after=0.9)
    for k in range(count):
        for who in range(2):
            at = first + k * cycle + stage.uniform(-0.03, 0.03)
            legs.jump(score, who, at, height)
            back = pair_of(lambda s, w=who: space(w, -0.12, 0.28 * s, -0.44))
            front = pair_of(lambda s, w=who: space(w, 0.46, 0.26 * s, -0.16))
            up = pair_of(lambda s, w=who: space(w, 0.26, 0.3 * s, 0.3))
            times = [at - 0.3, at - 0.05, at + 0.15, at + 0.3, at + 0.55]
            swings = [keyed(score, times, [b, f, u, u, f]) for b, f, u in zip(back, front, up, strict=True)]
            span = Span(at - 0.65, at - 0.35, at + 0.45, at + 0.85)
            hands.both(score, who, (swings[0], swings[1]), span, "swing the arms", elbow=(0.5, -0.1, -1.0), lean=False)
    score.gait((0, 1), stagger=0.0)
    return score.perform("both", ("happy", "happy"), hand="both", count=count)
