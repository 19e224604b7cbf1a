"""Where checkpoints lie."""

from __future__ import annotations

import os
from pathlib import Path

from protocol.errors import DuologueError

ENVIRONMENT_VARIABLE = "DUOLOGUE_CHECKPOINT"
SHIPPED = "duologue-small"
CHECKPOINTS = Path(__file__).resolve().parents[1] / "checkpoints"


def find_checkpoint(chosen: str | None = None) -> Path:
    """The folder of a checkpoint.

    Args:
        chosen: a folder, or the name of one in ``checkpoints``; if None, the environment variable
            ``DUOLOGUE_CHECKPOINT`` chooses, and without it the checkpoint that Duologue comes with is meant.

    Raises:
        DuologueError: ``checkpoint_missing``.
    """
    chosen = chosen or os.environ.get(ENVIRONMENT_VARIABLE) or SHIPPED
    for folder in (Path(chosen), CHECKPOINTS / chosen):
        if (folder / "checkpoint.json").is_file():
            return folder
    raise DuologueError(
        "checkpoint_missing",
        f"There is no checkpoint {chosen}.",
        f"Name a folder that holds a checkpoint.json, or one of those in {CHECKPOINTS}.",
    )
