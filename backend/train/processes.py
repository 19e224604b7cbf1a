"""One process or many: `accelerate` finds the device of each, and adds up what they learn.

``duologue train …`` runs in one process, ``accelerate launch --multi_gpu -m backend train …`` in one for each GPU.
Mixed precision of whole steps is accelerate's too (``--mixed_precision``); the stages themselves compute in bfloat16
on a GPU where that is safe.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs


def accelerator() -> Accelerator:
    """What accelerate knows of this process: its device, its number, and how many there are.

    Some weights take no part in some batches, such as those that write words in a batch without a caption.
    """
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(cpu=not torch.cuda.is_available(), kwargs_handlers=[unused])


def is_main() -> bool:
    """Whether this process writes the run's files; the only one does, and the first of many."""
    return accelerator().is_main_process


def count() -> int:
    """How many processes train together."""
    return accelerator().num_processes


def main_first() -> AbstractContextManager[None]:
    """Within it, the process that writes runs alone; then the others, which find what it wrote."""
    return accelerator().main_process_first()


def any_of_all(everyone: Accelerator, here: bool) -> bool:
    """Whether something is true in any of the processes, all of which must ask."""
    if everyone.num_processes == 1:
        return here
    flag = torch.tensor(float(here), device=everyone.device)
    total: Any = everyone.reduce(flag, "sum")
    return bool(total > 0)
