"""Conversation and quarrel: arguing, scolding, whispering, beckoning, pointing something out, a hand refused."""

from __future__ import annotations

import numpy as np

from ..beats import Score, gestures, hands, moves, trunk
from ..beats.gestures import sign_of
from ..beats.hands import between, on, pair_of, reach, space
from ..staging import Performance, Stage

RIGHTISH = ("right", "right", "left")


def argue(stage: Stage) -> Performance:
    """They take turns in thrusting a finger at the other, throwing up the hands, shaking the head."""
    score = Score(stage)
    moves.place(score, stage.uniform(0.95, 1.25))
    at, speaker = stage.uniform(0.35, 0.6), int(stage.choose_end())
    count = 0
    while at + 1.1 < stage.seconds or count < 2:
        lasting = stage.uniform(0.7, 1.2) / stage.pace
        span = score.span(at, lasting, 0.35, 0.4)
        side = stage.choose(RIGHTISH)
        if count % 3 != 2:
            gestures.point(score, speaker, side, on(1 - speaker, "chest"), span, 1.7 * stage.pace)
        else:
            wide = pair_of(lambda s, who=speaker: space(who, 0.3, 0.38 * s, -0.02))
            hands.both(
                score, speaker, wide, span, "throw up the hands", elbow=hands.DOWN, wrist=hands.PALM_UP, lean=False
            )
        trunk.lean(score, speaker, span, pitch=0.16, beat="lean in")
        trunk.nod(score, speaker, span, 2, 0.1)
        trunk.lean(score, 1 - speaker, span, pitch=-0.07, beat="draw back")
        trunk.nod(score, 1 - speaker, span, 2, 0.13, shake=True)
        score.note("accuse", speaker, span.start, span.end)
        at, speaker, count = at + lasting + 0.5 / stage.pace, 1 - speaker, count + 1
    return score.perform("both", ("angry",) * 8, turns=count)


def scold(stage: Stage) -> Performance:
    """The actor wags a finger at the partner, one hand on the hip; the partner hangs the head and shrinks."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", RIGHTISH)
    moves.place(score, stage.uniform(0.85, 1.15))
    start = score.opening(2.4) + 0.6 / stage.pace
    hold = stage.uniform(1.2, max(1.3, stage.seconds - start - 0.6))
    span = score.span(start, hold, 0.6, 0.6)
    gestures.wag(score, who, hand, span, stage.uniform(1.7, 2.2) * stage.pace)
    rest = "left" if hand == "right" else "right"
    reach(
        score,
        who,
        rest,
        on(who, f"{rest} hip"),
        score.span(start - 0.2, hold + 0.3),
        (1.0, 0.0, -0.5),
        hands.LIMP,
        False,
        0,
        "hand on hip",
    )
    trunk.lean(score, who, span, pitch=0.14, beat="lean in")
    guilty = score.span(start + 0.4, hold, 0.6, 0.8)
    trunk.lean(score, other, guilty, pitch=0.26, hips=0.1, beat="hang the head")
    trunk.look(score, other, "down", guilty)
    low = pair_of(lambda s: space(other, 0.16, 0.05 * s, -0.5))
    hands.both(score, other, low, score.span(start + 0.3, hold), "fold the hands", elbow=hands.DOWN, lean=False)
    return score.perform(actor, ("angry", "angry"), hand=hand)


def whisper(stage: Stage) -> Performance:
    """The actor comes close, leans to the partner's ear with a hand beside the mouth; the partner inclines the head."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", ("right", "left"))
    ready = moves.meet(score, stage.uniform(0.58, 0.64), 2.6, who=who)
    # A raised right hand hides the mouth from the right, so the heads pass each other on the left.
    side = -sign_of(hand)
    at = ready + 0.8 / stage.pace + score.opening(ready + 2.8, 0.0, 0.8)
    hold = max(0.8, min(stage.uniform(1.0, 4.0), stage.seconds - at - 0.8))
    span = score.span(at, hold, 0.8, 0.8)
    trunk.lean(
        score, who, span, pitch=0.24, roll=-0.12 * side, shift=(0.1 * side, 0.05), hips=0.5, beat="lean to the ear"
    )
    trunk.lean(score, other, span, roll=-0.12 * side, pitch=0.08, shift=(0.05 * side, 0.0), beat="lend an ear")
    trunk.look(score, other, "left" if hand == "left" else "right", span)
    mouth = on(who, "right cheek" if hand == "right" else "left cheek", 0.05)
    reach(score, who, hand, mouth, span, (0.8, -1.0, 0.1), hands.STRAIGHT, False, 0.0, "cup the hand to the mouth")
    trunk.nod(score, other, score.span(at + 0.4 * hold, 0.5 * hold, 0.2, 0.2), 2, 0.1)
    score.note("whisper", who, at, at + hold, target="ear")
    return score.perform(actor, (), hand=hand, walk_in=ready > 0.5)


