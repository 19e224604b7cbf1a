"""Motion while it is made: codes drawn step by step, decoded, cleaned, and joined to what was there before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from protocol import rotations as rot
from protocol.motion import Motion, joined_in_time

from .cleanup import Cleaner
from .language.anticipation import Whereabouts
from .language.decode import Cancelled, motion_steps
from .language.layout import MotionBlock, Row, row
from .language.model import MotionLanguageModel
from .language.sampling import Sampling
from .tasks import Task
from .tokenizer.config import STRIDE
from .tokenizer.model import MotionTokenizer
from .tokenizer.stream import StreamingDecoder

_FIRST_STEPS = 8
"""Latent steps, a good second, that come in small pieces, so that something moves soon; large pieces cost less."""
_SMALL_PIECE, _LARGE_PIECE, _UNWATCHED_PIECE = 2, 6, 20
_SEAM_FRAMES = 15
"""Frames over which a motion that goes on from another one leaves where that one ended."""


@dataclass(frozen=True)
class MotionPiece:
    """Frames ``start`` up to ``start + motion.frames`` of a motion that will have ``total`` frames.

    A piece that starts before the end of those that came begins a better attempt, in place of all frames from its start
    on. ``raw`` holds the same frames as they were decoded, before they were cleaned up; ``script`` is what the motion
    follows, as `backend.understanding` writes it.
    """

    start: int
    total: int
    motion: Motion
    raw: Motion
    script: str

    @property
    def ends(self) -> bool:
        """Whether an attempt is whole with this piece."""
        return self.start + self.motion.frames == self.total


class _Starts(Protocol):
    @property
    def start(self) -> int: ...


_Piece = TypeVar("_Piece", bound=_Starts)


def kept(pieces: Iterable[_Piece]) -> list[_Piece]:
    """Of pieces of motion, those that no better attempt has taken the place of: they make up the motion."""
    parts: list[_Piece] = []
    for piece in pieces:
        while parts and parts[-1].start >= piece.start:
            parts.pop()
        parts.append(piece)
    return parts


def _as_it_is(motion: Motion) -> Motion:
    return motion


def _as_drawn(codes: np.ndarray) -> np.ndarray:
    return np.arange(len(codes))


def _as_wanted(motion: Motion) -> float:
    return 1.0


def _ends_piece(steps: int) -> bool:
    """Whether a piece of a motion that is watched while it is made ends with so many latent steps."""
    return steps % (_SMALL_PIECE if steps <= _FIRST_STEPS else _LARGE_PIECE) == 0


def _ends_long_piece(steps: int) -> bool:
    """Whether a piece of a motion that nobody watches ends with so many latent steps: one may cancel between them."""
    return steps % _UNWATCHED_PIECE == 0


@dataclass(frozen=True, eq=False)
class Order:
    """What the language model is asked to make.

    Attributes:
        task: opens the row.
        script: (S,) what the motion follows.
        told: the same as text.
        scales: body sizes of A and B.
        steps: latent steps of the whole motion, what is given included.
        frames: frames to make.
        offsets: (P, 22, 3) rest offsets of the persons to make, the last ones of the pair, metres.
        cleaner: makes a cleaner of their frames, in the canonical frame of the motion.
        sampling: how codes are drawn.
        attempts: how many motions are drawn side by side.
        score: how much of what was asked for a finished motion, where it belongs, shows, 0 to 1.
        ranked: the numbers of the codes (n, 2, L, D) of whole motions, the likeliest to be what was asked for first.
        before: motion that the model sees first, such as the person that is reacted to.
        given: (2, m, D) codes of both persons with which the motion begins, up to all of it.
        opens: what is given belongs to what is made; else it was there before, and its frames are not made again.
        partner: (steps, D) codes of A, if only B is made.
        expected: where B is expected, in the canonical frame of the motion.
        placed: moves frames from the canonical frame to where they belong.
        goes_on_from: the last frame before the motion, where that frame belongs.
    """

    task: Task
    script: np.ndarray
    told: str
    scales: Sequence[float]
    steps: int
    frames: int
    offsets: np.ndarray
    cleaner: Callable[[], Cleaner]
    sampling: Sampling
    given: np.ndarray
    attempts: int = 1
    score: Callable[[Motion], float] = field(default=_as_wanted)
    ranked: Callable[[np.ndarray], np.ndarray] = field(default=_as_drawn)
    opens: bool = False
    before: tuple[MotionBlock, ...] = ()
    partner: np.ndarray | None = None
    expected: Whereabouts | None = None
    placed: Callable[[Motion], Motion] = field(default=_as_it_is)
    goes_on_from: Motion | None = None

    @property
    def openings(self) -> list[Row]:
        """The row that opens the task, and for guidance the one whose script is left open."""
        guided = bool(self.script.any()) and self.sampling.guidance != 1
        scripts = [self.script, np.zeros_like(self.script)] if guided else [self.script]
        blocks = [(*self.before, MotionBlock(self.given, script, steps=self.steps)) for script in scripts]
        return [row(self.task, each, self.scales) for each in blocks]


def pieces(
    orders: Iterable[Order],
    model: MotionLanguageModel,
    tokenizer: MotionTokenizer,
    seed: int,
    cancelled: Callable[[], bool],
) -> Iterator[MotionPiece]:
    """Make what was ordered, piece by piece, exactly as many frames as the orders say.

    The first attempt comes while it and others are drawn side by side. If it is not wholly what was asked for, the
    likeliest of those that are follows as a whole; if none is, another round is drawn by the next order; and if none is
    in any round, the one that is most of it follows.

    Args:
        orders: one for each round; they ask for the same in different ways.
        model: in evaluation mode.
        tokenizer: of its codes.
        seed: of all that is drawn.
        cancelled: asked before every step of the language model.

    Raises:
        Cancelled: once ``cancelled()`` is true.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn: list[Tensor] = []
    finished: dict[int, list[MotionPiece]] = {0: []}
    scores: dict[int, float] = {}
    ranking: list[int] = []

    def round_of(order: Order) -> Iterator[Tensor]:
        """The first attempt's codes (2, D) while a round is drawn, which lies in ``drawn`` in the end."""
        made: list[Tensor] = []
        steps = order.steps - order.given.shape[1]
        for codes in motion_steps(
            model,
            order.openings,
            steps,
            order.sampling,
            generator,
            cancelled,
            order.partner,
            order.expected,
            order.attempts,
        ):
            made.append(codes.cpu())
            yield made[-1][0]
        nothing = torch.empty(order.attempts, *order.given[:, :0].shape, dtype=torch.long)
        drawn.extend(torch.stack(made, 2) if made else nothing)  # (2, L, D) each

    for order in orders:
        begun = len(drawn)
        if not begun:
            for piece in _pieces_of(order, tokenizer, round_of(order), _ends_piece):
                finished[0].append(piece)
                yield piece
            scores[0] = order.score(_whole(finished[0]))
            if scores[0] == 1:
                return
        else:
            list(round_of(order))
        given = torch.from_numpy(order.given).expand(order.attempts, *order.given.shape)
        ranked = order.ranked(torch.cat((given, torch.stack(drawn[begun:])), 2).numpy())
        for number in (begun + ranked).tolist():
            if number not in finished:
                codes = _unless(cancelled, drawn[number].unbind(1))
                finished[number] = list(_pieces_of(order, tokenizer, codes, _ends_long_piece))
                scores[number] = order.score(_whole(finished[number]))
                if scores[number] == 1:
                    yield from finished[number]
                    return
            ranking.append(number)
    if best := max(ranking, key=scores.__getitem__):
        yield from finished[best]


