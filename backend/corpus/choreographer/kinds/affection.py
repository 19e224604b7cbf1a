"""Signs of affection: a kissed hand, held hands, a stroked cheek, a kiss blown across."""

from __future__ import annotations

from ..beats import Score, hands, moves, trunk
from ..beats.gestures import sign_of
from ..beats.hands import between, keyed, mixed, on, reach, space
from ..staging import Performance, Stage


def kiss_hand(stage: Stage) -> Performance:
    """The actor takes the hand that the partner holds out, bends over it until the lips are near, and lets go."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", ("right", "right", "left"))
    ready = moves.meet(score, stage.uniform(0.86, 0.95), 2.9, who=who)
    take = ready + 0.6 / stage.pace + score.opening(ready + 3.0, 0.0, 1.0)
    bow = take + 0.3 + 0.7 / stage.pace
    kiss = max(0.35, min(stage.uniform(0.4, 1.0), stage.seconds - bow - 1.2))
    rise = bow + kiss + 0.7 / stage.pace
    trunk.bend(score, who, score.span(bow, kiss, 0.7, 0.7), stage.uniform(46, 56), "bow over the hand")
    trunk.look(score, who, "down", score.span(bow, kiss, 0.6, 0.6))
    span = score.span(take, rise - take - 0.1, 0.6, 0.7)
    lips = mixed(on(who, "mouth"), between(0.75), 0.35)
    path = keyed(score, [take + 0.2, bow, bow + kiss, rise], [between(0.72), lips, lips, between(0.72)])
    reach(score, who, hand, path, span, hands.DOWN, hands.PALM_UP, False, 0.05, "take the hand")
    reach(score, other, hand, path, span.later(-0.1), hands.DOWN, hands.PALM_DOWN, True, 0.12, "hold out the hand")
    trunk.lean(score, other, score.span(bow, kiss, 0.6, 0.6), pitch=0.06, beat="incline")
    score.touch(who, f"{hand}_wrist", f"{hand}_wrist", take + 0.1, rise - 0.15)
    score.note("kiss", who, bow, bow + kiss, target="hand")
    return score.perform(actor, ("happy", "proud"), hand=hand, walk_in=ready > 0.5)


def hold_hands(stage: Stage) -> Performance:
    """Face to face they take each other by both hands and stay like that, swaying a little from side to side."""
    score = Score(stage)
    ready = moves.meet(score, stage.uniform(0.75, 0.88), 2.6)
    take = ready + 0.7 / stage.pace + score.opening(ready + 2.8, 0.0, 0.8)
    parts = stage.chance(0.5) and stage.seconds - take > 2.6
    span = score.span(take, stage.seconds - take - 1.0, 0.65, 0.7) if parts else score.to_end(take, 0.65)
    rate, level = stage.uniform(0.3, 0.5) * stage.pace, stage.uniform(0.68, 0.78)
    for who in range(2):
        for side in ("left", "right"):
            across = 0.17 * stage.size * sign_of(side) * (1 if who == 0 else -1)
            held = hands.swinging(score, 0, between(level, left=across), span, rate, (0.03, 0.012, 0.0))
            wrist = hands.PALM_UP if who == 0 else hands.PALM_DOWN
            reach(score, who, side, held, span, (0.8, -1.0, -0.2), wrist, True, 0.0, "hold a hand")
        trunk.sway(score, who, span, rate, 0.03, 0.0 if who == 0 else 3.14)
        trunk.lean(score, who, span, roll=0.05 * (1 if who == 0 else -1), beat="tilt the head")
    for side, opposite in (("left", "right"), ("right", "left")):
        score.touch(0, f"{side}_wrist", f"{opposite}_wrist", take, min(span.off, stage.seconds))
    return score.perform("both", ("happy", "sad"), hand="both", parts=parts, walk_in=ready > 0.5)


def caress_cheek(stage: Stage) -> Performance:
    """The actor lays a hand on the partner's cheek and strokes it, the partner leaning into the hand."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", ("right", "right", "left"))
    ready = moves.meet(score, stage.uniform(0.56, 0.66), 2.8, who=who)
    lay = ready + 0.8 / stage.pace + score.opening(ready + 2.8, 0.0, 1.0)
    hold = max(0.7, min(stage.uniform(0.9, 3.0), stage.seconds - lay - 0.9))
    span = score.span(lay, hold, 0.8, 0.8)
    # The right hand of who stands in front lies on the left cheek.
    cheek = "left cheek" if hand == "right" else "right cheek"
    trunk.lean(score, other, score.span(lay + 0.2, hold, 0.5), roll=0.09 * sign_of(hand), beat="lean into the hand")
    stroke = hands.swinging(score, who, on(other, cheek), span, stage.uniform(0.7, 1.0), (0.0, 0.03, 0.005))
    reach(score, who, hand, stroke, span, (0.6, -1.0, 0.1), hands.LIMP, True, 0.1, "stroke", part="cheek")
    score.touch(who, f"{hand}_wrist", "head", lay, lay + hold)
    return score.perform(actor, ("happy", "sad"), hand=hand, walk_in=ready > 0.5)


def blow_kiss(stage: Stage) -> Performance:
    """The actor puts the fingers to the lips and throws the kiss across; the partner catches it or smiles it off."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", ("right", "right", "left"))
    answer = stage.draw("answer", ("catches", "nods"))
    moves.place(score, stage.uniform(1.4, 2.6))
    first, cycle = score.opening(2.9) + 0.6 / stage.pace, 2.1 / stage.pace
    count = score.repeats(first, cycle, most=3, after=1.2)
    for k in range(count):
        lips = first + k * cycle
        throw = lips + 0.75 / stage.pace
        far = space(who, 0.52, 0.14 * sign_of(hand), 0.06)
        path = keyed(score, [lips + 0.25 / stage.pace, throw], [on(who, "mouth"), far])
        reach(
            score,
            who,
            hand,
            path,
            score.span(lips, 1.0 / stage.pace, 0.5, 0.6),
            (0.7, -1.0, 0.1),
            hands.PALM_UP,
            False,
            0.1,
            "blow a kiss",
        )
        trunk.lean(score, who, score.span(throw, 0.2, 0.4, 0.5), pitch=0.12, beat="lean after it")
        if answer == "catches":
            caught = throw + 0.35
            side = 0.2 * sign_of(hand)
            path = keyed(
                score, [caught, caught + 0.45], [space(other, 0.4, side, 0.12), space(other, 0.19, 0.4 * side, -0.12)]
            )
            reach(score, other, hand, path, score.span(caught, 0.75, 0.35, 0.5), lean=False, beat="catch")
        else:
            trunk.nod(score, other, score.span(throw + 0.3, 0.6, 0.3, 0.3), 1, 0.2)
    return score.perform(actor, ("happy",), hand=hand, count=count, answer=answer)
