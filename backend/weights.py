"""Which of a model's weights are its own: all but the frozen ones, which a pretrained base brings anew every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn


def own_state(model: nn.Module) -> dict[str, Any]:
    """A model's state without its frozen parameters and without what quantization keeps beside them."""
    kept = _is_own(model)
    return {name: value for name, value in model.state_dict().items() if kept(name)}


def load_own_state(model: nn.Module, state: dict[str, Any]) -> None:
    """Load what `own_state` returned of a model built alike.

    Raises:
        RuntimeError: if an entry is unknown, lacking, or of another shape.
    """
    missing, unexpected = model.load_state_dict(state, strict=False)
    kept = _is_own(model)
    lacking = [name for name in missing if kept(name)]
    if lacking or unexpected:
        raise RuntimeError(f"weights do not fit: lacking {lacking[:3] or 'none'}, unknown {unexpected[:3] or 'none'}")


def _is_own(model: nn.Module) -> Callable[[str], bool]:
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    beside = tuple(f"{name}." for name in frozen)  # NF4 keeps scales as "x.weight.absmax" and the like
    return lambda name: name not in frozen and not name.startswith(beside)
