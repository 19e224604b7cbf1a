"""Questions of every sort about scripts, and others: what the reader learns to tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..corpus.dialogues.questions import SORTS, askable, other_questions, sort_of, worded

_SCRIPTS = 3000
_OTHER_SHARE = 0.15


class Asking:
    """Questions that the scripts of a corpus answer.

    Args:
        scripts: (kind, script) pairs.
        seed: of the scripts that are asked about.
    """

    def __init__(self, scripts: Sequence[tuple[str, Mapping[str, Any]]], seed: int) -> None:
        self._able: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
        for index in np.random.default_rng(seed).permutation(len(scripts))[:_SCRIPTS]:
            kind, script = scripts[index]
            for asked, _ in askable(kind, script):
                self._able.setdefault(sort_of(asked), []).append((asked, {**script, "kind": kind}))

    def draw(self, rng: np.random.Generator) -> tuple[str, int]:
        """A question of a random sort, and the number of that: 1 for the first of `SORTS`, 0 for none of them."""
        if rng.random() < _OTHER_SHARE:
            others = other_questions("train")
            return others[int(rng.integers(len(others)))], 0
        sorts = [sort for sort in SORTS if sort in self._able]
        sort = sorts[int(rng.integers(len(sorts)))]
        asked, script = self._able[sort][int(rng.integers(len(self._able[sort])))]
        return worded(asked, script, rng, "train"), 1 + SORTS.index(sort)
