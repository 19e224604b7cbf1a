"""What hands do: reach for a point in space, on the partner, on oneself or between both; hold, swing, strike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from protocol import rotations as rot
from protocol.skeleton import JOINT

from ..blend import pulse, through
from ..path import direction, leftward
from ..performer import ArmGoal
from .score import Cast, Score, Span

X, Y, Z = np.eye(3)
Target = Callable[[Cast], np.ndarray]
"""Plays where a palm shall be: (T, 3) metres."""

DOWN, OUT, FORWARD_ELBOW = (0.5, -1.0, -0.3), (1.0, -0.5, -0.1), (0.8, -0.7, 0.4)
"""Where elbows point, for the left arm: down and a little back; outwards; outwards in front."""

STRAIGHT = np.array([1.0, 0.0, 0.0, 0.0])
PALM_DOWN, PALM_UP = rot.from_axis_angle(X, 1.1), rot.from_axis_angle(X, -1.0)
PALM_AHEAD = rot.multiply(rot.from_axis_angle(Z, 0.7), rot.from_axis_angle(X, -0.4))
LIMP = rot.from_axis_angle(Z, -0.5)
"""Wrists for an arm that reaches ahead with the elbow down: thumb up as it is; turned; bent back; hanging."""


class _Part(NamedTuple):
    joint: str
    surface: tuple[float, float, float]
    """From the joint to the skin, metres in the joint's frame, of the neutral body."""


PARTS = {
    "left shoulder": _Part("left_shoulder", (-0.02, 0.075, 0.0)),
    "right shoulder": _Part("right_shoulder", (0.02, 0.075, 0.0)),
    "left shoulder blade": _Part("spine3", (0.1, 0.06, -0.15)),
    "right shoulder blade": _Part("spine3", (-0.1, 0.06, -0.15)),
    "left upper arm": _Part("left_shoulder", (0.12, 0.0, 0.06)),
    "right upper arm": _Part("right_shoulder", (-0.12, 0.0, 0.06)),
    "left elbow": _Part("left_elbow", (0.0, -0.03, -0.05)),
    "right elbow": _Part("right_elbow", (0.0, -0.03, -0.05)),
    "left waist": _Part("spine1", (0.16, 0.0, 0.03)),
    "right waist": _Part("spine1", (-0.16, 0.0, 0.03)),
    "chest": _Part("spine3", (0.0, 0.03, 0.16)),
    "lower back": _Part("spine1", (0.0, 0.04, -0.15)),
    "back": _Part("spine3", (0.0, 0.0, -0.16)),
    "head": _Part("head", (0.0, 0.21, 0.02)),
    "left cheek": _Part("head", (0.1, 0.03, 0.08)),
    "right cheek": _Part("head", (-0.1, 0.03, 0.08)),
    "forehead": _Part("head", (0.0, 0.1, 0.17)),
    "mouth": _Part("head", (0.0, 0.03, 0.19)),
    "left brow": _Part("head", (0.14, 0.1, 0.11)),
    "right brow": _Part("head", (-0.14, 0.1, 0.11)),
    "left ear": _Part("head", (0.13, 0.05, 0.06)),
    "right ear": _Part("head", (-0.13, 0.05, 0.06)),
    "left hip": _Part("pelvis", (0.17, 0.1, 0.05)),
    "right hip": _Part("pelvis", (-0.17, 0.1, 0.05)),
    "left knee": _Part("left_knee", (0.0, 0.0, 0.08)),
    "right knee": _Part("right_knee", (0.0, 0.0, 0.08)),
}
"""Parts of the body that a palm may lie on."""


def on(who: int, part: str, away: float = 0.0) -> Target:
    """A part of a person's body, or ``away`` metres outside of it."""
    joint, surface = PARTS[part]

    def play(cast: Cast) -> np.ndarray:
        positions, world = cast.pose(who)
        out = np.array(surface)
        out = (out + away * out / np.linalg.norm(out)) * cast.pair[who].body.scale
        return positions[:, JOINT[joint]] + rot.rotate(world[:, JOINT[joint]], out)

    return play


def space(who: int, forward: float, left: float, up: float) -> Target:
    """A point before a person's chest that goes with it: metres of the body, ``up`` from the shoulders' height."""

    def play(cast: Cast) -> np.ndarray:
        one = cast.pair[who]
        size = one.body.scale
        local = np.array([left, 0.0, forward]) * size + one.shift * np.array([1, 0, 1])
        local[:, 1] = one.body.shoulder_height + up * size - one.lower + one.rise
        return one.around(local)

    return play


