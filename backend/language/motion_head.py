"""Reads the D residual codes of a motion position from one hidden state.

Each level sees the hidden state and the partial latent, the sum of the code vectors of the levels before it, as the
residual decoders of MoMask (arXiv 2312.00063) and RQ-Transformer (arXiv 2203.01941) do, without a transformer of its
own: one hidden layer for each level is enough to follow a residual, and costs a fifth of a depth transformer here.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from .config import LanguageConfig
from .stepper import Int8Linear


class MotionHead(nn.Module):
    """Logits over the K codes of each of the D levels."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        levels, inner = config.levels, config.head_width
        self.from_hidden = nn.Linear(config.width, levels * inner)
        self.from_latent = nn.Parameter(torch.randn(levels, config.latent_width, inner) * config.latent_width**-0.5)
        self.to_codes = nn.Parameter(torch.randn(levels, inner, config.codes) * 0.5 * inner**-0.5)
        self.bias = nn.Parameter(torch.zeros(levels, config.codes))
        self.dropout = nn.Dropout(config.dropout)
        self.levels, self.inner = levels, inner
        self._fast: Int8Linear | None = None

    def hasten(self) -> None:
        """Let `begin` round weights to 8 bits from now on."""
        self._fast = Int8Linear(self.from_hidden.weight, self.from_hidden.bias)

    def begin(self, hidden: torch.Tensor) -> torch.Tensor:
        """What all levels need of the hidden states (..., width): (..., D, inner)."""
        read = self.from_hidden if self._fast is None else self._fast
        return read(hidden).unflatten(-1, (self.levels, self.inner))

    def level(self, begun: torch.Tensor, level: int, partial: torch.Tensor) -> torch.Tensor:
        """Logits (..., K) of one level, given `begin`'s result and the partial latent (..., latent width) before it."""
        inner = functional.silu(begun[..., level, :] + partial @ self.from_latent[level])
        return inner @ self.to_codes[level] + self.bias[level]

    def forward(self, hidden: torch.Tensor, partials: torch.Tensor) -> torch.Tensor:
        """All levels at once.

        Args:
            hidden: (M, width) hidden states.
            partials: (M, D, latent width): for each level the sum of the true code vectors before it.

        Returns:
            (M, D, K) logits.
        """
        inner = self.begin(hidden) + torch.einsum("mdl,dli->mdi", partials, self.from_latent)
        inner = self.dropout(functional.silu(inner))
        return torch.einsum("mdi,dik->mdk", inner, self.to_codes) + self.bias
