"""What a corpus holds, by family and kind, and how clean a sample of its motion is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from protocol.motion import Motion

from .choreographer.families import family_of
from .choreographer.quality import measure, resting
from .scene import SPLITS, Scene, read_scene_motion

Penetration = Callable[[Motion], float]
"""Depth in cm by which two bodies overlap, mean over the frames of a motion."""


@dataclass(frozen=True)
class KindStats:
    """Counts and figures of one kind, or of all.

    Attributes:
        name: the kind.
        family: its family.
        scenes: how many, by split.
        hours: length of all of them.
        shortest, longest: seconds.
        captions: how many different ones.
        skate: mean speed of resting toes in the sample, m/s; NaN without a sample.
        contact: mean over the sample of the largest distance of hands from what they should touch, cm.
        penetration: mean depth of the overlap of the bodies in the sample, cm.
    """

    name: str
    family: str
    scenes: dict[str, int]
    hours: float
    shortest: float
    longest: float
    captions: int
    skate: float = float("nan")
    contact: float = float("nan")
    penetration: float = float("nan")


def kind_stats(folder: Path, scenes: Sequence[Scene], sample: int, penetration: Penetration) -> list[KindStats]:
    """Statistics of every kind in a corpus folder, in the order in which they occur.

    Args:
        folder: of the corpus.
        scenes: its index.
        sample: how many scenes of each kind are measured; 0 for none.
        penetration: measures one motion.
    """
    found = []
    for kind in dict.fromkeys(scene.kind for scene in scenes):
        these = [scene for scene in scenes if scene.kind == kind]
        seconds = [scene.frames / 30 for scene in these]
        splits = Counter(str(scene.split) for scene in these)
        skate, contact, depth = _measured(folder, these[:sample], penetration)
        found.append(
            KindStats(
                name=kind,
                family=family_of(kind),
                scenes={split: splits[split] for split in SPLITS},
                hours=sum(seconds) / 3600,
                shortest=min(seconds),
                longest=max(seconds),
                captions=len({caption for scene in these for caption in scene.captions}),
                skate=skate,
                contact=contact,
                penetration=depth,
            )
        )
    return found


def _measured(folder: Path, scenes: Sequence[Scene], penetration: Penetration) -> tuple[float, float, float]:
    """Skate in m/s, contact error and penetration in cm, means over scenes; NaN where there is nothing to measure."""
    skates, contacts, depths = [], [], []
    for scene in scenes:
        motion = read_scene_motion(folder, scene)
        depths.append(penetration(motion))
        measures = measure(motion, scene.contacts, resting(motion))
        skates.append(measures.skate)
        if scene.contacts:
            contacts.append(100 * max(measures.palm_error, measures.touch_error))
    means = (float(np.mean(values)) if values else float("nan") for values in (skates, contacts, depths))
    skate, contact, depth = means
    return skate, contact, depth
