"""What legs do beside walking: kicks, kneeling on one knee, jumps."""

from __future__ import annotations

import numpy as np

from ..blend import ease, pulse
from ..performer import LegGoal
from .score import Cast, Score, Span
from .trunk import crouch


def kick(
    score: Score, who: int, side: str, at: float, height: float = 0.7, reach: float = 0.75, seconds: float = 0.35
) -> None:
    """Kick forward at ``at`` seconds: knee up, foot out to ``height`` and ``reach`` metres of the body, and back."""
    sign = 1.0 if side == "left" else -1.0
    quick = seconds / score.stage.pace
    chamber, home = at - quick, at + 0.08 + 1.3 * quick

    def play(cast: Cast) -> None:
        one, t = cast.pair[who], score.t
        size = one.body.scale
        raised = pulse(t, chamber - quick, chamber + 0.4 * quick, at + 0.1, home)
        out = pulse(t, chamber, at, at + 0.08, at + 0.08 + 0.7 * quick)
        # The weight goes over the standing leg before the other is lifted.
        shifted = pulse(t, chamber - 1.6 * quick, chamber - 0.3 * quick, home - 0.3 * quick, home + 0.3)
        one.shift[:, 0] -= sign * 0.085 * size * shifted
        one.spine[:, 0] -= 0.28 * out
        one.pelvis[:, 0] -= 0.2 * out
        one.pelvis[:, 1] -= sign * 0.25 * out
        one.lower += 0.03 * size * shifted
        local = np.zeros((len(t), 3))
        local[:, 0] = sign * 0.1 * size * (1 - 0.7 * out)
        local[:, 1] = size * (0.42 + (height - 0.42) * out)
        local[:, 2] = size * (0.12 + (reach - 0.12) * out)
        one.legs.append(LegGoal(side, one.around(local), raised, 0.5 - 1.0 * out))

    score.trunk(play)
    score.note("kick", who, chamber, home, leg=side)


def kneel(score: Score, who: int, span: Span, side: str) -> None:
    """Kneel on the knee of ``side``: the other foot stays, this one goes back on its toes, the pelvis between them."""

    def play(cast: Cast) -> None:
        one, down = cast.pair[who], span.curve(score.t)
        size = one.body.scale
        sign = 1.0 if side == "left" else -1.0
        one.lower += 0.475 * size * down
        one.shift[:, 2] -= 0.33 * size * ease(down, 0, 1)
        one.spine[:, 0] += 0.12 * down
        local = np.array([sign * 0.11, 0.15, -0.74]) * size + np.zeros((len(down), 1))
        local[:, 1] += 0.05 * size * np.sin(np.pi * down)
        one.legs.append(LegGoal(side, one.around(local), down, 1.15 * np.ones(len(down))))

    score.trunk(play)
    score.note("kneel", who, span.start, span.end)


def jump(score: Score, who: int, at: float, height: float = 0.2) -> float:
    """Crouch, leave the floor at ``at`` seconds, fly as gravity has it, land softly; returns when both feet land."""
    size = score.stage.bodies[who].scale
    flight = 2 * float(np.sqrt(2 * height * size / 9.81))
    crouch(score, who, Span(at - 0.55, at - 0.16, at - 0.13, at + 0.03), 0.2, beat="crouch to jump")
    crouch(
        score,
        who,
        Span(at + flight - 0.04, at + flight + 0.12, at + flight + 0.16, at + flight + 0.55),
        0.17,
        beat="land",
    )

    def play(cast: Cast) -> None:
        since = score.t - at
        cast.pair[who].rise += np.where((since > 0) & (since < flight), 0.5 * 9.81 * since * (flight - since), 0.0)

    score.trunk(play)
    score.note("jump", who, at, at + flight)
    return at + flight
