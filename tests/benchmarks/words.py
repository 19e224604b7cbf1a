"""How well prompts are read, with word vectors frozen or tuned, and with captions alone or synonyms besides: one table.

    python -m tests.benchmarks.words                     some minutes on one processor core
    python -m tests.benchmarks.words --steps 3000        as long as readers of word vectors need

A reader of WordLlama's vectors is trained, from prompts without motion: what was tried before the sentence encoder of
`backend.language.prompt_reader`. Synonyms are the wordings of `backend.train.wording`. Tuned vectors are trained with
the reader, those of the words that training prompts use; the others stay where they were. Judged by held-out phrasings
of all kinds, and by blind ones, whose author had seen neither.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from backend.checks import WITH_ACTOR
from backend.corpus.choreographer.captions import (
    KINDS,
    Prompt,
    held_out_prompts,
    person_captions,
    some_captions,
    swapped,
)
from backend.corpus.scene import read_scenes
from backend.evaluate.t2m import blind_prompts
from backend.language.layout import padded_prompts
from backend.language.model import WORD_NOISE
from backend.language.sentence import SentenceReader
from backend.language.words import Words, fetch_words
from backend.train.wording import wording

BATCH = 64
READER_RATE, VECTORS_RATE = 2e-3, 5e-4
SYNONYMS_SHARE, ALONE_SHARE, WORD_DROPOUT = 0.6, 0.25, 0.1
DRAWN = 4000
"""Prompts drawn for each of the two ways to word them; every one is met several times, each time with other words left
out and other noise."""


@dataclass(frozen=True)
class Asked:
    """A prompt as rows of a `Table`, and the number of what it asks for."""

    ids: list[int]
    intent: int


@dataclass(frozen=True)
class Shares:
    """Shares of prompts that are read right: who does what, and what is done."""

    intent: float
    kind: float

    def __str__(self) -> str:
        return f"{100 * self.intent:4.0f} % {100 * self.kind:4.0f} %"


@dataclass(frozen=True, eq=False)
class Table:
    """The vectors of the words that occur at all, so that an optimizer need not walk over 32,000.

    Attributes:
        words: the text tokenizer with all vectors.
        row: of a word's id.
        vectors: (rows, W).
    """

    words: Words
    row: dict[int, int]
    vectors: torch.Tensor

    @classmethod
    def of(cls, words: Words, texts: Iterable[str], lists: Iterable[Sequence[Prompt]]) -> Table:
        """The table of some training prompts and lists of prompts to be judged by."""
        every = (*texts, *(prompt.text for prompts in lists for prompt in prompts))
        ids = sorted({word for text in every for word in words.encode(text)})
        return cls(words, {word: number for number, word in enumerate(ids)}, words.vectors[ids])

    def rows(self, text: str) -> list[int]:
        """A text as rows of the table."""
        return [self.row[word] for word in self.words.encode(text)]


class Reading(nn.Module):
    """A reader over word vectors that stay, or are trained too.

    Args:
        vectors: (V, W).
        intents: how many there are.
        tuned: train the vectors.
    """

    def __init__(self, vectors: torch.Tensor, intents: int, tuned: bool) -> None:
        super().__init__()
        self.vectors = nn.Embedding.from_pretrained(vectors.float().clone(), freeze=not tuned)
        self.reader = SentenceReader(vectors.shape[1], intents)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits (N, intents) of padded word ids (N, W)."""
        vectors = self.vectors(ids)
        if self.training:
            vectors = vectors + torch.randn_like(vectors) * vectors.detach().std(-1, keepdim=True) * WORD_NOISE
        return self.reader(vectors, mask)


