"""The evaluator: a text encoder and a motion encoder that bring what belongs together near to each other.

It judges other models, so it is no part of a checkpoint: whoever evaluates trains it on the training split of the same
corpus (``duologue train evaluator``), and figures are comparable only between models judged by the same one. In the
manner of InterGen's InterCLIP (Liang et al. 2023, arXiv 2304.05684): both persons side by side, in order, without foot
contacts, not normalised; embeddings are unit vectors times a learned scale. It is far smaller, so that a CPU can train
it: its words are frozen WordLlama vectors instead of CLIP's, a recurrent network reads them, 8 frames are one token.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from protocol.errors import DuologueError
from protocol.motion import Motion

from ..features import interhuman_features
from ..language.sentence import SentenceReader
from ..language.words import Words
from ..tokenizer.stream import FPS

CONFIG_FILE = "evaluator.json"
WEIGHTS_FILE = "evaluator.safetensors"

PERSON_FEATURES = 258
"""Of InterHuman's 262 features, those before the foot contacts."""
PAIR_FEATURES = 2 * PERSON_FEATURES

_FIRST_SCALE = 3.0
_LONGEST = 512
"""Tokens of the longest motion; what goes beyond is cut."""
_EMBED_AT_ONCE = 64


@dataclass(frozen=True)
class EvaluatorConfig:
    """The sizes of an evaluator."""

    word_width: int = 256
    """Features of a frozen word vector."""
    width: int = 192
    """Features of a hidden state."""
    heads: int = 4
    feed_forward: int = 384
    layers: int = 4
    """Of the transformer over a motion."""
    embedding: int = 128
    """Features of an embedding. InterCLIP's 512 would be more than there are held-out scenes, and spoil the FID."""
    patch: int = 8
    """Frames that make one token."""
    dropout: float = 0.1


