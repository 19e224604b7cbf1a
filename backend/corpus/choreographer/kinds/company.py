"""Locomotion together: following, leading by the hand, walking hand in hand, back to back, a chase."""

from __future__ import annotations

import numpy as np

from ..beats import Score, gestures, hands, moves, trunk
from ..beats.gestures import sign_of
from ..beats.hands import pair_of, reach, space
from ..blend import FPS, ease, smooth
from ..path import direction, leftward
from ..staging import Performance, Stage


def _in_a_row(score: Score, who: int, gap: float, speed: float, begin: float, bend: float, later: float = 0.0) -> None:
    """Both on one curved way, ``who`` behind the other by ``gap`` metres, setting out ``later`` seconds after them."""
    stage = score.stage
    way, heading = [], []
    for person in range(2):
        starts = begin + (later if person == who else 0.0)
        going = smooth((score.t > starts).astype(np.float64), 8)
        gone = np.cumsum(going * speed) / FPS - (gap if person == who else 0.0)
        way.append(gone)
        heading.append(bend * gone)
    for person in range(2):
        gone, turned = way[person], heading[person]
        # The integral of the direction along a way whose heading grows evenly: an arc.
        arc = np.stack((1 - np.cos(turned), np.sin(turned)), axis=-1) / bend
        xz = arc + stage.uniform(-0.04, 0.04) * leftward(turned)
        moves.track(score, person, xz, turned + 0.0 * gone)


def _curve(stage: Stage) -> float:
    """Radians a metre: never quite straight."""
    return stage.uniform(0.04, 0.3) * (1 if stage.chance(0.5) else -1)


def follow(stage: Stage) -> Performance:
    """The partner walks ahead; the actor walks behind, at the same speed, looking at the partner's back."""
    score = Score(stage)
    actor, who, other = score.actor()
    begin = stage.uniform(0.2, 0.6) if stage.chance(0.4) else -10.0
    speed = stage.uniform(0.8, 1.05) * stage.pace
    _in_a_row(score, who, stage.uniform(0.95, 1.5) * stage.size, speed, begin, _curve(stage), stage.uniform(0.0, 0.3))
    score.note("walk", other, max(begin, 0.0), stage.seconds)
    score.note("follow", who, max(begin, 0.0), stage.seconds)
    trunk.look(score, other, "ahead", score.from_start(stage.seconds + 5))
    score.gait((0, 1), swing=float(np.clip(0.5 - 0.13 * speed, 0.3, 0.42)), support=0.07, stagger=0.0)
    return score.perform(actor, ("tired", "happy", "sad"))


def lead_by_hand(stage: Stage) -> Performance:
    """The actor goes ahead and draws the partner along by the hand."""
    score = Score(stage)
    actor, who, other = score.actor()
    hand = stage.draw("hand", ("right", "left"))
    begin = stage.uniform(0.3, 0.7) if stage.chance(0.5) else -10.0
    speed = stage.uniform(0.65, 0.85) * stage.pace
    _in_a_row(score, other, stage.uniform(0.66, 0.74) * stage.size, speed, begin, _curve(stage))
    # The leader's hand is behind the back on its side, the follower's of the other side reaches ahead.
    theirs = {"right": "left", "left": "right"}[hand]
    sign = sign_of(hand)
    for person in range(2):
        score.xz[person] += leftward(score.heading[person]) * 0.1 * sign * (-1 if person == who else 1) * 0.6
    held = score.from_start(stage.seconds + 5)
    grip = hands.mixed(space(who, -0.24, 0.24 * sign, -0.5), space(other, 0.42, 0.14 * sign_of(theirs), -0.46), 0.5)
    reach(score, who, hand, grip, held, (0.7, -0.6, -1.0), hands.STRAIGHT, False, 0.0, "lead by the hand")
    reach(score, other, theirs, grip, held, hands.DOWN, hands.STRAIGHT, False, 0.08, "be led")
    trunk.lean(score, who, held, yaw=-0.16 * -sign, beat="turn to who follows")
    score.touch(who, f"{hand}_wrist", f"{theirs}_wrist", 0.0, stage.seconds)
    at = stage.uniform(0.6, max(0.7, stage.seconds - 1.6))
    trunk.look(score, who, "ahead", score.from_start(at))
    trunk.look(score, who, "ahead", score.to_end(at + 1.2))
    score.note("lead", who, max(begin, 0.0), stage.seconds)
    score.gait((0, 1), swing=0.38, support=0.09, stagger=0.0)
    return score.perform(actor, ("happy",), hand=hand)


