"""The order in which scenes are trained on."""

from __future__ import annotations

import numpy as np

from protocol.errors import DuologueError

from .codes import VARIANTS, EncodedCorpus

_BUCKET_BATCHES = 20
"""Batches whose scenes are sorted by length among themselves."""


class Plan:
    """Which scenes come in which step: every one once an epoch, those of like length together.

    Args:
        corpus: its training scenes are planned.
        batch: scenes a step.
        seed: of the order.

    Raises:
        DuologueError: ``corpus_missing`` if the corpus has no training scene.
    """

    def __init__(self, corpus: EncodedCorpus, batch: int, seed: int) -> None:
        self._corpus, self._scenes = corpus, corpus.of_split("train")
        if not len(self._scenes):
            raise DuologueError(
                "corpus_missing", "The corpus has no training scene.", "Make one with `duologue corpus`."
            )
        self._lengths = np.array([corpus.steps(scene) for scene in self._scenes])
        self._batch, self._seed = min(batch, len(self._scenes)), seed
        self.steps_an_epoch = len(self._scenes) // self._batch
        self._epoch, self._order = -1, np.empty(0, int)

    def items(self, step: int) -> list[tuple[int, int]]:
        """(scene, variant) of each sample of a step."""
        epoch, number = divmod(step, self.steps_an_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._epoch_order(np.random.default_rng((self._seed, epoch)))
        rng = np.random.default_rng((self._seed, epoch, number))
        return [(int(self._scenes[place]), int(rng.integers(len(VARIANTS)))) for place in self._order[number]]

    def _epoch_order(self, rng: np.random.Generator) -> np.ndarray:
        """(steps an epoch, batch) places in the list of scenes."""
        order = rng.permutation(len(self._scenes))[: self.steps_an_epoch * self._batch]
        bucket = self._batch * _BUCKET_BATCHES
        parts = [order[start : start + bucket] for start in range(0, len(order), bucket)]
        order = np.concatenate([part[np.argsort(self._lengths[part], kind="stable")] for part in parts])
        return rng.permutation(order.reshape(self.steps_an_epoch, self._batch))
