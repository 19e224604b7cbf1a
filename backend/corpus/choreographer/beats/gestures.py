"""Free gestures: pointing, beckoning, wagging, saluting, crossed arms, hands up, guards, cowering."""

from __future__ import annotations

import numpy as np

from protocol.skeleton import JOINT

from .hands import (
    DOWN,
    FORWARD_ELBOW,
    OUT,
    PALM_AHEAD,
    PALM_DOWN,
    PALM_UP,
    Target,
    both,
    pair_of,
    reach,
    space,
    swinging,
)
from .score import Cast, Score, Span


def sign_of(side: str) -> float:
    """+1 for the left side, -1 for the right."""
    return 1.0 if side == "left" else -1.0


def point(score: Score, who: int, side: str, at: Target, span: Span, jabs: float = 0.0) -> None:
    """Point at something with a stretched arm; with jabs, so many a second."""

    def towards(cast: Cast) -> np.ndarray:
        positions, _ = cast.pose(who)
        shoulder = positions[:, JOINT[f"{side}_shoulder"]]
        line = at(cast) - shoulder
        length = 0.56 * cast.pair[who].body.scale
        return shoulder + length * line / np.maximum(np.linalg.norm(line, axis=-1, keepdims=True), 0.3)

    target = swinging(score, who, towards, span, jabs, (0.0, 0.03, -0.09)) if jabs else towards
    reach(score, who, side, target, span, DOWN, PALM_DOWN, lean=False, trunk=0.15, beat="point")


def beckon(score: Score, who: int, side: str, span: Span, rate: float = 1.4) -> None:
    """Hold a hand out and draw it in again and again: come here."""
    rest = space(who, 0.34, 0.2 * sign_of(side), -0.02)
    target = swinging(score, who, rest, span, rate, (0.0, 0.09, -0.11))
    reach(score, who, side, target, span, (0.8, -1.0, 0.0), PALM_UP, lean=False, beat="beckon")


def wag(score: Score, who: int, side: str, span: Span, rate: float = 2.0) -> None:
    """Wag a raised forefinger."""
    rest = space(who, 0.36, 0.12 * sign_of(side), -0.1)
    target = swinging(score, who, rest, span, rate, (0.075, 0.0, 0.0))
    reach(score, who, side, target, span, DOWN, lean=False, beat="wag a finger")


def arms_crossed(score: Score, who: int, span: Span) -> None:
    """Fold the arms over the chest."""
    reach(
        score, who, "left", space(who, 0.22, -0.13, -0.2), span, FORWARD_ELBOW, lean=False, trunk=0, beat="cross arms"
    )
    reach(
        score, who, "right", space(who, 0.26, 0.12, -0.15), span, FORWARD_ELBOW, lean=False, trunk=0, beat="cross arms"
    )


def hands_up(score: Score, who: int, span: Span, up: float = 0.25) -> None:
    """Raise both open hands beside the head."""
    both(
        score, who, pair_of(lambda s: space(who, 0.12, 0.33 * s, up)), span, "raise both hands",
        elbow=(1.0, -0.7, 0.0), wrist=PALM_AHEAD, lean=False,
    )  # fmt: skip


def guard(score: Score, who: int, span: Span, sides: tuple[str, ...] = ("left", "right")) -> None:
    """Hold the fists before the chin, and stand a little lower."""
    for side in sides:
        target = space(who, 0.26, 0.12 * sign_of(side), -0.03)
        reach(score, who, side, target, span, (0.7, -1.0, 0.0), lean=False, trunk=0, beat="guard")

    def lower(cast: Cast) -> None:
        cast.pair[who].lower += 0.04 * cast.pair[who].body.scale * span.curve(score.t)

    score.trunk(lower)


def shield(score: Score, who: int, span: Span, crouched: float = 0.16, beat: str = "cower") -> None:
    """Cower: shrink away, both forearms before the face."""
    both(
        score, who, pair_of(lambda s: space(who, 0.25, 0.1 * s, 0.06)), span, beat,
        elbow=(0.8, -1.0, 0.2), wrist=PALM_AHEAD, lean=False,
    )  # fmt: skip

    def shrink(cast: Cast) -> None:
        one, amount = cast.pair[who], span.curve(score.t)
        one.lower += crouched * one.body.scale * amount
        one.spine[:, 0] += 0.3 * amount
        one.spine[:, 1] += 0.2 * amount
        one.shift[:, 2] -= 0.09 * one.body.scale * amount
        one.head[:, 0] += 0.2 * amount

    score.trunk(shrink)


def fist(score: Score, who: int, side: str, span: Span, rate: float = 0.0) -> None:
    """Raise a fist over the shoulder, and shake it ``rate`` times a second."""
    rest = space(who, 0.16, 0.28 * sign_of(side), 0.28)
    target = swinging(score, who, rest, span, rate, (0.0, 0.02, 0.08)) if rate else rest
    reach(score, who, side, target, span, OUT, lean=False, trunk=-0.1, beat="raise a fist")