def hold_hands_walk(stage: Stage) -> Performance:
    """Side by side they walk hand in hand, the joined hands swinging a little."""
    score = Score(stage)
    side = stage.draw("side", ("left", "right"))
    speed = stage.uniform(0.68, 0.9) * stage.pace
    begin = stage.uniform(0.3, 0.7) if stage.chance(0.35) else -10.0
    end = stage.seconds - 0.6 if stage.chance(0.3) else 1e3
    moves.abreast(score, stage.uniform(0.68, 0.76), speed, side, begin, end, np.radians(stage.uniform(-16, 16)))
    other_side = {"left": "right", "right": "left"}[side]
    held = score.from_start(stage.seconds + 5)
    middle = hands.mixed(space(0, 0.12, 0.34 * sign_of(side), -0.53), space(1, 0.12, 0.34 * sign_of(other_side), -0.53))
    joined = hands.swinging(score, 0, middle, held, 0.85 * stage.pace, (0.0, 0.015, 0.09))
    for who, mine in ((0, side), (1, other_side)):
        reach(score, who, mine, joined, held, (0.7, -0.6, -0.8), hands.STRAIGHT, False, 0.0, "hold hands")
        trunk.look(score, who, "ahead", score.from_start(stage.uniform(0.4, 1.2)))
        trunk.look(score, who, "ahead", score.to_end(stage.uniform(2.2, 3.2)))
    score.touch(0, f"{side}_wrist", f"{other_side}_wrist", 0.0, stage.seconds)
    score.gait((0, 1), swing=0.4, support=0.08, stagger=0.0)
    return score.perform("both", ("happy", "happy", "sad", "tired"), hand="none", side=side)


def back_to_back(stage: Stage) -> Performance:
    """They turn their backs on each other, step back until these touch, and stand with folded arms."""
    score = Score(stage)
    gap = stage.uniform(0.75, 0.95)
    moves.place(score, gap, 3)
    close = 0.34 * stage.size
    turned = stage.chance(0.35)
    start = score.opening(2.6, 0.1, 0.7)
    done = start + (0.0 if turned else 1.3 / stage.pace)
    if turned:
        for who in range(2):
            score.heading[who] += np.pi
    else:
        for who in range(2):
            moves.turn(score, who, start + stage.uniform(0.0, 0.2), 180 * (1 if stage.chance(0.5) else -1), 1.1)
    ahead = direction(0.0)
    middle = (score.xz[0][0] + score.xz[1][0]) / 2
    for who, sign in ((0, -1), (1, 1)):
        goal = middle + sign * close / 2 * ahead
        score.xz[who] += ease(score.t, done, done + 0.8 / stage.pace)[:, None] * (goal - score.xz[who][0])
        score.note("step back", who, done, done + 0.8 / stage.pace)
    meet = done + 0.8 / stage.pace
    pose = stage.draw("pose", ("folded arms", "folded arms", "arms at their sides"))
    away = score.to_end(start + 0.5, 0.5) if not turned else score.from_start(stage.seconds + 5)
    for who in range(2):
        trunk.look(score, who, "ahead", away)
        fold = score.to_end(meet + stage.uniform(0.0, 0.3), 0.7)
        if pose == "folded arms":
            gestures.arms_crossed(score, who, fold)
        trunk.lean(score, who, fold, pitch=-0.05, beat="lean on the other's back")
    score.note("stand back to back", (0, 1), meet, stage.seconds)
    score.touch(0, "spine3", "spine3", meet + 0.1, stage.seconds)
    return score.perform("both", ("proud", "angry"), hand="none", pose=pose)


def chase(stage: Stage) -> Performance:
    """The partner runs away; the actor runs after, arms stretched out to catch."""
    score = Score(stage)
    actor, who, other = score.actor()
    begin = stage.uniform(0.25, 0.6) if stage.chance(0.5) else -10.0
    speed = stage.uniform(1.4, 1.65) * np.sqrt(stage.pace)
    _in_a_row(score, who, stage.uniform(0.95, 1.2) * stage.size, speed, begin, _curve(stage), stage.uniform(0.0, 0.15))
    running = score.to_end(max(begin, -1.0) + 0.5, 0.4) if begin > 0 else score.from_start(stage.seconds + 5)
    catch = pair_of(lambda s: space(who, 0.48, 0.2 * s, -0.08))
    grab = (
        hands.swinging(score, who, catch[0], running, 1.6, (0.0, 0.04, 0.05)),
        hands.swinging(score, who, catch[1], running, 1.6, (0.0, 0.04, 0.05), 2.0),
    )
    hands.both(score, who, grab, running, "reach out to catch", lean=False)
    pumping = pair_of(lambda s: space(other, 0.2, 0.23 * s, -0.3))
    swing = tuple(
        hands.swinging(score, other, target, running, 1.45, (0.0, 0.05, 0.15), np.pi * k)
        for k, target in enumerate(pumping)
    )
    hands.both(score, other, swing, running, "pump the arms", elbow=(0.3, -1.0, -0.7), lean=False)  # type: ignore[arg-type]
    trunk.lean(score, who, running, pitch=0.2, beat="lean ahead")
    trunk.lean(score, other, running, pitch=0.16, beat="lean ahead")
    at = stage.uniform(0.8, max(0.9, stage.seconds - 1.2))
    trunk.look(score, other, "ahead", score.from_start(at))
    trunk.look(score, other, "ahead", score.to_end(at + 0.9))
    score.note("run away", other, max(begin, 0.0), stage.seconds)
    score.note("chase", who, max(begin, 0.0), stage.seconds)
    score.gait((0, 1), swing=0.24, support=0.02, stagger=0.0, lift=0.07, width=0.07)
    return score.perform(actor, ("happy", "angry"), hand="both")
