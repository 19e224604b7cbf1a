"""Leads a person who is being drawn, code by code, to where they are expected.

What is drawn at one residual level weighs by the likelihood of the expected places given the partial latent that it
makes, whose joints a linear reading tells (`backend.language.between`); the levels to come and that reading's errors
widen it. Those are the lookahead weights of twisted sampling (Whiteley and Lee 2014, arXiv 1209.4206).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from protocol.skeleton import JOINT

from .anticipation import Whereabouts
from .between import READ_JOINTS
from .model import MotionLanguageModel

Lean = Callable[[int, Tensor], Tensor]
"""Level and partial latents (n, C) before it to what is added to its logits, (n, K)."""

_READ_ERRORS = (0.10, 0.10, 0.047, 0.026, 0.011)
"""Metres, along each axis, by which the linear reading of each of the `READ_JOINTS` is off in held-out scenes."""
_HIPS = READ_JOINTS.index(JOINT["pelvis"])


class Leading:
    """The lean of every latent step.

    Args:
        model: whose codes are drawn.
        expected: where the person is expected, in the canonical frame of the motion.
    """

    def __init__(self, model: MotionLanguageModel, expected: Whereabouts) -> None:
        reading, device = model.between.reading, model.between.reading.device
        joints = len(READ_JOINTS)
        self._reading, self._start = reading[:-1], reading[-1]
        self._moves = model.code_vectors @ self._reading  # (D, K, 15): what a code adds to the joints
        means, spread = self._moves.mean(1), self._moves.unflatten(-1, (joints, 3)).var(1).mean(-1)  # (D, 15), (D, 5)
        self._to_come = means.flip(0).cumsum(0).flip(0) - means
        left = spread.flip(0).cumsum(0).flip(0) - spread
        self._left = left + torch.tensor(_READ_ERRORS, device=device).square()
        # The levels of the place decide where the hips are; where the rest is beside them is left to those of the pose.
        self._left[: model.config.place_levels, :_HIPS] = torch.inf
        self._places = torch.from_numpy(expected.places).to(device)
        self._variances = torch.from_numpy(expected.variances.astype(np.float32)).to(device)

    def at(self, step: int) -> Lean:
        """The lean of one latent step."""

        def lean(level: int, partial: Tensor) -> Tensor:
            before = partial @ self._reading + self._start + self._to_come[level]
            joints = (before[:, None] + self._moves[level]).unflatten(-1, (-1, 3))  # (n, K, 5, 3)
            off = (joints - self._places[step]).square().sum(-1)
            return -0.5 * (off / (self._variances[step] + self._left[level])).sum(-1)

        return lean
