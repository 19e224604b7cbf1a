"""Decoding while codes still arrive: a bounded look-ahead makes streamed and whole decoding agree."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from protocol.motion import Motion

from .config import STRIDE
from .model import MotionTokenizer

FPS = 30.0


class StreamingDecoder:
    """Turns codes into frames as soon as nothing that can still come may change them.

    A frame depends on ``config.look_ahead`` latent steps on either side; so many steps stay back until more arrive or
    ``finish`` is called.

    Args:
        tokenizer: the tokenizer that made the codes.
        offsets: (P, 22, 3) rest offsets of the persons, metres.
    """

    def __init__(self, tokenizer: MotionTokenizer, offsets: np.ndarray) -> None:
        self._tokenizer, self._offsets = tokenizer, offsets
        self._device = tokenizer.mean.device
        self._window = torch.empty(len(offsets), 0, tokenizer.config.levels, dtype=torch.long, device=self._device)
        self._done = 0  # steps at the start of the window that are decoded already and only lend context

    def push(self, codes: Tensor) -> Motion | None:
        """Take the next codes (P, n, D) of every person; returns the frames finished by them, if any."""
        self._window = torch.cat((self._window, codes.to(self._device)), 1)
        return self._emit(self._window.shape[1] - self._tokenizer.config.look_ahead)

    def finish(self) -> Motion | None:
        """No more codes come: returns the frames held back, if any."""
        return self._emit(self._window.shape[1])

    def _emit(self, ready: int) -> Motion | None:
        if ready <= self._done:
            return None
        offsets = torch.from_numpy(self._offsets).to(self._device)
        root, rotations = self._tokenizer.decode(self._window, offsets)
        frames = slice(self._done * STRIDE, ready * STRIDE)
        motion = Motion(
            FPS,
            root[:, frames].transpose(0, 1).cpu().numpy(),
            rotations[:, frames].transpose(0, 1).cpu().numpy(),
            self._offsets,
        )
        context = self._tokenizer.config.look_ahead
        self._window = self._window[:, max(0, ready - context) :]
        self._done = min(ready, context)
        return motion
