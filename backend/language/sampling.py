"""Drawing one class from logits: guidance, temperature, top-k and top-p."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class Sampling:
    """How freely the model draws.

    Attributes:
        temperature: flattens (> 1) or sharpens (< 1) the distribution; 0 takes the most likely class.
        cooling: what the temperature is multiplied by from one residual level to the next finer one. Coarse levels
            decide what happens and when, and drawn too cold they wait for ever; fine ones are nearly noise, and drawn
            warm they shake.
        steadiness: what the temperature is divided by for the place: where a person is and faces follows from where
            they were, and drawn warm they sway and their feet slide.
        top_k: only this many of the most likely classes; 0 for all.
        top_p: only the most likely classes that together hold this share of the probability.
        guidance: how far to go from what the model expects without the prompt to what it expects with it; 1 for no
            guidance (classifier-free guidance, Ho and Salimans 2022, arXiv 2207.12598).
    """

    temperature: float = 1.0
    cooling: float = 1.0
    steadiness: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    guidance: float = 1.0

    def at_depth(self, depth: int, *, of_place: bool) -> Sampling:
        """How to draw the residual level, of the place or of the pose, that has ``depth`` coarser ones before it."""
        warmth = self.temperature / (self.steadiness if of_place else 1)
        return replace(self, temperature=warmth * self.cooling**depth)


def guided(logits: torch.Tensor, guidance: float, attempts: int) -> torch.Tensor:
    """Combine logits (2 n, K), of n attempts with the prompt and then without it, into (n, K); (n, K) stay as is."""
    if len(logits) == attempts:
        return logits
    told, untold = logits.split(attempts)
    return untold + guidance * (told - untold)


def draw(logits: torch.Tensor, sampling: Sampling, generator: torch.Generator) -> torch.Tensor:
    """Draw a class from each row of logits (n, K): (n,), on the CPU so that a seed means the same on every device."""
    logits = logits.float().cpu()
    if sampling.temperature <= 0:
        return logits.argmax(-1)
    ordered, classes = logits.sort(descending=True)
    if sampling.top_k:
        ordered = ordered[:, : sampling.top_k]
    shares = torch.softmax(ordered / sampling.temperature, -1)
    if sampling.top_p < 1:
        # A class stays if those before it do not yet hold the share; so the first one always stays.
        shares = torch.where(shares.cumsum(-1) - shares < sampling.top_p, shares, 0)
    return classes.gather(1, torch.multinomial(shares, 1, generator=generator))[:, 0]
