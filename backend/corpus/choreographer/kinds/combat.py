"""Combat and defence: a slap, a blocked punch, a dodged kick, a grapple."""

from __future__ import annotations

import numpy as np

from ..beats import Score, Span, gestures, hands, legs, moves, trunk
from ..beats.gestures import sign_of
from ..beats.hands import keyed, on, reach, space
from ..staging import Performance, Stage

RIGHTISH = ("right", "right", "left")


def slap(stage: Stage) -> Performance:
    """The actor's open hand swings round to the partner's cheek; the head flies aside, and a hand goes to the cheek."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", RIGHTISH)
    ready = moves.meet(score, stage.uniform(0.68, 0.78), 2.4, who=who)
    hit = ready + 0.8 / stage.pace + score.opening(ready + 2.4, 0.0, 1.6)
    sign, swing = sign_of(hand), 0.22 / stage.pace
    cheek = "left cheek" if hand == "right" else "right cheek"
    span = Span(hit - swing - 0.45, hit - swing, hit + 0.22, hit + 0.9)
    wind, through = space(who, 0.12, 0.5 * sign, 0.02), space(who, 0.38, -0.22 * sign, -0.02)
    path = keyed(score, [hit - swing, hit, hit + 0.05, hit + 0.24], [wind, on(other, cheek), on(other, cheek), through])
    reach(score, who, hand, path, span, (1.0, -0.5, 0.1), hands.STRAIGHT, True, 0.0, "slap", part="cheek")
    trunk.lean(score, who, Span(hit - swing - 0.4, hit - swing, hit - 0.08, hit), yaw=0.35 * sign, beat="wind up")
    trunk.lean(
        score,
        who,
        Span(hit - 0.1, hit + 0.06, hit + 0.2, hit + 0.8),
        yaw=-0.3 * sign,
        pitch=0.08,
        beat="follow through",
    )
    trunk.recoil(score, other, hit, 0.5, 1.0 * sign, "head flies aside")
    held = score.to_end(hit + 0.85, 0.5)
    mine = "left" if hand == "right" else "right"
    if stage.draw("holds_cheek", ("true", "true", "false")) == "true":
        reach(score, other, mine, on(other, cheek), held, (0.8, -1.0, 0.1), hands.LIMP, False, 0.0, "hold the cheek")
    trunk.lean(score, other, held, pitch=0.1, beat="shrink")
    score.touch(who, f"{hand}_wrist", "head", hit, hit + 0.05)
    score.note("hit", who, hit, hit + 0.1)
    return score.perform(actor, ("angry", "angry"), hand=hand, walk_in=ready > 0.5)


def block_punch(stage: Stage) -> Performance:
    """The actor's fist flies at the partner's head, and is stopped by a raised forearm; maybe again."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", RIGHTISH)
    gap = stage.uniform(0.84, 0.94)
    moves.place(score, gap)
    jab, cycle = 0.2 / stage.pace, 1.5 / stage.pace
    first = 0.9 / stage.pace + score.opening(0.9 + cycle)
    count = score.repeats(first, cycle, most=4)
    hits = [first + k * cycle for k in range(count)]
    guarding = Span(first - 0.9 / stage.pace, first - jab - 0.1, hits[-1] + 0.5, hits[-1] + 1.2)
    sign = sign_of(hand)
    # A right fist comes to the partner's left side, and the left arm stops it.
    shield = "left" if hand == "right" else "right"
    for person in (who, other):
        gestures.guard(
            score,
            person,
            guarding,
            tuple(side for side in ("left", "right") if side != (hand if person == who else shield)),
        )
    ready, blocked = space(who, 0.16, 0.17 * sign, -0.08), space(other, 0.34, -0.07 * sign, 0.06)
    lifted, low = space(other, 0.27, -0.1 * sign, 0.2), space(other, 0.26, -0.12 * sign, -0.03)
    fist, arm = [(hits[0] - 1.0, ready)], [(hits[0] - 1.0, low)]
    for hit in hits:
        fist += [(hit - jab, ready), (hit, blocked), (hit + 0.14, blocked), (hit + 0.14 + 1.5 * jab, ready)]
        arm += [(hit - 1.1 * jab, low), (hit - 0.04, lifted), (hit + 0.2, lifted), (hit + 0.2 + 1.6 * jab, low)]
        out = Span(hit - jab, hit, hit + 0.14, hit + 0.14 + 1.5 * jab)
        trunk.lean(score, who, out, yaw=-0.45 * sign, pitch=0.12, hips=0.3, shift=(0.0, 0.08), beat="punch")
        trunk.lean(score, other, out, pitch=-0.12, yaw=0.2 * sign, beat="block")
        score.note("hit", who, hit, hit + 0.14, part="forearm")
    reach(
        score,
        who,
        hand,
        keyed(score, *map(list, zip(*fist, strict=True))),
        guarding,
        (0.55, -1.0, -0.3),
        trunk=0.0,
        beat="fist",
    )
    reach(
        score,
        other,
        shield,
        keyed(score, *map(list, zip(*arm, strict=True))),
        guarding,
        (0.9, -1.0, 0.2),
        lean=False,
        trunk=0.0,
        beat="raise the forearm",
    )
    score.gait((0, 1), stagger=-0.2 * sign, width=0.12)
    return score.perform(actor, ("angry",), hand=hand, count=count)


