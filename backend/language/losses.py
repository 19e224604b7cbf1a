"""What training lowers: the surprise at the next codes and the next words."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from ..tasks import Marker
from .layout import MARKER, MOTION, PADDING, UNREAD, WORD, Batch
from .model import MotionLanguageModel


def losses(model: MotionLanguageModel, batch: Batch, level_weights: Sequence[float]) -> dict[str, torch.Tensor]:
    """Mean cross-entropies over the learned positions of a batch, in nats.

    Args:
        model: the model, in training or evaluation mode.
        batch: rows padded on the right.
        level_weights: (D,) weight of each residual level in the mean.

    Returns:
        ``motion``, ``text``, and ``script`` (read from motions, summed over the slots); zero where a batch has none.
    """
    states = model.hidden(batch)
    hidden = states[:, :-1]
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
        "script": _script_loss(model, states, batch),
    }


def slot_surprise(logits: Sequence[torch.Tensor], scripts: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the slots of scripts (M, S), in nats, summed over the slots, mean over the scripts."""
    each = [functional.cross_entropy(slot.float(), true) for slot, true in zip(logits, scripts.unbind(-1), strict=True)]
    return torch.stack(each).sum()


def _script_loss(model: MotionLanguageModel, states: torch.Tensor, batch: Batch) -> torch.Tensor:
    ends = ((batch.kind == MARKER) & (batch.symbol == Marker.END_MOTION)).nonzero(as_tuple=True)
    scripts = batch.read[ends[0], batch.block[ends]]
    wanted = scripts[:, 0] != UNREAD
    if not wanted.any():
        return states.sum() * 0
    return slot_surprise(model.motion_logits(states[ends][wanted]), scripts[wanted])


def _text_loss(
    model: MotionLanguageModel, hidden: torch.Tensor, symbols: torch.Tensor, kind: torch.Tensor
) -> torch.Tensor:
    if not len(symbols):
        return hidden.sum() * 0
    end = len(model.config.spoken)
    targets = torch.where(kind == WORD, model.spoken_index[symbols], end)
    return functional.cross_entropy(model.text_logits(hidden).float(), targets)
