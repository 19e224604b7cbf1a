"""A checkpoint and its tasks: motion and text in, finished stretches of both out. Knows nothing of sockets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from . import threads  # isort: skip  (sets how threads wait, before torch comes in)

import numpy as np
import torch

from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time

from .checkpoint import verify
from .coding import encoded
from .features import canonicalized
from .filling import AROUND, Gap, filled
from .language.anticipation import Anticipation
from .language.base import BASE_FILE, Base
from .language.decode import Cancelled, words
from .language.layout import MotionBlock, Row, TextBlock, row
from .language.model import MotionLanguageModel, code_vectors
from .language.prompt_reader import PromptReader
from .language.sampling import Sampling
from .language.script_book import ScriptBook
from .language.words import Words
from .making import MotionPiece, Order, kept, pieces
from .orders import SAMPLING, Orders
from .refusals import (
    LIMITS,
    at_model_rate,
    check_gap,
    check_guidance,
    check_learned,
    check_persons,
    check_prompt,
    check_scale,
    check_seconds,
)
from .tasks import ASK, COMPLETE, DESCRIBE, EDIT, Marker
from .tokenizer.config import STRIDE
from .tokenizer.model import MotionTokenizer
from .tokenizer.stream import FPS
from .understanding import Understanding

__all__ = ["LIMITS", "Cancelled", "Engine", "MotionPiece"]

STORY = "story"
"""Several prompts, each motion going on from where the one before it ended; to the model a motion whose beginning is
given."""

_SAYING = {DESCRIBE.name: Sampling(temperature=0.4, top_p=0.8), ASK.name: Sampling(temperature=0.0)}
"""How each task draws words."""

_GAP_MAX = round(LIMITS.seconds_max * FPS) - 2 * AROUND * STRIDE


def never() -> bool:
    """Nobody cancels."""
    return False


class Engine:
    """A loaded checkpoint.

    Attributes:
        name: the checkpoint's name.
        device: "cpu" or "cuda".
        limits: what is accepted.
        tasks: what the checkpoint has learned.
    """

    limits = LIMITS

    def __init__(
        self,
        name: str,
        tokenizer: MotionTokenizer,
        words: Words,
        model: MotionLanguageModel,
        reader: PromptReader,
        book: ScriptBook,
        anticipation: Anticipation,
    ) -> None:
        self.name, self.device = name, model.markers.weight.device.type
        learned = model.config.tasks
        self.tasks = (*learned, STORY) if EDIT.name in learned else learned
        self._tokenizer, self._words, self._model = tokenizer, words, model
        self._understanding = Understanding(model, words, reader, book)
        self._orders = Orders(self._understanding, tokenizer, anticipation)

    @classmethod
    def load(cls, folder: Path, device: str | None = None) -> Engine:
        """Check a checkpoint folder, load it, and run it once so that the first job is not slowed by warming up.

        Args:
            folder: see `backend.checkpoint`.
            device: "cpu" or "cuda"; None for the GPU if there is one.

        Raises:
            DuologueError: what `backend.checkpoint.verify` raises, ``checkpoint_unreadable``, or ``device_missing``.
        """
        threads.set_thread_count(threads.DECODING)
        checkpoint = verify(folder)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if device == "cuda" and not torch.cuda.is_available():
            raise DuologueError("device_missing", "There is no CUDA device here.", "Choose the device cpu.")
        try:
            tokenizer = MotionTokenizer.load(folder, device)
            base = Base.open(folder) if (folder / BASE_FILE).is_file() else None
            spoken = Words.load(folder) if base is None else base.words
            model = MotionLanguageModel.load(folder, code_vectors(tokenizer), spoken.vectors, base).to(device)
            model.hasten()
            reader = PromptReader.load(folder).to(device)
            anticipation = Anticipation.load(folder).to(device)
            engine = cls(checkpoint.name, tokenizer, spoken, model, reader, ScriptBook.load(folder), anticipation)
        except (ValueError, KeyError, RuntimeError) as error:
            raise DuologueError(
                "checkpoint_unreadable",
                f"The files of the checkpoint {folder} do not fit together: {error}.",
                "Download or package the checkpoint again.",
            ) from error
        for piece in engine.generate("two people", LIMITS.seconds_min):
            if piece.ends:
                # That was one attempt, which is enough to be warm.
                break
        return engine

    def generate(
        self,
        prompt: str,
        seconds: float,
        seed: int = 0,
        *,
        guidance: float = 1.0,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[MotionPiece]:
        """Make two persons' motion from a prompt, in the pair's canonical frame, at 30 fps.

        Args:
            prompt: what they do.
            seconds: exact duration; ``round(seconds * 30)`` frames are made.
            seed: the same seed gives the same motion.
            guidance: how strictly the prompt is followed: 1 as suits the model best, 0 as loosely as it can.
            cancelled: asked before every step of the language model.

        Raises:
            DuologueError: ``prompt_empty``, ``prompt_too_long``, ``seconds_out_of_range`` or
                ``guidance_out_of_range``; at once.
            Cancelled: while iterating, once ``cancelled()`` is true.
        """
        check_prompt(prompt, needed=True)
        check_seconds(seconds)
        check_guidance(guidance)
        return self._made(self._orders.generate(prompt, seconds, seed, guidance), seed, cancelled)

    def story(
        self,
        prompts: Sequence[str],
        seconds: float,
        seed: int = 0,
        *,
        motion: Motion | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[MotionPiece]:
        """Make scene after scene, each going on from where the one before it ended.

        Args:
            prompts: what they do in each scene.
            seconds: of the whole story; the scenes are equally long.
            seed: the same seed gives the same motion.
            motion: of two persons, at any frame rate, from whose end the story goes on, in its world frame.
            cancelled: asked before every step of the language model.

        Raises:
            DuologueError: ``task_unlearned``, ``prompt_empty``, ``prompt_too_long``, ``seconds_out_of_range``,
                ``motion_persons`` or ``motion_too_short``; at once.
            Cancelled: while iterating, once ``cancelled()`` is true.
        """
        check_learned(STORY, self.tasks, self.name)
        for prompt in prompts or ("",):
            check_prompt(prompt, needed=True)
        check_seconds(seconds, len(prompts))
        if motion is not None:
            check_persons(motion, 2)
            motion = at_model_rate(motion, longest=math.inf)
        return self._scenes(prompts, round(seconds * FPS), seed, motion, cancelled)

    def react(
        self,
        motion: Motion,
        prompt: str = "",
        seed: int = 0,
        *,
        scale: float = 1.0,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[MotionPiece]:
        """Make a partner for one person's motion: the partner alone, in the same world frame, at 30 fps.

        Args:
            motion: of one person, at any frame rate.
            prompt: what the partner does, or both; may be empty, then what the person does is read from the motion.
            seed: the same seed gives the same motion.
            scale: the partner's body size, 1 for the neutral body's; one that the models do not know is taken for the
                nearest that they do. Who is held must be as large as the arms around them show.
            cancelled: asked before every step of the language model.

        Raises:
            DuologueError: ``prompt_too_long``, ``scale_out_of_range``, ``motion_persons``, ``motion_too_short``,
                ``motion_too_long``; at once.
            Cancelled: while iterating, once ``cancelled()`` is true.
        """
        check_prompt(prompt)
        check_scale(scale)
        check_persons(motion, 1)
        motion = at_model_rate(motion)
        return self._made(self._orders.react(motion, prompt, seed, scale), seed, cancelled)

    def edit(
        self,
        motion: Motion,
        instruction: str,
        seed: int = 0,
        *,
        script: str = "",
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[MotionPiece]:
        """Make a pair's motion anew with something changed, in the same world frame, at 30 fps.

        Args:
            motion: of two persons, at any frame rate.
            instruction: what to change, such as "slower" or "with the left hand".
            seed: the same seed gives the same motion.
            script: what the motion follows, as the piece that brought it said; empty to read it from the motion.
            cancelled: asked before every step of the language model.

        Raises:
            DuologueError: ``task_unlearned``, ``prompt_empty``, ``prompt_too_long``, ``motion_persons``,
                ``motion_too_short``, ``motion_too_long``, ``script_unreadable`` or ``edit_unclear``; at once.
            Cancelled: while iterating, once ``cancelled()`` is true.
        """
        check_learned(EDIT.name, self.tasks, self.name)
        check_prompt(instruction, needed=True)
        check_persons(motion, 2)
        motion = at_model_rate(motion)
        return self._made(self._orders.edit(motion, instruction, seed, script), seed, cancelled)

    def complete(
        self,
        motion: Motion,
        gap: tuple[int, int],
        prompt: str = "",
        seed: int = 0,
        *,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[MotionPiece]:
        """Make some frames of a pair's motion anew, so that they join what is before and after them.

        Args:
            motion: of two persons, at any frame rate.
            gap: first frame to be made and the one after the last; what the motion holds there is not looked at. A gap
                that reaches the motion's end, or begins there, continues it.
            prompt: what they do; may be empty, then they go on with what they did.
            seed: the same seed gives the same motion.
            cancelled: asked before every step of the language model.

        Returns:
            the frames of the gap at 30 fps, in the world frame of ``motion``.

        Raises:
            DuologueError: ``task_unlearned``, ``prompt_too_long``, ``motion_persons``, ``motion_too_short`` or
                ``gap_impossible``; at once.
            Cancelled: while iterating, once ``cancelled()`` is true.
        """
        check_learned(COMPLETE.name, self.tasks, self.name)
        check_prompt(prompt)
        check_persons(motion, 2)
        first, last = (round(frame * FPS / motion.fps) for frame in gap)
        motion = at_model_rate(motion, longest=math.inf)
        check_gap((first, last), motion.frames, _GAP_MAX)
        before = motion.slice(0, first)
        if last >= motion.frames:
            return self._made(self._orders.go_on(before, prompt, last - first, seed), seed, cancelled)
        script = self._understanding.filled(self._orders.told(prompt, before), before.seconds, seed)
        around = Gap.of(motion, first, last, self._tokenizer)
        return self._filled(around, script, seed, cancelled)

    def describe(self, motion: Motion, *, seed: int = 0, cancelled: Callable[[], bool] = never) -> Iterator[str]:
        """Say what one or two persons do, in pieces of one sentence.

        Args:
            motion: of one or two persons, at any frame rate.
            seed: the same seed gives the same sentence.
            cancelled: asked before every step of the language model.

        Raises:
            DuologueError: ``motion_persons``, ``motion_too_short`` or ``motion_too_long``; at once.
            Cancelled: while iterating, once ``cancelled()`` is true.
        """
        check_persons(motion, 1, 2)
        codes, scales = encoded(self._tokenizer, canonicalized(at_model_rate(motion))[0])
        opening = row(DESCRIBE, [MotionBlock(codes, self._understanding.open)], scales)
        return self._sentence(opening, _SAYING[DESCRIBE.name], seed, cancelled)

    def ask(
        self, motion: Motion, question: str, *, seed: int = 0, cancelled: Callable[[], bool] = never
    ) -> Iterator[str]:
        """Answer a question about what one or two persons do, in pieces of one sentence.

        Args:
            motion: of one or two persons, at any frame rate.
            question: in plain words.
            seed: the same seed gives the same answer.
            cancelled: asked before every step of the language model.

        Raises:
            DuologueError: ``task_unlearned``, ``prompt_empty``, ``prompt_too_long``, ``motion_persons``,
                ``motion_too_short`` or ``motion_too_long``; at once.
            Cancelled: while iterating, once ``cancelled()`` is true.
        """
        check_learned(ASK.name, self.tasks, self.name)
        check_prompt(question, needed=True)
        check_persons(motion, 1, 2)
        codes, scales = encoded(self._tokenizer, canonicalized(at_model_rate(motion))[0])
        script = self._understanding.shown(codes, scales)
        answer = self._understanding.answer(question, script)
        if answer is not None:
            return iter((f"{answer}.",))
        texts = [
            TextBlock(self._words.encode(question), learned=False, opening=Marker.ASK),
            TextBlock((), learned=False, opening=Marker.ANSWER),
        ]
        opening = row(ASK, [MotionBlock(codes, script)], scales, texts)
        return self._sentence(opening, _SAYING[ASK.name], seed, cancelled)

    def _made(self, orders: Iterator[Order], seed: int, cancelled: Callable[[], bool]) -> Iterator[MotionPiece]:
        """Make what is ordered; what is wrong with it is told at once, before anything is made."""
        return pieces(chain([next(orders)], orders), self._model, self._tokenizer, seed, cancelled)

    def _scenes(
        self, prompts: Sequence[str], frames: int, seed: int, before: Motion | None, cancelled: Callable[[], bool]
    ) -> Iterator[MotionPiece]:
        """The scenes of a story one after the other, their frames counted through."""
        ends = np.linspace(0, frames, len(prompts) + 1).round().astype(int)
        for number, prompt in enumerate(prompts):
            start, count = int(ends[number]), int(ends[number + 1] - ends[number])
            came: list[MotionPiece] = []
            if before is None:
                scene = self.generate(prompt, count / FPS, seed, cancelled=cancelled)
            else:
                orders = self._orders.go_on(before, prompt, count, seed + number)
                scene = self._made(orders, seed + number, cancelled)
            for piece in scene:
                came.append(piece)
                yield replace(piece, start=start + piece.start, total=frames)
            made = joined_in_time([piece.motion for piece in kept(came)])
            before = made if before is None else joined_in_time([before, made])

    def _filled(self, gap: Gap, script: np.ndarray, seed: int, cancelled: Callable[[], bool]) -> Iterator[MotionPiece]:
        told, kind = self._understanding.text(script), self._understanding.kind(script)
        sampling = SAMPLING[COMPLETE.name]
        yield filled(gap, script, told, kind, self._model, self._tokenizer, sampling, seed, cancelled)

    def _sentence(self, opening: Row, sampling: Sampling, seed: int, cancelled: Callable[[], bool]) -> Iterator[str]:
        generator = torch.Generator().manual_seed(seed)
        ids: list[int] = []
        said = ""
        for word in words(self._model, opening, sampling, generator, cancelled):
            ids.append(word)
            text = self._words.decode(ids)
            text = text[:1].upper() + text[1:]
            if len(text) > len(said):
                yield text[len(said) :]
                said = text
        yield "."
