"""A tiny checkpoint with random weights, for tests that need an engine and not a good one."""

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from backend.checkpoint import seal
from backend.corpus.dialogues.questions import SORTS
from backend.language.anticipation import Anticipation, AnticipationConfig
from backend.language.config import LanguageConfig
from backend.language.model import MotionLanguageModel, code_vectors
from backend.language.prompt_reader import PromptReader
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
    model = MotionLanguageModel(config, code_vectors(tokenizer), words.vectors).eval()
    torch.nn.init.normal_(model.between.reading)
    torch.nn.init.normal_(model.between.outer.weight, std=0.1)
    return model


def tiny_reader(slots: tuple[Slot, ...] = TINY_SLOTS) -> PromptReader:
    """A reader of prompts with random weights."""
    torch.manual_seed(4)
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_VOCABULARY, "a", "b"]
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(entries)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()  # type: ignore[assignment]
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))  # type: ignore[assignment]
    config = BertConfig(
        vocab_size=len(entries),
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
        initializer_range=0.3,
    )
    return PromptReader(BertModel(config, add_pooling_layer=False), tokenizer, slots, SORTS, width=16).eval()


def tiny_reader_run(folder: Path, language: Path) -> Path:
    """A finished run of a reader with random weights for a language run; returns its folder."""
    folder.mkdir(parents=True)
    config = LanguageConfig.from_json(json.loads((language / "language.json").read_text()))
    tiny_reader(config.slots).save(folder)
    (folder / "recipe.json").write_text("{}")
    return folder


def tiny_anticipation() -> Anticipation:
    """What expects a partner's place, with random weights."""
    torch.manual_seed(5)
    return Anticipation(AnticipationConfig(TINY_SLOTS, width=8, dilations=(1, 2))).eval()


def tiny_anticipation_run(folder: Path) -> Path:
    """A finished run of it; returns its folder."""
    folder.mkdir(parents=True)
    tiny_anticipation().save(folder)
    (folder / "recipe.json").write_text("{}")
    return folder


def tiny_checkpoint(folder: Path) -> Path:
    """Write a whole checkpoint of random weights into ``folder``; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    words, tokenizer = tiny_words(), tiny_tokenizer()
    tokenizer.save(folder)
    words.save(folder)
    tiny_model(words, tokenizer).save(folder)
    tiny_reader().save(folder)
    tiny_anticipation().save(folder)
    scripts, seconds = np.array([[1, 3, 0], [2, 1, 1], [2, 2, 2]]), np.array([2.0, 3.0, 4.0])
    ScriptBook.of(scripts, seconds, np.ones((3, 2, 3)), np.ones((3, 2)), [[]] * len(scripts)).save(folder)
    seal(folder, {})
    return folder
