from itertools import pairwise

import pytest
import torch

from backend.tokenizer.quantizer import ResidualQuantizer


@pytest.fixture
def samples() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(2048, 8) * torch.linspace(0.2, 3, 8) + 1


@pytest.fixture
def fitted(samples: torch.Tensor) -> ResidualQuantizer:
    quantizer = ResidualQuantizer(codes=64, levels=4, width=8, dropout=0.0)
    quantizer.fit(samples)
    return quantizer.eval()


def test_every_level_brings_the_latents_closer(fitted: ResidualQuantizer, samples: torch.Tensor) -> None:
    codes = fitted.encode(samples)
    errors = [float((samples - fitted.lookup(codes[:, :depth])).square().mean()) for depth in range(1, 5)]
    assert codes.shape == (2048, 4)
    assert all(later < 0.95 * earlier for earlier, later in pairwise(errors))


def test_levels_share_one_codebook(fitted: ResidualQuantizer) -> None:
    codes = torch.tensor([[5, 5]])
    expected = (fitted.gains[0] + fitted.gains[1]) * fitted.codebook[5]
    assert torch.allclose(fitted.lookup(codes)[0], expected)
    assert [name for name, _ in fitted.named_parameters()] == []


def test_training_and_encoding_agree_on_the_codes(fitted: ResidualQuantizer, samples: torch.Tensor) -> None:
    latents = samples.view(32, 64, 8)
    quantized = fitted(latents)
    assert torch.equal(quantized.codes, fitted.encode(latents))
    assert torch.allclose(quantized.latents, fitted.lookup(quantized.codes), atol=1e-5)


def test_gradients_pass_straight_through_and_commitment_pulls(fitted: ResidualQuantizer, samples: torch.Tensor) -> None:
    latents = samples.view(32, 64, 8).requires_grad_()
    quantized = fitted(latents)
    (gradient,) = torch.autograd.grad(quantized.latents.sum(), latents, retain_graph=True)
    assert torch.equal(gradient, torch.ones_like(latents))
    (pull,) = torch.autograd.grad(quantized.commitment, latents)
    assert torch.allclose(pull, 2 * (latents - quantized.latents) / latents.numel(), atol=1e-6)


def test_training_on_new_data_moves_the_codebook_there(fitted: ResidualQuantizer, samples: torch.Tensor) -> None:
    fitted.train()
    moved = (samples * 0.5 - 4).view(32, 64, 8)
    before = float(fitted(moved).commitment)
    for _ in range(300):
        fitted(moved)
    assert float(fitted(moved).commitment) < before / 4


def test_dead_codes_are_revived(samples: torch.Tensor) -> None:
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(codes=64, levels=2, width=8, dropout=0.0).train()
    quantizer.codebook[8:] = 1e3  # far from everything
    quantizer.sums.copy_(quantizer.codebook)
    for _ in range(600):
        quantizer(samples.view(32, 64, 8))
    used = torch.unique(quantizer.encode(samples))
    assert len(used) > 56


def test_dropout_leaves_out_the_last_levels_of_some_sequences(samples: torch.Tensor) -> None:
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(codes=64, levels=4, width=8, dropout=0.5)
    quantizer.fit(samples)
    latents = samples.view(32, 64, 8)
    whole = quantizer.eval()(latents).latents
    changed = (quantizer.train()(latents).latents - whole).abs().amax((1, 2)) > 0.1
    assert 2 < int(changed.sum()) < 30
