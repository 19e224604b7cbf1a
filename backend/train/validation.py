"""Figures on scenes that no training step sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..evaluate.words import caption_kind
from ..language import decode
from ..language.config import LanguageConfig
from ..language.layout import MotionBlock, Row, collate, row
from ..language.losses import losses
from ..language.model import MotionLanguageModel
from ..language.sampling import Sampling
from ..language.slots import numbers
from ..language.words import Words
from ..tasks import DESCRIBE, GENERATE, REACT, Task
from .codes import EncodedCorpus, Example
from .examples import described, made
from .prompts import pair_caption

VALIDATIONS = 8
"""How often a run is validated."""
_SCENES = 52


class Validation:
    """Figures on scenes that are not trained on: losses with and without a script, and what is read from motion."""

    def __init__(
        self, corpus: EncodedCorpus, words: Words, config: LanguageConfig, level_weights: Sequence[float]
    ) -> None:
        self._examples = validation_examples(corpus)
        self._words, self._config, self._level_weights = words, config, level_weights

    @torch.no_grad()
    def measure(self, model: MotionLanguageModel) -> dict[str, float]:
        """The figures; empty when the corpus has no validation scenes. The model is left in training mode."""
        if not self._examples:
            return {}
        model.eval()
        generated = self._losses(model, [self._made(GENERATE, example, True) for example in self._examples])
        unprompted = self._losses(model, [self._made(GENERATE, example, False) for example in self._examples])
        reaction = self._losses(model, [self._made(REACT, example, True) for example in self._examples])
        text = self._losses(model, [self._described(example) for example in self._examples])
        figures = {
            "validation_motion": generated["motion"],
            "validation_motion_unprompted": unprompted["motion"],
            "validation_reaction": reaction["motion"],
            "validation_script": unprompted["script"],
            "validation_text": text["text"],
            "caption_kind_right": self._captions_right(model),
        }
        model.train()
        return figures

    def _made(self, task: Task, example: Example, prompted: bool) -> Row:
        script = numbers(self._config.slots, example.script)
        followed = script if prompted else np.zeros_like(script)
        return made(task, example, script, followed, np.random.default_rng(0))

    def _described(self, example: Example) -> Row:
        text = pair_caption(example.kind, example.script, np.random.default_rng(0))[0]
        script = numbers(self._config.slots, example.script)
        return described(example.codes, example.scales, script, self._words.encode(text))

    def _losses(self, model: MotionLanguageModel, rows: Sequence[Row]) -> dict[str, float]:
        batch = collate(rows).to(model.markers.weight.device)
        return {name: float(value) for name, value in losses(model, batch, self._level_weights).items()}

    def _captions_right(self, model: MotionLanguageModel) -> float:
        generator = torch.Generator().manual_seed(0)
        right = 0
        for example in self._examples:
            block = MotionBlock(example.codes, np.zeros(len(self._config.slots), np.int64))
            opening = row(DESCRIBE, [block], example.scales)
            ids = list(decode.words(model, opening, Sampling(temperature=0), generator, lambda: False, longest=20))
            right += caption_kind(self._words.decode(ids)) == example.kind
        return right / len(self._examples)


def validation_examples(corpus: EncodedCorpus) -> list[Example]:
    """Scenes of the validation split, of each kind as many as make about `_SCENES`."""
    by_kind: dict[str, list[int]] = {}
    for scene in corpus.of_split("validation"):
        by_kind.setdefault(corpus.example(scene).kind, []).append(scene)
    most = -(-_SCENES // max(1, len(by_kind)))
    return [corpus.example(scene) for scenes in by_kind.values() for scene in scenes[:most]]
