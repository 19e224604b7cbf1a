"""Stage two: train the motion language model on all tasks at once, on the codes of a trained tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from protocol.errors import DuologueError

from ..evaluate.words import caption_kind
from ..language import decode
from ..language.config import LanguageConfig
from ..language.layout import MotionBlock, Row, collate, row
from ..language.losses import losses as language_losses
from ..language.model import MotionLanguageModel, code_vectors
from ..language.sampling import Sampling
from ..language.script_book import ScriptBook
from ..language.slots import numbers, slots_of
from ..language.words import Words, fetch_words
from ..tasks import DESCRIBE, GENERATE, REACT, Task
from ..tokenizer.config import STRIDE
from ..tokenizer.model import MotionTokenizer
from ..tokenizer.stream import FPS
from .codes import CACHE_FILE, VARIANTS, EncodedCorpus, Example, encoded_corpus
from .examples import Mixture, corrupted, described, draw_row, made, spoken_words
from .prompts import pair_caption
from .reading import Reading, learn_to_read
from .recipe import read_recipe
from .run import Run, autocast, fit, pick_device, step_seed

_VALIDATIONS = 8
_VALIDATION_SCENES = 52
_BUCKET_BATCHES = 20


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
        model: the sizes.
        mixture: of tasks and disturbances.
        level_weights: weight of each residual level of codes in the loss.
        text_weight: weight of the loss on words against that on motion.
        script_weight: weight of the loss on scripts read from motion.
        reading: how the model learns to read prompts, after all else.
        batch: samples a step.
        learning_rate: peak.
        warmup: steps to the peak.
        weight_decay: of AdamW.
        bfloat16: compute in bfloat16 on a CPU too: 1.5 times faster where it has AVX512-BF16 or AMX, slower elsewhere.
        seed: of everything random.
    """

    cycles: tuple[int, ...]
    level_weights: tuple[float, ...]
    model: ModelSizes = field(default_factory=ModelSizes)
    mixture: Mixture = field(default_factory=Mixture)
    text_weight: float = 0.5
    script_weight: float = 0.1
    reading: Reading = field(default_factory=Reading)
    batch: int = 16
    learning_rate: float = 6e-4
    warmup: int = 150
    weight_decay: float = 0.05
    bfloat16: bool = False
    seed: int = 0


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
    if len(settings.level_weights) != motion_tokenizer.config.levels:
        raise DuologueError(
            "recipe_invalid",
            f"{recipe.name}: 'level_weights' holds {len(settings.level_weights)} numbers, but the tokenizer has "
            f"{motion_tokenizer.config.levels} levels.",
            "Correct the file and start again.",
        )
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
    device = pick_device()
    torch.manual_seed(recipe.seed)
    config = _config(recipe.model, corpus, tokenizer, words)
    model = MotionLanguageModel(config, code_vectors(tokenizer), words.vectors).to(device)
    plan = _Plan(corpus, recipe)
    validation = _Validation(corpus, words, config, recipe.level_weights)
    every = max(1, sum(plan.cycles) // _VALIDATIONS)

    def losses(step: int) -> dict[str, Tensor]:
        if step and step % every == 0:
            run.log(step, **validation.measure(model))
        rng = np.random.default_rng(step_seed(recipe.seed, step))
        rows = [draw_row(corpus.example(*item), words, config.slots, recipe.mixture, rng) for item in plan.items(step)]
        batch = corrupted(collate(rows), recipe.mixture.corruption, config.codes)
        with _precision(device, recipe.bfloat16):
            terms = language_losses(model, batch.to(device), recipe.level_weights)
        weights = {"motion": 1.0, "text": recipe.text_weight, "script": recipe.script_weight}
        return {name: weight * terms[name] for name, weight in weights.items()}

    optimizer = _optimizer(model, recipe)
    fit(run, model, optimizer, losses, cycles=plan.cycles, warmup=recipe.warmup, seed=recipe.seed)
    read_right = learn_to_read(model, plan.any_example, words, recipe.reading, recipe.seed)
    run.log(sum(plan.cycles), prompts_read_right=read_right, **validation.measure(model))
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


def _optimizer(model: MotionLanguageModel, recipe: LanguageRecipe) -> torch.optim.Optimizer:
    matrices = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, recipe.learning_rate, betas=(0.9, 0.98), fused=True)


def _precision(device: torch.device, bfloat16: bool) -> AbstractContextManager[Any]:
    if device.type == "cpu" and bfloat16:
        return torch.autocast("cpu", torch.bfloat16)
    return autocast(device)


class _Plan:
    """Which scenes come in which step: every one once an epoch, those of like length together."""

    def __init__(self, corpus: EncodedCorpus, recipe: LanguageRecipe) -> None:
        self._corpus, self._scenes = corpus, corpus.of_split("train")
        if not len(self._scenes):
            raise DuologueError(
                "corpus_missing", "The corpus has no training scene.", "Make one with `duologue corpus`."
            )
        self._lengths = np.array([corpus.steps(scene) for scene in self._scenes])
        self._batch, self._seed = min(recipe.batch, len(self._scenes)), recipe.seed
        self._steps_an_epoch = len(self._scenes) // self._batch
        self.cycles = tuple(epochs * self._steps_an_epoch for epochs in recipe.cycles)
        self._epoch, self._order = -1, np.empty(0, int)

    def any_example(self, rng: np.random.Generator) -> Example:
        """Some variant of some training scene."""
        return self._corpus.example(int(rng.choice(self._scenes)), int(rng.integers(len(VARIANTS))))

    def items(self, step: int) -> list[tuple[int, int]]:
        """(scene, variant) of each sample of a step."""
        epoch, number = divmod(step, self._steps_an_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._epoch_order(np.random.default_rng((self._seed, epoch)))
        rng = np.random.default_rng((self._seed, epoch, number))
        return [(int(self._scenes[place]), int(rng.integers(len(VARIANTS)))) for place in self._order[number]]

    def _epoch_order(self, rng: np.random.Generator) -> np.ndarray:
        """(steps an epoch, batch) places in the list of scenes."""
        order = rng.permutation(len(self._scenes))[: self._steps_an_epoch * self._batch]
        bucket = self._batch * _BUCKET_BATCHES
        parts = [order[start : start + bucket] for start in range(0, len(order), bucket)]
        order = np.concatenate([part[np.argsort(self._lengths[part], kind="stable")] for part in parts])
        return rng.permutation(order.reshape(self._steps_an_epoch, self._batch))


class _Validation:
    """Figures on scenes that are not trained on: losses with and without a script, and what is read from motion."""

    def __init__(
        self, corpus: EncodedCorpus, words: Words, config: LanguageConfig, level_weights: Sequence[float]
    ) -> None:
        by_kind: dict[str, list[int]] = {}
        for scene in corpus.of_split("validation"):
            by_kind.setdefault(corpus.example(scene).kind, []).append(scene)
        most = -(-_VALIDATION_SCENES // max(1, len(by_kind)))
        self._examples = [corpus.example(scene) for scenes in by_kind.values() for scene in scenes[:most]]
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
        return {name: float(value) for name, value in language_losses(model, batch, self._level_weights).items()}

    def _captions_right(self, model: MotionLanguageModel) -> float:
        generator = torch.Generator().manual_seed(0)
        right = 0
        for example in self._examples:
            block = MotionBlock(example.codes, np.zeros(len(self._config.slots), np.int64))
            opening = row(DESCRIBE, [block], example.scales)
            ids = list(decode.words(model, opening, Sampling(temperature=0), generator, lambda: False, longest=20))
            right += caption_kind(self._words.decode(ids)) == example.kind
        return right / len(self._examples)