class Evaluator(nn.Module):
    """Embeds sentences and motions of pairs.

    Args:
        config: the sizes.
        words: the text tokenizer with its frozen vectors.
    """

    def __init__(self, config: EvaluatorConfig, words: Words) -> None:
        super().__init__()
        self.config, self.words = config, words
        self.register_buffer("vectors", words.vectors, persistent=False)
        # Not a transformer: who does it to whom is in the order of words, which a recurrent network learns sooner.
        self.read = SentenceReader(config.word_width, config.embedding, config.width, config.dropout)
        self.watch = _Watcher(config)
        self.scale = nn.Parameter(torch.tensor(_FIRST_SCALE))

    def text_embeddings(self, texts: Sequence[str]) -> Tensor:
        """Embeddings (N, E) of sentences."""
        device = self.scale.device
        encoded = [torch.tensor(self.words.encode(text) or [0], device=device) for text in texts]
        ids = nn.utils.rnn.pad_sequence(encoded, batch_first=True, padding_value=-1)  # (N, W)
        vectors: Tensor = self.get_buffer("vectors")
        return self._scaled(self.read(vectors[ids.clamp(min=0)].float(), ids >= 0))

    def motion_embeddings(self, motions: Sequence[Tensor]) -> Tensor:
        """Embeddings (N, E) of motions as `pair_features` (T, 516), each of its own length."""
        return self._scaled(self.watch([self._patches(motion) for motion in motions]))

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Embeddings (N, E) float64 of sentences."""
        return self.text_embeddings(texts).double().cpu().numpy()

    @torch.no_grad()
    def embed_motions(self, motions: Sequence[Motion]) -> np.ndarray:
        """Embeddings (N, E) float64 of motions of two persons, at any frame rate and place in the world."""
        parts = []
        for start in range(0, len(motions), _EMBED_AT_ONCE):
            some = [torch.from_numpy(pair_features(motion)) for motion in motions[start : start + _EMBED_AT_ONCE]]
            parts.append(self.motion_embeddings([one.to(self.scale.device) for one in some]).double().cpu().numpy())
        return np.concatenate(parts)

    def save(self, folder: Path) -> None:
        """Write sizes, weights and words into a folder."""
        (folder / CONFIG_FILE).write_text(json.dumps(dataclasses.asdict(self.config), indent=1), encoding="utf-8")
        save_file({name: value.contiguous() for name, value in self.state_dict().items()}, folder / WEIGHTS_FILE)
        self.words.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Evaluator:
        """Read what `save` wrote, ready to judge, on the CPU.

        Raises:
            DuologueError: ``evaluator_missing`` or ``evaluator_unreadable``.
        """
        if not (folder / WEIGHTS_FILE).is_file():
            raise DuologueError(
                "evaluator_missing",
                f"There is no trained evaluator in {folder}.",
                f"Train one with `duologue train evaluator --out {folder}`.",
            )
        try:
            config = EvaluatorConfig(**json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8")))
            evaluator = cls(config, Words.load(folder))
            evaluator.load_state_dict(load_file(folder / WEIGHTS_FILE))
        except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            raise DuologueError(
                "evaluator_unreadable",
                f"The evaluator in {folder} cannot be read: {error}.",
                "Train it again with `duologue train evaluator`, into another folder.",
            ) from error
        return evaluator.eval()

    def _patches(self, motion: Tensor) -> Tensor:
        """(T, 516) to (tokens, patch x 516), the last pose held until the last token is full."""
        patch = self.config.patch
        motion = motion[: patch * _LONGEST]
        tokens = -(-len(motion) // patch)
        index = torch.arange(tokens * patch, device=motion.device).clamp(max=len(motion) - 1)
        return motion[index].reshape(tokens, patch * PAIR_FEATURES)

    def _scaled(self, embeddings: Tensor) -> Tensor:
        return functional.normalize(embeddings, dim=-1) * self.scale


class _Watcher(nn.Module):
    """A transformer over the patches of a motion; what its query token has gathered becomes the embedding."""

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        self.enter = nn.Linear(config.patch * PAIR_FEATURES, config.width)
        self.query = nn.Parameter(torch.randn(config.width) * config.width**-0.5)
        layer = nn.TransformerEncoderLayer(
            config.width,
            config.heads,
            config.feed_forward,
            config.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.gather = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.leave = nn.Sequential(nn.LayerNorm(config.width), nn.Linear(config.width, config.embedding))
        self.register_buffer("places", _sinusoids(_LONGEST, config.width), persistent=False)

    def forward(self, sequences: Sequence[Tensor]) -> Tensor:
        """N sequences (L_n, patch x 516) to (N, E)."""
        padded = nn.utils.rnn.pad_sequence(list(sequences), batch_first=True)  # (N, L, features)
        lengths = torch.tensor([len(sequence) for sequence in sequences], device=padded.device)
        empty = torch.arange(padded.shape[1], device=padded.device) >= lengths[:, None]
        tokens = self.enter(padded) + self.get_buffer("places")[: padded.shape[1]]
        tokens = torch.cat((self.query.expand(len(tokens), 1, -1), tokens), 1)  # (N, 1 + L, width)
        empty = functional.pad(empty, (1, 0), value=False)
        return self.leave(self.gather(tokens, src_key_padding_mask=empty)[:, 0])


def pair_features(motion: Motion) -> np.ndarray:
    """What the evaluator sees of two persons: (T, 516) float32 at 30 fps, A's features and then B's.

    Raises:
        DuologueError: ``motion_persons`` if there are not two.
    """
    if motion.persons != 2:
        raise DuologueError(
            "motion_persons", f"The evaluator judges two persons, not {motion.persons}.", "Give it a pair's motion."
        )
    return interhuman_features(motion.resampled(FPS))[..., :PERSON_FEATURES].reshape(-1, PAIR_FEATURES)


def contrastive_loss(texts: Tensor, motions: Tensor, same: Tensor) -> Tensor:
    """Symmetric InfoNCE over a batch (Radford et al. 2021, arXiv 2103.00020).

    Args:
        texts: (N, E) embeddings.
        motions: (N, E) embeddings; row i belongs to text i.
        same: (N, N) bool: texts that are word for word the same; their motions do not count as wrong.
    """
    logits = texts @ motions.T
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(same & ~own, float("-inf"))
    target = torch.arange(len(logits), device=logits.device)
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


def _sinusoids(places: int, width: int) -> Tensor:
    """(places, width) positional encodings (Vaswani et al. 2017, arXiv 1706.03762)."""
    rates = torch.exp(-np.log(10_000.0) * torch.arange(0, width, 2) / width)
    angles = torch.arange(places)[:, None] * rates
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1)
