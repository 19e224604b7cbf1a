"""How many threads torch may use, and how they wait. Import this before torch.

On a machine whose other core is busy, as Blender keeps it, OpenMP threads that spin while they wait made decoding
20 times slower in our measurements; threads that sleep cost little when the machine is idle.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

DECODING = 1
"""Threads to decode with: a model this small waits longer for a second one than it gains (5.2 against 3.7 seconds of
pair motion a second on two cores), and Blender has use for the others."""
TRAINING = 4
"""Threads to train with."""


def set_thread_count(most: int) -> None:
    """Let torch use up to ``most`` threads, as far as the machine has cores; ``OMP_NUM_THREADS`` overrides."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        torch.set_num_threads(min(most, usable))
