"""How moods hold a body."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..blend import FPS
from ..performer import Performer


class Posture(NamedTuple):
    """Radians of forward pitch of spine and head, metres by which the knees give, radians of swaying."""

    spine: float = 0.0
    head: float = 0.0
    lower: float = 0.0
    bounce: float = 0.0


MOODS = {
    "neutral": Posture(),
    "proud": Posture(spine=-0.07, head=-0.1),
    "happy": Posture(spine=-0.03, head=-0.05, bounce=0.03),
    "sad": Posture(spine=0.2, head=0.25, lower=0.01),
    "tired": Posture(spine=0.17, head=0.16, lower=0.025),
    "angry": Posture(spine=0.1, head=0.06, lower=0.02),
}


def assume(one: Performer, mood: str, phase: float = 0.0) -> None:
    """Have a performer hold the body as a mood has it, throughout; ``phase`` sets two happy ones apart, radians."""
    held, seconds = MOODS[mood], np.arange(one.path.frames) / FPS
    one.spine[:, 0] += held.spine
    one.head[:, 0] += held.head
    one.lower += held.lower * one.body.scale
    one.spine[:, 2] += held.bounce * np.sin(2 * np.pi * 0.9 * seconds + phase)
