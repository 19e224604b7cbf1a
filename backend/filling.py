"""A gap in a pair's motion, filled so that it joins what is before and after it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from protocol.motion import Motion

from .cleanup.cleaner import cleaned
from .coding import encoded
from .features import Placement, canonicalized
from .language.decode import motion_steps
from .language.layout import MotionBlock, row
from .language.model import MotionLanguageModel
from .language.sampling import Sampling
from .making import MotionPiece, Seam
from .tasks import COMPLETE
from .tokenizer.config import STRIDE
from .tokenizer.model import MotionTokenizer
from .tokenizer.stream import FPS

AROUND = 8
"""Latent steps on either side of a gap that are looked at."""


@dataclass(frozen=True, eq=False)
class Gap:
    """A gap and what is around it.

    Attributes:
        motion: the whole motion, at 30 fps.
        first: first frame of the gap.
        last: the frame after its last one; there is motion from it on.
        start: first frame of what is looked at.
        placement: the canonical frame of that.
        scales: body sizes.
        given: (2, m, D) codes before the gap.
        steps: latent steps of the gap.
        after: (2, n, D) codes behind it; there may be none.
    """

    motion: Motion
    first: int
    last: int
    start: int
    placement: Placement
    scales: Sequence[float]
    given: np.ndarray
    steps: int
    after: np.ndarray

    @classmethod
    def of(cls, motion: Motion, first: int, last: int, tokenizer: MotionTokenizer) -> Gap:
        """The frames from ``first`` up to ``last`` of a motion, and the codes around them."""
        known = min(AROUND * STRIDE, first // STRIDE * STRIDE)
        steps = math.ceil((last - first) / STRIDE)
        stop = min(first + (steps + AROUND) * STRIDE, motion.frames)
        around, placement = canonicalized(motion.slice(first - known, stop))
        codes, scales = encoded(tokenizer, around)
        given, after = codes[:, : known // STRIDE], codes[:, known // STRIDE + steps :]
        return cls(motion, first, last, first - known, placement, scales, given, steps, after)

    @property
    def frames(self) -> int:
        """Frames to be made."""
        return self.last - self.first


@torch.inference_mode()
def filled(
    gap: Gap,
    script: np.ndarray,
    told: str,
    kind: str | None,
    model: MotionLanguageModel,
    tokenizer: MotionTokenizer,
    sampling: Sampling,
    seed: int,
    cancelled: Callable[[], bool],
) -> MotionPiece:
    """The frames of a gap, in one piece, for the far end corrects all of it.

    Args:
        gap: what is to be filled.
        script: (S,) what they do.
        told: the same as text.
        kind: id of the interaction, for the clean-up.
        model: in evaluation mode.
        tokenizer: of its codes.
        sampling: how codes are drawn.
        seed: of all that is drawn.
        cancelled: asked before every step of the language model.

    Raises:
        Cancelled: once ``cancelled()`` is true.
    """
    nothing = np.zeros_like(script)
    before = [MotionBlock(gap.after, nothing)] if gap.after.shape[1] else []
    whole = gap.given.shape[1] + gap.steps + gap.after.shape[1]
    openings = [
        row(COMPLETE, [*before, MotionBlock(gap.given, each, steps=whole)], gap.scales) for each in (script, nothing)
    ]
    generator = torch.Generator().manual_seed(seed)
    # The countdown goes on over what is there behind the gap; those steps stay undrawn.
    remaining = gap.steps + gap.after.shape[1]
    made = motion_steps(model, openings, remaining, sampling, generator, cancelled)
    drawn = np.stack([next(made)[0].cpu().numpy() for _ in range(gap.steps)], 1)
    codes = torch.from_numpy(np.concatenate((gap.given, drawn, gap.after), 1)).to(tokenizer.mean.device)
    root, rotations = tokenizer.decode(codes, torch.from_numpy(gap.motion.offsets).to(codes.device))
    moved, turned = (part.transpose(0, 1).cpu().numpy() for part in (root, rotations))
    raw = Motion(FPS, moved, turned, gap.motion.offsets)
    known = gap.first - gap.start
    joined = joined_at_both_ends(gap, gap.placement.undo(cleaned(raw, kind)))
    return MotionPiece(0, gap.frames, joined, gap.placement.undo(raw).slice(known, known + gap.frames), told)


def joined_at_both_ends(gap: Gap, made: Motion) -> Motion:
    """The frames of a gap out of what was made from ``gap.start`` on, moved so that they begin and end as is there."""
    first, last = gap.first - gap.start, gap.last - gap.start
    before = Seam.between(gap.motion.slice(gap.first - 1, gap.first), made.slice(first - 1, first))
    after = Seam.between(gap.motion.slice(gap.last, gap.last + 1), made.slice(last, last + 1))
    share = (np.arange(gap.frames) + 1) / (gap.frames + 1)
    share = share * share * (3 - 2 * share)
    return after.added(before.added(made.slice(first, last), 1 - share), share)
