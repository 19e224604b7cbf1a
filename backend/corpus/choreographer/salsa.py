"""Salsa: windows of the real takes of two dancers, as they are, mirrored, with the persons swapped, or both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from protocol.motion import Motion

from ..cmu import Take
from ..planting import planted
from ..scene import Split
from .blend import FPS
from .captions import mirrored, swapped

SHORTEST, LONGEST = 4.0, 8.0
"""Seconds."""
TRIES = 20
APART = 1.3
"""Metres: couples farther apart than this at either end of a window are still getting ready, or already done."""
CALM = 0.12
"""Metres a second: mean speed of the roots below which nobody dances."""


def dances(takes: Sequence[Take]) -> dict[Split, list[Take]]:
    """The salsa takes that are long enough for a window, by split."""
    long_enough = [
        take
        for take in takes
        if take.motion.persons == 2 and "salsa" in take.description and take.motion.seconds > SHORTEST
    ]
    return {split: [take for take in long_enough if take.split == split] for split in ("train", "validation", "test")}


def window(takes: Sequence[Take], rng: np.random.Generator) -> tuple[Motion, dict[str, object]]:
    """A window of 4 to 8 s in which both dance, longer takes being likelier, and its script.

    Feet that creep are planted in training takes; takes held out stay as captured.
    """
    lengths = np.array([take.motion.frames for take in takes], np.float64)
    take, start, motion = takes[0], 0, takes[0].motion
    for _ in range(TRIES):
        take = takes[int(rng.choice(len(takes), p=lengths / lengths.sum()))]
        frames = min(round(rng.uniform(SHORTEST, LONGEST) * FPS), take.motion.frames)
        start = int(rng.integers(take.motion.frames - frames + 1))
        motion = take.motion.slice(start, start + frames)
        if _dancing(motion):
            break
    if take.split == "train":
        motion = planted(motion)
    script: dict[str, object] = {"kind": "salsa", "actor": "both", "hand": "none", "speed": "normal"}
    swap, mirror = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
    if swap:
        motion, script = motion.swapped(), swapped(script)
    if mirror:
        motion, script = motion.mirrored(), mirrored(script)
    script |= {"take": take.name, "first_frame": start, "mirrored": mirror, "swapped": swap}
    return motion, script


def _dancing(motion: Motion) -> bool:
    """Whether the couple is together and on the move in the first second of the window and in the last."""
    for part in (motion.root[: round(FPS)], motion.root[-round(FPS) :]):
        between = np.linalg.norm((part[:, 0] - part[:, 1])[:, [0, 2]], axis=-1)
        speed = np.linalg.norm(np.diff(part[..., [0, 2]], axis=0), axis=-1) * FPS
        if between.max() > APART or speed.mean() < CALM:
            return False
    return True