def beckon(stage: Stage) -> Performance:
    """The actor beckons with a hand; the partner comes, or stays where it is."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", RIGHTISH)
    comes = stage.draw("comes", ("true", "true", "false")) == "true"
    far = stage.uniform(1.7, 2.6)
    moves.place(score, far)
    start = score.opening(2.6) + 0.6 / stage.pace
    leave = start + stage.uniform(0.7, 1.0)
    if comes:
        metres = min(far - stage.uniform(0.8, 1.0), max(0.7, (stage.seconds - leave) * 0.9 * stage.pace))
        arrive = moves.step(score, other, leave, metres / stage.bodies[other].scale * stage.size)
        hold = min(arrive - 0.2, stage.seconds - 0.5) - start
    else:
        hold = stage.seconds - start - stage.uniform(0.6, 0.9)
    gestures.beckon(score, who, hand, score.span(start, max(hold, 1.3)), stage.uniform(1.3, 1.7) * stage.pace)
    if not comes:
        trunk.nod(score, other, score.span(leave, 1.2), 3, 0.2, shake=True)
    return score.perform(actor, ("happy", "angry"), hand=hand, comes=comes)


def point_out(stage: Stage) -> Performance:
    """The actor points at something far off to one side; the partner turns to look there too."""
    score = Score(stage)
    actor, who, other = score.actor()
    side = stage.draw("side", ("left", "right"))
    moves.place(score, stage.uniform(1.0, 1.6))
    start = score.opening(2.4) + 0.7 / stage.pace
    hold = stage.uniform(1.1, max(1.2, min(4.0, stage.seconds - start - 0.6)))
    span = score.span(start, hold, 0.6, 0.7)
    sign = sign_of(side)
    ahead, left = score.direction(who, 0.0)
    far = 6.0 * (0.45 * ahead + 1.0 * sign * left) + score.xz[who][0]
    thing = np.array([far[0], stage.uniform(1.2, 2.4), far[1]]) + np.zeros((stage.frames, 3))
    gestures.point(score, who, side, lambda cast: thing, span)
    trunk.lean(score, who, span, yaw=0.35 * sign, hips=0.4, beat="turn to it")
    later = score.span(start + 0.4, hold, 0.5, 0.8)
    trunk.lean(score, other, later, yaw=-0.5 * sign, hips=0.4, beat="turn to it")
    for person, when in ((who, score.span(start - 0.1, 0.5 * hold)), (other, later)):
        trunk.look(score, person, lambda cast: thing, when)
    trunk.nod(score, other, score.span(start + 0.6 * hold, 0.6, 0.2, 0.2), 1, 0.12)
    return score.perform(actor, ("happy",), hand=side, side=side)


def refuse_hand(stage: Stage) -> Performance:
    """The actor holds out a hand; the partner does not take it, but folds the arms, turns away or waves it off."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", RIGHTISH)
    refusal = stage.draw("refusal", ("folds the arms", "turns away", "waves it off"))
    ready = moves.meet(score, stage.uniform(1.0, 1.15), 2.9, who=who)
    out = ready + 0.6 / stage.pace + score.opening(ready + 3.0, 0.0, 0.8)
    hold = max(1.1, min(stage.uniform(1.3, 2.6), stage.seconds - out - 0.7))
    offered = between(0.74, along=0.42 if who == 0 else 0.58)
    reach(
        score,
        who,
        hand,
        offered,
        score.span(out, hold, 0.6, 0.8),
        hands.DOWN,
        hands.STRAIGHT,
        False,
        0.12,
        "offer a hand",
    )
    sad = score.to_end(out + hold + 0.6, 0.7)
    trunk.lean(score, who, sad, pitch=0.14, beat="lower the head")
    at = out + 0.45
    if refusal == "folds the arms":
        gestures.arms_crossed(score, other, score.to_end(at + 0.3, 0.6))
        trunk.lean(score, other, score.to_end(at), pitch=-0.1, beat="draw back")
    elif refusal == "turns away":
        moves.turn(score, other, at - 0.1, stage.uniform(95, 130) * sign_of(hand), 1.1)
        trunk.look(score, other, "ahead", score.to_end(at + 0.3))
    else:
        away = hands.swinging(
            score,
            other,
            space(other, 0.34, 0.1 * sign_of(hand), -0.1),
            score.span(at + 0.2, 1.1),
            1.5 * stage.pace,
            (0.15, 0.0, 0.0),
        )
        reach(
            score,
            other,
            hand,
            away,
            score.span(at + 0.2, 1.1, 0.45, 0.5),
            (0.8, -0.8, 0.0),
            hands.PALM_AHEAD,
            False,
            0.0,
            "wave it off",
        )
        trunk.lean(score, other, score.to_end(at + 0.3), pitch=-0.1, beat="draw back")
    trunk.nod(score, other, score.span(at + 0.2, 1.0, 0.3, 0.3), 2, 0.17, shake=True)
    return score.perform(actor, (), hand=hand, refusal=refusal, walk_in=ready > 0.5)
