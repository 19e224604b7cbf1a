"""Trains the baseline with flattened codes on the corpus and by the recipe of the product's language model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlamaForCausalLM

from ..evaluate.flattened import FlattenedConfig, entries_of, flattened_llama
from ..tokenizer.model import MotionTokenizer
from . import processes
from .codes import CACHE_FILE, STEPS_MAX, VARIANTS, EncodedCorpus, Example, encoded_corpus
from .language import LanguageRecipe
from .recipe import read_recipe
from .run import Run, autocast, fit, pick_device, step_seed
from .validation import validation_examples

_UNTOLD = 0.3
"""Share of a script's entries that a sample leaves open; its kind is always told."""
_IGNORED = -100


@dataclass(frozen=True)
class FlattenedRecipe:
    """The recipe of the product's language model, and for how many steps it is followed.

    Attributes:
        language: sizes, rates and weights are taken from it.
        steps: batches to train on.
    """

    language: LanguageRecipe
    steps: int


def train_flattened(corpus: Path, tokenizer: Path, recipe: Path, steps: int, out: Path, resume: bool) -> None:
    """Train the baseline and write it, as Hugging Face has them, into the run's folder.

    Args:
        corpus: folder of choreographed scenes.
        tokenizer: folder of the trained motion tokenizer.
        recipe: YAML file of the `LanguageRecipe` that it is compared with.
        steps: batches to train on.
        out: the run's folder.
        resume: go on with the run that is there.

    Raises:
        DuologueError: what `Run`, `fit`, `read_recipe` and `encoded_corpus` raise.
    """
    settings = FlattenedRecipe(read_recipe(recipe, LanguageRecipe), steps)
    motion_tokenizer = MotionTokenizer.load(tokenizer)
    run = Run(out, settings, resume)
    with processes.main_first():
        encoded = encoded_corpus(corpus, tokenizer, out / CACHE_FILE)
    model, config = fit_flattened(run, settings, encoded, motion_tokenizer)
    if processes.is_main():
        model.save_pretrained(out)
        config.save(out)


def fit_flattened(
    run: Run, recipe: FlattenedRecipe, corpus: EncodedCorpus, tokenizer: MotionTokenizer
) -> tuple[LlamaForCausalLM, FlattenedConfig]:
    """Train on an encoded corpus; returns the model on the CPU, and its vocabulary."""
    device, settings = pick_device(), recipe.language.stepping
    torch.manual_seed(settings.seed)
    scenes = corpus.of_split("train")
    scripts = (corpus.script(scene, variant) for scene in scenes for variant in range(len(VARIANTS)))
    told = {entry for script in scripts for entry in entries_of(script)}
    config = FlattenedConfig(tokenizer.config.codes, tokenizer.config.levels, STEPS_MAX, tuple(sorted(told)))
    model = flattened_llama(recipe.language.model, config.vocabulary)
    model.to(device)  # type: ignore[arg-type]
    weights = torch.tensor(settings.level_weights, device=device)

    def losses(batch: int) -> dict[str, Tensor]:
        rng = np.random.default_rng(step_seed(settings.seed, batch))
        drawn = rng.choice(scenes, min(settings.batch, len(scenes)), replace=False)
        examples = [corpus.example(int(scene), int(rng.integers(len(VARIANTS)))) for scene in drawn]
        ids, labels = (part.to(device) for part in batched(config, examples, rng))
        with autocast(device):
            logits = model(input_ids=ids, use_cache=False).logits
        return {"motion": code_loss(logits[:, :-1].float(), labels[:, 1:], weights, config)}

    optimizer = torch.optim.AdamW(
        model.parameters(), settings.learning_rate, betas=(0.9, 0.98), weight_decay=settings.weight_decay
    )
    fit(run, model, optimizer, losses, cycles=[recipe.steps], warmup=settings.warmup, seed=settings.seed)
    model = model.cpu().eval()
    if examples := validation_examples(corpus):
        run.log(recipe.steps, validation_motion=surprise(model, config, examples, weights.cpu()))
    return model, config


@torch.no_grad()
def surprise(model: LlamaForCausalLM, config: FlattenedConfig, examples: list[Example], weights: Tensor) -> float:
    """Mean surprise at the codes of examples whose scripts are told whole, each level with its weight (D,): nats."""
    found = []
    for example in examples:
        opening = config.opening({"kind": example.kind, **example.script}, example.codes.shape[1], example.scales)
        ids = torch.tensor([[*opening, *config.flattened(example.codes)]])
        labels = ids.clone()
        labels[:, : len(opening)] = _IGNORED
        logits = model(input_ids=ids, use_cache=False).logits
        found.append(float(code_loss(logits[:, :-1], labels[:, 1:], weights, config)))
    return float(np.average(found, weights=[example.codes.shape[1] for example in examples]))


def batched(config: FlattenedConfig, examples: list[Example], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Tokens (N, n) of examples, padded on the right, and the codes among them (N, n), all else being ignored."""
    rows = []
    for example in examples:
        script = {name: value for name, value in example.script.items() if name == "kind" or rng.random() >= _UNTOLD}
        opening = config.opening({"kind": example.kind, **script}, example.codes.shape[1], example.scales)
        rows.append((opening, config.flattened(example.codes)))
    longest = max(len(opening) + len(codes) for opening, codes in rows)
    ids, labels = torch.zeros(len(rows), longest, dtype=torch.long), torch.full((len(rows), longest), _IGNORED)
    for number, (opening, codes) in enumerate(rows):
        whole = torch.tensor([*opening, *codes])
        ids[number, : len(whole)] = whole
        labels[number, len(opening) : len(whole)] = whole[len(opening) :]
    return ids, labels


def code_loss(logits: Tensor, labels: Tensor, weights: Tensor, config: FlattenedConfig) -> Tensor:
    """Mean surprise at the codes, in nats, each level with its weight.

    Args:
        logits: (N, n, vocabulary).
        labels: (N, n), ignored where they are no code.
        weights: (D,) of the levels.
        config: the vocabulary.
    """
    learned = labels != _IGNORED
    surprise = functional.cross_entropy(logits[learned], labels[learned], reduction="none")
    shares = weights[labels[learned] // config.codes]
    return (surprise * shares).sum() / shares.sum()
