"""Teaches a model to read prompts into intents, from prompts alone: without motion it takes but minutes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from rich.progress import track
from torch.nn import functional

from ..language.layout import padded_prompts
from ..language.model import MotionLanguageModel
from ..language.words import Words
from .codes import Example
from .examples import Mixture, draw_prompt
from .run import step_seed

_ALONE_SHARE = 0.25
_LEARNING_RATE = 2e-3


def learn_intents(
    model: MotionLanguageModel,
    any_example: Callable[[np.random.Generator], Example],
    words: Words,
    mixture: Mixture,
    *,
    steps: int,
    prompts: int,
    seed: int,
) -> float:
    """Train the model's intent reader and nothing else; returns the share read right in the last tenth of the steps.

    Args:
        model: its ``intent_reader`` is trained, in place; left in evaluation mode.
        any_example: draws a training example.
        words: the text tokenizer.
        mixture: how prompts are worded and disturbed.
        steps: optimizer steps.
        prompts: prompts a step.
        seed: of everything random.
    """
    torch.manual_seed(seed)
    model.train()
    device = model.markers.weight.device
    optimizer = torch.optim.AdamW(model.intent_reader.parameters(), _LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    right = []
    for step in track(range(steps), "Learning to read prompts"):
        rng = np.random.default_rng(step_seed(seed, step))
        examples = [any_example(rng) for _ in range(prompts)]
        drawn = [draw_prompt(example, words, mixture, rng, rng.random() < _ALONE_SHARE) for example in examples]
        ids, mask = padded_prompts(drawn)
        targets = torch.tensor([model.config.intents.index(example.intent) for example in examples], device=device)
        logits = model.intent_logits(ids.to(device), mask.to(device))
        optimizer.zero_grad()
        functional.cross_entropy(logits, targets).backward()
        optimizer.step()
        schedule.step()
        right.append(float((logits.argmax(-1) == targets).float().mean()))
    model.eval()
    return float(np.mean(right[-max(1, steps // 10) :]))
