"""What goes wrong in training, said so that a person knows what was kept and how to go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from protocol.errors import DuologueError


def diverged(step: int, what: str, kept: int, folder: Path) -> DuologueError:
    """The error of a loss or a gradient that is not finite, with what was kept until step ``kept``."""
    return DuologueError(
        "training_diverged",
        f"The {what} is not finite at step {step}. {_kept(kept, folder)}",
        "Lower the recipe's learning rate and start a new run in another folder; --resume would meet the same step.",
    )


def unsaved(step: int, error: Exception, kept: int, folder: Path) -> DuologueError:
    """The error of a checkpoint that could not be written, most often because the disk is full."""
    return DuologueError(
        "run_not_saved",
        f"The state after step {step} could not be written: {error}. {_kept(kept, folder)}",
        "Make room on the disk, then repeat the command with --resume.",
    )


@contextmanager
def memory_explained(step: int, kept: int, folder: Path) -> Iterator[None]:
    """Within it, running out of memory becomes an error that says how to go on.

    Raises:
        DuologueError: ``out_of_memory``.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_shortage(error):
            raise
        again = "repeat the command with --resume" if kept else "start again"
        raise DuologueError(
            "out_of_memory",
            f"The memory did not suffice for step {step}. {_kept(kept, folder)}",
            f"Close other programs and {again}; or start a new run in another folder with a smaller 'batch' in the "
            "recipe and 'accumulate' raised as much.",
        ) from error


def _kept(step: int, folder: Path) -> str:
    if not step:
        return "Nothing was kept: the run had not come to its first save."
    return f"What was learned in the first {step} steps is kept in {folder}."


def _is_shortage(error: Exception) -> bool:
    """Whether an error says that memory ran out; on CPUs torch raises a plain RuntimeError for it."""
    said = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(
        sign in said for sign in ("can't allocate memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED")
    )
