"""A motion as codes."""

from __future__ import annotations

import math

import numpy as np
import torch

from protocol.motion import Motion

from .features import body_scale, features
from .tokenizer.config import STRIDE
from .tokenizer.model import MotionTokenizer

SCALES = (0.6, 1.5)
"""The smallest and the largest body that the models know; others are taken for the nearest of these."""


def encoded(tokenizer: MotionTokenizer, motion: Motion) -> tuple[np.ndarray, list[float]]:
    """Codes (P, L, D) of a canonical motion at 30 fps, its last pose held until a latent step is full; body sizes."""
    device = tokenizer.mean.device
    steps = math.ceil(motion.frames / STRIDE)
    index = np.minimum(np.arange(steps * STRIDE), motion.frames - 1)
    held = torch.from_numpy(features(motion)[index].swapaxes(0, 1).copy()).to(device)  # (P, 4L, 268)
    scales = np.clip(body_scale(motion.offsets), *SCALES).astype(np.float32)
    codes = tokenizer.encode(held, torch.from_numpy(scales).to(device))
    return codes.cpu().numpy(), scales.tolist()
