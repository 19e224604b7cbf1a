"""A Llama's steps on a CPU with as few operations and as small weights as they take.

So small a model spends more time between its operations than in them, and in them waits for its weights. Here the
projections of a layer that read the same vectors are one product, keys and values are written in place, and weights are
8-bit numbers with a scale for each row of them (as in LLM.int8, Dettmers et al. 2022, arXiv 2208.07339), which stay in
the processor's cache.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.llama import LlamaModel

_ROOM = 192
"""Positions for which room is made at once."""


class Int8Linear:
    """Multiplies vectors by a matrix of 8-bit weights; the vectors are rounded to 7 bits on the way, each by its size.

    Args:
        weight: (out, in) float32.
        bias: (out,) float32.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        weight = weight.detach()
        scales = weight.abs().amax(1).clamp(min=1e-12) / 127
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch means to move these operations to another package
            rounded = torch.quantize_per_channel(
                weight, scales, torch.zeros(len(scales), dtype=torch.long), 0, torch.qint8
            )
        self._packed = torch.ops.quantized.linear_prepack(rounded, None if bias is None else bias.detach())

    def __call__(self, vectors: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        # Eight bits would overflow the sums of processors without VNNI.
        return torch.ops.quantized.linear_dynamic(vectors, self._packed, reduce_range=True)


class _Layer(NamedTuple):
    """The weights of one block; the projections to queries, keys and values are one matrix, as are gate and up."""

    norm: Tensor
    heads: Int8Linear
    out: Int8Linear
    second_norm: Tensor
    gates: Int8Linear
    down: Int8Linear


class LlamaSteps:
    """The weights of a Llama, made ready for stepping.

    Args:
        transformer: for which `can_step` is true, in evaluation mode.
    """

    def __init__(self, transformer: LlamaModel) -> None:
        config = transformer.config
        self.heads = config.num_attention_heads
        self.key_heads = config.num_key_value_heads or self.heads
        self.width = config.hidden_size // self.heads
        self.eps = config.rms_norm_eps
        self.layers = [_layer(block) for block in transformer.layers]
        self.norm, self.rotary = transformer.norm.weight.detach(), transformer.rotary_emb


def can_step(transformer: nn.Module) -> bool:
    """Whether a transformer is a plain Llama on a CPU, neither quantized nor with an adapter beside its weights."""
    return (
        isinstance(transformer, LlamaModel)
        and transformer.norm.weight.device.type == "cpu"
        and hasattr(torch.ops.quantized, "linear_dynamic")
        and all(
            type(module) is nn.Linear and module.bias is None
            for layer in transformer.layers
            for module in layer.modules()
            if hasattr(module, "in_features")
        )
    )


class LlamaStepper:
    """Runs a Llama over some positions after the other and keeps their keys and values."""

    def __init__(self, steps: LlamaSteps) -> None:
        self._steps = steps
        self._turns: tuple[Tensor, Tensor] | None = None
        self._kept: list[tuple[Tensor, Tensor]] = []
        self._length = 0

    def __call__(self, vectors: Tensor, mask: Tensor | None) -> Tensor:
        """Hidden states (N, n, W) of further positions.

        Args:
            vectors: (N, n, W) input vectors.
            mask: (N, all positions so far) 0 for padding in front; None where there is none.
        """
        count = vectors.shape[1]
        start, end = self._length, self._length + count
        self._make_room(vectors, end)
        positions = torch.arange(start, end, device=vectors.device)[None]
        if mask is not None:
            positions = (mask.cumsum(1) - 1).clamp(min=0)[:, start:]
        assert self._turns is not None
        cosines, sines = (table[positions][:, :, None] for table in self._turns)  # (N or 1, n, 1, width of a head)
        allowed = _allowed(positions.device, start, end, mask)
        for layer, kept in zip(self._steps.layers, self._kept, strict=True):
            vectors = self._block(layer, kept, vectors, cosines, sines, allowed, start, end)
        self._length = end
        return functional.rms_norm(vectors, self._steps.norm.shape, self._steps.norm, self._steps.eps)

    def _block(
        self,
        layer: _Layer,
        kept: tuple[Tensor, Tensor],
        vectors: Tensor,
        cosines: Tensor,
        sines: Tensor,
        allowed: Tensor | None,
        start: int,
        end: int,
    ) -> Tensor:
        steps = self._steps
        normal = functional.rms_norm(vectors, layer.norm.shape, layer.norm, steps.eps)
        found = layer.heads(normal).unflatten(-1, (-1, steps.width))  # (N, n, heads + 2 key heads, width of a head)
        turning = found[:, :, : steps.heads + steps.key_heads]
        first, second = turning.chunk(2, -1)
        turned = turning * cosines + torch.cat((-second, first), -1) * sines
        keys, values = kept
        keys[:, :, start:end] = turned[:, :, steps.heads :].transpose(1, 2)
        values[:, :, start:end] = found[:, :, steps.heads + steps.key_heads :].transpose(1, 2)
        queries = turned[:, :, : steps.heads].transpose(1, 2)
        known, said = keys[:, :, :end], values[:, :, :end]
        if steps.key_heads != steps.heads:
            known, said = (part.repeat_interleave(steps.heads // steps.key_heads, 1) for part in (known, said))
        scores = queries @ known.mT * steps.width**-0.5
        if allowed is not None:
            scores = scores.masked_fill(~allowed, -torch.inf)
        heard = (scores.softmax(-1) @ said).transpose(1, 2).flatten(2)
        vectors = vectors + layer.out(heard)
        normal = functional.rms_norm(vectors, layer.second_norm.shape, layer.second_norm, steps.eps)
        gate, up = layer.gates(normal).chunk(2, -1)
        return vectors + layer.down(functional.silu(gate) * up)

    def _make_room(self, vectors: Tensor, end: int) -> None:
        room = self._kept[0][0].shape[2] if self._kept else 0
        if end <= room:
            return
        more = -(-(end - room) // _ROOM) * _ROOM
        shape = (len(vectors), self._steps.key_heads, more, self._steps.width)
        fresh = [tuple(vectors.new_zeros(shape) for _ in range(2)) for _ in self._steps.layers]
        self._kept = [
            (torch.cat((old[0], new[0]), 2), torch.cat((old[1], new[1]), 2)) if room else (new[0], new[1])
            for old, new in zip(self._kept or fresh, fresh, strict=True)
        ]
        cosines, sines = self._steps.rotary(vectors, torch.arange(room + more, device=vectors.device)[None])
        self._turns = cosines[0], sines[0]


def _layer(block: Any) -> _Layer:
    attention, forward = block.self_attn, block.mlp
    heads = torch.cat([getattr(attention, f"{name}_proj").weight for name in "qkv"])
    gates = torch.cat((forward.gate_proj.weight, forward.up_proj.weight))
    return _Layer(
        block.input_layernorm.weight.detach(),
        Int8Linear(heads),
        Int8Linear(attention.o_proj.weight),
        block.post_attention_layernorm.weight.detach(),
        Int8Linear(gates),
        Int8Linear(forward.down_proj.weight),
    )


def _allowed(device: torch.device, start: int, end: int, mask: Tensor | None) -> Tensor | None:
    """Which positions (N or 1, 1, n, all) each new position may look at; None where each may look at all."""
    if end - start == 1 and mask is None:
        return None
    at = torch.arange(end, device=device)
    before = at[None, :] <= at[start:, None]
    if mask is None:
        return before[None, None]
    # Padding looks at itself, lest its softmax be over nothing; nobody looks at padding.
    itself = at[None, :] == at[start:, None]
    return ((before & mask.bool()[:, None, :]) | itself)[:, None]
