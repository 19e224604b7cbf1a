"""Comfort and help: consoling, supporting who limps, helping up, a pat on the shoulder."""

from __future__ import annotations

import numpy as np

from ..beats import Score, Span, hands, legs, moves, trunk
from ..beats.gestures import sign_of
from ..beats.hands import between, keyed, on, pair_of, reach
from ..staging import Performance, Stage


def console(stage: Stage) -> Performance:
    """The partner stands bowed with the face in the hands; the actor, at the side, strokes or pats the back."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", ("right", "left"))
    how = stage.draw("touch", ("strokes", "pats"))
    ready = moves.meet(score, stage.uniform(0.56, 0.64), 2.4, who=who)
    # With the partner turned to the actor's left the back is at the right hand, and the other way about.
    score.heading[other] += np.pi / 2 * (-1 if hand == "right" else 1) + np.radians(stage.uniform(-12, 12))
    lay = ready + 0.7 / stage.pace + score.opening(ready + 2.4, 0.0, 0.7)
    leaves = stage.chance(0.4) and stage.seconds - lay > 2.4
    span = score.span(lay, stage.seconds - lay - 1.0, 0.7, 0.7) if leaves else score.to_end(lay, 0.7)
    all_along = score.from_start(stage.seconds + 5)
    trunk.lean(
        score, other, all_along, pitch=stage.uniform(0.4, 0.55), hips=0.35, shift=(0.0, -0.06), beat="stand bowed"
    )
    face = pair_of(lambda s: on(other, "left cheek" if s > 0 else "right cheek", 0.0))
    hands.both(score, other, face, all_along, "hide the face", elbow=(0.4, -1.0, 0.3), lean=False)
    trunk.look(score, other, "down", all_along)
    sob = stage.uniform(1.6, 2.4)
    trunk.nod(score, other, score.span(0.3, stage.seconds, 0.3, 0.3), round(sob * stage.seconds / 2), 0.04)
    blade = on(other, f"{'left' if hand == 'right' else 'right'} shoulder blade")
    way, rate = ((0.0, 0.07, 0.0), 0.55) if how == "strokes" else ((0.05 * sign_of(hand), 0.02, -0.01), 1.5)
    moving = hands.swinging(score, who, blade, span, rate * stage.pace, way)
    reach(
        score,
        who,
        hand,
        moving,
        span,
        (0.9, -0.8, 0.0),
        hands.PALM_DOWN,
        True,
        0.12,
        "stroke" if how == "strokes" else "pat",
        part="back",
    )
    trunk.lean(score, who, span, pitch=0.14, roll=0.06 * sign_of(hand), beat="bend to them")
    score.touch(who, f"{hand}_wrist", "spine3", lay + 0.1, min(span.off, stage.seconds))
    return score.perform(actor, ("sad",), hand=hand, touch=how, walk_in=ready > 0.5)


def support_walk(stage: Stage) -> Performance:
    """The actor walks with an arm round the partner, who limps with an arm over the actor's shoulders."""
    score = Score(stage)
    actor, who, other = score.actor()
    side = stage.draw("side", ("left", "right"))
    speed = stage.uniform(0.42, 0.55) * stage.pace
    begin = stage.uniform(0.2, 0.6) if stage.chance(0.4) else -10.0
    end = stage.seconds - 0.6 if stage.chance(0.3) else 1e3
    # The partner is on this side of the actor.
    moves.abreast(
        score,
        stage.uniform(0.46, 0.5),
        speed,
        side if who == 0 else {"left": "right", "right": "left"}[side],
        begin,
        end,
    )
    far = "right" if side == "left" else "left"
    held = score.from_start(stage.seconds + 5)
    # The partner's arm that is next to the actor, over the shoulder on the actor's far side.
    reach(
        score,
        other,
        far,
        on(who, f"{far} shoulder blade", 0.03),
        held,
        (1.0, 0.2, -1.0),
        hands.STRAIGHT,
        False,
        0.0,
        "lean on the shoulders",
    )
    reach(
        score,
        who,
        side,
        on(other, "lower back", 0.03),
        held,
        (0.8, -0.5, -1.0),
        hands.STRAIGHT,
        False,
        0.0,
        "hold round the waist",
    )
    limp = stage.uniform(0.65, 0.8) * stage.pace
    trunk.sway(score, other, held, limp, 0.03)
    trunk.lean(score, other, held, pitch=0.24, roll=0.1 * (1 if far == "right" else -1), beat="stoop")
    trunk.look(score, other, "down", held)
    trunk.lean(score, who, held, roll=-0.05 * (1 if far == "right" else -1), beat="hold against it")
    trunk.look(score, who, "ahead", score.span(0.8, 1.2))
    score.gait((0, 1), swing=0.42, support=0.16, stagger=0.0, width=0.08)
    return score.perform(actor, (), hand=far, side=side)


