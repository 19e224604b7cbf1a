"""What lies between the two: how far one person's hands are from the other's hands, head and chest.

Whether two hands are about to meet is a matter of centimetres between sums over two persons' codes. A small transformer
sees metres at best in those sums, so the gaps are worked out for it, from a linear reading of the latents, and told it
at every motion position: the way, the distance, and the distance once more on scales on which near is told from nearer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from protocol.skeleton import JOINT

HANDS = ("left_wrist", "right_wrist")
GOALS = (*HANDS, "head", "spine3")
"""What hands of the other reach for."""
READ_JOINTS = tuple(JOINT[name] for name in (*GOALS, "pelvis"))

_NEAR = (0.15, 0.5)
"""Metres on whose scale distances are told once more."""
_FAR = 4.0
_RIDGE = 1e-6
_WAYS = 2 * len(HANDS) * len(GOALS) + 1
_TOLD = _WAYS * (3 + 1 + len(_NEAR))


class Between(nn.Module):
    """Turns the latents of the two persons into what is added to the language model's input.

    Args:
        latent_width: of a latent.
        width: of an input vector.
    """

    reading: Tensor

    def __init__(self, latent_width: int, width: int) -> None:
        super().__init__()
        self.register_buffer("reading", torch.zeros(latent_width + 1, 3 * len(READ_JOINTS)))
        self.inner = nn.Linear(_TOLD, width)
        self.outer = nn.Linear(width, width)
        # At first nothing is told, so that a model that was trained without goes on as it was.
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    @torch.no_grad()
    def fit(self, latents: Tensor, joints: Tensor) -> None:
        """Learn the linear reading, by ridge regression.

        Args:
            latents: (M, C).
            joints: (M, 5, 3) where the `READ_JOINTS` are then, metres.
        """
        known = _extended(latents).double()
        ridge = _RIDGE * len(known) * torch.eye(known.shape[1], dtype=known.dtype)
        self.reading.copy_(torch.linalg.solve(known.T @ known + ridge, known.T @ joints.flatten(1).double()))

    def joints(self, latents: Tensor) -> Tensor:
        """Where the `READ_JOINTS` of latents (M, C) are, in the canonical frame: (M, 5, 3) metres."""
        return (_extended(latents) @ self.reading).unflatten(1, (-1, 3))

    def ways(self, latents: Tensor, before: Tensor) -> Tensor:
        """Ways between the person of latents (M, C) and the other one, of ``before`` (M, C): (M, 17, 3) metres.

        From one's own hands to the other's `GOALS`, from the other's hands to one's own, and from root to root.
        """
        own, other = self.joints(latents), self.joints(before)
        hands = len(HANDS)
        reaching = other[:, None, :-1] - own[:, :hands, None]
        reached = own[:, None, :-1] - other[:, :hands, None]
        return torch.cat((reaching.flatten(1, 2), reached.flatten(1, 2), other[:, -1:] - own[:, -1:]), 1)

    def forward(self, latents: Tensor, before: Tensor) -> Tensor:
        """Input vectors (M, width) of latents (M, C), after the latents (M, C) of the other person."""
        with torch.autocast(latents.device.type, enabled=False):
            ways = self.ways(latents.float(), before.float()).clamp(-_FAR, _FAR)
            far = ways.norm(dim=-1, keepdim=True)  # (M, 17, 1)
            near = torch.exp(-far / far.new_tensor(_NEAR))  # (M, 17, 2)
            told = torch.cat((ways, far, near), -1).flatten(1)
        return self.outer(nn.functional.silu(self.inner(told)))


def _extended(latents: Tensor) -> Tensor:
    return torch.cat((latents, torch.ones_like(latents[:, :1])), 1)
