"""Cooperation: handing something over, carrying something together, drinking a toast."""

from __future__ import annotations

import numpy as np

from ..beats import Score, hands, moves, trunk
from ..beats.gestures import sign_of
from ..beats.hands import between, keyed, on, reach, space
from ..staging import Performance, Stage, sides


def hand_over(stage: Stage) -> Performance:
    """The actor holds a thing, holds it out, the partner takes hold of it, and draws it in when the actor lets go."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", ("right", "right", "left", "both"))
    ready = moves.meet(score, stage.uniform(0.85, 0.98), 2.8, who=who)
    meet = ready + 0.8 / stage.pace + score.opening(ready + 3.2, 0.0, 1.0)
    give = meet + stage.uniform(0.3, 0.6)
    level, apart = stage.uniform(0.7, 0.8), 0.16 if hand == "both" else 0.0
    for side in sides(hand):
        mine = sign_of(side)
        theirs = side if hand != "both" else {"left": "right", "right": "left"}[side]
        across = apart * mine * (1 if who == 0 else -1)
        # Each holds an end of the thing.
        near = -0.09 if who == 0 else 0.09
        kept, out = space(who, 0.27, 0.15 * mine, -0.3), between(level, left=across, ahead=near)
        received = between(level, left=across, ahead=-near)
        path = keyed(score, [meet - 0.75 / stage.pace, meet], [kept, out])
        reach(
            score,
            who,
            side,
            path,
            score.from_start(give, 0.8),
            hands.DOWN,
            hands.PALM_UP,
            True,
            0.05,
            "hold out a thing",
        )
        taken = space(other, 0.27, 0.15 * sign_of(theirs), -0.3)
        path = keyed(score, [give + 0.1, give + 0.8 / stage.pace], [received, taken])
        reach(
            score, other, theirs, path, score.to_end(meet, 0.65), hands.DOWN, hands.PALM_UP, True, 0.05, "take a thing"
        )
    score.note("hand over", who, meet, give)
    trunk.nod(score, other, score.span(give + 0.7, 0.5, 0.3, 0.3), 1, 0.13)
    return score.perform(actor, ("happy", "tired"), hand=hand, walk_in=ready > 0.5)


def carry_together(stage: Stage) -> Performance:
    """Both bend down to a heavy thing between them, lift it, and carry it away; at times they put it down."""
    score = Score(stage)
    way = stage.draw("way", ("left", "right", "forward", "backward"))
    moves.place(score, stage.uniform(1.12, 1.22), 3)
    lifts = stage.chance(0.7) and stage.seconds > 3.2
    grip = 0.7 / stage.pace + 0.3 if lifts else -1.0
    up = grip + 0.15 + 0.9 / stage.pace if lifts else -1.0
    lowers = stage.chance(0.4) and stage.seconds - up > 3.4
    down = stage.seconds - 1.5 if lowers else stage.seconds + 5
    go = max(up - 0.1, -3.0)
    speed = stage.uniform(0.45, 0.62) * stage.pace
    lasting = min(down - 0.3, stage.seconds + 1) - go
    ahead, left = score.direction(0, 0.0)
    along = {"left": left, "right": -left, "forward": ahead, "backward": -ahead}[way]
    for who in range(2):
        score.xz[who] += np.clip(score.t - go, 0, lasting)[:, None] * speed * along
        if lifts:
            trunk.crouch(score, who, score.span(grip, 0.15, 0.7, 0.9), 0.3, 0.5, "bend down")
        if lowers:
            trunk.crouch(score, who, score.to_end(down + 0.8, 0.8), 0.3, 0.5, "bend down")
    score.note("carry", (0, 1), max(go, 0.0), go + lasting, metres=round(lasting * speed, 2))
    for who in range(2):
        for side in ("left", "right"):
            across = 0.2 * stage.size * sign_of(side) * (1 if who == 0 else -1)
            held = between(0.63, along=0.5, left=across, ahead=(-0.15 if who == 0 else 0.15) * stage.size)
            span = score.span(grip, 50, 0.7) if lifts else score.from_start(stage.seconds + 5)
            reach(score, who, side, held, span, (0.6, -1.0, -0.2), hands.PALM_UP, True, 0.0, "hold the load")
        trunk.lean(score, who, score.from_start(stage.seconds + 5), pitch=-0.05, beat="lean back against the load")
        trunk.look(score, who, between(0.6), score.from_start(max(up, 0.6)))
    score.gait((0, 1), swing=0.33, support=0.1, width=0.13, stagger=0.0)
    return score.perform("both", ("tired",), hand="both", way=way, lifts=lifts, puts_down=lowers)


def toast(stage: Stage) -> Performance:
    """Both lift a glass, let them clink between them, drink with the head back, and lower them."""
    score, hand = Score(stage), stage.draw("hand", ("right", "right", "right", "left"))
    ready = moves.meet(score, stage.uniform(0.95, 1.1), 3.0, likely=0.3)
    clink = ready + 0.75 / stage.pace + score.opening(ready + 3.2, 0.0, 1.4)
    drink = clink + 0.25 + 0.75 / stage.pace
    sip = max(0.5, min(stage.uniform(0.5, 1.6), stage.seconds - drink - 0.7))
    level = stage.uniform(0.93, 1.02)
    for who in range(2):
        held, side = space(who, 0.3, 0.16 * sign_of(hand), -0.24), 0.09 if who else -0.09
        meeting = between(level, ahead=side)
        lips = on(who, "mouth")
        path = keyed(
            score,
            [clink - 0.7 / stage.pace, clink, clink + 0.2, drink, drink + sip, drink + sip + 0.7 / stage.pace],
            [held, meeting, meeting, lips, lips, held],
        )
        reach(
            score,
            who,
            hand,
            path,
            score.from_start(stage.seconds + 5),
            (0.8, -1.0, 0.0),
            hands.STRAIGHT,
            True,
            0.05,
            "hold a glass",
        )
        back = score.span(drink, sip, 0.4, 0.4)
        trunk.nod(score, who, back, 0, 0.0)
        trunk.lean(score, who, back, pitch=-0.14, hips=0.1, beat="drink")
    score.note("clink", (0, 1), clink, clink + 0.2)
    return score.perform("both", ("happy", "happy", "proud"), hand=hand, walk_in=ready > 0.5)
