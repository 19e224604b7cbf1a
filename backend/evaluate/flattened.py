"""The baseline that flattens: every code of every level is a word of one vocabulary, as in T2M-GPT (arXiv 2301.06052).

A plain Hugging Face causal LM of the product's own size reads what is asked for, the entries of a script, the length
and the two bodies, and says A's codes and B's in turns, level by level: D steps for each person and latent step, where
the product takes one. Prompts are read into entries by the product's reader, so that only the layout differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, LogitsProcessor, LogitsProcessorList

from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time
from protocol.skeleton import neutral_offsets

from ..cleanup.cleaner import cleaned
from ..language.base import Sizes
from ..language.prompt_reader import PromptReader
from ..language.sampling import Sampling
from ..language.slots import script_of
from ..tokenizer.config import STRIDE
from ..tokenizer.model import MotionTokenizer
from ..tokenizer.stream import FPS, StreamingDecoder

CONFIG_FILE = "flattened.json"
PERSONS = 2
SAMPLING = Sampling(temperature=1.0, cooling=0.75, top_p=0.92)
"""How the product draws, but for guidance, which would take twice the steps."""

_BODIES = 16
_SMALLEST, _LARGEST = 0.6, 1.5


@dataclass(frozen=True)
class FlattenedConfig:
    """The vocabulary: codes first, then what may be asked for, lengths, and body sizes of A and of B.

    Attributes:
        codes: entries K of a codebook.
        levels: residual levels D.
        steps_max: longest motion in latent steps.
        entries: what may be asked for, as "name=value".
    """

    codes: int
    levels: int
    steps_max: int
    entries: tuple[str, ...]

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return self._bodies + PERSONS * _BODIES

    @property
    def _lengths(self) -> int:
        return self.codes * self.levels + len(self.entries)

    @property
    def _bodies(self) -> int:
        return self._lengths + self.steps_max

    def opening(self, script: Mapping[str, Any], steps: int, scales: np.ndarray) -> list[int]:
        """Tokens that ask for a motion; entries that training did not see are left out.

        Args:
            script: what is asked for.
            steps: latent steps.
            scales: (2,) body sizes.
        """
        known = {entry: number for number, entry in enumerate(self.entries)}
        asked = [known[entry] for entry in entries_of(script) if entry in known]
        bins = (np.asarray(scales) - _SMALLEST) / (_LARGEST - _SMALLEST) * _BODIES
        bodies = np.clip(bins.astype(int), 0, _BODIES - 1) + _BODIES * np.arange(PERSONS)
        length = min(steps, self.steps_max) - 1
        return [
            *(self.codes * self.levels + number for number in asked),
            self._lengths + length,
            *(self._bodies + bodies),
        ]

    def flattened(self, codes: np.ndarray) -> np.ndarray:
        """Tokens (2 * L * D,) of codes (2, L, D): A's and B's in turns, coarse levels before fine ones."""
        return (codes + np.arange(self.levels) * self.codes).transpose(1, 0, 2).ravel()

    def stacked(self, tokens: np.ndarray) -> np.ndarray:
        """Codes (2, L, D) of tokens (2 * L * D,)."""
        return (tokens.reshape(-1, PERSONS, self.levels) - np.arange(self.levels) * self.codes).transpose(1, 0, 2)

    def save(self, folder: Path) -> None:
        """Write the config beside the model's files."""
        (folder / CONFIG_FILE).write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: Path) -> FlattenedConfig:
        """Read what `save` wrote.

        Raises:
            DuologueError: ``flattened_missing`` if there is none.
        """
        try:
            content = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
            return cls(**{**content, "entries": tuple(content["entries"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DuologueError(
                "flattened_missing",
                f"{folder} holds no baseline with flattened codes: {error}.",
                "Train one: duologue train flattened --tokenizer RUN",
            ) from error


def entries_of(script: Mapping[str, Any]) -> list[str]:
    """What a script can ask for, as "name=value": its entries that are words, such as kind, actor, hand and mood."""
    return sorted(f"{name}={value}" for name, value in script.items() if isinstance(value, str))


def flattened_llama(sizes: Sizes, vocabulary: int) -> LlamaForCausalLM:
    """An untrained Llama of the product's sizes with a vocabulary of its own, ready for Hugging Face ``generate``."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=sizes.width,
            intermediate_size=sizes.feed_forward,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            bos_token_id=None,
            eos_token_id=None,
            pad_token_id=0,
        )
    )


class _Legal(LogitsProcessor):
    """Lets through the codes of the level that comes next, drawn colder the finer it is."""

    def __init__(self, config: FlattenedConfig, start: int, place_levels: int) -> None:
        self._config, self._start, self._place_levels = config, start, place_levels

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        level = (input_ids.shape[1] - self._start) % self._config.levels
        depth = level if level < self._place_levels else level - self._place_levels
        legal = slice(level * self._config.codes, (level + 1) * self._config.codes)
        out = torch.full_like(scores, -torch.inf)
        out[:, legal] = scores[:, legal] / SAMPLING.at_depth(depth, of_place=level < self._place_levels).temperature
        return out


@torch.inference_mode()
def generated_codes(
    model: LlamaForCausalLM, config: FlattenedConfig, opening: list[int], steps: int, place_levels: int, seed: int
) -> np.ndarray:
    """Codes (2, L, D) that Hugging Face ``generate`` draws after an opening; the same seed gives the same ones."""
    count = steps * PERSONS * config.levels
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        ids = model.generate(  # type: ignore[operator]
            torch.tensor([opening], device=model.device),
            attention_mask=torch.ones(1, len(opening), dtype=torch.long, device=model.device),
            logits_processor=LogitsProcessorList([_Legal(config, len(opening), place_levels)]),
            do_sample=True,
            top_k=0,
            top_p=SAMPLING.top_p,
            min_new_tokens=count,
            max_new_tokens=count,
        )
    return config.stacked(ids[0, len(opening) :].cpu().numpy())


def prompt_reader(checkpoint: Path) -> Callable[[str], dict[str, str]]:
    """What turns a prompt into entries of a script: the reader of a checkpoint."""
    reader = PromptReader.load(checkpoint)

    def read(prompt: str) -> dict[str, str]:
        return script_of(reader.slots, reader.read(prompt))

    return read


@dataclass(frozen=True)
class WholePiece:
    """A motion that came all at once, cleaned, and as it was decoded."""

    motion: Motion
    raw: Motion
    start: int = 0


class FlattenedModel:
    """The baseline as the protocols of `duologue evaluate` ask it.

    Args:
        model: the trained Llama.
        config: its vocabulary.
        tokenizer: the motion tokenizer whose codes it says.
        read: a prompt into entries of a script.
    """

    def __init__(
        self,
        model: LlamaForCausalLM,
        config: FlattenedConfig,
        tokenizer: MotionTokenizer,
        read: Callable[[str], Mapping[str, Any]],
    ) -> None:
        self._model, self._config, self._tokenizer, self._read = model, config, tokenizer, read

    @classmethod
    def load(cls, folder: Path, tokenizer: MotionTokenizer, read: Callable[[str], Mapping[str, Any]]) -> FlattenedModel:
        """Read the run of `duologue train flattened`.

        Raises:
            DuologueError: ``flattened_missing``.
        """
        config = FlattenedConfig.load(folder)
        return cls(LlamaForCausalLM.from_pretrained(folder).eval(), config, tokenizer, read)

    def generate(self, prompt: str, seconds: float, seed: int = 0) -> Iterator[WholePiece]:
        """A pair's motion from a prompt, all at once, as `backend.engine.Engine.generate` makes it."""
        frames = round(seconds * FPS)
        steps = -(-frames // STRIDE)
        opening = self._config.opening(self._read(prompt), steps, np.ones(PERSONS))
        places = self._tokenizer.config.place_levels
        codes = generated_codes(self._model, self._config, opening, steps, places, seed)
        decoder = StreamingDecoder(self._tokenizer, np.stack([neutral_offsets()] * PERSONS))
        parts = [decoder.push(torch.from_numpy(codes)), decoder.finish()]
        raw = joined_in_time([part for part in parts if part is not None]).slice(0, frames)
        yield WholePiece(cleaned(raw), raw)
