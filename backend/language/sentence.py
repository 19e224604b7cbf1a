"""Reads a sentence from its word vectors: what a caption shows.

A recurrent network: the mean of the word vectors, enough to tell what is done, cannot tell who does it, for "A pushes
B" and "B pushes A" have the same words.
"""

from __future__ import annotations

import torch
from torch import nn


class SentenceReader(nn.Module):
    """What a sentence says, as ``out`` numbers, from its word vectors.

    Args:
        word_width: features of a word vector.
        out: numbers to be read.
        width: features of the recurrent state.
        dropout: on what the network has read, in training.
    """

    def __init__(self, word_width: int, out: int, width: int = 128, dropout: float = 0.2) -> None:
        super().__init__()
        self.read = nn.GRU(word_width, width, batch_first=True, bidirectional=True)
        self.decide = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(2 * width + word_width, width), nn.SiLU(), nn.Linear(width, out)
        )

    def forward(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(N, W, word width) padded on the right and (N, W) bool to (N, out)."""
        weights = mask[..., None].to(vectors.dtype)
        lengths = mask.sum(1).clamp(min=1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        _, last = self.read(packed)  # (2, N, width): the last state of either direction
        mean = (vectors * weights).sum(1) / weights.sum(1).clamp(min=1)
        return self.decide(torch.cat((last[0], last[1], mean), -1))
