"""Teaches a model to read prompts into scripts, from prompts alone: without motion it takes but minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from rich.progress import track

from ..language.layout import padded_prompts
from ..language.losses import slot_surprise
from ..language.model import MotionLanguageModel
from ..language.slots import numbers
from ..language.words import Words
from .codes import Example
from .prompts import pair_prompt, person_prompt
from .run import step_seed


@dataclass(frozen=True)
class Reading:
    """How the reading of prompts is learned.

    Attributes:
        steps: optimizer steps.
        prompts: prompts a step.
        alone: share of prompts that tell what B alone does, as a prompt for a reaction may.
        word_dropout: share of a prompt's words left out, so that no single word is relied on.
        learning_rate: peak.
    """

    steps: int = 4000
    prompts: int = 64
    alone: float = 0.25
    word_dropout: float = 0.1
    learning_rate: float = 2e-3


def learn_to_read(
    model: MotionLanguageModel,
    any_example: Callable[[np.random.Generator], Example],
    words: Words,
    reading: Reading,
    seed: int,
) -> float:
    """Train the model's prompt reader and nothing else; returns the share of scripts read right in all told slots.

    Args:
        model: its ``prompt_reader`` is trained, in place; left in evaluation mode.
        any_example: draws a training example.
        words: the text tokenizer.
        reading: how.
        seed: of everything random.
    """
    torch.manual_seed(seed)
    model.train()
    device = model.markers.weight.device
    optimizer = torch.optim.AdamW(model.prompt_reader.parameters(), reading.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, reading.steps)
    right = []
    for step in track(range(reading.steps), "Learning to read prompts"):
        rng = np.random.default_rng(step_seed(seed, step))
        drawn = [draw_prompt(any_example(rng), model, words, reading, rng) for _ in range(reading.prompts)]
        ids, mask = padded_prompts([prompt for prompt, _ in drawn])
        scripts = torch.from_numpy(np.stack([script for _, script in drawn])).to(device)
        logits = model.prompt_logits(ids.to(device), mask.to(device))
        optimizer.zero_grad()
        slot_surprise(logits, scripts).backward()
        optimizer.step()
        schedule.step()
        read = torch.stack([slot.argmax(-1) for slot in logits], -1)
        right.append(float((read == scripts).all(-1).float().mean()))
    model.eval()
    return float(np.mean(right[-max(1, reading.steps // 10) :]))


def draw_prompt(
    example: Example, model: MotionLanguageModel, words: Words, reading: Reading, rng: np.random.Generator
) -> tuple[list[int], np.ndarray]:
    """Word ids of a random prompt that is true of an example, some left out, and the script (S,) that it tells."""
    if rng.random() < reading.alone:
        text, told = person_prompt(example.kind, example.script, "B", rng)
    else:
        text, told = pair_prompt(example.kind, example.script, rng)
    ids = [word for word in words.encode(text) if rng.random() >= reading.word_dropout]
    return ids, numbers(model.config.slots, example.script, told)
