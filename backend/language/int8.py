"""Tables and matrices in a quarter of their size on disk: rows as int8, each with a scale."""

from __future__ import annotations

from collections.abc import Mapping

import torch

_SCALE = ".scale"
_SMALL = 4096
"""Tensors of fewer numbers stay as they are."""


def to_int8(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A state as it is stored: (N, M) floats as int8 with a ``.scale`` (N, 1) beside them; all else as it is.

    A number is off by at most half a 127th of the largest of its row.
    """
    stored: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        value = value.detach().cpu().float() if value.is_floating_point() else value.detach().cpu()
        if value.is_floating_point() and value.ndim == 2 and value.numel() >= _SMALL:
            scale = value.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
            stored[name], stored[name + _SCALE] = (value / scale).round().to(torch.int8), scale
        else:
            stored[name] = value.contiguous()
    return stored


def from_int8(stored: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What `to_int8` was given, as float32."""
    return {
        name: value.float() * stored[name + _SCALE] if name + _SCALE in stored else value
        for name, value in stored.items()
        if not name.endswith(_SCALE)
    }
