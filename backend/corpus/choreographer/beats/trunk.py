"""What trunk and head do: leaning, bowing, crouching, nodding, swaying, recoiling, looking."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..blend import pulse
from .score import Cast, Score, Span


def lean(
    score: Score,
    who: int,
    span: Span,
    pitch: float = 0.0,
    yaw: float = 0.0,
    roll: float = 0.0,
    hips: float = 0.25,
    shift: tuple[float, float] = (0.0, 0.0),
    beat: str = "lean",
) -> None:
    """Lean the trunk by radians, a share ``hips`` of it from the pelvis, which moves by ``shift`` (left, forward) m."""

    def play(cast: Cast) -> None:
        one, amount = cast.pair[who], span.curve(score.t)
        for axis, angle in enumerate((pitch, yaw, roll)):
            one.pelvis[:, axis] += hips * angle * amount
            one.spine[:, axis] += (1 - hips) * angle * amount
        one.shift[:, 0] += shift[0] * one.body.scale * amount
        one.shift[:, 2] += shift[1] * one.body.scale * amount

    score.trunk(play)
    score.note(beat, who, span.start, span.end)


def bend(score: Score, who: int, span: Span, degrees: float, beat: str = "bow") -> None:
    """Bend forward from the hips, which go back so that the weight stays over the feet."""
    angle = np.radians(degrees)
    lean(score, who, span, pitch=angle, hips=0.6, shift=(0.0, -0.14 * float(np.sin(angle))), beat=beat)


def crouch(score: Score, who: int, span: Span, depth: float, pitch: float = 0.35, beat: str = "crouch") -> None:
    """Bend the knees until the pelvis is ``depth`` metres (of one's own body) lower, leaning forward in balance."""

    def play(cast: Cast) -> None:
        one, amount = cast.pair[who], span.curve(score.t)
        one.lower += depth * one.body.scale * amount
        one.pelvis[:, 0] += 0.4 * pitch * amount
        one.spine[:, 0] += 0.6 * pitch * amount
        one.shift[:, 2] -= 0.28 * depth * one.body.scale * amount

    score.trunk(play)
    score.note(beat, who, span.start, span.end)


def nod(score: Score, who: int, span: Span, times: int = 2, amount: float = 0.2, shake: bool = False) -> None:
    """Nod, or shake the head, so many times within the span."""

    def play(cast: Cast) -> None:
        rate = times / max(span.off - span.on, 0.3)
        swing = np.sin(2 * np.pi * rate * (score.t - span.on)) * span.curve(score.t)
        cast.pair[who].head[:, 1 if shake else 0] += (1.6 if shake else 1.0) * amount * swing

    score.trunk(play)
    score.note("shake the head" if shake else "nod", who, span.start, span.end, times=times)


def sway(score: Score, who: int, span: Span, rate: float, metres: float = 0.04, phase: float = 0.0) -> None:
    """Shift the weight from foot to foot, ``rate`` times a second, the shoulders following against it."""

    def play(cast: Cast) -> None:
        one = cast.pair[who]
        swing = np.sin(2 * np.pi * rate * (score.t - span.on) + phase) * span.curve(score.t)
        one.shift[:, 0] += metres * one.body.scale * swing
        one.spine[:, 2] += 1.2 * metres * swing
        one.pelvis[:, 2] -= 0.8 * metres * swing

    score.trunk(play)
    score.note("sway", who, span.start, span.end)


def recoil(score: Score, who: int, at: float, strength: float = 1.0, turn: float = 0.0, beat: str = "recoil") -> None:
    """Be struck at ``at`` seconds: head and shoulders give way backwards and by ``turn`` radians to the left."""

    def play(cast: Cast) -> None:
        one = cast.pair[who]
        quick = pulse(score.t, at - 0.03, at + 0.14, at + 0.2, at + 0.8)
        slow = pulse(score.t, at, at + 0.22, at + 0.3, at + 1.0)
        one.head[:, 0] -= 0.2 * strength * quick
        one.head[:, 1] += 0.7 * turn * quick
        one.spine[:, 0] -= 0.26 * strength * slow
        one.spine[:, 1] += 0.6 * turn * slow
        one.pelvis[:, 0] -= 0.06 * strength * slow
        one.shift[:, 2] -= 0.05 * strength * one.body.scale * slow
        one.lower += 0.02 * strength * one.body.scale * slow

    score.trunk(play)
    score.note(beat, who, at, at + 1.0)


def look(score: Score, who: int, where: str | Callable[[Cast], np.ndarray], span: Span) -> None:
    """Look somewhere else than at the partner: "ahead", "down", "left", "right", "back", or at a point (T, 3)."""
    ways = {"ahead": (4, 0, 0.6), "down": (1.0, 0, -0.8), "left": (2, 3, 0.5), "right": (2, -3, 0.5)}

    def play(cast: Cast) -> None:
        one = cast.pair[who]
        if isinstance(where, str):
            forward, left, up = ways[where]
            point = one.point(forward, left, one.body.pelvis_height + up)
        else:
            point = where(cast)
        assert one.gaze is not None
        at, weight = one.gaze
        one.gaze = (at + span.curve(score.t)[:, None] * (point - at), weight)

    score.trunk(play)
    score.note(f"look {where}" if isinstance(where, str) else "look there", who, span.start, span.end)
