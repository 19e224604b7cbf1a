"""How many threads the model may use, and how they wait. Import this before torch.

On a machine whose other core is busy, as Blender keeps it, OpenMP threads that spin while they wait made decoding
20 times slower in our measurements; threads that sleep cost little when the machine is idle.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

_USEFUL = 4


def set_thread_count() -> int:
    """Give torch as many threads as a small model can use, and return their number; ``OMP_NUM_THREADS`` overrides."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        torch.set_num_threads(min(_USEFUL, usable))
    return torch.get_num_threads()
