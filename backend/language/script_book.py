"""Whole scripts to fill what a prompt leaves open: with which hand, how fast, walking up or standing near.

A model that is told everything moves with more purpose than one that is told half and must make up its mind on the way,
so what nobody said is taken from one of the scripts that training saw.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from .slots import UNSAID

FILE = "scripts.safetensors"
_NEAREST = 12


class ScriptBook:
    """Scripts that training saw.

    Args:
        scripts: (N, S) numbers of slots; the first slot is the kind.
        seconds: (N,) how long each of them took.
    """

    def __init__(self, scripts: np.ndarray, seconds: np.ndarray) -> None:
        self.scripts, self.seconds = scripts.astype(np.int64), seconds.astype(np.float32)

    def filled(
        self, told: np.ndarray, seconds: float, rng: np.random.Generator, wished: np.ndarray | None = None
    ) -> np.ndarray:
        """A script that agrees with what was told as far as any does, of about this length; what was told stays.

        Args:
            told: (S,) numbers, `UNSAID` where nothing was said; returned as it is if the kind is unsaid.
            seconds: length of the motion to be made.
            rng: draws one of those that fit equally well.
            wished: (S,) numbers that are taken over as far as a script that fits has them.
        """
        if told[0] == UNSAID:
            return told
        said = np.flatnonzero(told)
        alike = (self.scripts[:, said] == told[said]).sum(1) + len(said) * (self.scripts[:, 0] == told[0])
        if wished is not None:
            alike = alike * len(told) + ((self.scripts == wished) & (wished != UNSAID)).sum(1)
        fitting = np.flatnonzero(alike == alike.max())
        nearest = fitting[np.argsort(np.abs(self.seconds[fitting] - seconds), kind="stable")[:_NEAREST]]
        chosen = self.scripts[rng.choice(nearest)]
        return np.where(told == UNSAID, chosen, told)

    def save(self, folder: Path) -> None:
        """Write the scripts into a checkpoint folder."""
        save_file({"scripts": self.scripts.astype(np.uint8), "seconds": self.seconds}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> ScriptBook:
        """Read what `save` wrote."""
        arrays = load_file(folder / FILE)
        return cls(arrays["scripts"], arrays["seconds"])
