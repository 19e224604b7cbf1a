"""Trains the reader of prompts and instructions, from scripts and words that are true of them: it sees no motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from protocol.errors import DuologueError

from ..corpus.scene import read_scenes
from ..language.losses import slot_surprise
from ..language.prompt_reader import PromptReader, fetch_encoder
from ..language.slots import numbers, slots_of
from . import processes
from .changes import Changes
from .codes import VARIANTS, script_in
from .prompts import pair_prompt, person_prompt
from .recipe import read_recipe
from .run import Run, autocast, fit, pick_device, step_seed


@dataclass(frozen=True)
class ReaderRecipe:
    """How a reader is trained.

    Attributes:
        steps: optimizer steps for prompts.
        instruction_steps: optimizer steps for instructions, after that, with the encoder as it is then.
        prompts: prompts a step.
        alone: share of prompts that tell what B alone does, as a prompt for a reaction may.
        hidden: share of a prompt's words that are hidden, so that no single word is relied on.
        tuned_layers: how many of the encoder's last layers are tuned; the others stay as they are.
        width: features of a slot's question.
        encoder_rate: peak learning rate of the encoder.
        learning_rate: peak learning rate of what reads the slots.
        warmup: steps to the peak.
        weight_decay: of AdamW.
        bfloat16: compute in bfloat16 on a CPU too: twice as fast where it has AVX512-BF16 or AMX, slower elsewhere.
        seed: of everything random.
    """

    steps: int
    instruction_steps: int = 1500
    prompts: int = 64
    alone: float = 0.15
    hidden: float = 0.06
    tuned_layers: int = 3
    width: int = 128
    encoder_rate: float = 2e-4
    learning_rate: float = 2e-3
    warmup: int = 60
    weight_decay: float = 0.01
    bfloat16: bool = False
    seed: int = 0


_NOISE = 0.2
"""Noise on what instructions' words mean, in shares of its spread, so that near words are read alike."""
_BATCHES_SORTED = 16
"""Batches whose prompts are sorted by length among themselves."""

Told = tuple[str, Mapping[str, Any]]
"""A kind of interaction and a script of it."""


def train_reader(corpus: Path, recipe: Path, out: Path, resume: bool) -> None:
    """Train a reader by a recipe and write it into the run's folder.

    Args:
        corpus: folder of choreographed scenes, of which only ``scenes.jsonl`` is read.
        recipe: YAML file of a `ReaderRecipe`.
        out: the run's folder.
        resume: go on with the run that is there.

    Raises:
        DuologueError: ``corpus_missing``, ``encoder_missing``, ``recipe_invalid``, and what `Run` and `fit` raise.
    """
    settings = read_recipe(recipe, ReaderRecipe)
    run = Run(out, settings, resume)
    encoder, tokenizer = fetch_encoder(out / "encoder")
    scripts = training_scripts(corpus)
    torch.manual_seed(settings.seed)
    reader = PromptReader(encoder, tokenizer, slots_of(script for _, script in scripts), settings.width)
    fit_reader(run, settings, reader.to(pick_device()), scripts)
    right = learn_instructions(reader, settings, scripts)
    run.log(settings.steps, instructions_read_right=right)
    if processes.is_main():
        reader.cpu().save(out)


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
    groups = [
        {"params": tuned, "lr": recipe.encoder_rate},
        {"params": list(reader.prompts.parameters()), "lr": recipe.learning_rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)

    batches = _Batches(scripts, reader, recipe)

    def losses(step: int) -> dict[str, Tensor]:
        ids, mask, wanted = batches.of(step)
        hidden = (torch.rand(ids.shape) < recipe.hidden) & mask
        ids = ids.masked_fill(hidden, reader.mask_token)
        with autocast(device, recipe.bfloat16):
            logits = reader(ids.to(device), mask.to(device))
        return {"slots": slot_surprise(logits, wanted.to(device))}

    fit(run, reader, optimizer, losses, cycles=[recipe.steps], warmup=recipe.warmup, seed=recipe.seed)
    reader.eval()


def learn_instructions(reader: PromptReader, recipe: ReaderRecipe, scripts: Sequence[Told]) -> float:
    """Train what reads instructions and nothing else; returns the share read right in the last tenth of the steps."""
    device = pick_device()
    changes = Changes(scripts)
    torch.manual_seed(recipe.seed)
    optimizer = torch.optim.AdamW(
        reader.instructions.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.instruction_steps)
    reader.eval()
    reader.instructions.train()
    right = []
    for step in track(range(recipe.instruction_steps), "Learning to read instructions"):
        rng = np.random.default_rng(step_seed(recipe.seed, step))
        drawn = [changes.draw(rng) for _ in range(recipe.prompts)]
        ids, mask = reader.tokens([text for text, _, _, _ in drawn])
        before = np.stack([numbers(reader.slots, script) for _, script, _, _ in drawn])
        wanted = np.stack([numbers(reader.slots, script, told) for _, _, script, told in drawn])
        ids, mask, known, asked = (
            part.to(device) for part in (ids, mask, torch.from_numpy(before), torch.from_numpy(wanted))
        )
        with torch.no_grad(), autocast(device, recipe.bfloat16):
            states = reader.states(ids, mask).float()
        states = states + _NOISE * states.std() * torch.randn_like(states)
        logits = reader.instructions(states, mask, known)
        optimizer.zero_grad()
        slot_surprise(logits, asked).backward()
        optimizer.step()
        schedule.step()
        found = torch.stack([slot.argmax(-1) for slot in logits], -1)
        right.append(float((found == asked).all(-1).float().mean()))
    reader.eval()
    return float(np.mean(right[-max(1, recipe.instruction_steps // 10) :]))


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
