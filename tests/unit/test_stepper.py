"""Stepping with 8-bit weights says nearly what the transformer says, whatever the rows and however they are padded."""

import numpy as np
import pytest
import torch
from transformers.models.llama import LlamaConfig, LlamaModel

from backend.language.stepper import Int8Linear, LlamaStepper, LlamaSteps, can_step


def llama(key_heads: int) -> LlamaModel:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=1,
        bos_token_id=None,
        eos_token_id=None,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=key_heads,
    )
    return LlamaModel(config).eval()


@pytest.mark.parametrize("key_heads", [4, 2])
@torch.inference_mode()
def test_steps_say_what_the_whole_says(key_heads: int) -> None:
    model = llama(key_heads)
    rows = torch.randn(2, 230, 64, generator=torch.Generator().manual_seed(1))
    mask = torch.ones(2, 230, dtype=torch.long)
    mask[1, :5] = 0
    places = (mask.cumsum(1) - 1).clamp(min=0)
    whole = model(inputs_embeds=rows, attention_mask=mask, position_ids=places, use_cache=False).last_hidden_state
    stepper = LlamaStepper(LlamaSteps(model))
    ends = [9, 10, 11, 200, 230]  # beyond the room that is made at once
    parts = [stepper(rows[:, a:b], mask[:, :b]) for a, b in zip([0, *ends], ends, strict=False)]
    stepped = torch.cat(parts, 1)
    for row in range(2):
        seen = mask[row].bool()
        apart = (stepped[row, seen] - whole[row, seen]).norm(dim=-1) / whole[row, seen].norm(dim=-1)
        assert apart.max() < 0.1
        assert apart.mean() < 0.04


@torch.inference_mode()
def test_a_row_without_padding_needs_no_mask() -> None:
    model = llama(4)
    row = torch.randn(1, 12, 64, generator=torch.Generator().manual_seed(2))
    with_mask, without = (LlamaStepper(LlamaSteps(model)) for _ in range(2))
    for a, b in ((0, 7), (7, 8), (8, 12)):
        one = with_mask(row[:, a:b], torch.ones(1, b, dtype=torch.long))
        np.testing.assert_allclose(one.numpy(), without(row[:, a:b], None).numpy(), atol=1e-5)


def test_only_a_plain_llama_can_be_stepped() -> None:
    model = llama(4)
    assert can_step(model)
    assert not can_step(torch.nn.Linear(2, 2))
    setattr(model.layers[1].mlp, "down_proj", torch.nn.Linear(96, 64))  # noqa: B010  (a list of modules has no types)
    assert not can_step(model), "an adapter or a bias would be left out"


def test_a_matrix_of_8_bits_multiplies_as_the_true_one_does() -> None:
    generator = torch.Generator().manual_seed(3)
    weight, bias = torch.randn(40, 30, generator=generator), torch.randn(40, generator=generator)
    vectors = torch.randn(5, 2, 30, generator=generator)
    true = torch.nn.functional.linear(vectors, weight, bias)
    found = Int8Linear(weight, bias)(vectors)
    assert found.shape == true.shape
    assert (found - true).norm() < 0.02 * true.norm()