def _unless(cancelled: Callable[[], bool], steps: Iterable[Tensor]) -> Iterator[Tensor]:
    """The steps one by one, until somebody cancels."""
    for codes in steps:
        if cancelled():
            raise Cancelled
        yield codes


def _whole(made: Iterable[MotionPiece]) -> Motion:
    return joined_in_time([piece.motion for piece in made])


def _pieces_of(
    order: Order, tokenizer: MotionTokenizer, made: Iterable[Tensor], ends_piece: Callable[[int], bool]
) -> Iterator[MotionPiece]:
    """Decode, clean and place latent steps of codes (2, D) as they come, in pieces that end as ``ends_piece`` says."""
    known = 0 if order.opens else order.given.shape[1] * STRIDE
    seam: Seam | None = None
    decoded: Motion | None = None
    done = 0
    cleaner = order.cleaner()
    for raw in _decoded(order, known + order.frames, tokenizer, made, ends_piece):
        decoded = raw if decoded is None else joined_in_time([decoded, raw])
        ended = decoded.frames == known + order.frames
        for cleaned in (cleaner.push(raw), cleaner.finish() if ended else None):
            if cleaned is None:
                continue
            motion = order.placed(cleaned)
            if order.goes_on_from is not None and seam is None and done + motion.frames >= known:
                seam = Seam.between(order.goes_on_from, motion.slice(known - done - 1, known - done))
            first = max(known - done, 0)
            done += motion.frames
            if first < motion.frames:
                start = done - motion.frames + first - known
                fresh = motion.slice(first, motion.frames)
                fresh = fresh if seam is None else seam.eased(fresh, start)
                same = order.placed(decoded.slice(known + start, known + start + fresh.frames))
                yield MotionPiece(start, order.frames, fresh, same, order.told)


