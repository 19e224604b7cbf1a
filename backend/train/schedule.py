"""How the learning rate goes over a run."""

from __future__ import annotations

import math
from collections.abc import Sequence


def warmup_cosine(step: int, steps: int, warmup: int) -> float:
    """Learning-rate factor: linear from 0 to 1 over ``warmup`` steps, then half a cosine down to 2 %."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def cosine_with_restarts(step: int, cycles: Sequence[int], warmup: int) -> float:
    """Learning-rate factor of `warmup_cosine` begun anew in every cycle (SGDR, arXiv 1608.03983).

    Args:
        step: number of the step, from the beginning of the first cycle.
        cycles: steps of each cycle.
        warmup: steps to the peak, in every cycle.
    """
    for length in cycles:
        if step < length:
            return warmup_cosine(step, length, warmup)
        step -= length
    raise ValueError(f"step {step} comes after the last cycle")
