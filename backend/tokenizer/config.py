"""The sizes of a motion tokenizer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

STRIDE = 4
"""Frames a latent step."""


@dataclass(frozen=True)
class TokenizerConfig:
    """Everything that determines a tokenizer's shapes.

    Attributes:
        codes: entries K of each codebook.
        levels: residual levels D, the codes of one latent step.
        place_levels: of these, the first ones, which code where the root is; the others code the pose.
        latent_width: width of a code vector.
        width: channels at the latent rate.
        frame_width: channels at the frame rate, where the decoder's last layers work.
        encoder_dilations: dilation of each residual block of the encoder, in latent steps.
        decoder_dilations: the same for the decoder; their sum sets the look-ahead of streaming.
        frame_blocks: residual blocks of the decoder at the frame rate.
        smoothing: half-width, in frames, of the filter that smooths the root's path.
    """

    codes: int = 512
    levels: int = 9
    place_levels: int = 3
    latent_width: int = 64
    width: int = 256
    frame_width: int = 128
    encoder_dilations: tuple[int, ...] = (1, 2, 1)
    decoder_dilations: tuple[int, ...] = (1, 1, 1)
    frame_blocks: int = 1
    smoothing: int = 2

    @property
    def stride(self) -> int:
        """Frames a latent step."""
        return STRIDE

    @property
    def look_ahead(self) -> int:
        """Latent steps on either side that a decoded frame depends on."""
        return sum(self.decoder_dilations) + math.ceil((self.frame_blocks + 1 + self.smoothing) / STRIDE)


def config_from_json(content: dict[str, Any]) -> TokenizerConfig:
    """The config that ``dataclasses.asdict`` and JSON made of one, whose tuples came back as lists."""
    sizes: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
    }
    return TokenizerConfig(**sizes)