def _decoded(
    order: Order, total: int, tokenizer: MotionTokenizer, made: Iterable[Tensor], ends_piece: Callable[[int], bool]
) -> Iterator[Motion]:
    """Stretches of exactly ``total`` frames as they come out of the decoder, those of what is given first."""
    decoder = StreamingDecoder(tokenizer, order.offsets)
    persons = len(order.offsets)
    steps = order.steps - order.given.shape[1]
    left = total
    waiting: list[Tensor] = []
    given = torch.from_numpy(order.given).unbind(1)
    for number, codes in enumerate(chain(given, made), 1 - len(given)):
        waiting.append(codes)
        if number < steps and (number < 1 or not ends_piece(number)):
            continue
        finished = [decoder.push(torch.stack(waiting, 1)[-persons:])]
        waiting = []
        if number == steps:
            finished.append(decoder.finish())
        for motion in finished:
            if motion is not None and left > 0:
                motion = motion.slice(0, left)
                left -= motion.frames
                yield motion


@dataclass(frozen=True, eq=False)
class Seam:
    """The difference between where a motion ended and where the one that goes on from it begins.

    Attributes:
        root: (P, 3) metres.
        rotations: (P, 22, 4) unit quaternions, to be multiplied from the left.
    """

    root: np.ndarray
    rotations: np.ndarray

    @classmethod
    def between(cls, true: Motion, made: Motion) -> Seam:
        """The difference between the same frame as it is and as it was made."""
        turn = rot.multiply(true.rotations[-1], rot.inverse(made.rotations[-1]))
        return cls(true.root[-1] - made.root[-1], turn)

    def eased(self, motion: Motion, start: int) -> Motion:
        """Frames from number ``start`` after the seam on, taking over the difference, which fades away."""
        share = np.clip(1 - (np.arange(motion.frames) + start + 1) / _SEAM_FRAMES, 0, 1)
        return self.added(motion, share * share * (3 - 2 * share))

    def added(self, motion: Motion, shares: np.ndarray) -> Motion:
        """A motion with a share (T,) of the difference in each frame."""
        still = np.broadcast_to(np.array([1, 0, 0, 0], np.float32), self.rotations.shape)
        weights = shares.astype(np.float32)[:, None, None]
        turns = rot.slerp(still[None], self.rotations[None], weights)
        root = motion.root + self.root * weights
        return replace(motion, root=root.astype(np.float32), rotations=rot.multiply(turns, motion.rotations))
