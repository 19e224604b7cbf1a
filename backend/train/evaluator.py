"""Trains the evaluator that judges text-to-motion: it sees the training split alone, and words as training has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..evaluate.evaluator import Evaluator, EvaluatorConfig, contrastive_loss
from ..evaluate.metrics import r_precision
from ..language.words import Words, fetch_words
from . import processes
from .codes import VARIANTS
from .pairs import Pairs, read_pairs
from .recipe import read_recipe
from .run import Run, autocast, fit, pick_device, step_seed

_VALIDATIONS = 8
_VALIDATION_POOL = 32


@dataclass(frozen=True)
class EvaluatorRecipe:
    """How an evaluator is trained.

    Attributes:
        steps: optimizer steps in all.
        model: the sizes; the width of a word vector follows from the words.
        wording: share of sentences in the wider words of `backend.train.wording`.
        batch: scenes a step, each of which is a wrong answer for all others.
        learning_rate: peak.
        warmup: steps to the peak.
        weight_decay: of AdamW.
        seed: of everything random.
    """

    steps: int
    model: EvaluatorConfig = field(default_factory=EvaluatorConfig)
    wording: float = 0.5
    batch: int = 96
    learning_rate: float = 5e-4
    warmup: int = 100
    weight_decay: float = 0.05
    seed: int = 0


def train_evaluator(corpus: Path, recipe: Path, out: Path, resume: bool) -> None:
    """Train an evaluator by a recipe and write it, with its words, into the run's folder.

    Args:
        corpus: folder of choreographed scenes (``scenes.jsonl`` and ``motions/``).
        recipe: YAML file of an `EvaluatorRecipe`.
        out: the run's folder.
        resume: go on with the run that is there.

    Raises:
        DuologueError: ``corpus_missing``, ``words_missing``, ``recipe_invalid``, and what `Run` and `fit` raise.
    """
    settings = read_recipe(recipe, EvaluatorRecipe)
    run = Run(out, settings, resume)
    words = fetch_words(out / "words")
    evaluator = fit_evaluator(run, settings, *read_pairs(corpus), words)
    if processes.is_main():
        evaluator.save(out)


def fit_evaluator(run: Run, recipe: EvaluatorRecipe, train: Pairs, validation: Pairs, words: Words) -> Evaluator:
    """Train on pairs; returns the evaluator on the CPU. Validation scenes are only looked at."""
    device = pick_device()
    torch.manual_seed(recipe.seed)
    config = dataclasses.replace(recipe.model, word_width=words.vectors.shape[1])
    evaluator = Evaluator(config, words).to(device)
    every = max(1, recipe.steps // _VALIDATIONS)

    def losses(step: int) -> dict[str, Tensor]:
        if step and step % every == 0:
            run.log(step, **_validated(evaluator, validation))
        rng = np.random.default_rng(step_seed(recipe.seed, step))
        scenes = rng.choice(len(train), min(recipe.batch, len(train)), replace=False)
        texts, motions = _drawn(train, scenes, recipe.wording, rng)
        same = torch.tensor([[a == b for b in texts] for a in texts], device=device)
        with autocast(device):
            read = evaluator.text_embeddings(texts)
            watched = evaluator.motion_embeddings([motion.to(device) for motion in motions])
        return {"contrast": contrastive_loss(read.float(), watched.float(), same)}

    optimizer = torch.optim.AdamW(
        evaluator.parameters(), recipe.learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay
    )
    fit(run, evaluator, optimizer, losses, cycles=[recipe.steps], warmup=recipe.warmup, seed=recipe.seed)
    run.log(recipe.steps, **_validated(evaluator, validation))
    return evaluator.cpu().eval()


def _drawn(
    pairs: Pairs, scenes: Iterable[int], wording_share: float, rng: np.random.Generator
) -> tuple[list[str], list[Tensor]]:
    """A sentence and the features (T, 516) for a random variant of each scene."""
    texts, motions = [], []
    for scene in scenes:
        variant = VARIANTS[rng.integers(len(VARIANTS))]
        texts.append(pairs.text(scene, *variant, wording_share, rng))
        motions.append(torch.from_numpy(pairs.motion(scene, *variant)))
    return texts, motions


@torch.no_grad()
def _validated(evaluator: Evaluator, pairs: Pairs) -> dict[str, float]:
    """R-precision, best 3 of 32, of training captions for validation scenes; the model is left in training mode."""
    if len(pairs) < _VALIDATION_POOL:
        return {}
    evaluator.eval()
    rng = np.random.default_rng(0)
    texts, motions = _drawn(pairs, rng.permutation(len(pairs)), 0.0, rng)
    device = evaluator.scale.device
    read = evaluator.text_embeddings(texts).cpu().numpy()
    watched = evaluator.motion_embeddings([motion.to(device) for motion in motions]).cpu().numpy()
    evaluator.train()
    return {"validation_r3": float(r_precision(read, watched, _VALIDATION_POOL)[-1])}
