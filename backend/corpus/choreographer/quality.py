"""The bars that every scene must clear: hands that meet, feet that stay, bodies apart, nothing that jumps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from protocol.motion import Motion
from protocol.skeleton import JOINT, rest_height

from ..scene import Contact
from .body import NEUTRAL_HEIGHT, palms
from .families import FIRST_TWELVE

TORSO = [JOINT[name] for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")]
TOES = [JOINT["left_foot"], JOINT["right_foot"]]
WRISTS = {"left_wrist": 0, "right_wrist": 1}

PALM_ERROR = 0.03
"""Metres between palms that touch."""
REACH = {"head": 0.2, "spine1": 0.24, "spine3": 0.24, "left_shoulder": 0.17, "right_shoulder": 0.17}
"""Metres of the neutral body from a joint to a palm that lies on the skin there."""
TOUCH_ERROR = 0.05
"""Metres by which a palm may be farther than that."""
SKATE = 0.05
"""Metres a second: mean speed of planted toes."""
APART = 0.25
"""Metres between the torsos."""
CLOSE = {"hug": 0.18, "back_to_back": 0.18, "waltz": 0.22, "slow_dance": 0.22, "whisper": 0.22}
"""The same in kinds that bring bodies close."""
AIRBORNE = {"jump_together": 0.4}
"""Metres by which the lowest joint may be off the floor in kinds that jump."""
JOINT_SPEED = 9.0
"""Metres a second."""
JOINT_ACCELERATION = 220.0
"""Metres a second squared; the fastest punch of the real takes reaches about as much."""
RESTING = 0.003
"""Metres: toes of choreographed feet that bear are that near the floor."""
FLOOR = (-0.02, 0.04)
"""Metres: the lowest joint of a person."""


@dataclass(frozen=True)
class Measures:
    """What was measured on one scene, in metres and seconds.

    Attributes:
        palm_error: largest distance of palms within their contact windows; 0 without any.
        touch_error: largest distance of a palm from the skin of the other that it should lie on; 0 without any.
        skate: mean horizontal speed of planted toes.
        apart: smallest distance of a torso joint of A from one of B.
        speed: fastest joint.
        acceleration: greatest acceleration of a joint.
        lowest: height of the lowest joint of all.
        floating: greatest height of a person's lowest joint.
    """

    palm_error: float
    touch_error: float
    skate: float
    apart: float
    speed: float
    acceleration: float
    lowest: float
    floating: float


def measure(motion: Motion, contacts: Sequence[Contact], planted: np.ndarray) -> Measures:
    """Measure a scene; ``planted`` (T, P, 2) bool says which feet should rest on the floor."""
    positions = motion.positions()
    velocity = np.diff(positions, axis=0) * motion.fps
    speed = np.linalg.norm(velocity, axis=-1)
    acceleration = np.linalg.norm(np.diff(velocity, axis=0), axis=-1) * motion.fps
    sliding = np.linalg.norm(velocity[:, :, TOES][..., [0, 2]], axis=-1)[planted[1:] & planted[:-1]]
    lines = positions[:, 0, TORSO][:, :, None] - positions[:, 1, TORSO][:, None]
    lowest = positions[..., 1].min(-1)
    return Measures(
        palm_error=_palm_error(motion, contacts),
        touch_error=_touch_error(motion, contacts, positions),
        skate=float(sliding.mean()) if sliding.size else 0.0,
        apart=float(np.linalg.norm(lines, axis=-1).min()),
        speed=float(speed.max()),
        acceleration=float(acceleration.max()),
        lowest=float(lowest.min()),
        floating=float(lowest.max()),
    )


def resting(motion: Motion) -> np.ndarray:
    """Which toes rest on the floor, (T, P, 2) bool, for a choreographed motion whose footsteps are not known."""
    return motion.positions()[:, :, TOES, 1] < RESTING


def problems(kind: str, motion: Motion, contacts: Sequence[Contact], planted: np.ndarray) -> list[str]:
    """The bars that a scene misses, in words; none for a good one."""
    found = measure(motion, contacts, planted)
    apart, highest = CLOSE.get(kind, APART), AIRBORNE.get(kind, FLOOR[1])
    checks = {
        f"palms are {found.palm_error:.3f} m apart": found.palm_error > PALM_ERROR,
        f"a hand is {found.touch_error:.3f} m off what it touches": found.touch_error > TOUCH_ERROR
        and kind not in FIRST_TWELVE,
        f"planted feet slide at {found.skate:.3f} m/s": found.skate > SKATE,
        f"torsos come within {found.apart:.2f} m": found.apart < apart,
        f"a joint moves at {found.speed:.1f} m/s": found.speed > JOINT_SPEED,
        f"a joint accelerates by {found.acceleration:.0f} m/s2": found.acceleration > JOINT_ACCELERATION,
        f"the lowest joint is at {found.lowest:.3f} to {found.floating:.3f} m": found.lowest < FLOOR[0]
        or found.floating > highest,
    }
    return [text for text, missed in checks.items() if missed]


def _touch_error(motion: Motion, contacts: Sequence[Contact], positions: np.ndarray) -> float:
    """Of palms of one on a joint of the other in REACH, in the frames of their windows."""
    at, worst = palms(motion), 0.0
    scales = rest_height(motion.offsets) / NEUTRAL_HEIGHT
    for contact in contacts:
        joints = (contact.joint_a, contact.joint_b)
        for person in range(2):
            hand, part = joints[person], joints[1 - person]
            if hand in WRISTS and part in REACH:
                window = contact.frames(motion.fps, motion.frames)
                gap = at[window, person, WRISTS[hand]] - positions[window, 1 - person, JOINT[part]]
                farthest = np.linalg.norm(gap, axis=-1).max(initial=0.0)
                worst = max(worst, float(farthest - REACH[part] * scales[1 - person]))
    return worst


def _palm_error(motion: Motion, contacts: Sequence[Contact]) -> float:
    hands = [c for c in contacts if c.joint_a in WRISTS and c.joint_b in WRISTS]
    if not hands:
        return 0.0
    at = palms(motion)
    windows = [(c.frames(motion.fps, motion.frames), WRISTS[c.joint_a], WRISTS[c.joint_b]) for c in hands]
    gaps = [at[window, 0, of_a] - at[window, 1, of_b] for window, of_a, of_b in windows]
    return max(float(np.linalg.norm(gap, axis=-1).max(initial=0.0)) for gap in gaps)