def between(level: float, along: float = 0.5, left: float = 0.0, ahead: float = 0.0) -> Target:
    """A point between both: ``level`` of the shorter one's shoulder height, ``along`` the line from A (0) to B (1).

    ``left`` and ``ahead`` are metres to A's left and in A's direction.
    """

    def play(cast: Cast) -> np.ndarray:
        a, b = (
            one.path.xz + one.around(one.shift)[:, [0, 2]] - one.around(0 * one.shift)[:, [0, 2]] for one in cast.pair
        )
        floor = a + along * (b - a)
        heading = np.arctan2(*(b - a).T)
        floor = floor + left * leftward(heading) + ahead * direction(heading)
        lowest = min(one.body.shoulder_height for one in cast.pair)
        sunk = np.mean([one.rise - one.lower for one in cast.pair], axis=0)
        return np.stack((floor[:, 0], level * lowest + sunk, floor[:, 1]), axis=-1)

    return play


def mixed(first: Target, second: Target, share: float | np.ndarray = 0.5) -> Target:
    """A point between two others."""
    return lambda cast: first(cast) + np.reshape(share, (-1, 1)) * (second(cast) - first(cast))


def keyed(score: Score, times: Sequence[float], targets: Sequence[Target]) -> Target:
    """A point that rests at each of the targets at its time, and eases from one to the next."""

    def play(cast: Cast) -> np.ndarray:
        points = [target(cast) for target in targets]
        path = points[0].copy()
        for k in range(1, len(points)):
            share = through(score.t, [times[k - 1], times[k]], [0.0, 1.0])[:, None]
            path += share * (points[k] - points[k - 1])
        return path

    return play


def swinging(
    score: Score, who: int, target: Target, span: Span, rate: float, way: tuple[float, float, float], phase: float = 0.0
) -> Target:
    """A point that swings about another by ``way`` metres (left, up, forward of ``who``) while the span holds."""

    def play(cast: Cast) -> np.ndarray:
        inner = pulse(score.t, span.on, span.on + 0.25, span.off - 0.2, span.off)
        swing = np.sin(2 * np.pi * rate * (score.t - span.on) + phase) * inner
        one = cast.pair[who]
        along = rot.rotate(rot.about_y(one.path.heading), np.array(way) * one.body.scale)
        return target(cast) + swing[:, None] * along

    return play


def reach(
    score: Score,
    who: int,
    side: str,
    target: Target,
    span: Span,
    elbow: tuple[float, float, float] = DOWN,
    wrist: np.ndarray = STRAIGHT,
    lean: bool = True,
    trunk: float = 0.1,
    beat: str = "reach",
    **details: object,
) -> None:
    """Bring a palm to a target; the trunk turns the shoulder after it and the pelvis follows where the arm is short.

    Args:
        score: where it is noted.
        who: person.
        side: "left" or "right".
        target: where to.
        span: rises while the palm goes there, falls while the arm returns.
        elbow: where it points, for the left arm.
        wrist: how it is held, for the left arm.
        lean: whether the pelvis may help.
        trunk: radians by which the shoulder comes forward.
        beat: what the event is called.
        details: more about the event.
    """

    def turn(cast: Cast) -> None:
        weight = span.curve(score.t)
        cast.pair[who].spine[:, 1] += trunk * weight * (1 if side == "right" else -1)
        cast.pair[who].spine[:, 0] += 0.5 * abs(trunk) * weight

    def play(cast: Cast) -> None:
        cast.pair[who].arms.append(ArmGoal(side, target(cast), span.curve(score.t), elbow, wrist, lean))

    if trunk:
        score.trunk(turn)
    score.hand(play)
    score.note(beat, who, span.start, span.end, hand=side, **details)


def both(
    score: Score, who: int, targets: tuple[Target, Target], span: Span, beat: str = "reach", **how: object
) -> None:
    """Both palms, the left one to the first target and the right one to the second."""
    for side, target in zip(("left", "right"), targets, strict=True):
        reach(score, who, side, target, span, trunk=0.0, beat=beat, **how)  # type: ignore[arg-type]


def pair_of(target: Callable[[float], Target]) -> tuple[Target, Target]:
    """The target of +1 for the left hand and of -1 for the right hand."""
    return target(1.0), target(-1.0)
