"""One sample of a task as a row of positions, and rows as a batch.

A position is a marker, a word, or the motion of one person in one latent step; the persons of a pair take turns:
A1 B1 A2 B2 ... So the transformer takes one step for a person-step, and its D codes are read by the motion head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..tasks import LONE_PERSON, Marker, Task, roles

MARKER, WORD, MOTION, PADDING = range(4)
"""Kinds of positions."""
NO_INTENT = -1


@dataclass(frozen=True, eq=False)
class Row:
    """One sample of n positions as NumPy arrays.

    Attributes:
        kind: (n,) MARKER, WORD or MOTION.
        symbol: (n,) the marker's or the word's id; 0 for motion.
        person: (n,) role of a motion position; 0 elsewhere.
        remaining: (n,) latent steps still to come after this position's one; at BEGIN_MOTION all of them.
        codes: (n, D) codes of motion positions; 0 elsewhere.
        learned: (n,) bool: the model learns to predict this position from those before it.
        present: (3,) 1 for the roles that take part.
        scales: (3,) body size of each role relative to the neutral body; 1 for those that take no part.
        prompt: word ids of a given prompt, for the mean of its vectors.
        intent: what the prompt asks for, as a number of the model's intents; NO_INTENT without a prompt.
    """

    kind: np.ndarray
    symbol: np.ndarray
    person: np.ndarray
    remaining: np.ndarray
    codes: np.ndarray
    learned: np.ndarray
    present: np.ndarray
    scales: np.ndarray
    prompt: np.ndarray
    intent: int


def row(
    task: Task,
    text: Sequence[int],
    codes: np.ndarray,
    scales: Sequence[float] | np.ndarray,
    steps: int | None = None,
    intent: int = NO_INTENT,
) -> Row:
    """Lay out one sample of a task.

    Args:
        task: which task.
        text: word ids of the prompt, or of the caption to learn; empty for none.
        codes: (P, L, D) codes of the persons; L may be 0 when the motion is still to be made.
        scales: (P,) body sizes.
        steps: latent steps of the whole motion, when longer than ``codes``.
        intent: what the prompt asks for.
    """
    persons, length, levels = codes.shape
    who = roles(persons)
    steps = length if steps is None else steps
    words = np.asarray(text, np.int64)

    before = words if task.text_first else words[:0]
    after = words[:0] if task.text_first else words
    motion = persons * length
    close = 0 if task.text_first else 1 + len(after) + 1
    n = 1 + len(before) + 1 + motion + close
    kind, symbol = np.full(n, MARKER), np.zeros(n, np.int64)
    person, remaining = np.zeros(n, np.int64), np.zeros(n, np.int64)
    all_codes, learned = np.zeros((n, levels), np.int64), np.zeros(n, bool)

    symbol[0] = task.marker
    kind[1 : 1 + len(before)], symbol[1 : 1 + len(before)] = WORD, before
    begin = 1 + len(before)
    symbol[begin], remaining[begin] = Marker.BEGIN_MOTION, steps

    span = slice(begin + 1, begin + 1 + motion)
    kind[span] = MOTION
    person[span] = np.tile(who, length)
    remaining[span] = np.repeat(steps - 1 - np.arange(length), persons)
    all_codes[span] = codes.transpose(1, 0, 2).reshape(motion, levels)
    learned[span] = np.isin(person[span], task.learned_persons)
    if close:
        symbol[span.stop] = Marker.END_MOTION
        kind[span.stop + 1 : n - 1], symbol[span.stop + 1 : n - 1] = WORD, after
        symbol[n - 1] = Marker.END_TEXT
        learned[span.stop + 1 :] = True

    present, all_scales = np.zeros(LONE_PERSON + 1, np.float32), np.ones(LONE_PERSON + 1, np.float32)
    present[list(who)], all_scales[list(who)] = 1, scales
    return Row(kind, symbol, person, remaining, all_codes, learned, present, all_scales, before, intent)


def prefix(full: Row) -> Row:
    """The row up to where the model begins to write: without what follows END_MOTION."""
    ends = np.flatnonzero((full.kind == MARKER) & (full.symbol == Marker.END_MOTION))
    stop = int(ends[0]) + 1 if len(ends) else len(full.kind)
    cut = {name: getattr(full, name)[:stop] for name in _POSITION_FIELDS}
    return Row(**cut, present=full.present, scales=full.scales, prompt=full.prompt, intent=full.intent)


_POSITION_FIELDS = ("kind", "symbol", "person", "remaining", "codes", "learned")


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows padded to one length: the fields of `Row` with a leading axis N, and ``prompt`` as one-hot free pairs.

    Attributes:
        targets: (N, n, D) the true codes, when ``codes`` have been corrupted on purpose; else the same.
        prompt: (N, W) padded word ids, with ``prompt_mask`` (N, W) bool.
        intent: (N,) number of the intent, or NO_INTENT.
    """

    kind: torch.Tensor
    symbol: torch.Tensor
    person: torch.Tensor
    remaining: torch.Tensor
    codes: torch.Tensor
    targets: torch.Tensor
    learned: torch.Tensor
    present: torch.Tensor
    scales: torch.Tensor
    prompt: torch.Tensor
    prompt_mask: torch.Tensor
    intent: torch.Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The batch on another device."""
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})


def collate(rows: Sequence[Row], left: bool = False) -> Batch:
    """Pad rows to one length, on the right for training, on the left (``left``) to decode them side by side."""
    n = max(len(row.kind) for row in rows)

    def padded(name: str, fill: int) -> torch.Tensor:
        arrays = [getattr(row, name) for row in rows]
        out = np.full((len(rows), n, *arrays[0].shape[1:]), fill, arrays[0].dtype)
        for target, array in zip(out, arrays, strict=True):
            start = n - len(array) if left else 0
            target[start : start + len(array)] = array
        return torch.from_numpy(out)

    prompt, mask = padded_prompts([row.prompt for row in rows])
    codes = padded("codes", 0)
    return Batch(
        kind=padded("kind", PADDING),
        symbol=padded("symbol", 0),
        person=padded("person", 0),
        remaining=padded("remaining", 0),
        codes=codes,
        targets=codes,
        learned=padded("learned", 0),
        present=torch.from_numpy(np.stack([row.present for row in rows])),
        scales=torch.from_numpy(np.stack([row.scales for row in rows])),
        prompt=prompt,
        prompt_mask=mask,
        intent=torch.tensor([row.intent for row in rows]),
    )


def padded_prompts(prompts: Sequence[Sequence[int] | np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Word ids of prompts, padded to one length: (N, W) int64 and a mask (N, W) bool."""
    width = max(1, *(len(prompt) for prompt in prompts))
    ids, mask = torch.zeros(len(prompts), width, dtype=torch.long), torch.zeros(len(prompts), width, dtype=torch.bool)
    for index, prompt in enumerate(prompts):
        ids[index, : len(prompt)], mask[index, : len(prompt)] = torch.as_tensor(np.asarray(prompt, np.int64)), True
    return ids, mask
