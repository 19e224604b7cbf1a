"""How something is done, by rules, from the motion alone: which hand, how fast, how often, in what posture.

What a change asks for is judged against the motion before the change wherever a free hand, a guard or the way to the
other would make an absolute figure mean little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from protocol.motion import Motion
from protocol.skeleton import JOINT

from ..corpus.choreographer.beats.moods import MOODS
from ..features import canonicalized
from .view import FPS, View, smoothed

LIMBS = [JOINT[name] for name in ("pelvis", "left_wrist", "right_wrist", "left_ankle", "right_ankle", "neck")]
ACTOR = {"A": (0,), "B": (1,), "both": (0, 1)}
COUNTED = {
    "high_five": "gap",
    "fist_bump": "gap",
    "bow": "pitch",
    "curtsy": "sunk",
    "jump_together": "rose",
    "punch_dodge": "jab",
    "block_punch": "jab",
    "kick_dodge": "kick",
    "push": "chest",
    "tip_hat": "head",
    "blow_kiss": "mouth",
}
"""Kinds whose repetitions can be counted, and what rises each time."""
UNHURRIED = ("back_to_back", "clap_game")
"""Kinds in which the pace shows in little but when things begin, and how often they happen."""
UP, DOWN = 0.75, 0.45
"""Shares of the largest rise: above the first it is done once more, if it has been below the second in between."""
POSTURES = 0.1
"""Radians of the spine by which two moods must differ to be told apart by rule."""


SPEEDS = (0.7, 1.4)
"""Times the haste of another motion within which it counts as the same."""
HANDS = 0.4
"""By how much the right hand's share of two motions may differ and count as the same."""


@dataclass(frozen=True)
class Manner:
    """How a motion of a pair is done by those who act.

    Attributes:
        view: the motion.
        actor: "A", "B" or "both".
    """

    view: View
    actor: str

    @classmethod
    def of(cls, motion: Motion, actor: str) -> Manner:
        """What ``actor`` does in a motion.

        Raises:
            DuologueError: ``two_persons_needed``.
        """
        return cls(View.of(motion), actor)

    @property
    def persons(self) -> tuple[int, ...]:
        """Indices of those who act."""
        return ACTOR[self.actor]

    @cached_property
    def right_handed(self) -> float:
        """How far the right palm travels about the body more than the left one: -1 only the left, +1 only the right."""
        at = smoothed(self.view.palm_at[:, self.persons], 0.1)
        travelled = np.linalg.norm(np.diff(at, axis=0), axis=-1).sum((0, 1))
        left, right = float(travelled[0]), float(travelled[1])
        return (right - left) / max(left + right, 1e-9)

    @cached_property
    def haste(self) -> float:
        """How hard hands, feet, hips and heads of those who act are speeded up and slowed down, m/s^2.

        The geometric mean of the root mean square and of the 98th percentile over time. What is done 1.3 times as fast
        is accelerated 1.8 times as much, so this tells more than speed, which the way to the other rules.
        """
        at = smoothed(smoothed(self.view.positions[:, self.persons][:, :, LIMBS], 0.1), 0.2)
        if len(at) < 3:
            return 0.0
        change = np.linalg.norm(np.diff(at, n=2, axis=0), axis=-1) * FPS**2
        hardest = np.percentile(change.max(-1), 98, axis=0).mean()
        return float(np.sqrt(np.sqrt((change**2).mean()) * hardest))

    @cached_property
    def lean(self) -> float:
        """Median forward pitch of the trunks of those who act, degrees."""
        return float(np.median(self.view.pitch[:, self.persons]))

    def count(self, kind: str) -> int | None:
        """How often it is done; None in a kind that is not counted."""
        if kind not in COUNTED:
            return None
        person = self.persons[0]
        rises = smoothed(self._rising(COUNTED[kind], person), 0.1)
        rest = np.percentile(rises, 10)
        share = (rises - rest) / max(rises.max() - rest, 1e-6)
        done, ready = 0, True
        for value in share:
            if ready and value > UP:
                done, ready = done + 1, False
            elif value < DOWN:
                ready = True
        return done

    def _rising(self, what: str, person: int) -> np.ndarray:
        view = self.view
        if what == "gap":
            return -np.minimum(view.palm_gap.min((1, 2)), 0.6)
        if what == "pitch":
            return view.pitch[:, person]
        if what == "sunk":
            return view.sunk[:, person]
        if what == "rose":
            return view.rose[:, person]
        if what == "jab":
            return view.palm_at[:, person, :, 2].max(-1)
        if what == "kick":
            ankles = view.positions[:, person, [JOINT["left_ankle"], JOINT["right_ankle"]], 1]
            return ankles.max(-1)
        if what == "chest":
            return -np.minimum(view.palm_to(person, view.chest[:, 1 - person]).min(-1), 0.9)
        if what == "head":
            return np.maximum(view.palm_at[:, person, :, 1].max(-1), -0.3)
        return -np.minimum(view.palm_to(person, view.mouth[:, person]).min(-1), 0.5)


def speed_changed(before: Manner, after: Manner, kind: str, old: str, new: str) -> bool | None:
    """Whether it is done faster, or slower, as asked; None in a kind in which little depends on that."""
    if kind in UNHURRIED:
        return None
    order = ("slow", "normal", "fast")
    ratio = after.haste / max(before.haste, 1e-6)
    return ratio > 1.05 if order.index(new) > order.index(old) else ratio < 0.95


def hand_changed(before: Manner, after: Manner, old: str, new: str) -> bool:
    """Whether the hands share the work otherwise, in the direction that was asked for."""
    side = {"left": -1.0, "right": 1.0, "both": 0.0}
    asked = side[new] - side[old]
    return (after.right_handed - before.right_handed) * np.sign(asked) > 0.1


def mood_changed(before: Manner, after: Manner, old: str, new: str) -> bool | None:
    """Whether the trunk is held as the new mood has it; None if the two moods hold it too much alike."""
    asked = MOODS[new].spine - MOODS[old].spine
    if abs(asked) < POSTURES:
        return None
    return (after.lean - before.lean) * np.sign(asked) > 1.5


def as_asked(before: Manner, after: Manner, kind: str, name: str, old: Any, new: Any) -> bool | None:
    """Whether the entry ``name`` of a script of ``kind`` went from ``old`` to ``new``; None where no rule can tell."""
    if name == "speed":
        return speed_changed(before, after, kind, old, new)
    if name == "hand":
        return hand_changed(before, after, old, new)
    if name == "mood":
        return mood_changed(before, after, old, new)
    if name == "count" and (count := after.count(kind)) is not None:
        return count == int(new)
    return None


def distances(motion: Motion, other: Motion) -> tuple[float, float]:
    """How far two motions of pairs are apart over the frames that both have, metres.

    Returns:
        the mean distance of the roots on the floor, A's first frame laid over the other's; and that of the joints with
        the roots laid over each other.
    """
    frames = min(motion.frames, other.frames)
    one, two = (canonicalized(which.slice(0, frames))[0].positions() for which in (motion, other))
    roots = np.linalg.norm((one[:, :, 0] - two[:, :, 0])[..., [0, 2]], axis=-1).mean()
    poses = np.linalg.norm((one - one[:, :, :1]) - (two - two[:, :, :1]), axis=-1).mean()
    return float(roots), float(poses)
