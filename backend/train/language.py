"""Stage two: train the motion language model on all tasks at once, on the codes of a trained tokenizer."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..language.config import LanguageConfig
from ..language.model import MotionLanguageModel, code_vectors
from ..language.script_book import ScriptBook
from ..language.slots import numbers, slots_of
from ..language.words import Words, fetch_words
from ..tokenizer.config import STRIDE
from ..tokenizer.model import MotionTokenizer
from ..tokenizer.stream import FPS
from .codes import CACHE_FILE, VARIANTS, EncodedCorpus, encoded_corpus
from .examples import Mixture, draw_row, spoken_words
from .plan import Plan
from .reading import Reading, learn_to_read
from .recipe import read_recipe
from .run import Run, fit, pick_device, step_seed
from .stepping import Stepping
from .validation import VALIDATIONS, Validation


@dataclass(frozen=True)
class ModelSizes:
    """The sizes of a `LanguageConfig` that a recipe chooses; the others follow from tokenizer, words and corpus."""

    width: int = 320
    layers: int = 8
    heads: int = 5
    feed_forward: int = 864
    head_width: int = 384
    dropout: float = 0.1


@dataclass(frozen=True)
class LanguageRecipe:
    """How a language model is trained.

    Attributes:
        cycles: epochs of each cycle of the learning rate. In an epoch each scene is seen once, each time in another
            variant, task and wording.
        stepping: how steps are taken.
        model: the sizes.
        mixture: of tasks.
        reading: how the model learns to read prompts, after all else.
    """

    cycles: tuple[int, ...]
    stepping: Stepping
    model: ModelSizes = field(default_factory=ModelSizes)
    mixture: Mixture = field(default_factory=Mixture)
    reading: Reading = field(default_factory=Reading)


def train_language(corpus: Path, tokenizer: Path, recipe: Path, out: Path, resume: bool) -> None:
    """Train a language model by a recipe and write it, with its words, into the run's folder.

    Args:
        corpus: folder of choreographed scenes (``scenes.jsonl`` and ``motions/``).
        tokenizer: folder of a trained motion tokenizer.
        recipe: YAML file of a `LanguageRecipe`.
        out: the run's folder.
        resume: go on with the run that is there.

    Raises:
        DuologueError: ``corpus_missing``, ``words_missing``, ``tokenizer_missing``, ``recipe_invalid``, and what `Run`
            and `fit` raise.
    """
    settings = read_recipe(recipe, LanguageRecipe)
    motion_tokenizer = MotionTokenizer.load(tokenizer)
    settings.stepping.check(motion_tokenizer.config.levels, recipe.name)
    run = Run(out, settings, resume)
    words = fetch_words(out / "words")
    encoded = encoded_corpus(corpus, tokenizer, out / CACHE_FILE)
    model = fit_language(run, settings, encoded, motion_tokenizer, words)
    model.save(out)
    words.save(out)
    script_book(encoded, model.config).save(out)


def fit_language(
    run: Run, recipe: LanguageRecipe, corpus: EncodedCorpus, tokenizer: MotionTokenizer, words: Words
) -> MotionLanguageModel:
    """Train on an encoded corpus; returns the model on the CPU.

    Raises:
        DuologueError: ``corpus_missing`` if the corpus has no training scene.
    """
    torch.manual_seed(recipe.stepping.seed)
    config = _config(recipe.model, corpus, tokenizer, words)
    model = MotionLanguageModel(config, code_vectors(tokenizer), words.vectors).to(pick_device())
    stepping = recipe.stepping
    plan = Plan(corpus, stepping.batch, stepping.seed)
    cycles = tuple(epochs * plan.steps_an_epoch for epochs in recipe.cycles)
    validation = Validation(corpus, words, config, stepping.level_weights)
    every = max(1, sum(cycles) // VALIDATIONS)

    def losses(step: int) -> dict[str, Tensor]:
        if step and step % every == 0:
            run.log(step, **validation.measure(model))
        rng = np.random.default_rng(step_seed(stepping.seed, step))
        rows = [draw_row(corpus.example(*item), words, config.slots, recipe.mixture, rng) for item in plan.items(step)]
        return stepping.losses(model, rows)

    fit(run, model, stepping.optimizer(model), losses, cycles=cycles, warmup=stepping.warmup, seed=stepping.seed)
    read_right = learn_to_read(model, plan.any_example, words, recipe.reading, stepping.seed)
    run.log(sum(cycles), prompts_read_right=read_right, **validation.measure(model))
    return model.cpu().eval()


def _config(sizes: ModelSizes, corpus: EncodedCorpus, tokenizer: MotionTokenizer, words: Words) -> LanguageConfig:
    train = corpus.of_split("train")
    scripts = [
        (corpus.example(scene).kind, corpus.script(scene, variant))
        for scene in train
        for variant in range(len(VARIANTS))
    ]
    return LanguageConfig(
        width=sizes.width,
        layers=sizes.layers,
        heads=sizes.heads,
        feed_forward=sizes.feed_forward,
        head_width=sizes.head_width,
        word_width=words.vectors.shape[1],
        latent_width=tokenizer.config.latent_width,
        codes=tokenizer.config.codes,
        levels=tokenizer.config.levels,
        place_levels=tokenizer.config.place_levels,
        steps_max=max((corpus.steps(scene) for scene in train), default=0),
        spoken=spoken_words(scripts, words),
        slots=slots_of(script for _, script in scripts),
        dropout=sizes.dropout,
    )


def script_book(corpus: EncodedCorpus, config: LanguageConfig) -> ScriptBook:
    """The scripts of training scenes, all variants, and how long each took."""
    scenes = [(scene, variant) for scene in corpus.of_split("train") for variant in range(len(VARIANTS))]
    scripts = np.stack([numbers(config.slots, corpus.script(*item)) for item in scenes])
    seconds = np.array([corpus.steps(scene) * STRIDE / FPS for scene, _ in scenes])
    return ScriptBook(scripts, seconds)
