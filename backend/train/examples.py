"""What the language model reads in training: for each example a task, its words, and a row of positions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch

from ..corpus.choreographer.captions import PHRASES, captions, person_captions
from ..language.layout import MOTION, Batch, MotionBlock, Row, TextBlock, row
from ..language.slots import UNSAID, Slot, numbers
from ..language.words import Words
from ..tasks import COMPLETE, DESCRIBE, GENERATE, REACT, Task
from .codes import Example
from .prompts import pair_caption, person_prompt

_TASKS = (GENERATE, REACT, COMPLETE, DESCRIBE)
_AFTER_MAX = 8
"""Latent steps of the end of a motion, at most, that are given when its middle is to be completed."""


@dataclass(frozen=True)
class Mixture:
    """How often each task is trained.

    Attributes:
        generate: share of samples that make motion from a script.
        react: share that make B from A.
        complete: share that fill the gap between two given ends.
        describe: share that make words from motion.
        lone: of the latter, the share that see one person alone.
        unsaid: share of the slots of a script that are left open one by one.
    """

    generate: float = 0.5
    react: float = 0.22
    complete: float = 0.08
    describe: float = 0.2
    lone: float = 0.3
    unsaid: float = 0.1


def draw_row(example: Example, words: Words, slots: Sequence[Slot], mixture: Mixture, rng: np.random.Generator) -> Row:
    """A random task of the mixture for an example, with words that are true of it."""
    shares = np.array([getattr(mixture, task.name) for task in _TASKS])
    task = _TASKS[rng.choice(len(_TASKS), p=shares / shares.sum())]
    script = numbers(slots, example.script)
    if task is DESCRIBE:
        if rng.random() < mixture.lone:
            return described(example.codes[:1], example.scales[:1], script, _person_words(example, words, rng))
        text = words.encode(pair_caption(example.kind, example.script, rng)[0])
        return described(example.codes, example.scales, script, text)
    left_open = rng.random() < task.open_share
    followed = np.zeros_like(script) if left_open else partly(script, mixture.unsaid, rng)
    return made(task, example, script, followed, rng)


def made(task: Task, example: Example, script: np.ndarray, followed: np.ndarray, rng: np.random.Generator) -> Row:
    """A row in which the model makes an example's motion, following what is left of its script.

    Where the model cannot copy the script from what it follows, it learns to read it from the motion.
    """
    codes, scales = example.codes, example.scales
    steps = codes.shape[1]
    given, before = 0, []
    if task is REACT:
        before = [MotionBlock(codes[:1], np.zeros_like(followed), read=script)]
    elif task is COMPLETE:
        after = int(rng.integers(1, min(_AFTER_MAX, steps // 3) + 1))
        given = int(rng.integers(1, max(2, steps // 2)))
        before = [MotionBlock(codes[:, -after:], np.zeros_like(followed))]
    read = None if followed.any() else script
    block = MotionBlock(codes, followed, task.learned_persons, given, read=read)
    return row(task, [*before, block], scales)


def described(codes: np.ndarray, scales: np.ndarray, script: np.ndarray, text: Sequence[int]) -> Row:
    """A row in which the model learns a motion without a script, then to read its script and to say its caption."""
    block = MotionBlock(codes, np.zeros_like(script), DESCRIBE.learned_persons, read=script)
    return row(DESCRIBE, [block], scales, [TextBlock(text, learned=True)])


def corrupted(batch: Batch, most: float, codes: int) -> Batch:
    """The batch with some codes that the model itself is to make replaced by random ones, up to a share ``most``.

    What is given, such as A's motion in a reaction, stays; the targets stay true.
    """
    rows, _, levels = batch.codes.shape
    rate = torch.rand(rows, 1, 1) * most * torch.linspace(0.3, 1, levels)
    made = ((batch.kind == MOTION) & batch.learned)[..., None]
    hit = (torch.rand(batch.codes.shape) < rate) & made
    return replace(batch, codes=torch.where(hit, torch.randint(codes, batch.codes.shape), batch.codes))


def spoken_words(scripts: Iterable[tuple[str, Mapping[str, Any]]], words: Words) -> tuple[int, ...]:
    """Ids of all words that training captions of (kind, script) pairs can use, ascending."""
    texts: set[str] = set()
    for kind, told in {(kind, _told(script)) for kind, script in scripts}:
        texts.update(captions(kind, dict(told), "train"))
        texts.update(person_captions(kind, dict(told), "A", "train"), person_captions(kind, dict(told), "B", "train"))
    return tuple(sorted({word for text in texts for word in words.encode(text)}))


def partly(script: np.ndarray, unsaid: float, rng: np.random.Generator) -> np.ndarray:
    """A script of which a share of the slots is left open, but never the first, the kind."""
    left_open = rng.random(len(script)) < unsaid
    left_open[0] = False
    return np.where(left_open, UNSAID, script)


def _person_words(example: Example, words: Words, rng: np.random.Generator) -> list[int]:
    return words.encode(person_prompt(example.kind, example.script, "A", rng)[0])


def _told(script: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, script[name]) for name in _told_of() if name in script)


@cache
def _told_of() -> tuple[str, ...]:
    """The entries of a script that captions can tell."""
    names = json.loads((PHRASES / "names.json").read_text(encoding="utf-8"))
    return ("actor", *sorted({detail["of"] for detail in names["details"].values()}))
