"""A tiny checkpoint with random weights, for tests that need an engine and not a good one."""

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from backend.checkpoint import seal
from backend.language.config import LanguageConfig
from backend.language.model import MotionLanguageModel, code_vectors
from backend.language.script_book import ScriptBook
from backend.language.slots import Slot
from backend.language.words import Words
from backend.tasks import TASKS
from backend.tokenizer.config import TokenizerConfig
from backend.tokenizer.model import MotionTokenizer

_VOCABULARY = ("two", "people", "one", "person", "the", "other", "shake", "hands", "hugs", "pushes", "waves", "bows")

TINY_SLOTS = (Slot("kind", ("hug", "push")), Slot("actor", ("A", "B", "both")), Slot("hand", ("left", "right")))


def tiny_words() -> Words:
    """A handful of words with random vectors; letters for what is none of them."""
    letters = [*"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    entries = dict.fromkeys(["[UNK]", *_VOCABULARY, *letters])
    tokenizer = Tokenizer(models.WordPiece({word: index for index, word in enumerate(entries)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    tokenizer.decoder = decoders.WordPiece()  # type: ignore[assignment]
    generator = torch.Generator().manual_seed(1)
    return Words(tokenizer, torch.randn(len(entries), 12, generator=generator).half())


def tiny_tokenizer() -> MotionTokenizer:
    """A motion tokenizer with random weights: 16 codes, 3 levels."""
    torch.manual_seed(2)
    config = TokenizerConfig(codes=16, levels=3, place_levels=1, latent_width=8, width=16, frame_width=8)
    return MotionTokenizer(config).eval()


def tiny_model(words: Words, tokenizer: MotionTokenizer) -> MotionLanguageModel:
    """A language model with random weights, which says the words of the vocabulary."""
    torch.manual_seed(3)
    spoken = tuple(sorted({word for text in _VOCABULARY for word in words.encode(text)}))
    config = LanguageConfig(
        width=32,
        layers=2,
        heads=2,
        feed_forward=48,
        head_width=24,
        word_width=12,
        latent_width=tokenizer.config.latent_width,
        codes=tokenizer.config.codes,
        levels=tokenizer.config.levels,
        place_levels=tokenizer.config.place_levels,
        steps_max=75,
        spoken=spoken,
        slots=TINY_SLOTS,
        tasks=tuple(TASKS),
    )
    return MotionLanguageModel(config, code_vectors(tokenizer), words.vectors).eval()


def tiny_checkpoint(folder: Path) -> Path:
    """Write a whole checkpoint of random weights into ``folder``; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    words, tokenizer = tiny_words(), tiny_tokenizer()
    tokenizer.save(folder)
    words.save(folder)
    tiny_model(words, tokenizer).save(folder)
    ScriptBook(np.array([[1, 3, 0], [2, 1, 1], [2, 2, 2]]), np.array([2.0, 3.0, 4.0])).save(folder)
    seal(folder, {})
    return folder
