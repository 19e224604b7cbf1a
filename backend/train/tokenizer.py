"""Stage one: train the motion tokenizer on real takes and on choreographed scenes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from protocol.motion import Motion

from ..features import motion_features
from ..kinematics import matrix_from_quaternion
from ..tokenizer.config import TokenizerConfig
from ..tokenizer.losses import LossWeights, reconstruction_losses
from ..tokenizer.model import MotionTokenizer
from . import processes
from .recipe import read_recipe
from .run import CHECKPOINT_FILE, Run, autocast, fit, pick_device, step_seed
from .windows import Windows

_STATISTICS_WINDOWS = 1024
_CODEBOOK_WINDOWS = 512


@dataclass(frozen=True)
class Sharpening:
    """How the decoder alone goes on learning when the codes stay as they are.

    Attributes:
        steps: optimizer steps.
        weights: of the loss terms.
        kinds: of interactions whose hands are quick or precise.
        share: of each batch from these, beside what the batches had before.
        learning_rate: peak.
    """

    steps: int = 0
    weights: LossWeights = field(default_factory=LossWeights)
    kinds: tuple[str, ...] = ()
    share: float = 0.4
    learning_rate: float = 4e-4


@dataclass(frozen=True)
class TokenizerRecipe:
    """How a tokenizer is trained.

    Attributes:
        model: the sizes.
        weights: of the loss terms.
        steps: optimizer steps in all.
        autoencoder_steps: of these, the first ones without quantizer.
        batch: windows a step.
        frames: length of a window, a multiple of 4.
        learning_rate: peak.
        warmup: steps to the peak.
        weight_decay: of AdamW.
        real_share: share of each batch from the real takes; the rest is from choreographed scenes.
        quantizer_dropout: share of windows that lose some of the last residual levels.
        sharpening: of the decoder, after all that.
        seed: of everything random.
    """

    steps: int
    autoencoder_steps: int
    model: TokenizerConfig = field(default_factory=TokenizerConfig)
    weights: LossWeights = field(default_factory=LossWeights)
    batch: int = 64
    frames: int = 64
    learning_rate: float = 5e-4
    warmup: int = 200
    weight_decay: float = 1e-4
    real_share: float = 0.4
    quantizer_dropout: float = 0.2
    sharpening: Sharpening = field(default_factory=Sharpening)
    seed: int = 0


def train_tokenizer(corpus: Path, recipe: Path, out: Path, resume: bool) -> None:
    """Train a tokenizer by a recipe and write it into the run's folder.

    Args:
        corpus: folder of choreographed scenes (``scenes.jsonl`` and ``motions/``).
        recipe: YAML file of a ``TokenizerRecipe``.
        out: the run's folder.
        resume: go on with the run that is there.

    Raises:
        DuologueError: ``corpus_missing`` if there is nothing to train on, and what ``Run`` and ``fit`` raise.
    """
    settings = read_recipe(recipe, TokenizerRecipe)
    run = Run(out, settings, resume)
    sources = [(settings.real_share, real_takes()), (1 - settings.real_share, scene_motions(corpus))]
    sources = [(share, motions) for share, motions in sources if motions and share > 0]
    tokenizer = fit_tokenizer(run, settings, sources)
    if settings.sharpening.steps:
        share, quick = settings.sharpening.share, scene_motions(corpus, kinds=settings.sharpening.kinds)
        sources = [((1 - share) * before, motions) for before, motions in sources]
        after = out / "sharpening"
        begun = resume and (after / CHECKPOINT_FILE).is_file()
        sharpen(Run(after, settings, begun), settings, tokenizer, [*sources, (share, quick)])
    if processes.is_main():
        tokenizer.save(out)


def fit_tokenizer(
    run: Run, recipe: TokenizerRecipe, sources: Sequence[tuple[float, Sequence[Motion]]]
) -> MotionTokenizer:
    """Train on motions from sources, each with its share of every batch; returns the tokenizer on the CPU."""
    device, together = pick_device(), processes.count()
    torch.manual_seed(recipe.seed)
    batches = _Batches(recipe, sources, device)
    tokenizer = MotionTokenizer(recipe.model, recipe.quantizer_dropout).to(device)
    if not run.resume:
        tokenizer.set_normalization(batches.draw(-1, _STATISTICS_WINDOWS)[0])
    optimizer = torch.optim.AdamW(
        tokenizer.parameters(), recipe.learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay
    )

    def losses(step: int) -> dict[str, Tensor]:
        if 0 <= step - recipe.autoencoder_steps < together:  # once in each process
            tokenizer.start_quantizing(*batches.draw(-2, _CODEBOOK_WINDOWS))
        features, offsets = batches.draw(step, recipe.batch)
        with autocast(device):
            root, sixd, quantized = tokenizer(features, offsets, quantize=step >= recipe.autoencoder_steps)
        terms = reconstruction_losses(root.float(), sixd.float(), features, offsets, recipe.weights)
        if quantized:
            terms["commitment"] = recipe.weights.commitment * quantized.commitment
        return terms

    fit(run, tokenizer, optimizer, losses, cycles=[recipe.steps], warmup=recipe.warmup, seed=recipe.seed)
    return tokenizer.cpu().eval()


def sharpen(
    run: Run, recipe: TokenizerRecipe, tokenizer: MotionTokenizer, sources: Sequence[tuple[float, Sequence[Motion]]]
) -> None:
    """Train a tokenizer's decoder alone, in place: its codes, which a language model may know, stay as they are."""
    sharpening, device = recipe.sharpening, pick_device()
    batches = _Batches(replace(recipe, seed=recipe.seed + 1), sources, device)
    tokenizer.to(device).requires_grad_(False)
    tokenizer.decoder.requires_grad_(True)
    optimizer = torch.optim.AdamW(
        tokenizer.decoder.parameters(), sharpening.learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay
    )

    def losses(step: int) -> dict[str, Tensor]:
        tokenizer.quantizer.eval()  # in training it would go on moving its codebook
        features, offsets = batches.draw(step, recipe.batch)
        with autocast(device):
            root, sixd, _ = tokenizer(features, offsets)
        return reconstruction_losses(root.float(), sixd.float(), features, offsets, sharpening.weights)

    fit(run, tokenizer, optimizer, losses, cycles=[sharpening.steps], warmup=recipe.warmup // 4, seed=recipe.seed)
    tokenizer.cpu().eval()


class _Batches:
    def __init__(
        self, recipe: TokenizerRecipe, sources: Sequence[tuple[float, Sequence[Motion]]], device: torch.device
    ) -> None:
        total = sum(share for share, _ in sources)
        self._sources = [(share / total, Windows(motions, recipe.frames)) for share, motions in sources]
        self._seed, self._device = recipe.seed, device

    def draw(self, step: int, count: int) -> tuple[Tensor, Tensor]:
        """Features (N, T, 268) and offsets (N, 22, 3) of the batch of a step."""
        rng = np.random.default_rng(step_seed(self._seed, step))
        counts = rng.multinomial(count, [share for share, _ in self._sources])
        drawn = [windows.draw(n, rng) for n, (_, windows) in zip(counts, self._sources, strict=True) if n]
        root, rotations, offsets = (torch.cat(parts).to(self._device) for parts in zip(*drawn, strict=True))
        with torch.no_grad():
            return motion_features(root, matrix_from_quaternion(rotations), offsets), offsets


def real_takes(split: str = "train") -> list[Motion]:
    """The real takes of a split.

    Raises:
        DuologueError: ``cmu_missing`` if the data folder is not there.
    """
    from ..corpus.cmu import cmu_folder, load_takes

    return [take.motion for take in load_takes(cmu_folder()) if take.split == split]


def scene_motions(corpus: Path, split: str = "train", kinds: Collection[str] | None = None) -> list[Motion]:
    """The choreographed scenes of a split, of some kinds or of all.

    Raises:
        DuologueError: ``corpus_missing`` if the folder holds no corpus, ``corpus_broken`` if it cannot be read.
    """
    from ..corpus.scene import read_scene_motion, read_scenes

    return [
        read_scene_motion(corpus, scene)
        for scene in read_scenes(corpus)
        if scene.split == split and (kinds is None or scene.kind in kinds)
    ]
