"""Trains the reader of prompts, instructions and questions, from scripts and words about them: it sees no motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from protocol.errors import DuologueError

from ..corpus.dialogues.questions import SORTS
from ..corpus.scene import read_scenes
from ..language.losses import slot_surprise
from ..language.prompt_reader import CONFIG_FILE, PromptReader, fetch_encoder
from ..language.slots import numbers, slots_of
from . import processes
from .asking import Asking
from .changes import Changes
from .codes import VARIANTS, script_in
from .prompts import pair_prompt, person_prompt
from .recipe import read_recipe
from .run import Run, autocast, fit, pick_device, step_seed


@dataclass(frozen=True)
class ReaderRecipe:
    """How a reader is trained.

    Attributes:
        steps: optimizer steps.
        prompts: prompts a step.
        instructions: instructions a step.
        questions: questions a step.
        alone: share of prompts that tell what B alone does, as a prompt for a reaction may.
        hidden: share of a prompt's words that are hidden, so that no single word is relied on.
        tuned_layers: how many of the encoder's last layers are tuned; the others stay as they are.
        width: features of what is asked of the words.
        encoder_rate: peak learning rate of the encoder.
        learning_rate: peak learning rate of what reads the slots.
        warmup: steps to the peak.
        weight_decay: of AdamW.
        bfloat16: compute in bfloat16 on a CPU too: twice as fast where it has AVX512-BF16 or AMX, slower elsewhere.
        seed: of everything random.
    """

    steps: int
    prompts: int = 64
    instructions: int = 24
    questions: int = 16
    alone: float = 0.15
    hidden: float = 0.06
    tuned_layers: int = 6
    width: int = 128
    encoder_rate: float = 1.5e-4
    learning_rate: float = 2e-3
    warmup: int = 60
    weight_decay: float = 0.01
    bfloat16: bool = False
    seed: int = 0


_BATCHES_SORTED = 16
"""Batches whose prompts are sorted by length among themselves."""

Told = tuple[str, Mapping[str, Any]]
"""A kind of interaction and a script of it."""


def train_reader(corpus: Path, recipe: Path, out: Path, resume: bool, start: Path | None = None) -> None:
    """Train a reader by a recipe and write it into the run's folder.

    Args:
        corpus: folder of choreographed scenes, of which only ``scenes.jsonl`` is read.
        recipe: YAML file of a `ReaderRecipe`.
        out: the run's folder.
        resume: go on with the run that is there.
        start: folder of a reader that is trained further; None for a new one.

    Raises:
        DuologueError: ``corpus_missing``, ``encoder_missing``, ``run_unfinished`` if ``start`` holds no reader,
            ``recipe_invalid``, and what `Run` and `fit` raise.
    """
    settings = read_recipe(recipe, ReaderRecipe)
    run = Run(out, settings, resume)
    scripts = training_scripts(corpus)
    torch.manual_seed(settings.seed)
    reader = _new(out, scripts, settings.width) if start is None else _begun(start)
    fit_reader(run, settings, reader.to(pick_device()), scripts)
    if processes.is_main():
        reader.cpu().save(out)


def _new(out: Path, scripts: Sequence[Told], width: int) -> PromptReader:
    encoder, tokenizer = fetch_encoder(out / "encoder")
    return PromptReader(encoder, tokenizer, slots_of(script for _, script in scripts), SORTS, width)


def _begun(start: Path) -> PromptReader:
    if not (start / CONFIG_FILE).is_file():
        raise DuologueError(
            "run_unfinished", f"{start} holds no reader.", "Name a finished reader run, or a checkpoint."
        )
    return PromptReader.load(start).train()


def training_scripts(corpus: Path) -> list[Told]:
    """The scripts of a corpus's training scenes, in all four variants.

    Raises:
        DuologueError: ``corpus_missing`` if it has none.
    """
    scenes = [scene for scene in read_scenes(corpus) if scene.split == "train"]
    if not scenes:
        raise DuologueError("corpus_missing", "The corpus has no training scene.", "Make one with `duologue corpus`.")
    return [(scene.kind, script_in(scene, variant)) for scene in scenes for variant in range(len(VARIANTS))]


def fit_reader(run: Run, recipe: ReaderRecipe, reader: PromptReader, scripts: Sequence[Told]) -> None:
    """Train a reader, in place; it is left in evaluation mode."""
    device = pick_device()
    encoder = reader.encoder
    layers = encoder.encoder.layer
    frozen = [encoder.embeddings, *layers[: len(layers) - recipe.tuned_layers]]
    for module in frozen:
        module.requires_grad_(False)
    tuned = [parameter for parameter in encoder.parameters() if parameter.requires_grad]
    heads = (reader.prompts, reader.instructions, reader.questions)
    groups = [
        {"params": tuned, "lr": recipe.encoder_rate},
        {"params": [parameter for part in heads for parameter in part.parameters()], "lr": recipe.learning_rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)

    batches, changes, asking = _Batches(scripts, reader, recipe), Changes(scripts), Asking(scripts, recipe.seed)

    def states(ids: Tensor, mask: Tensor) -> Tensor:
        """What words mean, some of which are hidden."""
        ids = ids.masked_fill((torch.rand(ids.shape) < recipe.hidden) & mask, reader.mask_token)
        return reader.states(ids.to(device), mask.to(device))

    def losses(step: int) -> dict[str, Tensor]:
        ids, mask, wanted = batches.of(step)
        rng = np.random.default_rng(step_seed(recipe.seed, step))
        told, told_mask, before, asked = _instructions(changes, reader, recipe.instructions, rng)
        questions, sorts = zip(*(asking.draw(rng) for _ in range(recipe.questions)), strict=True)
        put, put_mask = reader.tokens(questions)
        with autocast(device, recipe.bfloat16):
            slots = reader.prompts(states(ids, mask), mask.to(device))
            changed = reader.instructions(states(told, told_mask), told_mask.to(device), before.to(device))
            heard = reader.questions(states(put, put_mask), put_mask.to(device))
        return {
            "slots": slot_surprise(slots, wanted.to(device)),
            "changes": slot_surprise(changed, asked.to(device)),
            "questions": slot_surprise(heard, torch.tensor(sorts, device=device)[:, None]),
        }

    fit(run, reader, optimizer, losses, cycles=[recipe.steps], warmup=recipe.warmup, seed=recipe.seed)
    reader.eval()


def _instructions(changes: Changes, reader: PromptReader, count: int, rng: np.random.Generator) -> tuple[Tensor, ...]:
    """Ids (N, W) of instructions, their mask, the scripts (N, S) that they are about, and what they ask for (N, S)."""
    drawn = [changes.draw(rng) for _ in range(count)]
    before = np.stack([numbers(reader.slots, script) for _, script, _, _ in drawn])
    asked = np.stack([numbers(reader.slots, script, told) for _, _, script, told in drawn])
    return *reader.tokens([text for text, _, _, _ in drawn]), torch.from_numpy(before), torch.from_numpy(asked)


class _Batches:
    """Prompts of like length together: padded to the longest of any, most of what is computed would be padding."""

    def __init__(self, scripts: Sequence[Told], reader: PromptReader, recipe: ReaderRecipe) -> None:
        self._scripts, self._reader, self._recipe = scripts, reader, recipe
        self._group, self._batches = -1, []

    def of(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Ids (N, W), their mask, and the scripts (N, S) that they tell."""
        group, number = divmod(step, _BATCHES_SORTED)
        if group != self._group:
            self._group, self._batches = group, self._drawn(group)
        return self._batches[number]

    def _drawn(self, group: int) -> list[tuple[Tensor, Tensor, Tensor]]:
        rng = np.random.default_rng(step_seed(self._recipe.seed, group))
        size = self._recipe.prompts
        drawn = [
            draw_prompt(self._scripts, self._reader, self._recipe.alone, rng) for _ in range(size * _BATCHES_SORTED)
        ]
        drawn.sort(key=lambda item: len(item[0]))
        batches = []
        for start in rng.permutation(range(0, len(drawn), size)):
            prompts, scripts = zip(*drawn[start : start + size], strict=True)
            batches.append((*self._reader.tokens(prompts), torch.from_numpy(np.stack(scripts))))
        return batches


def draw_prompt(
    scripts: Sequence[Told], reader: PromptReader, alone: float, rng: np.random.Generator
) -> tuple[str, np.ndarray]:
    """A random prompt that is true of a script, and the numbers (S,) of what it tells."""
    kind, script = scripts[int(rng.integers(len(scripts)))]
    lone = rng.random() < alone
    prompt, told = person_prompt(kind, script, "B", rng) if lone else pair_prompt(kind, script, rng)
    return prompt, numbers(reader.slots, script, told)
