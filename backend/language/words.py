"""Words as the model sees them: a text tokenizer and one frozen vector for each of its entries.

The shipped checkpoint takes both from WordLlama (MIT licence, https://github.com/dleemiller/WordLlama), so that it
understands words that no training caption used. Only its two data files are read, at training time; the package itself
is never imported, because it asks for a NumPy that some of Blender's Pythons do not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from .int8 import from_int8, to_int8
from .wheels import fetch_files

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
        vectors: (V, W) floats: the vector of each id.
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
        save_file(to_int8({"vectors": self.vectors}), folder / VECTORS_FILE)

    @classmethod
    def load(cls, folder: Path) -> Words:
        """Read what `save` wrote."""
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        return cls(tokenizer, from_int8(load_file(folder / VECTORS_FILE))["vectors"])


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
    """WordLlama's tokenizer and vectors.

    Args:
        cache: folder that keeps the two files once they have been found, so that training can resume without a network.

    Raises:
        DuologueError: ``words_missing`` if the package is neither installed nor to be had from the package index.
    """
    fetch_files(_PACKAGE, _SOURCES, cache, "words_missing", "word vectors")
    tokenizer = Tokenizer.from_file(str(cache / TOKENIZER_FILE))
    return Words(tokenizer, load_file(cache / VECTORS_FILE)["embedding.weight"])
