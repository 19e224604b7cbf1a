"""What lies between the two: where one person's hands, feet and head are, as the other sees them.

Codes tell each person's pose in their own frame, so that a gesture is the same whichever way it faces. That one hand
is about to meet another is a product of two headings with two poses, which attention cannot form from sums; here it is
formed for it, from a linear reading of the latents.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from protocol.skeleton import JOINT

from ..tokenizer.local import HEIGHT, JOINTS, PLACE, turned, unit

_WRISTS = (JOINT["left_wrist"], JOINT["right_wrist"])
_SEEN = (JOINT["pelvis"], *_WRISTS, JOINT["head"], JOINT["left_foot"], JOINT["right_foot"])
_READ = PLACE.stop + 3 * len(_SEEN)
_OWN = slice(1, 4)
"""Among the joints seen, a person's own that hands reach for: both wrists and the head."""
_RIDGE = 1e-6
_MADE = 2 + 3 * len(_SEEN) + 3 * len(_WRISTS) * (_OWN.stop - _OWN.start)


class Between(nn.Module):
    """Turns the latents of the two persons into what is added to the language model's input.

    Args:
        latent_width: of a latent.
        width: of an input vector.
    """

    reading: Tensor

    def __init__(self, latent_width: int, width: int) -> None:
        super().__init__()
        self.register_buffer("reading", torch.zeros(latent_width + 1, _READ))
        self.inner = nn.Linear(_MADE, width)
        self.outer = nn.Linear(width, width)

    @torch.no_grad()
    def fit(self, latents: Tensor, local: Tensor) -> None:
        """Learn the linear reading, by ridge regression.

        Args:
            latents: (M, C).
            local: (M, 270) the local features that they tell.
        """
        root = nn.functional.pad(local[:, HEIGHT], (1, 1))
        joints = torch.cat((root, local[:, JOINTS]), 1).unflatten(1, (-1, 3))
        told = torch.cat((local[:, PLACE], joints[:, list(_SEEN)].flatten(1)), 1)
        known = _extended(latents).double()
        ridge = _RIDGE * len(known) * torch.eye(known.shape[1], dtype=known.dtype)
        self.reading.copy_(torch.linalg.solve(known.T @ known + ridge, known.T @ told.double()))

    def joints(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of latents (M, C): the place (M, 2) and heading (M, 2), and joints (M, 6, 3) in the person's own frame."""
        told = _extended(latents) @ self.reading
        return told[:, :2], unit(told[:, 2 : PLACE.stop]), told[:, PLACE.stop :].unflatten(1, (-1, 3))

    def seen(self, latents: Tensor, before: Tensor) -> Tensor:
        """What the person of ``before`` (M, C) sees of the one of ``latents`` (M, C): (M, 38), metres."""
        place, heading, joints = self.joints(latents)
        eye, gaze, own = self.joints(before)
        back = gaze * gaze.new_tensor([-1.0, 1.0])
        away = torch.stack((place[:, 0] - eye[:, 0], torch.zeros_like(place[:, 0]), place[:, 1] - eye[:, 1]), -1)
        there = turned(turned(joints, heading) + away[:, None], back)
        reach = there[:, 1:3, None] - own[:, None, _OWN]
        facing = torch.stack(
            (
                heading[:, 0] * gaze[:, 1] - heading[:, 1] * gaze[:, 0],
                heading[:, 1] * gaze[:, 1] + heading[:, 0] * gaze[:, 0],
            ),
            -1,
        )
        return torch.cat((facing, there.flatten(1), reach.flatten(1)), 1)

    def forward(self, latents: Tensor, before: Tensor) -> Tensor:
        """Input vectors (M, width) of latents (M, C), seen from the latents (M, C) of the other person just before."""
        with torch.autocast(latents.device.type, enabled=False):
            seen = self.seen(latents.float(), before.float()).clamp(-4, 4)
        return self.outer(nn.functional.silu(self.inner(seen)))


def _extended(latents: Tensor) -> Tensor:
    return torch.cat((latents, torch.ones_like(latents[:, :1])), 1)
