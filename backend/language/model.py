"""The motion language model: a small Llama whose positions are words, markers and person-steps of motion."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers.models.llama import LlamaModel

from ..tasks import Marker
from ..tokenizer.model import MotionTokenizer
from .base import Base, backbone
from .between import Between
from .config import LanguageConfig
from .layout import MARKER, MOTION, WORD, Batch
from .motion_head import MotionHead
from .stepper import LlamaSteps, can_step

CONFIG_FILE = "language.json"
WEIGHTS_FILE = "language.safetensors"

WORD_NOISE = 0.5
"""Noise on word vectors in training, as a share of their size, so that near words are read alike."""

_SCALE_GAIN = 10
_FREQUENCIES = 12


class MotionLanguageModel(nn.Module):
    """Embeds positions, runs the transformer, and reads codes and words from its hidden states.

    Frozen, and not part of the saved weights, are ``code_vectors`` (D, K, latent width) of the motion tokenizer,
    each channel brought to unit spread, and ``word_vectors`` (V, word width).
    """

    code_vectors: torch.Tensor
    word_vectors: torch.Tensor
    spoken_vectors: torch.Tensor
    spoken_index: torch.Tensor
    slot_starts: torch.Tensor

    def __init__(
        self,
        config: LanguageConfig,
        code_vectors: torch.Tensor,
        word_vectors: torch.Tensor,
        base: Base | None = None,
    ) -> None:
        """Untrained weights around frozen vectors, or around a pretrained base.

        Args:
            config: sizes; must agree with the vectors.
            code_vectors: (D, K, latent width), as `code_vectors` gives them.
            word_vectors: (V, word width); those of the base, if there is one.
            base: whose transformer and text head are taken.

        Raises:
            ValueError: if the vectors do not have the config's sizes.
        """
        super().__init__()
        if code_vectors.shape != (config.levels, config.codes, config.latent_width):
            raise ValueError(f"code vectors of shape {tuple(code_vectors.shape)} do not fit {config}")
        if word_vectors.shape[1] != config.word_width:
            raise ValueError(f"word vectors of width {word_vectors.shape[1]} do not fit {config}")
        self.config = config
        words = word_vectors.float()
        spread = code_vectors.float().var(1, correction=0).sum(0).sqrt()  # (latent width,) of a sum over the levels
        self.register_buffer("code_vectors", code_vectors.float() / spread.clamp(min=1e-6), persistent=False)
        self.register_buffer("word_vectors", words, persistent=False)
        spoken = torch.tensor(config.spoken)
        said = words if base is None else base.head.float()
        self.register_buffer("spoken_vectors", said[spoken], persistent=False)
        index = torch.full((len(words),), -1)
        index[spoken] = torch.arange(len(spoken))
        self.register_buffer("spoken_index", index, persistent=False)

        width = config.width
        self.markers = nn.Embedding(len(Marker), width)
        self.words_in = nn.Linear(config.word_width, width, bias=False)
        sizes = [1 + len(slot.values) for slot in config.slots]  # the first number of each stands for nothing said
        self.slot_sizes = sizes
        self.register_buffer("slot_starts", torch.tensor([0, *sizes]).cumsum(0)[:-1], persistent=False)
        self.slots = nn.Embedding(sum(sizes), width)
        self.motion_reader = nn.Linear(width, sum(sizes))
        self.latent_in = nn.Linear(config.latent_width, width)
        self.between = Between(config.latent_width, width)
        self.persons = nn.Embedding(3, width)
        self.scale_in = nn.Embedding(3, width)
        self.countdown_in = nn.Linear(2 * _FREQUENCIES + 1, width)
        self.spoken_bias = nn.Parameter(torch.zeros(len(config.spoken) + 1))
        self.base = base
        self.transformer = backbone(config, base)
        self.dropout = nn.Dropout(config.dropout)
        self.head = MotionHead(config)
        for table in (self.markers, self.persons, self.scale_in):
            nn.init.normal_(table.weight, std=0.5)
        nn.init.normal_(self.slots.weight, std=0.2)  # there are many slots to add up
        # A pretrained base reads and says its words as they are, and expects whatever is fed to it to be as large.
        self._loudness = 1.0 if base is None else base.spread
        self.steps: LlamaSteps | None = None
        if base is None:
            nn.init.normal_(self.words_in.weight, std=config.word_width**-0.5)
        else:
            nn.init.eye_(self.words_in.weight)

    def hasten(self) -> None:
        """Decode faster from now on, on a CPU, with weights rounded to 8 bits; what is trained later does not show."""
        if can_step(self.transformer):
            self.steps = LlamaSteps(cast(LlamaModel, self.transformer))
            self.head.hasten()

    def latents(self, codes: torch.Tensor) -> torch.Tensor:
        """Sum of the code vectors of codes (..., d), d <= D: (..., latent width)."""
        levels = torch.arange(codes.shape[-1], device=codes.device)
        return self.code_vectors[levels, codes].sum(-2)

    def partial_latents(self, codes: torch.Tensor) -> torch.Tensor:
        """For each level of codes (..., D) the sum of the vectors of the levels before it: (..., D, latent width)."""
        levels = torch.arange(codes.shape[-1], device=codes.device)
        vectors = self.code_vectors[levels, codes]
        return vectors.cumsum(-2) - vectors

    def embed(self, batch: Batch) -> torch.Tensor:
        """Input vectors (N, n, width) of a batch."""
        out = torch.zeros(*batch.kind.shape, self.config.width, device=batch.kind.device)
        words, motion, markers = (batch.kind == kind for kind in (WORD, MOTION, MARKER))
        out[words] = self.embed_words(batch.symbol[words]).to(out.dtype)
        sample = torch.arange(len(batch.kind), device=batch.kind.device)[:, None].expand_as(batch.kind)
        scripts = self.scripts(batch.slots)
        person, block = batch.person[motion], batch.block[motion]
        scales = batch.scales[sample[motion], person]
        steps = self.embed_motion(batch.codes[motion], person, batch.remaining[motion], scales)
        out[motion] = (steps + scripts[sample[motion], block]).to(out.dtype)
        met = _after_the_other(batch)
        out[:, 1:][met] += self.meeting(batch.codes[:, 1:][met], batch.codes[:, :-1][met]).to(out.dtype)
        out[markers] = (self._loudness * self.markers(batch.symbol[markers])).to(out.dtype)

        begin = markers & (batch.symbol == Marker.BEGIN_MOTION)
        present = batch.present[sample[begin], batch.block[begin]]
        sizes = present * (batch.scales[sample[begin]] - 1) * _SCALE_GAIN
        bodies = present @ self.persons.weight + sizes @ self.scale_in.weight
        opening = self._loudness * (bodies + self._countdown(batch.remaining[begin]))
        out[begin] = (out[begin] + opening + scripts[sample[begin], batch.block[begin]]).to(out.dtype)
        return self.dropout(out)

    def embed_words(self, ids: torch.Tensor) -> torch.Tensor:
        """Input vectors (M, width) of words (M,)."""
        return self.words_in(self._heard(ids))

    def scripts(self, slots: torch.Tensor) -> torch.Tensor:
        """What is added to every motion position for the script it follows: slots (..., S) to (..., width)."""
        return self._loudness * self.slots(slots + self.slot_starts).sum(-2)

    def motion_logits(self, hidden: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What motions show of each slot, as logits (M, 1 + values), from hidden states (M, width) at END_MOTION."""
        return self.motion_reader(hidden).split(self.slot_sizes, -1)

    def embed_motion(
        self, codes: torch.Tensor, person: torch.Tensor, remaining: torch.Tensor, scale: torch.Tensor
    ) -> torch.Tensor:
        """Input vectors (M, width) of motion positions, but for the shares of the script and of the other person.

        Args:
            codes: (M, D).
            person: (M,) roles.
            remaining: (M,) latent steps still to come.
            scale: (M,) body size, 1 for the neutral body's.
        """
        body = self.persons(person) + (_SCALE_GAIN * (scale - 1))[:, None] * self.scale_in(person)
        return self._loudness * (self.latent_in(self.latents(codes)) + body + self._countdown(remaining))

    def meeting(self, codes: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """What is added to motion positions (M, width) of codes (M, D), for the other's codes (M, D) just before."""
        return self._loudness * self.between(self.latents(codes), self.latents(before))

    def hidden(self, batch: Batch) -> torch.Tensor:
        """Hidden states (N, n, width): what each position knows, having seen itself and all before it."""
        states = self.transformer(inputs_embeds=self.embed(batch), use_cache=False).last_hidden_state
        return self.dropout(states)

    def code_logits(self, hidden: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Logits (M, D, K) of the next position's codes from hidden states (M, width) and its true codes (M, D)."""
        return self.head(hidden, self.partial_latents(codes))

    def text_logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits (..., S + 1) over the S words that may be said, and the end of the text, which comes last."""
        size = self.config.width**-0.5 if self.base is None else 1.0
        words = (hidden @ self.words_in.weight) @ self.spoken_vectors.T * size
        end = hidden @ self.markers.weight[Marker.END_TEXT][:, None] * size
        return torch.cat((words, end), -1) + self.spoken_bias

    def _heard(self, ids: torch.Tensor) -> torch.Tensor:
        vectors = self.word_vectors[ids]
        if self.training and len(vectors):
            vectors = vectors + torch.randn_like(vectors) * vectors.std(-1, keepdim=True) * WORD_NOISE
        return vectors

    def _countdown(self, remaining: torch.Tensor) -> torch.Tensor:
        held = remaining.clamp(max=self.config.steps_max).float()[:, None]
        periods = 2.0 ** (torch.arange(_FREQUENCIES, device=held.device) * 0.75 + 1)
        angles = 2 * torch.pi * held / periods
        return self.countdown_in(torch.cat((angles.sin(), angles.cos(), held / 25), -1))

    def save(self, folder: Path) -> None:
        """Write config and weights into a checkpoint folder; weights as float16, half the size of what computes."""
        config = json.dumps(self.config.to_json()) + "\n"
        (folder / CONFIG_FILE).write_text(config, encoding="utf-8", newline="\n")
        weights = self.state_dict()
        if self.base is not None:
            self.base.save(folder)
            weights = {name: value for name, value in weights.items() if not name.startswith("transformer.")}
        half = {name: value.to("cpu", torch.float16).contiguous() for name, value in weights.items()}
        save_file(half, folder / WEIGHTS_FILE)

    @classmethod
    def load(
        cls, folder: Path, code_vectors: torch.Tensor, word_vectors: torch.Tensor, base: Base | None = None
    ) -> MotionLanguageModel:
        """Read what `save` wrote, ready to decode.

        Args:
            folder: of the checkpoint.
            code_vectors: of its motion tokenizer.
            word_vectors: of its words.
            base: the one that it was trained on, as `Base.open` gives it, if there was one.
        """
        config = LanguageConfig.from_json(json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8")))
        model = cls(config, code_vectors, word_vectors, base)
        weights = {name: value.float() for name, value in load_file(folder / WEIGHTS_FILE).items()}
        missing, unknown = model.load_state_dict(weights, strict=False)
        lacking = [name for name in missing if base is None or not name.startswith("transformer.")]
        if lacking or unknown:
            raise ValueError(f"{WEIGHTS_FILE} does not fit: {', '.join((*lacking, *unknown)[:3])}")
        return model.eval()


def _after_the_other(batch: Batch) -> torch.Tensor:
    """Which positions (N, n - 1), but for the first, hold motion right after the other person's of the same pair."""
    motion = batch.kind == MOTION
    pair = (batch.block[:, 1:] == batch.block[:, :-1]) & (batch.person[:, 1:] != batch.person[:, :-1])
    return motion[:, 1:] & motion[:, :-1] & pair


def likeliest(logits: Sequence[torch.Tensor]) -> np.ndarray:
    """The likeliest value of each slot, (S,), from logits (1, 1 + values) each; the kind, the first, is never open."""
    first = 1 + int(logits[0][0, 1:].argmax())
    return np.array([first, *(int(slot[0].argmax()) for slot in logits[1:])], np.int64)


@torch.no_grad()
def code_vectors(tokenizer: MotionTokenizer) -> torch.Tensor:
    """What each code of each level adds to a tokenizer's latent: (D, K, latent width)."""
    config = tokenizer.config
    levels = []
    for level in range(config.levels):
        codes = torch.zeros(config.codes, level + 1, dtype=torch.long, device=tokenizer.mean.device)
        codes[:, level] = torch.arange(config.codes)
        below = tokenizer.latents(codes[:, :level]) if level else 0
        levels.append(tokenizer.latents(codes) - below)
    return torch.stack(levels).cpu()