def help_up(stage: Stage) -> Performance:
    """The partner kneels; the actor holds out a hand, the partner takes it, and is helped to the feet."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", ("right", "right", "left"))
    ready = moves.meet(score, stage.uniform(0.66, 0.74), 3.2, who=who, most=1.2)
    grip = ready + 0.8 / stage.pace + score.opening(ready + 3.0, 0.0, 0.8)
    rise = max(0.9, 1.15 / stage.pace)
    up = grip + 0.2 + rise
    letgo = min(up + stage.uniform(0.3, 0.8), max(up + 0.15, stage.seconds - 0.6))
    knee = stage.choose(("left", "right"))
    legs.kneel(score, other, Span(-2, -1, grip + 0.2, up), knee)
    score.gait(other, stagger=0.0)
    trunk.lean(
        score, who, score.span(grip, 0.25, 0.7, 1.0), pitch=0.45, hips=0.45, shift=(0.0, -0.06), beat="bend down"
    )
    trunk.lean(score, who, Span(grip + 0.2, grip + 0.7, up - 0.2, up + 0.4), pitch=-0.1, beat="pull up")
    low, high = between(0.78), between(0.74)
    path = keyed(score, [grip + 0.2, up], [low, high])
    reach(
        score,
        who,
        hand,
        path,
        score.span(grip, letgo - grip, 0.75, 0.7),
        hands.DOWN,
        hands.PALM_UP,
        True,
        0.12,
        "hold out a hand",
    )
    reach(
        score,
        other,
        hand,
        path,
        score.span(grip, letgo - grip, 0.6, 0.7),
        hands.DOWN,
        hands.PALM_DOWN,
        True,
        0.1,
        "take the hand",
    )
    score.touch(who, f"{hand}_wrist", f"{hand}_wrist", grip + 0.05, letgo - 0.05)
    score.note("rise", other, grip + 0.2, up)
    return score.perform(actor, (), hand=hand, walk_in=ready > 0.5)


def pat_shoulder(stage: Stage) -> Performance:
    """The actor pats the partner on the shoulder a few times."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", ("right", "right", "left"))
    ready = moves.meet(score, stage.uniform(0.66, 0.76), 2.3, who=who)
    lay = ready + 0.65 / stage.pace + score.opening(ready + 2.3, 0.0, 1.0)
    beat = stage.uniform(0.42, 0.52) / stage.pace
    count = min(score.repeats(lay, beat, most=6, after=0.8) + 1, 6)
    shoulder = f"{'left' if hand == 'right' else 'right'} shoulder"
    times, points = [], []
    for k in range(count):
        at = lay + k * beat
        times += [at - 0.2 / stage.pace, at, at + 0.06]
        points += [on(other, shoulder, 0.09), on(other, shoulder), on(other, shoulder)]
        score.touch(who, f"{hand}_wrist", shoulder.replace(" ", "_"), at, at + 0.06)
        score.note("pat", who, at, at + 0.1, part="shoulder")
    span = score.span(lay - 0.15, (count - 1) * beat + 0.25, 0.55, 0.7)
    reach(score, who, hand, keyed(score, times, points), span, (0.9, -0.8, 0.1), hands.PALM_DOWN, True, 0.12, "pat")
    trunk.nod(score, other, score.span(lay + 0.3, 0.8, 0.2, 0.3), 2, 0.1)
    return score.perform(actor, ("happy", "sad"), hand=hand, count=count, walk_in=ready > 0.5)
