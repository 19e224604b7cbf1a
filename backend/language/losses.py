"""What training lowers: the surprise at the next codes and the next words."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from .layout import MOTION, PADDING, WORD, Batch
from .model import MotionLanguageModel


def losses(model: MotionLanguageModel, batch: Batch, level_weights: Sequence[float]) -> dict[str, torch.Tensor]:
    """Mean cross-entropies over the learned positions of a batch, in nats.

    Args:
        model: the model, in training or evaluation mode.
        batch: rows padded on the right.
        level_weights: (D,) weight of each residual level in the mean.

    Returns:
        ``motion`` and ``text``; zero where a batch has none of them.
    """
    hidden = model.hidden(batch)[:, :-1]
    kind, learned = batch.kind[:, 1:], batch.learned[:, 1:]
    motion = learned & (kind == MOTION)
    text = learned & (kind != MOTION) & (kind != PADDING)

    codes = batch.targets[:, 1:][motion]
    logits = model.code_logits(hidden[motion], codes).float()
    surprise = functional.cross_entropy(logits.flatten(0, 1), codes.flatten(), reduction="none").view(codes.shape)
    weights = surprise.new_tensor(level_weights)
    return {
        "motion": (surprise @ weights).sum() / (weights.sum() * max(1, len(codes))),
        "text": _text_loss(model, hidden[text], batch.symbol[:, 1:][text], kind[text]),
    }


def _text_loss(
    model: MotionLanguageModel, hidden: torch.Tensor, symbols: torch.Tensor, kind: torch.Tensor
) -> torch.Tensor:
    if not len(symbols):
        return hidden.sum() * 0
    end = len(model.config.spoken)
    targets = torch.where(kind == WORD, model.spoken_index[symbols], end)
    return functional.cross_entropy(model.text_logits(hidden).float(), targets)
