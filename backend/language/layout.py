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
UNREAD = -1
"""Stands in `Row.read` for a script that the model does not learn to read."""


@dataclass(frozen=True, eq=False)
class MotionBlock:
    """A stretch of motion between BEGIN_MOTION and END_MOTION.

    Attributes:
        codes: (P, L, D) codes of a pair or of a lone person; L may be 0 when the motion is still to be made.
        slots: (S,) the script that it follows, as numbers of slots.
        learned: roles whose codes the model learns to predict.
        given: latent steps at the beginning that it does not learn, because they are given.
        steps: latent steps of the whole motion, when more of it is to be made; then the block stays open.
        read: (S,) the script that the model learns to read from the motion at its end.
    """

    codes: np.ndarray
    slots: np.ndarray
    learned: tuple[int, ...] = ()
    given: int = 0
    steps: int | None = None
    read: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class TextBlock:
    """Words that follow a motion.

    Attributes:
        ids: their ids.
        learned: whether the model learns to say them; then END_TEXT closes them.
        opening: the marker before them; None for a caption, which follows END_MOTION at once.
    """

    ids: Sequence[int]
    learned: bool
    opening: Marker | None = None


@dataclass(frozen=True, eq=False)
class Row:
    """One sample of n positions and G blocks of motion as NumPy arrays.

    Attributes:
        kind: (n,) MARKER, WORD or MOTION.
        symbol: (n,) the marker's or the word's id; 0 for motion.
        person: (n,) role of a motion position; 0 elsewhere.
        remaining: (n,) latent steps still to come after this position's one; at BEGIN_MOTION all of them.
        codes: (n, D) codes of motion positions; 0 elsewhere.
        learned: (n,) bool: the model learns to predict this position from those before it.
        block: (n,) number of the block of motion that a position belongs to or follows.
        slots: (G, S) the script that each block of motion follows.
        read: (G, S) the script to be read at each block's END_MOTION, or UNREAD.
        present: (G, 3) 1 for the roles that take part in a block.
        scales: (3,) body size of each role relative to the neutral body; 1 for those that take no part.
    """

    kind: np.ndarray
    symbol: np.ndarray
    person: np.ndarray
    remaining: np.ndarray
    codes: np.ndarray
    learned: np.ndarray
    block: np.ndarray
    slots: np.ndarray
    read: np.ndarray
    present: np.ndarray
    scales: np.ndarray


def row(
    task: Task,
    motions: Sequence[MotionBlock],
    scales: Sequence[float] | np.ndarray,
    texts: Sequence[TextBlock] = (),
) -> Row:
    """Lay out one sample of a task: its marker, its blocks of motion, its blocks of text.

    Args:
        task: which task.
        motions: at least one.
        scales: body sizes of A and B, or of the lone person.
        texts: what is said after the last motion.
    """
    parts = [_markers((task.marker,), motions[0].codes.shape[-1])]
    for number, block in enumerate(motions):
        parts += _motion_parts(block, number)
    parts += [_text_part(block, len(motions) - 1, motions[0].codes.shape[-1]) for block in texts]
    positions = {name: np.concatenate([part[name] for part in parts]) for name in POSITION_FIELDS}
    present = np.zeros((len(motions), LONE_PERSON + 1), np.float32)
    for number, block in enumerate(motions):
        present[number, list(roles(len(block.codes)))] = 1
    sizes = np.ones(LONE_PERSON + 1, np.float32)
    sizes[: len(scales)] = scales
    sizes[LONE_PERSON] = scales[0]
    return Row(
        **positions,
        slots=np.stack([block.slots for block in motions]),
        read=np.stack([np.full_like(block.slots, UNREAD) if block.read is None else block.read for block in motions]),
        present=present,
        scales=sizes,
    )


POSITION_FIELDS = ("kind", "symbol", "person", "remaining", "codes", "learned", "block")