def scripts_of(corpus: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """Kind and script of every training scene, and of it with its persons swapped."""
    found = [(scene.kind, scene.script) for scene in read_scenes(corpus) if scene.split == "train"]
    return [(kind, way) for kind, script in found for way in (script, swapped(script))]


def drawn_texts(scripts: Sequence[tuple[str, Mapping[str, Any]]], synonyms: bool) -> list[tuple[str, str]]:
    """Training prompts with their intents; of the pair, or of what B alone does."""
    rng = np.random.default_rng(0)
    texts = []
    for number in rng.integers(len(scripts), size=DRAWN):
        kind, script = scripts[number]
        if rng.random() < ALONE_SHARE:
            told = person_captions(kind, script, "B", "train")
            text = told[rng.integers(len(told))]
        elif synonyms and rng.random() < SYNONYMS_SHARE:
            text = wording(kind, script, rng)[0]
        else:
            text = some_captions(kind, script, "train", 1, int(rng.integers(2**31)))[0]
        texts.append((text, f"{kind}:{script['actor']}"))
    return texts


def trained(model: Reading, prompts: Sequence[Asked], steps: int, seed: int) -> None:
    """Train in place."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    groups = [{"params": model.reader.parameters(), "lr": READER_RATE}]
    if model.vectors.weight.requires_grad:
        groups.append({"params": model.vectors.parameters(), "lr": VECTORS_RATE, "weight_decay": 0.0})
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()
    for _ in range(steps):
        batch = [prompts[number] for number in rng.integers(len(prompts), size=BATCH)]
        ids, mask = padded_prompts([[word for word in one.ids if rng.random() >= WORD_DROPOUT] for one in batch])
        loss = functional.cross_entropy(model(ids, mask), torch.tensor([one.intent for one in batch]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


@torch.no_grad()
def judged(model: Reading, asked: Sequence[tuple[Prompt, list[int]]], intents: Sequence[str]) -> Shares:
    """How many prompts are read right; who acts is asked only where it matters."""
    model.eval()
    read = model(*padded_prompts([ids for _, ids in asked])).argmax(-1).tolist()
    right, kinds = [], []
    for (prompt, _), number in zip(asked, read, strict=True):
        kind, _, actor = intents[int(number)].partition(":")
        kinds.append(kind == prompt.kind)
        right.append(kinds[-1] and (prompt.kind not in WITH_ACTOR or actor == prompt.actor))
    return Shares(float(np.mean(right)), float(np.mean(kinds)))


def main() -> None:
    """Train the four readers and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus"), help="scenes whose scripts are worded")
    parser.add_argument("--words", type=Path, default=Path("out/words"), help="cache of the word vectors")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=1)
    chosen = parser.parse_args()

    words, scripts = fetch_words(chosen.words), scripts_of(chosen.corpus)
    kinds = tuple(kind for kind in KINDS if kind in {kind for kind, _ in scripts})
    intents = sorted({f"{kind}:{script['actor']}" for kind, script in scripts})
    lists = {
        "held-out": [prompt for kind in kinds for prompt in held_out_prompts(kind)],
        "blind": [prompt for kind in kinds for prompt in blind_prompts(kind)],
    }
    texts = {synonyms: drawn_texts(scripts, synonyms) for synonyms in (False, True)}
    table = Table.of(words, [text for drawn in texts.values() for text, _ in drawn], lists.values())
    print(
        f"{len(kinds)} kinds, {len(intents)} intents; {chosen.steps} steps of {BATCH} prompts, {chosen.seeds} seed(s)"
    )
    print(f"{'training prompts':22}{'vectors':10}{'words met':>10}", end="")
    print("".join(f"   {f'{name} ({len(prompts)})':16}" for name, prompts in lists.items()) + "   processor s")
    print(f"{'':42}" + "   who+what  what  " * len(lists))
    for synonyms, drawn in texts.items():
        prompts = [Asked(table.rows(text), intents.index(intent)) for text, intent in drawn]
        met = len({word for prompt in prompts for word in prompt.ids})
        for tuned in (False, True):
            start, found = time.process_time(), {name: [] for name in lists}
            for seed in range(chosen.seeds):
                torch.manual_seed(seed)
                model = Reading(table.vectors, len(intents), tuned)
                trained(model, prompts, chosen.steps, seed)
                for name, asked in lists.items():
                    found[name].append(judged(model, [(one, table.rows(one.text)) for one in asked], intents))
            label = "captions, synonyms" if synonyms else "captions"
            print(f"{label:22}{'tuned' if tuned else 'frozen':10}{met:10}", end="")
            print("".join(f"   {_mean(shares)!s:16}" for shares in found.values()), end="")
            print(f"   {time.process_time() - start:8.0f}", flush=True)


def _mean(found: Sequence[Shares]) -> Shares:
    return Shares(*(float(np.mean([getattr(one, name) for one in found])) for name in ("intent", "kind")))


if __name__ == "__main__":
    main()
