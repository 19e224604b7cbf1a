"""The files that commands write motions to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.errors import DuologueError

if TYPE_CHECKING:
    from protocol.motion import Motion

_ENDINGS = (".npz", ".bvh")


def targets(out: Path, samples: int) -> list[Path]:
    """A file for each variation: ``out`` itself for one, else ``STEM_1.npz``, ``STEM_2.npz`` ...

    Checked before anything is computed, so that nothing is made in vain.

    Raises:
        DuologueError: ``samples_out_of_range``; ``file_type`` if the ending is not .npz or .bvh; ``file_unwritable``.
    """
    from protocol.messages import USUAL_LIMITS

    if not 1 <= samples <= USUAL_LIMITS.samples_max:
        raise DuologueError(
            "samples_out_of_range",
            f"{samples} variations cannot be made at once.",
            f"Choose 1 to {USUAL_LIMITS.samples_max}.",
        )
    if out.suffix.lower() not in _ENDINGS:
        raise DuologueError("file_type", f"{out.name} is neither .npz nor .bvh.", "Give the file one of these endings.")
    folder = next(parent for parent in out.absolute().parents if parent.exists())
    if out.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise DuologueError("file_unwritable", f"{out} cannot be written.", "Choose another place.")
    if samples == 1:
        return [out]
    return [out.with_name(f"{out.stem}_{number}{out.suffix}") for number in range(1, samples + 1)]


def write_motion(motion: Motion, target: Path) -> list[Path]:
    """Write a motion in the format of ``target``'s ending; returns the files, for BVH one a person."""
    from .export import write_bvh, write_npz

    return write_bvh(motion, target) if target.suffix.lower() == ".bvh" else [write_npz(motion, target)]