def _motion_parts(block: MotionBlock, number: int) -> list[dict[str, np.ndarray]]:
    persons, length, levels = block.codes.shape
    who = roles(persons)
    steps = length if block.steps is None else block.steps
    begin = _markers((Marker.BEGIN_MOTION,), levels, number)
    begin["remaining"][:] = steps
    person = np.tile(who, length)
    made = np.repeat(np.arange(length), persons)
    motion = {
        "kind": np.full(persons * length, MOTION),
        "symbol": np.zeros(persons * length, np.int64),
        "person": person,
        "remaining": steps - 1 - made,
        "codes": block.codes.transpose(1, 0, 2).reshape(persons * length, levels),
        "learned": np.isin(person, block.learned) & (made >= block.given),
        "block": np.full(persons * length, number),
    }
    return [begin, motion] + ([_markers((Marker.END_MOTION,), levels, number)] if block.steps is None else [])


def _text_part(block: TextBlock, number: int, levels: int) -> dict[str, np.ndarray]:
    opening = () if block.opening is None else (block.opening,)
    part = _markers((*opening, *block.ids, *((Marker.END_TEXT,) if block.learned else ())), levels, number)
    words = slice(len(opening), len(opening) + len(block.ids))
    part["kind"][words] = WORD
    part["learned"][len(opening) :] = block.learned
    return part


def _markers(symbols: Sequence[int], levels: int, number: int = 0) -> dict[str, np.ndarray]:
    n = len(symbols)
    return {
        "kind": np.full(n, MARKER),
        "symbol": np.array(symbols, np.int64),
        "person": np.zeros(n, np.int64),
        "remaining": np.zeros(n, np.int64),
        "codes": np.zeros((n, levels), np.int64),
        "learned": np.zeros(n, bool),
        "block": np.full(n, number),
    }


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows padded to one length: the fields of `Row` with a leading axis N.

    Attributes:
        targets: (N, n, D) the true codes, when ``codes`` have been corrupted on purpose; else the same.
    """

    kind: torch.Tensor
    symbol: torch.Tensor
    person: torch.Tensor
    remaining: torch.Tensor
    codes: torch.Tensor
    targets: torch.Tensor
    learned: torch.Tensor
    block: torch.Tensor
    slots: torch.Tensor
    read: torch.Tensor
    present: torch.Tensor
    scales: torch.Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The batch on another device."""
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})


def collate(rows: Sequence[Row], left: bool = False) -> Batch:
    """Pad rows to one length, on the right for training, on the left (``left``) to decode them side by side."""
    n = max(len(row.kind) for row in rows)
    blocks = max(len(row.slots) for row in rows)

    def padded(name: str, fill: int, length: int, at_end: bool = False) -> torch.Tensor:
        arrays = [getattr(row, name) for row in rows]
        out = np.full((len(rows), length, *arrays[0].shape[1:]), fill, arrays[0].dtype)
        for target, array in zip(out, arrays, strict=True):
            start = length - len(array) if at_end else 0
            target[start : start + len(array)] = array
        return torch.from_numpy(out)

    positions = {name: padded(name, PADDING if name == "kind" else 0, n, left) for name in POSITION_FIELDS}
    return Batch(
        **positions,
        targets=positions["codes"],
        slots=padded("slots", 0, blocks),
        read=padded("read", UNREAD, blocks),
        present=padded("present", 0, blocks),
        scales=torch.from_numpy(np.stack([row.scales for row in rows])),
    )


def padded_prompts(prompts: Sequence[Sequence[int] | np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Word ids of prompts, padded to one length: (N, W) int64 and a mask (N, W) bool."""
    width = max(1, *(len(prompt) for prompt in prompts))
    ids, mask = torch.zeros(len(prompts), width, dtype=torch.long), torch.zeros(len(prompts), width, dtype=torch.bool)
    for index, prompt in enumerate(prompts):
        ids[index, : len(prompt)], mask[index, : len(prompt)] = torch.as_tensor(np.asarray(prompt, np.int64)), True
    return ids, mask
