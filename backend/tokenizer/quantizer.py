"""A residual quantizer with one codebook for all levels, learned by moving averages.

Residual quantization after Lee et al. 2022 (RQ-VAE, arXiv 2203.01941); codebook by exponential moving averages after
van den Oord et al. 2017 (arXiv 1711.00937, appendix A.1); quantizer dropout after Zeghidour et al. 2021 (SoundStream,
arXiv 2107.03312). The residual shrinks from level to level; so that the levels can share one codebook, each has a gain:
level ``d`` adds ``gain[d] * codebook[code]``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

_DECAY = 0.99
_GAIN_DECAY = 0.999
_DEAD_SHARE = 0.03
_KMEANS_ROUNDS = 8


@dataclass(frozen=True)
class Quantized:
    """What quantizing latents (..., C) gives.

    Attributes:
        latents: (..., C) the sum of the code vectors, with the gradient passed straight through to the input.
        codes: (..., D) int64.
        commitment: scalar: mean squared distance of the input to its quantized value.
    """

    latents: Tensor
    codes: Tensor
    commitment: Tensor


class ResidualQuantizer(nn.Module):
    """Codes vectors as a sum of ``levels`` entries of one codebook.

    Args:
        codes: entries K of the codebook.
        levels: residual levels D.
        width: width C of a code vector.
        dropout: share of training sequences of which a random number of the last levels is left out.
    """

    codebook: Tensor
    gains: Tensor
    sizes: Tensor
    sums: Tensor

    def __init__(self, codes: int, levels: int, width: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.levels, self.dropout = levels, dropout
        self.register_buffer("codebook", torch.randn(codes, width))
        self.register_buffer("gains", 0.7 ** torch.arange(levels, dtype=torch.float32))
        self.register_buffer("sizes", torch.ones(codes))
        self.register_buffer("sums", self.codebook.clone())

    def lookup(self, codes: Tensor) -> Tensor:
        """Sum of the code vectors (..., C) of the first d levels' codes (..., d), d <= D."""
        depth = codes.shape[-1]
        return (functional.embedding(codes, self.codebook) * self.gains[:depth, None]).sum(-2)

    @torch.no_grad()
    def encode(self, latents: Tensor) -> Tensor:
        """Codes (..., D) of latents (..., C), each level the nearest to what the levels before left over."""
        codes = self._quantize(latents.reshape(-1, latents.shape[-1]))[1]
        return codes.T.reshape(*latents.shape[:-1], self.levels)

    def forward(self, latents: Tensor) -> Quantized:
        """Quantize latents (N, L, C); in training, learn the codebook from them too."""
        flat = latents.detach().reshape(-1, latents.shape[-1])
        residuals, codes, parts = self._quantize(flat)
        if self.training:
            self._learn(residuals, codes)
        parts = parts.view(self.levels, *latents.shape)
        if self.training and self.dropout > 0:
            parts = parts * self._kept_levels(latents.shape[0], latents.device)[..., None, None]
        quantized = parts.sum(0)
        commitment = functional.mse_loss(latents, quantized)
        codes = codes.T.reshape(*latents.shape[:-1], self.levels)
        return Quantized(latents + (quantized - latents).detach(), codes, commitment)

    @torch.no_grad()
    def fit(self, samples: Tensor) -> None:
        """Start the codebook and gains from latents (M, C) by k-means over the residuals of all levels.

        Without it the first level collapses onto a few codes.
        """
        pool = samples / _rms(samples)
        for _ in range(_KMEANS_ROUNDS):
            self.codebook.copy_(pool[torch.randint(len(pool), (len(self.codebook),), device=pool.device)])
            for _ in range(_KMEANS_ROUNDS):
                sums, sizes = self._totals(pool, self._nearest(pool))
                used = sizes > 0
                self.codebook[used] = sums[used] / sizes[used, None]
            residual, left = samples, []
            for level in range(self.levels):
                self.gains[level] = _rms(residual)
                left.append(residual / self.gains[level])
                residual = residual - self.gains[level] * self.codebook[self._nearest(left[-1])]
            pool = torch.cat(left)
        self.sizes.copy_(torch.full_like(self.sizes, len(pool) / len(self.codebook)))
        self.sums.copy_(self.codebook * self.sizes[:, None])

    def _nearest(self, vectors: Tensor) -> Tensor:
        return (vectors @ self.codebook.T - self.codebook.square().sum(-1) / 2).argmax(-1)

    def _quantize(self, flat: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gain-free residuals (D, M, C), codes (D, M) and the vectors they add (D, M, C) of ``flat`` (M, C)."""
        residual, residuals, codes, parts = flat, [], [], []
        for gain in self.gains:
            residuals.append(residual / gain)
            codes.append(self._nearest(residuals[-1]))
            parts.append(gain * self.codebook[codes[-1]])
            residual = residual - parts[-1]
        return torch.stack(residuals), torch.stack(codes), torch.stack(parts)

    def _totals(self, vectors: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        sums = torch.zeros_like(self.codebook).index_add_(0, codes, vectors)
        return sums, torch.bincount(codes, minlength=len(self.codebook)).to(vectors.dtype)

    @torch.no_grad()
    def _learn(self, residuals: Tensor, codes: Tensor) -> None:
        vectors = residuals.flatten(0, 1)
        sums, sizes = self._totals(vectors, codes.flatten())
        self.sums.lerp_(sums, 1 - _DECAY)
        self.sizes.lerp_(sizes, 1 - _DECAY)
        dead = self.sizes < _DEAD_SHARE * self.sizes.mean()
        self.codebook.copy_(self.sums / self.sizes.clamp(min=1e-5)[:, None])
        revived = vectors[torch.randint(len(vectors), (int(dead.sum()),), device=vectors.device)]
        self.codebook[dead] = revived
        self.sums[dead] = revived
        self.sizes[dead] = 1.0
        self.gains.mul_(residuals.square().mean((1, 2)).sqrt().clamp(min=1e-3) ** (1 - _GAIN_DECAY))

    def _kept_levels(self, sequences: int, device: torch.device) -> Tensor:
        """1 where a level (D, N) of a sequence is kept, else 0; the first level always is."""
        kept = torch.randint(1, self.levels + 1, (sequences,), device=device)
        kept = torch.where(torch.rand(sequences, device=device) < self.dropout, kept, self.levels)
        return (torch.arange(self.levels, device=device)[:, None] < kept).float()


def _rms(vectors: Tensor) -> Tensor:
    return vectors.square().mean().sqrt().clamp(min=1e-6)
