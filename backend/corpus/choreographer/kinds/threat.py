"""Threat and retreat: a raised fist, hands up, a fright."""

from __future__ import annotations

from ..beats import Score, Span, gestures, hands, moves, trunk
from ..beats.hands import on, pair_of, space
from ..staging import Performance, Stage

RIGHTISH = ("right", "right", "left")


def threaten(stage: Stage) -> Performance:
    """The actor steps in and shakes a raised fist; the partner shrinks back and shields the face."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", RIGHTISH)
    moves.place(score, stage.uniform(1.15, 1.45))
    start = score.opening(2.5, most=1.0)
    closer = moves.step(score, who, start, stage.uniform(0.25, 0.4), speed=1.0)
    up = max(start + 0.7 / stage.pace, closer - 0.3)
    hold = max(0.9, stage.seconds - up - stage.uniform(0.6, 1.2))
    span = score.span(up, hold, 0.5, 0.6)
    gestures.fist(score, who, hand, span, stage.uniform(1.3, 1.9) * stage.pace)
    trunk.lean(score, who, span, pitch=0.2, beat="lean in")
    if stage.draw("backs_off", ("true", "false")) == "true":
        moves.step(score, other, up - 0.1, -stage.uniform(0.25, 0.45), speed=0.9)
    gestures.shield(
        score, other, Span(up - 0.35, up + 0.15, up + hold + 0.3, up + hold + 1.1), stage.uniform(0.12, 0.22)
    )
    score.gait(other, swing=0.28, support=0.05)
    return score.perform(actor, ("angry", "angry"), hand=hand)


def surrender(stage: Stage) -> Performance:
    """The partner aims a stretched arm at the actor, who raises both hands in surrender and keeps them up."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", RIGHTISH)
    moves.place(score, stage.uniform(1.3, 2.2))
    aim = score.opening(2.4) + 0.5 / stage.pace
    up = aim + stage.uniform(0.5, 0.8) / stage.pace
    gestures.point(score, other, hand, on(who, "chest"), score.to_end(aim, 0.5))
    trunk.lean(score, other, score.to_end(aim, 0.5), pitch=0.06, yaw=0.25 * -gestures.sign_of(hand), beat="aim")
    gestures.hands_up(score, who, score.to_end(up, 0.6), stage.uniform(0.2, 0.32))
    trunk.lean(score, who, score.to_end(up, 0.5), pitch=-0.08, beat="draw back")
    if stage.draw("backs_off", ("false", "false", "true")) == "true":
        moves.step(score, who, up - 0.2, -stage.uniform(0.3, 0.5), speed=0.6)
    score.note("surrender", who, up, stage.seconds)
    return score.perform(actor, (), hand="both")


def scare(stage: Stage) -> Performance:
    """The actor suddenly throws up both arms with a step forward; the partner starts back with hands flung up."""
    score = Score(stage)
    actor, who, other = score.actor()
    moves.place(score, stage.uniform(1.1, 1.4))
    boo = score.opening(2.2, most=3.0) + 0.6
    calm = Span(boo - 0.75, boo - 0.3, boo - 0.28, boo - 0.1)
    trunk.crouch(score, who, calm, 0.08, 0.3, "gather")
    span = Span(boo - 0.28, boo + 0.02, boo + stage.uniform(0.6, 1.2), boo + 2.0)
    claws = pair_of(lambda s: space(who, 0.36, 0.34 * s, 0.24))
    hands.both(score, who, claws, span, "throw up the arms", elbow=(1.0, -0.4, 0.2), wrist=hands.LIMP, lean=False)
    moves.step(score, who, boo - 0.2, stage.uniform(0.25, 0.35), speed=1.3)
    trunk.lean(score, who, span, pitch=0.16, beat="lean in")
    start = boo + 0.14
    moves.step(score, other, start, -stage.uniform(0.3, 0.5), speed=1.4)
    trunk.recoil(score, other, start, 1.3, beat="start")
    flung = pair_of(lambda s: space(other, 0.28, 0.24 * s, -0.02))
    hands.both(
        score,
        other,
        flung,
        Span(start, start + 0.3, start + 0.75, start + 1.5),
        "fling up the hands",
        elbow=(0.9, -1.0, -0.1),
        wrist=hands.PALM_AHEAD,
        lean=False,
    )
    score.gait((0, 1), swing=0.26, support=0.04)
    return score.perform(actor, ("happy",), hand="both")
