"""The protocols by name, as ``duologue evaluate`` runs them on an engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..corpus.choreographer.captions import held_out_prompts
from ..corpus.cmu import cmu_folder, load_takes
from ..corpus.dialogues.schema import DIALOGUES
from ..language.words import Words
from ..tokenizer.model import MotionTokenizer
from .editing import editing, held_out_edits
from .evaluator import WEIGHTS_FILE, Evaluator
from .flattened import CONFIG_FILE, FlattenedModel, prompt_reader
from .held_out import Conversant, Corpus, Embed, Model, Progress
from .m2t import motion_to_text
from .react import reaction
from .reasoning import held_out_questions, reasoning
from .reconstruction import reconstruction
from .retrieval import retrieval
from .t2m import blind_prompts, text_to_motion

PER_GROUP = 5
"""Edits of each property, and questions of each kind, for one test scene of every kind of interaction."""


@dataclass(frozen=True)
class Trial:
    """What is evaluated, on what, by whom.

    Attributes:
        model: an engine.
        checkpoint: its folder.
        corpus: scenes of the kinds that the checkpoint knows.
        per_kind: test scenes of each kind.
        phrasings: held-out phrasings of each kind.
        repeats: of protocols that repeat what is random.
        evaluator: folder of a trained evaluator; retrieval needs one, other protocols leave out what they would ask it.
        flattened: folder of the trained baseline with flattened codes; without it there are no figures of it.
        dialogues: folder of dialogues about the corpus; without it there are no figures of editing. A model that
            nobody can talk with has none of reasoning either.
    """

    model: Model
    checkpoint: Path
    corpus: Corpus
    per_kind: int
    repeats: int
    evaluator: Path
    flattened: Path = Path("runs/flattened")
    dialogues: Path = Path("data/dialogues")
    phrasings: int = 8

    @property
    def judge(self) -> Evaluator | None:
        """The trained evaluator, None where there is none."""
        return Evaluator.load(self.evaluator) if (self.evaluator / WEIGHTS_FILE).is_file() else None

    @property
    def embed(self) -> Embed:
        """Sentences by the checkpoint's own words."""
        return sentence_vectors(Words.load(self.checkpoint))


def _reconstruct(trial: Trial, progress: Progress) -> dict[str, Any]:
    progress(0.0, "Reconstruction")
    takes = [take.motion for take in load_takes(cmu_folder()) if take.split == "test"]
    return {"reconstruction": reconstruction(MotionTokenizer.load(trial.checkpoint), takes)}


def _t2m(trial: Trial, progress: Progress) -> dict[str, Any]:
    prompts = [prompt for kind in trial.corpus.kinds for prompt in held_out_prompts(kind)[: trial.phrasings]]
    figures = text_to_motion(trial.model, trial.corpus, prompts, trial.embed, progress)
    return {"physics": figures.pop("physics"), "t2m": figures}


def _blind(trial: Trial, progress: Progress) -> dict[str, Any]:
    prompts = [prompt for kind in trial.corpus.kinds for prompt in blind_prompts(kind)]
    figures = text_to_motion(trial.model, trial.corpus, prompts, trial.embed, progress)
    del figures["physics"]  # the held-out phrasings' figures stand for it
    return {"blind": figures}


def _m2t(trial: Trial, progress: Progress) -> dict[str, Any]:
    figures = motion_to_text(trial.model, trial.corpus, trial.per_kind, trial.judge, progress)
    return {"captions": figures.pop("captions"), "m2t": figures}


def _react(trial: Trial, progress: Progress) -> dict[str, Any]:
    return {"react": reaction(trial.model, trial.corpus, trial.per_kind, trial.embed, trial.judge, progress)}


def _retrieval(trial: Trial, progress: Progress) -> dict[str, Any]:
    judge = Evaluator.load(trial.evaluator)
    found = retrieval(trial.model, trial.corpus, judge, trial.embed, trial.per_kind, trial.repeats, progress)
    return {"retrieval": found}


def _flattened(trial: Trial, progress: Progress) -> dict[str, Any]:
    if not (trial.flattened / CONFIG_FILE).is_file():
        return {}
    tokenizer, read = MotionTokenizer.load(trial.checkpoint), prompt_reader(trial.checkpoint)
    model = FlattenedModel.load(trial.flattened, tokenizer, read)
    prompts = [prompt for kind in trial.corpus.kinds for prompt in held_out_prompts(kind)[: trial.phrasings]]
    found = text_to_motion(model, trial.corpus, prompts, trial.embed, progress)
    return {"flattened": {name: found[name] for name in ("found", "found_kind", "prompts")}}


def _edit(trial: Trial, progress: Progress) -> dict[str, Any]:
    if not isinstance(trial.model, Conversant) or not (trial.dialogues / DIALOGUES).is_file():
        return {}
    edits = held_out_edits(trial.dialogues, trial.corpus.folder, trial.corpus.kinds, PER_GROUP * trial.per_kind)
    return {"edit": editing(trial.model, edits, progress)}


def _ask(trial: Trial, progress: Progress) -> dict[str, Any]:
    if not isinstance(trial.model, Conversant):
        return {}
    questions = held_out_questions(trial.corpus, PER_GROUP * trial.per_kind)
    return {"ask": reasoning(trial.model, trial.corpus, questions, progress)}


MEASURES: dict[str, Callable[[Trial, Progress], dict[str, Any]]] = {
    "reconstruction": _reconstruct,
    "t2m": _t2m,
    "blind": _blind,
    "m2t": _m2t,
    "react": _react,
    "retrieval": _retrieval,
    "edit": _edit,
    "ask": _ask,
    "flattened": _flattened,
}
"""Task -> its protocol; returns named figures."""


def sentence_vectors(words: Words) -> Embed:
    """Sentences as the mean of their words' vectors, for looking up the nearest caption."""
    vectors = words.vectors.float().numpy()

    def embed(texts: Sequence[str]) -> np.ndarray:
        return np.stack([vectors[words.encode(text) or [0]].mean(0) for text in texts])

    return embed
