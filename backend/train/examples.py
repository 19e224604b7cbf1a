"""What the language model reads in training: for each example a task, its words, and a row of positions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch

from ..corpus.choreographer.captions import PHRASES, captions, person_captions, some_captions
from ..language.layout import MOTION, NO_INTENT, Batch, Row, row
from ..language.words import Words
from ..tasks import DESCRIBE, GENERATE, REACT, Task
from .codes import Example
from .wording import wording


@dataclass(frozen=True)
class Mixture:
    """How often each task is trained, and how inputs are disturbed.

    Attributes:
        generate: share of samples that make motion from words.
        react: share that make B from A.
        describe: share that make words from motion.
        lone: of the latter, the share that see one person alone.
        wording: share of prompts for a pair in the wider words of `backend.train.wording`.
        word_dropout: share of a prompt's words left out, so that no single word is relied on.
        wordless: share of prompts of which the intent alone remains.
        scrambled: share of prompts in which some words, up to all, become any words of the language: where the words
            are new to the model, its motion follows the intent.
        corruption: largest share of codes in a sample replaced by random ones, so that the model can go on from its
            own mistakes and asks the prompt rather than the last step where to go; coarse levels are replaced less
            often than fine ones. T2M-GPT (arXiv 2301.06052) gains by as much.
    """

    generate: float = 0.45
    react: float = 0.2
    describe: float = 0.35
    lone: float = 0.25
    wording: float = 0.6
    word_dropout: float = 0.1
    wordless: float = 0.25
    scrambled: float = 0.35
    corruption: float = 0.5


def draw_row(example: Example, words: Words, intents: Sequence[str], mixture: Mixture, rng: np.random.Generator) -> Row:
    """A random task of the mixture for an example, with words that are true of it."""
    tasks = (GENERATE, REACT, DESCRIBE)
    shares = np.array([getattr(mixture, task.name) for task in tasks])
    task = tasks[rng.choice(len(tasks), p=shares / shares.sum())]
    if task is DESCRIBE and rng.random() < mixture.lone:
        text = _draw(_person_captions(example, "A"), rng)
        return row(task, words.encode(text), example.codes[:1], example.scales[:1])
    if not task.text_first:
        caption = pair_caption(example, int(rng.integers(2**31)))
        return row(task, words.encode(caption), example.codes, example.scales)
    ids = draw_prompt(example, words, mixture, rng, alone=task is REACT and rng.random() < 0.5)
    if rng.random() < task.prompt_dropout:
        return row(task, [], example.codes, example.scales)
    fate = rng.random()
    if fate < mixture.wordless:
        ids = []
    elif fate < mixture.wordless + mixture.scrambled:
        ids = scrambled(ids, len(words.vectors), rng)
    intent = number_of(example.intent, intents)
    return row(task, ids, example.codes, example.scales, intent=intent)


def draw_prompt(
    example: Example, words: Words, mixture: Mixture, rng: np.random.Generator, alone: bool = False
) -> list[int]:
    """Word ids of a random prompt that is true of an example, some left out; ``alone``: of what B does."""
    if alone:
        text = _draw(_person_captions(example, "B"), rng)
    elif rng.random() < mixture.wording:
        text = wording(example.kind, example.script, rng)
    else:
        text = pair_caption(example, int(rng.integers(2**31)))
    return [word for word in words.encode(text) if rng.random() >= mixture.word_dropout]


def scrambled(ids: Sequence[int], vocabulary: int, rng: np.random.Generator) -> list[int]:
    """Word ids of which a random share, from none to all, has become random words of a vocabulary."""
    share = rng.random()
    return [int(rng.integers(vocabulary)) if rng.random() < share else word for word in ids]


def fixed_row(
    task: Task, example: Example, words: Words, intents: Sequence[str], seed: int, prompted: bool = True
) -> Row:
    """The row of a task for an example, undisturbed, for validation."""
    ids = words.encode(pair_caption(example, seed)) if prompted else []
    intent = number_of(example.intent, intents) if prompted and task.text_first else NO_INTENT
    return row(task, ids, example.codes, example.scales, intent=intent)


def number_of(intent: str, intents: Sequence[str]) -> int:
    """Number of an intent among those that training saw; NO_INTENT for another, as a validation scene may have."""
    return intents.index(intent) if intent in intents else NO_INTENT


def pair_caption(example: Example, seed: int) -> str:
    """A training caption that is true of an example."""
    return some_captions(example.kind, example.script, "train", 1, seed)[0]


def corrupted(batch: Batch, most: float, codes: int) -> Batch:
    """The batch with some input codes replaced by random ones, up to a share ``most``; its targets stay true."""
    rows, _, levels = batch.codes.shape
    rate = torch.rand(rows, 1, 1) * most * torch.linspace(0.3, 1, levels)
    hit = (torch.rand(batch.codes.shape) < rate) & (batch.kind == MOTION)[..., None]
    return replace(batch, codes=torch.where(hit, torch.randint(codes, batch.codes.shape), batch.codes))


def spoken_words(scripts: Iterable[tuple[str, Mapping[str, Any]]], words: Words) -> tuple[int, ...]:
    """Ids of all words that training captions of (kind, script) pairs can use, ascending."""
    texts: set[str] = set()
    for kind, told in {(kind, _told(script)) for kind, script in scripts}:
        texts.update(captions(kind, dict(told), "train"))
        texts.update(_person_texts(kind, told, "A"), _person_texts(kind, told, "B"))
    return tuple(sorted({word for text in texts for word in words.encode(text)}))


def _person_captions(example: Example, person: str) -> tuple[str, ...]:
    return _person_texts(example.kind, _told(example.script), person)


def _told(script: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, script[name]) for name in _told_of() if name in script)


@cache
def _told_of() -> tuple[str, ...]:
    """The entries of a script that captions can tell."""
    names = json.loads((PHRASES / "names.json").read_text(encoding="utf-8"))
    return ("actor", *sorted({detail["of"] for detail in names["details"].values()}))


@cache
def _person_texts(kind: str, told: tuple[tuple[str, Any], ...], person: str) -> tuple[str, ...]:
    return tuple(person_captions(kind, dict(told), "A" if person == "A" else "B", "train"))


def _draw(texts: tuple[str, ...], rng: np.random.Generator) -> str:
    return texts[rng.integers(len(texts))]
