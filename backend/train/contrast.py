"""Teaches a prompt to matter: a motion must be likelier under its own prompt than under another one.

What the motion did so far tells nearly all of the next codes; a prompt decides only a few of thousands, and its share
of the cross-entropy is about a thousandth. The difference between two prompts for the same motion cancels all the rest.
It is the contrastive loss of van den Oord et al. 2018 (arXiv 1807.03748) with a single negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from ..corpus.choreographer.captions import swapped
from ..language.layout import MOTION, Batch, Row, row
from ..language.model import MotionLanguageModel
from ..language.words import Words
from ..tasks import GENERATE
from .codes import Example
from .wording import wording

_WRONG_PERSON_SHARE = 0.35


@dataclass(frozen=True)
class Contrast:
    """How a recipe contrasts prompts.

    Attributes:
        after: training step from which on it does; before, motions are not yet told apart at all.
        rows: motions a step.
        steps: latent steps of each motion that are looked at, from its beginning.
        weight: of the loss.
    """

    after: int = 0
    rows: int = 5
    steps: int = 30
    weight: float = 0.1


def contrast_rows(
    examples: Sequence[Example], words: Words, settings: Contrast, rng: np.random.Generator
) -> tuple[list[Row], list[Row]]:
    """Rows with a prompt that is true of each motion, and rows of the same motions with one that is not."""
    own, other = [], []
    for index, example in enumerate(examples[: settings.rows]):
        strangers = [stranger for stranger in examples if stranger.kind != example.kind]
        true = wording(example.kind, example.script, rng)
        if example.script["actor"] != "both" and (not strangers or rng.random() < _WRONG_PERSON_SHARE):
            false = wording(example.kind, swapped(example.script), rng)
        elif strangers:
            stranger = strangers[(index + int(rng.integers(len(strangers)))) % len(strangers)]
            false = wording(stranger.kind, stranger.script, rng)
        else:
            continue
        for rows, text in ((own, true), (other, false)):
            beginning = example.codes[:, : settings.steps]
            rows.append(row(GENERATE, words.encode(text), beginning, example.scales, example.codes.shape[1]))
    return own, other


def contrast_loss(model: MotionLanguageModel, batch: Batch, level_weights: Sequence[float]) -> torch.Tensor:
    """How far motions are from being likelier under their own prompt, in nats; 0.69 where prompts do not matter.

    Args:
        model: the model. It is read without dropout, whose noise would drown the difference, and left in training mode.
        batch: 2 N rows: N with their own prompts, then the same N motions with others.
        level_weights: (D,) weight of each residual level; fine levels hardly depend on words.
    """
    model.eval()
    hidden = model.hidden(batch)[:, :-1]
    motion = batch.learned[:, 1:] & (batch.kind[:, 1:] == MOTION)
    codes = batch.targets[:, 1:][motion]
    logits = model.code_logits(hidden[motion], codes).float()
    model.train()
    surprise = functional.cross_entropy(logits.flatten(0, 1), codes.flatten(), reduction="none").view(codes.shape)
    rows = motion.nonzero()[:, 0]
    totals = surprise.new_zeros(len(batch.kind)).index_add(
        0, rows, (surprise * surprise.new_tensor(level_weights)).sum(-1)
    )
    own, other = totals.chunk(2)
    return functional.softplus(own - other).mean()
