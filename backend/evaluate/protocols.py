"""The protocols by name, as ``duologue evaluate`` runs them on an engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..corpus.cmu import cmu_folder, load_takes
from ..language.words import Words
from ..tokenizer.model import MotionTokenizer
from .held_out import Corpus, Model, Progress
from .m2t import motion_to_text
from .react import reaction
from .reconstruction import reconstruction
from .t2m import text_to_motion

Measure = Callable[[Model, Path, Corpus, int, Progress], dict[str, Any]]


def _reconstruct(model: Model, folder: Path, corpus: Corpus, per_kind: int, progress: Progress) -> dict[str, Any]:
    progress(0.0, "Reconstruction")
    takes = [take.motion for take in load_takes(cmu_folder()) if take.split == "test"]
    return {"reconstruction": reconstruction(MotionTokenizer.load(folder), takes)}


def _t2m(model: Model, folder: Path, corpus: Corpus, per_kind: int, progress: Progress) -> dict[str, Any]:
    figures = text_to_motion(model, corpus, sentence_vectors(Words.load(folder)), progress)
    return {"physics": figures.pop("physics"), "t2m": figures}


def _m2t(model: Model, folder: Path, corpus: Corpus, per_kind: int, progress: Progress) -> dict[str, Any]:
    return {"m2t": motion_to_text(model, corpus, per_kind, progress)}


def _react(model: Model, folder: Path, corpus: Corpus, per_kind: int, progress: Progress) -> dict[str, Any]:
    return {"react": reaction(model, corpus, per_kind, progress)}


MEASURES: dict[str, Measure] = {"reconstruction": _reconstruct, "t2m": _t2m, "m2t": _m2t, "react": _react}
"""Task -> its protocol on an engine, the checkpoint's folder, a corpus, and scenes a kind; returns named figures."""


def sentence_vectors(words: Words) -> Callable[[Sequence[str]], np.ndarray]:
    """Sentences as the mean of their words' vectors, for looking up the nearest caption."""
    vectors = words.vectors.float().numpy()

    def embed(texts: Sequence[str]) -> np.ndarray:
        return np.stack([vectors[words.encode(text) or [0]].mean(0) for text in texts])

    return embed