def kick_dodge(stage: Stage) -> Performance:
    """The actor kicks at the partner's belly; the partner hollows the body and hops back out of reach."""
    score = Score(stage)
    actor, who, other = score.actor()
    leg = stage.draw("leg", ("right", "right", "left"))
    moves.place(score, stage.uniform(1.02, 1.12))
    cycle = 1.9 / stage.pace
    first = 1.05 / stage.pace + score.opening(1.1 / stage.pace + 1.2)
    count = score.repeats(first, cycle, most=3)
    for k in range(count):
        hit = first + k * cycle
        legs.kick(score, who, leg, hit, stage.uniform(0.66, 0.8), 0.74)
        moves.step(score, other, hit - 0.3, -stage.uniform(0.42, 0.5), speed=1.5)
        hollow = Span(hit - 0.22, hit - 0.02, hit + 0.12, hit + 0.6)
        trunk.lean(score, other, hollow, pitch=0.42, hips=0.4, shift=(0.0, -0.16), beat="dodge")
        flung = hands.pair_of(lambda s: space(other, 0.42, 0.26 * s, -0.12))
        hands.both(score, other, flung, hollow, "fling out the arms", lean=False)
        if k + 1 < count:
            moves.step(score, who, hit + 0.75 / stage.pace, 0.44, speed=1.3)
    gestures.guard(
        score, who, Span(first - 1.0, first - 0.5, first + (count - 1) * cycle + 0.5, first + (count - 1) * cycle + 1.2)
    )
    score.gait(who, width=0.11)
    score.gait(other, swing=0.24, support=0.03)
    return score.perform(actor, ("angry",), leg=leg, count=count)


def grapple(stage: Stage) -> Performance:
    """Both stand low and wide, hands on the other's shoulders and arms, and push each other to and fro."""
    score = Score(stage)
    ready = moves.meet(score, stage.uniform(0.86, 0.94), 3.0, likely=0.35)
    lock = ready + 0.75 / stage.pace + score.opening(ready + 2.8, 0.0, 0.6)
    parts = stage.chance(0.4) and stage.seconds - lock > 2.8
    span = score.span(lock, stage.seconds - lock - 1.0, 0.6, 0.7) if parts else score.to_end(lock, 0.6)
    held = np.clip((score.t - lock) / 0.4, 0, 1) * (score.t < span.off)
    rate = stage.uniform(0.3, 0.42) * stage.pace
    swing = stage.uniform(0.16, 0.24) * np.sin(2 * np.pi * rate * (score.t - lock)) * held
    ahead, _ = score.direction(0, 0.0)
    for who in range(2):
        score.xz[who] += swing[:, None] * ahead
        trunk.crouch(score, who, span, 0.1, 0.55, "brace")
        trunk.sway(score, who, span, rate * 1.3, 0.025, who * 2.0)
        # A's arms lie under B's.
        parts_of = ("left upper arm", "right upper arm") if who == 0 else ("left shoulder", "right shoulder")
        elbow = (0.6, -1.0, 0.0) if who == 0 else (1.0, 0.3, 0.0)
        for side, part in (("left", parts_of[1]), ("right", parts_of[0])):
            reach(score, who, side, on(1 - who, part), span, elbow, hands.PALM_AHEAD, True, 0.0, "grip", part=part)
            score.touch(who, f"{side}_wrist", f"{part.split()[0]}_shoulder", lock + 0.1, min(span.off, stage.seconds))
        trunk.look(score, who, "down", span)
    score.note("wrestle", (0, 1), lock, span.off)
    score.gait((0, 1), width=0.17, stagger=0.2, swing=0.26, support=0.06)
    return score.perform("both", ("angry", "tired"), hand="both", parts=parts, walk_in=ready > 0.5)
