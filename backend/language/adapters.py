"""LoRA on a frozen transformer (arXiv 2106.09685), through peft: put on, written, read, and folded into the weights.

Several stages leave several adapters. Before the next one begins, those that are there are merged into the base; over
a base in four bits, whose weights merging would round again, they stay beside it, frozen, and add up to the same.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from protocol.errors import DuologueError


@dataclass(frozen=True)
class LoraRecipe:
    """The shape of an adapter.

    Attributes:
        rank: of the matrices added to a linear layer.
        alpha: what is added is multiplied by ``alpha / rank``.
        dropout: on the adapter's input, in training.
        targets: names of the linear layers that get one, such as "q_proj"; empty for all of them.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    targets: tuple[str, ...] = ()


def add_adapter(transformer: PreTrainedModel, recipe: LoraRecipe, name: str) -> None:
    """Put a new adapter on, in place; it is the only thing that trains, and at first it changes nothing.

    Raises:
        DuologueError: ``base_invalid`` if a layer that the recipe names is not there.
    """
    from peft import LoraConfig, inject_adapter_in_model
    from peft.tuners.lora import LoraLayer

    known = linear_layers(transformer)
    if lacking := [target for target in recipe.targets if target not in known]:
        raise DuologueError(
            "base_invalid",
            f"The base has no linear layer {lacking[0]}.",
            f"It has {', '.join(known)}; name some of them under 'targets', or none for all.",
        )
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=list(recipe.targets or known),
    )
    inject_adapter_in_model(config, transformer, adapter_name=name)
    layers = [module for module in transformer.modules() if isinstance(module, LoraLayer)]
    for layer in layers:
        layer.set_adapter(list(layer.lora_A))
    for key, parameter in transformer.named_parameters():
        parameter.requires_grad = f".{name}." in key


def linear_layers(transformer: nn.Module) -> tuple[str, ...]:
    """Names of a transformer's linear layers, each once, as its blocks name them."""
    found = (
        name.removesuffix(".base_layer").rpartition(".")[2]
        for name, module in transformer.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and ".lora_" not in name
    )
    return tuple(dict.fromkeys(found))


def write_adapter(transformer: nn.Module, recipe: LoraRecipe, name: str, file: Path, fingerprint: str) -> None:
    """Write one adapter alone, in float16, with its shape and the fingerprint of the base that it was trained on."""
    weights = {
        key.replace(f".{name}.", "."): value.detach().to("cpu", torch.float16).contiguous()
        for key, value in transformer.state_dict().items()
        if f".{name}." in key
    }
    save_file(weights, file, {"lora": json.dumps(dataclasses.asdict(recipe)), "base": fingerprint})


def read_adapter(transformer: PreTrainedModel, name: str, file: Path, fingerprint: str) -> None:
    """Put the adapter of a file on, in place, ready to train on.

    Raises:
        DuologueError: ``adapter_unfit`` if it was trained on another base, or is not whole.
    """
    try:
        with safe_open(file, "pt") as opened:
            known = opened.metadata() or {}
        recipe = json.loads(known["lora"])
        if known["base"] != fingerprint:
            raise ValueError("it was trained on another base")
        weights = {_named(key, name): value.float() for key, value in load_file(file).items()}
        add_adapter(transformer, LoraRecipe(**{**recipe, "targets": tuple(recipe["targets"])}), name)
        missing, unexpected = transformer.load_state_dict(weights, strict=False)
        if unexpected or any(f".{name}." in key for key in missing):
            raise ValueError("it has other layers than the base")
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise DuologueError(
            "adapter_unfit",
            f"The adapter {file} does not fit the base: {error}.",
            "Name the base that it was trained on, or train it again.",
        ) from error


def merge_adapters(transformer: PreTrainedModel) -> None:
    """Fold all adapters into the weights, in place: the transformer computes the same, and as fast as without them."""
    from peft.tuners.lora import LoraLayer

    for path, module in list(transformer.named_modules()):
        if isinstance(module, LoraLayer):
            module.merge(safe_merge=True)  # type: ignore[attr-defined]
            parent, _, child = path.rpartition(".")
            setattr(transformer.get_submodule(parent), child, module.get_base_layer())
    del transformer.peft_config
    transformer.requires_grad_(False)


def _named(key: str, name: str) -> str:
    """An adapter's key as peft spells it once the adapter has a name."""
    for part in ("lora_A", "lora_B"):
        key = key.replace(f".{part}.", f".{part}.{name}.")
    return key
