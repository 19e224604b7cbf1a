"""The motion tokenizer: 1-D convolutions over time around a residual quantizer, one person at a time.

The layers follow T2M-GPT (Zhang et al. 2023, arXiv 2301.06052) with two changes. Most of them work at the latent rate,
at a quarter of the positions. And the decoder gives rotations and a root, never loose joints, so that bone lengths hold
exactly.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from protocol.errors import DuologueError
from protocol.skeleton import JOINT_COUNT

from ..features import FEATURES, POSITIONS, body_scale
from ..kinematics import matrix_from_sixd, quaternion_from_matrix
from .config import STRIDE, TokenizerConfig, config_from_json
from .place import PLACE, PlacedQuantizer
from .quantizer import Quantized

WEIGHTS_FILE = "motion_tokenizer.safetensors"
CONFIG_FILE = "motion_tokenizer.json"
FORMAT_VERSION = 2

_OUTPUTS = 3 + 6 * JOINT_COUNT
_SCALE_SPREAD = 0.1


class ResidualBlock(nn.Module):
    """Adds to (N, C, T) what a convolution over three positions and one over channels make of it."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.time = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)
        for parameter in self.mix.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T) to the same shape."""
        return x + self.mix(functional.silu(self.time(functional.silu(x))))


class Encoder(nn.Module):
    """Normalised features to latents, at a quarter of the rate.

    The first three channels of a latent carry the root's place from the outset, straight through to the decoder: two
    persons' hands only meet if it is exact, and learning an identity over metres would take most of the training.
    """

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.patch = nn.Conv1d(FEATURES + 1, config.width, 2 * STRIDE, stride=STRIDE, padding=STRIDE // 2)
        self.blocks = nn.Sequential(*(ResidualBlock(config.width, d) for d in config.encoder_dilations))
        self.out = nn.Conv1d(config.width, config.latent_width, 1)

    def forward(self, x: Tensor, scale: Tensor) -> Tensor:
        """(N, T, 268) normalised features and (N,) normalised scale to (N, T // 4, C) latents."""
        x = torch.cat((x, scale[:, None, None].expand(*x.shape[:2], 1)), -1).transpose(1, 2)
        root = functional.avg_pool1d(x[:, :PLACE], STRIDE)
        latents = self.out(self.blocks(self.patch(x)))
        return torch.cat((latents[:, :PLACE] + root, latents[:, PLACE:]), 1).transpose(1, 2)


class Decoder(nn.Module):
    """Latents to a root path and 6-D rotations at the full rate."""

    filter: Tensor

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.latent = nn.Conv1d(config.latent_width, config.width, 1)
        self.scale = nn.Linear(1, config.width)
        self.blocks = nn.Sequential(*(ResidualBlock(config.width, d) for d in config.decoder_dilations))
        self.unpatch = nn.Conv1d(config.width, STRIDE * config.frame_width, 1)
        self.frames = nn.Sequential(*(ResidualBlock(config.frame_width) for _ in range(config.frame_blocks)))
        self.out = nn.Conv1d(config.frame_width, _OUTPUTS, 3, padding=1)
        self.register_buffer("filter", _binomial(config.smoothing).expand(3, 1, -1), persistent=False)

    def forward(self, latents: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """(N, L, C) latents and (N,) normalised scale to (N, 4L, 3) and (N, 4L, 132), both normalised."""
        count, steps, _ = latents.shape
        latents = latents.transpose(1, 2)
        x = self.blocks(self.latent(latents) + self.scale(scale[:, None])[..., None])
        x = self.unpatch(x).view(count, STRIDE, -1, steps)  # (N, 4, frame_width, L)
        x = x.permute(0, 2, 3, 1).reshape(count, -1, STRIDE * steps)  # (N, frame_width, 4L)
        x = self.out(self.frames(x))
        root = x[:, :3] + functional.interpolate(latents[:, :PLACE], scale_factor=STRIDE, mode="linear")
        reach = self.filter.shape[-1] // 2
        root = functional.conv1d(functional.pad(root, (reach, reach), mode="replicate"), self.filter, groups=3)
        return root.transpose(1, 2), x[:, 3:].transpose(1, 2)


class MotionTokenizer(nn.Module):
    """An RQ-VAE over one person's motion in the pair's canonical frame.

    Args:
        config: the sizes.
        quantizer_dropout: share of training sequences that lose some of the last residual levels.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: TokenizerConfig, quantizer_dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quantizer = PlacedQuantizer(config, quantizer_dropout)
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("std", torch.ones(FEATURES))

    @torch.no_grad()
    def set_normalization(self, features: Tensor) -> None:
        """Take the mean and spread of features (N, T, 268) for all later normalising."""
        local = localized(features).flatten(0, 1)
        self.mean.copy_(local.mean(0))
        std = local.std(0)
        for start, stop in ((0, 3), (3, 66), (66, 132), (132, 264), (264, 268)):
            # A coordinate that hardly moves must not be blown up into noise: at least a fifth of its group's spread.
            group = std[start:stop]
            self.std[start:stop] = group.clamp(min=float(group.square().mean().sqrt()) / 5)
        # The root's channels are quantized as they are: they keep the proportions of space, and height counts double.
        self.std[:3] = std[:3].square().mean().sqrt() * std.new_tensor([1.0, 0.5, 1.0])

    def forward(
        self, features: Tensor, offsets: Tensor, quantize: bool = True
    ) -> tuple[Tensor, Tensor, Quantized | None]:
        """Reconstruct (N, T, 268) features of bodies (N, 22, 3); T is a multiple of 4.

        Returns:
            root (N, T, 3) in metres, 6-D rotations (N, T, 22, 6) as they come out, and what the quantizer says;
            without ``quantize`` the latents go through as they are, and that is None.
        """
        scale = _normal_scale(offsets)
        latents = self.encoder(self._normalized(features), scale)
        quantized = self.quantizer(latents) if quantize else None
        return *self._decoded(quantized.latents if quantized else latents, scale), quantized

    def continuous_latents(self, features: Tensor, offsets: Tensor) -> Tensor:
        """Latents (N, T // 4, C) before quantization."""
        return self.encoder(self._normalized(features), _normal_scale(offsets))

    @torch.no_grad()
    def start_quantizing(self, features: Tensor, offsets: Tensor) -> None:
        """Start the codebooks from (N, T, 268) features of bodies (N, 22, 3), after a warm-up without quantizer.

        First the latents are shifted to mean zero, in a way that changes nothing of what the autoencoder does: else the
        first level codes the mean and nothing more.
        """
        latents = self.continuous_latents(features, offsets).flatten(0, 1)
        mean = latents.mean(0)
        mean[:PLACE] = 0
        assert self.encoder.out.bias is not None
        assert self.decoder.latent.bias is not None
        self.encoder.out.bias.sub_(mean)
        self.decoder.latent.bias.add_(self.decoder.latent.weight[..., 0] @ mean)
        self.quantizer.fit(latents - mean)

    @torch.no_grad()
    def encode(self, features: Tensor, scale: Tensor) -> Tensor:
        """Codes (N, T // 4, D) int64 of features (N, T, 268) of bodies of scale (N,); left-over frames are cut."""
        features = features[:, : features.shape[1] // STRIDE * STRIDE]
        return self.quantizer.encode(self.encoder(self._normalized(features), (scale - 1) / _SCALE_SPREAD))

    def latents(self, codes: Tensor) -> Tensor:
        """Sum of the code vectors (..., latent_width) of the first d <= D levels' codes (..., d)."""
        return self.quantizer.lookup(codes)

    @torch.no_grad()
    def decode(self, codes: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Motion of codes in the pair's canonical frame.

        Args:
            codes: (N, L, D) int64.
            offsets: (N, 22, 3) rest offsets of the bodies that move, metres.

        Returns:
            root (N, 4L, 3) in metres and rotations (N, 4L, 22, 4), unit quaternions.
        """
        root, sixd = self._decoded(self.latents(codes), _normal_scale(offsets))
        return root, quaternion_from_matrix(matrix_from_sixd(sixd))

    def save(self, folder: Path) -> None:
        """Write the weights, matrices as float16, and the config into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = {
            name: (tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor).contiguous()
            for name, tensor in self.state_dict().items()
        }
        save_file(weights, folder / WEIGHTS_FILE)
        content = {"format": FORMAT_VERSION, "config": asdict(self.config)}
        (folder / CONFIG_FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> MotionTokenizer:
        """Read what ``save`` wrote, ready to encode and decode.

        Raises:
            DuologueError: ``tokenizer_missing``, or ``tokenizer_damaged`` if the files do not fit together.
        """
        if not (folder / CONFIG_FILE).is_file() or not (folder / WEIGHTS_FILE).is_file():
            raise DuologueError(
                "tokenizer_missing",
                f"There is no motion tokenizer in {folder}.",
                "Train one with `duologue train tokenizer`, or name another folder.",
            )
        try:
            content = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
            if content["format"] != FORMAT_VERSION:
                raise ValueError(f"format {content['format']}, expected {FORMAT_VERSION}")
            tokenizer = cls(config_from_json(content["config"]))
            tokenizer.load_state_dict(load_file(folder / WEIGHTS_FILE, device=device))
        except Exception as error:  # whatever a damaged file makes its reader raise
            raise DuologueError(
                "tokenizer_damaged",
                f"The motion tokenizer in {folder} cannot be read: {error}.",
                "Download or train it again.",
            ) from error
        return tokenizer.to(device).eval()

    def _normalized(self, features: Tensor) -> Tensor:
        return (localized(features) - self.mean) / self.std

    def _decoded(self, latents: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        root, sixd = self.decoder(latents, scale)
        root = root * self.std[:3] + self.mean[:3]
        sixd = sixd * self.std[132:264] + self.mean[132:264]
        return root, sixd.unflatten(-1, (JOINT_COUNT, 6))


def localized(features: Tensor) -> Tensor:
    """Features (..., 268) with every joint but the root measured from the root on the ground plane.

    Else a walker's way across the floor would dwarf the pose in all 66 position features.
    """
    positions = features[..., POSITIONS].unflatten(-1, (JOINT_COUNT, 3))
    ground = positions[..., :1, :] * positions.new_tensor([1.0, 0.0, 1.0])
    local = torch.cat((positions[..., :1, :], positions[..., 1:, :] - ground), -2)
    return torch.cat((local.flatten(-2), features[..., POSITIONS.stop :]), -1)


def _normal_scale(offsets: Tensor) -> Tensor:
    scale = body_scale(offsets.detach().cpu().numpy())
    return (torch.from_numpy(scale).to(offsets) - 1) / _SCALE_SPREAD


def _binomial(reach: int) -> Tensor:
    kernel = torch.ones(1)
    for _ in range(2 * reach):
        kernel = functional.conv1d(functional.pad(kernel[None, None], (1, 1)), torch.full((1, 1, 2), 0.5))[0, 0]
    return kernel
