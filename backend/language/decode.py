"""The step loop: feeds what is known, reads what comes next, and keeps the transformer's key-value cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from transformers.cache_utils import DynamicCache

from ..tasks import Marker, roles
from .anticipation import Whereabouts
from .layout import MOTION, PADDING, Row, collate
from .leading import Leading, Lean
from .model import MotionLanguageModel
from .sampling import Sampling, draw, guided
from .stepper import LlamaStepper


class Cancelled(Exception):  # noqa: N818  (not an error: somebody wanted it)
    """The person asked to stop; raised before the next step of the language model."""


class Reader:
    """A transformer that has read some positions and can go on.

    Several rows are read side by side: attempts at one motion, and for guidance the same with the script left open.

    Args:
        model: in evaluation mode.
        opening: rows to begin with.
        cancelled: asked before every step.
    """

    def __init__(self, model: MotionLanguageModel, opening: Sequence[Row], cancelled: Callable[[], bool]) -> None:
        self.model, self._cancelled = model, cancelled
        self.device = model.markers.weight.device
        batch = collate(opening, left=True).to(self.device)
        self._mask = (batch.kind != PADDING).long()
        self._cache = DynamicCache() if model.steps is None else LlamaStepper(model.steps)
        self._whole = bool(self._mask.all())
        self._unread = model.embed(batch)
        self._script = model.scripts(batch.slots[:, -1])

    def feed_motion(self, vectors: torch.Tensor) -> None:
        """Append one motion position (rows or 1, width) to what is to be read next."""
        self._append(vectors + self._script)

    def feed_word(self, vectors: torch.Tensor) -> None:
        """Append one word (1, width) to what is to be read next."""
        self._append(vectors.expand(len(self._unread), -1))

    def _append(self, vectors: torch.Tensor) -> None:
        self._unread = torch.cat((self._unread, vectors[:, None]), 1)
        self._mask = torch.cat((self._mask, self._mask.new_ones(len(self._mask), 1)), 1)

    def hidden(self) -> torch.Tensor:
        """Read everything fed so far; returns the last position's hidden states (rows, width).

        Raises:
            Cancelled: if the job has been cancelled.
        """
        if self._cancelled():
            raise Cancelled
        unread, self._unread = self._unread, self._unread[:, :0]
        mask = None if self._whole else self._mask
        if isinstance(self._cache, LlamaStepper):
            return self._cache(unread, mask)[:, -1]
        positions = (self._mask.cumsum(1) - 1).clamp(min=0)[:, -unread.shape[1] :]
        states = self.model.transformer(
            inputs_embeds=unread,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
        ).last_hidden_state
        return states[:, -1]


@torch.inference_mode()
def motion_steps(
    model: MotionLanguageModel,
    opening: Sequence[Row],
    steps: int,
    sampling: Sampling,
    generator: torch.Generator,
    cancelled: Callable[[], bool],
    given: np.ndarray | None = None,
    expected: Whereabouts | None = None,
    attempts: int = 1,
) -> Iterator[torch.Tensor]:
    """Make a pair's motion, one latent step after the other: A's codes, then B's.

    Args:
        model: in evaluation mode.
        opening: the row up to an open block of motion, and for guidance a second one whose script is left open.
        steps: latent steps to make; the countdown ends with the last of them.
        sampling: how to draw.
        generator: where randomness comes from.
        cancelled: asked before every step of the transformer.
        given: (steps, D) codes of A, when only B is to be made.
        expected: where B is expected, if that is known.
        attempts: motions n that are drawn side by side from the same opening.

    Yields:
        (n, 2, D) codes of one latent step.

    Raises:
        Cancelled: if the job has been cancelled.
    """
    rows = [one for one in opening for _ in range(attempts)]
    reader = Reader(model, rows, cancelled)
    config = model.config
    samplings = [
        sampling.at_depth(config.depth(level), of_place=level < config.place_levels) for level in range(config.levels)
    ]
    leading = None if expected is None else Leading(model, expected)
    last = torch.from_numpy(rows[0].codes[-1:]).to(reader.device) if rows[0].kind[-1] == MOTION else None
    for step in range(steps):
        remaining = torch.full((len(rows),), steps - 1 - step, device=reader.device)
        pair = []
        for role in roles(2):
            if given is not None and role == roles(2)[0]:
                codes = torch.from_numpy(given[step]).to(reader.device).expand(attempts, -1)
            else:
                lean = None if leading is None or role == roles(2)[0] else leading.at(step)
                codes = draw_codes(model, reader.hidden(), samplings, generator, attempts, lean)
            pair.append(codes)
            codes = codes.repeat(len(opening), 1)
            scale = torch.full((len(rows),), float(opening[0].scales[role]), device=reader.device)
            vectors = model.embed_motion(codes, torch.full_like(remaining, role), remaining, scale)
            reader.feed_motion(vectors if last is None else vectors + model.meeting(codes, last.expand_as(codes)))
            last = codes
        yield torch.stack(pair, 1)


def draw_codes(
    model: MotionLanguageModel,
    hidden: torch.Tensor,
    samplings: Sequence[Sampling],
    generator: torch.Generator,
    attempts: int,
    lean: Lean | None = None,
) -> torch.Tensor:
    """Draw the D codes of one position for n attempts, level by level, from hidden states (n or 2 n, width): (n, D)."""
    begun = model.head.begin(hidden)
    partial = torch.zeros(attempts, model.config.latent_width, device=hidden.device)
    twice = len(hidden) // attempts
    codes = []
    for level, sampling in enumerate(samplings):
        seen = partial if twice == 1 else partial.repeat(twice, 1)
        logits = guided(model.head.level(begun, level, seen), sampling.guidance, attempts)
        if lean is not None:
            logits = logits + lean(level, partial)
        codes.append(draw(logits, sampling, generator).to(hidden.device))
        partial = partial + model.code_vectors[level, codes[-1]]
    return torch.stack(codes, -1)


@torch.inference_mode()
def words(
    model: MotionLanguageModel,
    opening: Row,
    sampling: Sampling,
    generator: torch.Generator,
    cancelled: Callable[[], bool],
    longest: int = 48,
) -> Iterator[int]:
    """Say word after word until the end of the text, or until there are ``longest`` of them.

    Args:
        model: in evaluation mode.
        opening: the row up to END_MOTION or ANSWER.
        sampling: how to draw.
        generator: where randomness comes from.
        cancelled: asked before every step of the transformer.
        longest: most words to say.

    Yields:
        Word ids.

    Raises:
        Cancelled: if the job has been cancelled.
    """
    assert opening.symbol[-1] in (Marker.END_MOTION, Marker.ANSWER), "words follow a motion or a question"
    reader = Reader(model, [opening], cancelled)
    spoken = model.config.spoken
    for _ in range(longest):
        choice = int(draw(model.text_logits(reader.hidden()), sampling, generator))
        if choice == len(spoken):
            return
        yield spoken[choice]
        reader.feed_word(model.embed_words(torch.tensor([spoken[choice]], device=reader.device)))
