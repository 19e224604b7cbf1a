"""More greetings: the fist bump, the salute, the tipped hat and the curtsy."""

from __future__ import annotations

from ..beats import Score, Span, gestures, hands, moves, trunk
from ..beats.hands import between, keyed, on, pair_of, reach, space
from ..staging import Performance, Stage

RIGHTISH = ("right", "right", "right", "left")


def fist_bump(stage: Stage) -> Performance:
    """Both draw back a fist, bring it forward until the knuckles touch, and take it back; maybe again."""
    score, hand = Score(stage), stage.draw("hand", RIGHTISH)
    ready = moves.meet(score, stage.uniform(0.85, 1.0), 2.2)
    level, way = stage.uniform(0.78, 0.88), 0.32 / stage.pace
    first = ready + 0.75 / stage.pace + score.opening(ready + 2.4, least=0.0)
    count = score.repeats(first, 2.6 * way, most=3)
    hits = [first + k * 2.6 * way for k in range(count)]
    span = score.span(first - 0.5 * way, (count - 1) * 2.6 * way + 0.5 * way + 0.25)
    for who in range(2):
        ready_fist = space(who, 0.26, 0.2 * gestures.sign_of(hand), -0.2)
        meeting = between(level, ahead=-0.012 if who == 0 else 0.012)
        times = [hits[0] - way, *(h + d for h in hits for d in (0.0, 0.2, 0.2 + way))]
        reach(score, who, hand, keyed(score, times, [ready_fist, *(meeting, meeting, ready_fist) * count]), span)
        trunk.nod(score, who, score.span(hits[-1], 0.4, 0.3, 0.3), 1, 0.1)
    for hit in hits:
        score.touch(0, f"{hand}_wrist", f"{hand}_wrist", hit, hit + 0.2)
        score.note("bump", (0, 1), hit, hit + 0.2, hand=hand)
    return score.perform("both", ("happy",), hand=hand, count=count, walk_in=ready > 0.5)


def salute(stage: Stage) -> Performance:
    """One or both stand to attention and raise the flat hand to the brow, hold it there, and take it down."""
    score, hand = Score(stage), stage.draw("hand", RIGHTISH)
    actor, actors = score.actors()
    moves.place(score, stage.uniform(1.3, 2.4))
    start = score.opening(1.9) + 0.5 / stage.pace
    hold = stage.uniform(0.6, max(0.7, min(3.0, stage.seconds - start - 0.6)))
    for who in actors:
        span = score.span(start + stage.uniform(0.0, 0.3) * (len(actors) > 1), hold, 0.45, 0.5)
        reach(
            score, who, hand, on(who, f"{hand} brow"), span, (1.0, -0.15, 0.25), hands.PALM_DOWN, False, 0.0, "salute"
        )
        trunk.lean(score, who, span, pitch=-0.06, beat="stand to attention")
    for who in {0, 1} - set(actors):
        trunk.nod(score, who, score.span(start + 0.5, 0.7), 1, 0.12)
    return score.perform(actor, ("proud",), hand=hand)


def tip_hat(stage: Stage) -> Performance:
    """One or both touch the brim of a hat, lift it a little towards the other with a nod, and put it back."""
    score, hand = Score(stage), stage.draw("hand", RIGHTISH)
    actor, actors = score.actors()
    moves.place(score, stage.uniform(1.2, 2.2))
    first, cycle = score.opening(2.4) + 0.6 / stage.pace, 1.7 / stage.pace
    count = score.repeats(first, cycle + 1.2 / stage.pace, most=2)
    for who in actors:
        for k in range(count):
            at = first + k * (cycle + 1.2 / stage.pace) + stage.uniform(0.0, 0.25) * (len(actors) > 1)
            span = score.span(at, cycle, 0.6, 0.6)
            brim, lifted = on(who, "forehead"), space(who, 0.34, 0.02 * gestures.sign_of(hand), 0.34)
            times = [at + 0.1, at + 0.3 * cycle, at + 0.55 * cycle, at + 0.9 * cycle]
            path = keyed(score, times, [brim, lifted, lifted, brim])
            reach(score, who, hand, path, span, (1.0, -0.6, 0.2), hands.LIMP, False, 0.0, "tip the hat")
            trunk.bend(score, who, score.span(at + 0.4 * cycle, 0.2 * cycle, 0.5, 0.5), 14, "nod with the trunk")
    return score.perform(actor, ("happy",), hand=hand, count=count)


def curtsy(stage: Stage) -> Performance:
    """One or both spread the skirt with both hands and sink, one foot back, the head bowed, then rise."""
    score = Score(stage)
    actor, actors = score.actors()
    moves.place(score, stage.uniform(1.3, 2.2))
    depth = stage.draw("depth", ("slight", "deep"))
    first, hold = score.opening(2.4) + 0.8 / stage.pace, stage.uniform(0.2, 0.7)
    count = score.repeats(first, 2.6 / stage.pace + hold, most=2)
    for who in actors:
        for k in range(count):
            at = first + k * (2.6 / stage.pace + hold) + stage.uniform(0.0, 0.3) * (len(actors) > 1)
            span = score.span(at, hold, 0.8, 0.8)
            trunk.crouch(score, who, span, 0.28 if depth == "deep" else 0.2, 0.16, "sink")
            trunk.nod(score, who, Span(at - 0.4, at, at + hold, at + hold + 0.6), 0, 0.0)
            wide = score.span(at - 0.2, hold + 0.4, 0.7, 0.7)
            skirt = pair_of(lambda s, who=who: space(who, 0.08, 0.36 * s, -0.47))
            hands.both(
                score, who, skirt, wide, "spread the skirt", elbow=(1.0, 0.0, -0.2), wrist=hands.PALM_DOWN, lean=False
            )
            trunk.look(score, who, "down", span)
    score.gait(actors, stagger=0.18, width=0.08)
    return score.perform(actor, ("happy",), hand="none", count=count, depth=depth)
