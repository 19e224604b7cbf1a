"""Stage two: train the motion language model on all tasks at once, on the codes of a trained tokenizer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..corpus.dialogues.steps import events_of
from ..language.base import Base, BaseRecipe
from ..language.config import LanguageConfig
from ..language.model import MotionLanguageModel, code_vectors
from ..language.script_book import ScriptBook
from ..language.slots import numbers, slots_of
from ..language.words import Words, fetch_words
from ..tokenizer.config import STRIDE
from ..tokenizer.model import MotionTokenizer
from ..tokenizer.stream import FPS
from . import processes
from .codes import CACHE_FILE, VARIANTS, EncodedCorpus, encoded_corpus
from .examples import Mixture, draw_row, spoken_words
from .plan import Plan
from .recipe import read_recipe
from .run import Run, pick_device, step_seed
from .seeing import see_each_other
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
        model: the sizes; a base decides all of them but those of the motion head.
        base: a pretrained language model to build on; none trains a transformer of our own.
        mixture: of tasks.
        reading: how the model learns to read prompts, after all else.
    """

    cycles: tuple[int, ...]
    stepping: Stepping
    model: ModelSizes = field(default_factory=ModelSizes)
    base: BaseRecipe | None = None
    mixture: Mixture = field(default_factory=Mixture)


def train_language(corpus: Path, tokenizer: Path, recipe: Path, out: Path, resume: bool) -> None:
    """Train a language model by a recipe and write it, with its words, into the run's folder.

    Args:
        corpus: folder of choreographed scenes (``scenes.jsonl`` and ``motions/``).
        tokenizer: folder of a trained motion tokenizer.
        recipe: YAML file of a `LanguageRecipe`.
        out: the run's folder.
        resume: go on with the run that is there.

    Raises:
        DuologueError: ``corpus_missing``, ``words_missing``, ``base_missing``, ``base_invalid``, ``tokenizer_missing``,
            ``recipe_invalid``, and what `Run` and `fit` raise.
    """
    settings = read_recipe(recipe, LanguageRecipe)
    motion_tokenizer = MotionTokenizer.load(tokenizer)
    settings.stepping.check(motion_tokenizer.config.levels, recipe.name)
    run = Run(out, settings, resume)
    base = None if settings.base is None else Base.load(settings.base)
    words = fetch_words(out / "words") if base is None else base.words
    with processes.main_first():
        encoded = encoded_corpus(corpus, tokenizer, out / CACHE_FILE)
    model = fit_language(run, settings, encoded, motion_tokenizer, words, base)
    if processes.is_main():
        model.save(out)
        if base is None:
            words.save(out)
        script_book(encoded, model.config).save(out)


def fit_language(
    run: Run,
    recipe: LanguageRecipe,
    corpus: EncodedCorpus,
    tokenizer: MotionTokenizer,
    words: Words,
    base: Base | None = None,
) -> MotionLanguageModel:
    """Train on an encoded corpus, over a base if there is one; returns the model on the CPU.

    Raises:
        DuologueError: ``corpus_missing`` if the corpus has no training scene.
    """
    torch.manual_seed(recipe.stepping.seed)
    config = _config(recipe.model if base is None else _sizes_of(base, recipe.model), corpus, tokenizer, words)
    model = MotionLanguageModel(config, code_vectors(tokenizer), words.vectors, base)
    if not run.resume:
        see_each_other(model, corpus, tokenizer)
    model.to(pick_device())
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

    stepping.fit(run, model, losses, cycles)
    run.log(sum(cycles), **validation.measure(model))
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


def _sizes_of(base: Base, sizes: ModelSizes) -> ModelSizes:
    """The sizes of a base's transformer, with the motion head that was asked for."""
    shape = base.transformer.config
    return replace(
        sizes,
        width=base.width,
        layers=shape.num_hidden_layers,
        heads=shape.num_attention_heads,
        feed_forward=getattr(shape, "intermediate_size", None) or 4 * base.width,
    )


def script_book(corpus: EncodedCorpus, config: LanguageConfig) -> ScriptBook:
    """The scripts of training scenes, each in one of the four variants, how long it took, and how it goes."""
    train = corpus.of_split("train")
    variants = np.random.default_rng(0).integers(len(VARIANTS), size=len(train))
    scenes = [(int(scene), int(variant)) for scene, variant in zip(train, variants, strict=True)]
    told = [corpus.script(*item) for item in scenes]
    scripts = np.stack([numbers(config.slots, script) for script in told])
    seconds = np.array([corpus.steps(scene) * STRIDE / FPS for scene, _ in scenes])
    openings = np.stack([corpus.example(*item).codes[:, 0] for item in scenes])
    manners = np.array([corpus.manner(*item) for item in scenes], np.float32)
    return ScriptBook.of(scripts, seconds, openings, manners, [events_of(one["kind"], one) for one in told])
