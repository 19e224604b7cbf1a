from pathlib import Path

import numpy as np
import pytest
import torch

from backend.features import body_scale, canonicalized, features
from backend.tokenizer.config import TokenizerConfig
from backend.tokenizer.model import MotionTokenizer
from backend.tokenizer.place import PLACE
from backend.tokenizer.stream import StreamingDecoder
from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time
from protocol.skeleton import PARENTS, neutral_offsets

SMALL = TokenizerConfig(codes=32, levels=3, place_levels=1, latent_width=16, width=32, frame_width=16)
OFFSETS = np.stack((neutral_offsets(1.0), neutral_offsets(0.9)))


@pytest.fixture
def tokenizer() -> MotionTokenizer:
    torch.manual_seed(0)
    return MotionTokenizer(SMALL).eval()


@pytest.fixture
def codes() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 32, (2, 21, 3)))


def walking_pair(frames: int) -> Motion:
    turn = np.zeros((frames, 2, 22, 4), np.float32)
    turn[..., 0] = 1
    root = np.full((frames, 2, 3), [0, 0.95, 0])
    root[:, 0, 2] = np.arange(frames) * 0.04
    return Motion(30, root, turn, OFFSETS)


def test_a_latent_step_is_four_frames_and_left_over_frames_are_cut(tokenizer: MotionTokenizer) -> None:
    motion, _ = canonicalized(walking_pair(31))
    x = torch.from_numpy(features(motion).swapaxes(0, 1).copy())
    codes = tokenizer.encode(x, torch.from_numpy(body_scale(OFFSETS)))
    root, rotations = tokenizer.decode(codes, torch.from_numpy(OFFSETS))
    assert codes.shape == (2, 7, 3)
    assert codes.dtype == torch.int64
    assert root.shape == (2, 28, 3)
    assert rotations.shape == (2, 28, 22, 4)


def test_each_person_is_encoded_on_its_own(tokenizer: MotionTokenizer) -> None:
    x = torch.from_numpy(features(walking_pair(32)).swapaxes(0, 1).copy())
    scale = torch.from_numpy(body_scale(OFFSETS))
    together = tokenizer.encode(x, scale)
    assert torch.equal(tokenizer.encode(x[1:], scale[1:]), together[1:])


def test_decoded_bones_keep_their_length(tokenizer: MotionTokenizer, codes: torch.Tensor) -> None:
    root, rotations = tokenizer.decode(codes, torch.from_numpy(OFFSETS))
    positions = Motion(30, root.transpose(0, 1).numpy(), rotations.transpose(0, 1).numpy(), OFFSETS).positions()
    lengths = np.linalg.norm(positions[:, :, 1:] - positions[:, :, list(PARENTS[1:])], axis=-1)
    assert np.abs(lengths - np.linalg.norm(OFFSETS[:, 1:], axis=-1)).max() < 1e-5


@pytest.mark.parametrize("piece", [1, 2, 5, 21])
def test_streamed_and_whole_decoding_agree(tokenizer: MotionTokenizer, codes: torch.Tensor, piece: int) -> None:
    decoder = StreamingDecoder(tokenizer, OFFSETS)
    parts = [decoder.push(codes[:, start : start + piece]) for start in range(0, 21, piece)] + [decoder.finish()]
    streamed = joined_in_time([part for part in parts if part is not None])
    root, rotations = tokenizer.decode(codes, torch.from_numpy(OFFSETS))
    assert streamed.frames == 84
    assert np.allclose(streamed.root, root.transpose(0, 1).numpy(), atol=2e-6)
    assert np.allclose(streamed.rotations, rotations.transpose(0, 1).numpy(), atol=2e-6)


def test_streaming_holds_back_no_more_than_its_look_ahead(tokenizer: MotionTokenizer, codes: torch.Tensor) -> None:
    decoder = StreamingDecoder(tokenizer, OFFSETS)
    ahead = tokenizer.config.look_ahead
    assert decoder.push(codes[:, :ahead]) is None
    first = decoder.push(codes[:, ahead : ahead + 2])
    assert first is not None
    assert first.frames == 8


def test_a_frame_depends_on_the_look_ahead_and_no_further(tokenizer: MotionTokenizer, codes: torch.Tensor) -> None:
    step, ahead = 10, tokenizer.config.look_ahead
    changed = codes.clone()
    changed[:, step] = (changed[:, step] + 1) % 32
    offsets = torch.from_numpy(OFFSETS)
    moved = (tokenizer.decode(codes, offsets)[0] - tokenizer.decode(changed, offsets)[0]).abs().amax((0, 2)) > 1e-6
    touched = torch.nonzero(moved).flatten()
    assert int(touched.min()) >= 4 * (step - ahead)
    assert int(touched.max()) < 4 * (step + ahead + 1)
    assert int(touched.min()) < 4 * step <= int(touched.max())


def test_a_body_of_another_size_is_decoded_otherwise(tokenizer: MotionTokenizer, codes: torch.Tensor) -> None:
    same = codes[:1].repeat(2, 1, 1)
    root, _ = tokenizer.decode(same, torch.from_numpy(OFFSETS))
    assert not torch.allclose(root[0], root[1])


def test_saved_and_loaded_tokenizers_are_the_same(
    tokenizer: MotionTokenizer, codes: torch.Tensor, tmp_path: Path
) -> None:
    tokenizer.mean.fill_(0.5)
    tokenizer.save(tmp_path)
    loaded = MotionTokenizer.load(tmp_path)
    offsets = torch.from_numpy(OFFSETS)
    assert loaded.config == tokenizer.config
    assert torch.allclose(loaded.decode(codes, offsets)[0], tokenizer.decode(codes, offsets)[0], atol=2e-3)


def test_a_missing_or_damaged_tokenizer_is_refused(tokenizer: MotionTokenizer, tmp_path: Path) -> None:
    with pytest.raises(DuologueError, match="no motion tokenizer"):
        MotionTokenizer.load(tmp_path)
    tokenizer.save(tmp_path)
    weights = tmp_path / "motion_tokenizer.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(DuologueError, match="cannot be read"):
        MotionTokenizer.load(tmp_path)


def test_starting_to_quantize_centres_the_latents_and_changes_nothing_else(tokenizer: MotionTokenizer) -> None:
    with torch.no_grad():
        for bias in (b for name, b in tokenizer.encoder.out.named_parameters() if name == "bias"):
            bias.add_(5.0)
    x = torch.from_numpy(features(walking_pair(64)).swapaxes(0, 1).copy()) + 0.1 * torch.randn(2, 64, 268)
    offsets = torch.from_numpy(OFFSETS)
    before = tokenizer(x, offsets, quantize=False)
    tokenizer.start_quantizing(x, offsets)
    after = tokenizer(x, offsets, quantize=False)
    latents = tokenizer.continuous_latents(x, offsets).detach()
    assert torch.allclose(before[0], after[0], atol=1e-4)
    assert torch.allclose(before[1], after[1], atol=1e-4)
    assert float(latents[..., PLACE:].mean((0, 1)).abs().max()) < 1e-3
    assert len(torch.unique(tokenizer.quantizer.encode(latents)[..., 0])) > 3
