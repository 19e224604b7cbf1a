"""A checkpoint and its tasks: motion and text in, finished stretches of both out. Knows nothing of sockets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import threads  # isort: skip  (sets how threads wait, before torch comes in)

import numpy as np
import torch

from protocol.errors import DuologueError
from protocol.messages import Limits
from protocol.motion import Motion, joined_in_time
from protocol.skeleton import neutral_offsets

from .checkpoint import verify
from .cleanup import Cleaner
from .features import body_scale, canonicalized, features
from .language.decode import Cancelled, motion_steps, words
from .language.layout import NO_INTENT, Row, prefix, row
from .language.model import MotionLanguageModel, code_vectors
from .language.sampling import Sampling
from .language.words import Words
from .tasks import DESCRIBE, GENERATE, REACT, Task
from .tokenizer.config import STRIDE
from .tokenizer.model import MotionTokenizer
from .tokenizer.stream import FPS, StreamingDecoder

__all__ = ["LIMITS", "Cancelled", "Engine", "MotionPiece"]

LIMITS = Limits(prompt_characters=500, seconds_min=1.0, seconds_max=10.0, samples_max=8)

SAMPLING = {
    GENERATE.name: Sampling(temperature=1.0, cooling=0.75, top_p=0.92, guidance=2.5),
    REACT.name: Sampling(temperature=0.8, cooling=0.75, top_p=0.92, guidance=1.5),
    DESCRIBE.name: Sampling(temperature=0.4, top_p=0.8),
}
"""How each task draws."""

_SHORTEST = 8
_STEPS_A_PIECE = 2
_SCALES = (0.6, 1.5)


@dataclass(frozen=True)
class MotionPiece:
    """Frames ``start`` up to ``start + motion.frames`` of a motion that will have ``total`` frames.

    ``raw`` holds the same frames as they were decoded, before they were cleaned up.
    """

    start: int
    total: int
    motion: Motion
    raw: Motion


def never() -> bool:
    """Nobody cancels."""
    return False


class Engine:
    """A loaded checkpoint.

    Attributes:
        name: the checkpoint's name.
        device: "cpu" or "cuda".
        limits: what is accepted.
        tasks: what the checkpoint can do.
    """

    limits = LIMITS
    tasks = (GENERATE.name, REACT.name, DESCRIBE.name)

    def __init__(self, name: str, tokenizer: MotionTokenizer, words: Words, model: MotionLanguageModel) -> None:
        self.name, self.device = name, model.markers.weight.device.type
        self._tokenizer, self._words, self._model = tokenizer, words, model

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
            spoken = Words.load(folder)
            model = MotionLanguageModel.load(folder, code_vectors(tokenizer), spoken.vectors).to(device)
        except (ValueError, KeyError, RuntimeError) as error:
            raise DuologueError(
                "checkpoint_unreadable",
                f"The files of the checkpoint {folder} do not fit together: {error}.",
                "Download or package the checkpoint again.",
            ) from error
        engine = cls(checkpoint.name, tokenizer, spoken, model)
        for _ in engine.generate("two people", LIMITS.seconds_min):
            pass
        return engine

    def generate(
        self, prompt: str, seconds: float, seed: int = 0, *, cancelled: Callable[[], bool] = never
    ) -> Iterator[MotionPiece]:
        """Make two persons' motion from a prompt, in the pair's canonical frame, at 30 fps.

        Args:
            prompt: what they do.
            seconds: exact duration; ``round(seconds * 30)`` frames are made.
            seed: the same seed gives the same motion.
            cancelled: asked before every step of the language model.

        Raises:
            DuologueError: ``prompt_empty``, ``prompt_too_long`` or ``seconds_out_of_range``; at once.
            Cancelled: while iterating, once ``cancelled()`` is true.
        """
        if not prompt.strip():
            raise DuologueError("prompt_empty", "The prompt is empty.", "Say what the two characters should do.")
        _check_prompt(prompt)
        if not LIMITS.seconds_min <= seconds <= LIMITS.seconds_max:  # also false for NaN
            raise DuologueError(
                "seconds_out_of_range",
                f"{seconds:g} seconds cannot be generated.",
                f"Choose between {LIMITS.seconds_min:g} and {LIMITS.seconds_max:g} seconds.",
            )
        frames = round(seconds * FPS)
        offsets = np.stack([neutral_offsets()] * 2)
        opening = self._openings(GENERATE, prompt, (1.0, 1.0), frames)
        cleaner = Cleaner(offsets, kind=self._kind(opening))
        return self._pieces(GENERATE, opening, frames, cleaner, offsets, seed, cancelled, None, _as_it_is)

    def react(
        self, motion: Motion, prompt: str = "", seed: int = 0, *, cancelled: Callable[[], bool] = never
    ) -> Iterator[MotionPiece]:
        """Make a partner for one person's motion: the partner alone, in the same world frame, at 30 fps.

        Args:
            motion: of one person, at any frame rate.
            prompt: what the partner does, or both; may be empty.
            seed: the same seed gives the same motion.
            cancelled: asked before every step of the language model.

        Raises:
            DuologueError: ``prompt_too_long``, ``motion_persons``, ``motion_too_short``, ``motion_too_long``; at once.
            Cancelled: while iterating, once ``cancelled()`` is true.
        """
        _check_prompt(prompt)
        if motion.persons != 1:
            raise DuologueError(
                "motion_persons",
                f"A reaction needs the motion of one person, and this one has {motion.persons}.",
                "Choose the character to react to.",
            )
        motion = _at_model_rate(motion)
        motion, placement = canonicalized(motion)
        codes, scales = self._encode(motion)
        opening = self._openings(REACT, prompt, (scales[0], 1.0), motion.frames)
        partner = neutral_offsets()[None]
        cleaner = Cleaner(partner, motion, self._kind(opening))
        return self._pieces(REACT, opening, motion.frames, cleaner, partner, seed, cancelled, codes[0], placement.undo)

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
        if motion.persons not in (1, 2):
            raise DuologueError(
                "motion_persons",
                f"A motion of {motion.persons} persons cannot be described.",
                "Choose one or two characters.",
            )
        motion, _ = canonicalized(_at_model_rate(motion))
        codes, scales = self._encode(motion)
        return self._sentence(prefix(row(DESCRIBE, [], codes, scales)), seed, cancelled)

    def _encode(self, motion: Motion) -> tuple[np.ndarray, list[float]]:
        """Codes (P, L, D) of a canonical motion, its last pose held until a latent step is full, and body scales."""
        steps = math.ceil(motion.frames / STRIDE)
        index = np.minimum(np.arange(steps * STRIDE), motion.frames - 1)
        held = torch.from_numpy(features(motion)[index].swapaxes(0, 1).copy()).to(self.device)  # (P, 4L, 268)
        scales = np.clip(body_scale(motion.offsets), *_SCALES).astype(np.float32)
        codes = self._tokenizer.encode(held, torch.from_numpy(scales).to(self.device))
        return codes.cpu().numpy(), scales.tolist()

    def _openings(self, task: Task, prompt: str, scales: tuple[float, float], frames: int) -> list[Row]:
        """The row that opens a task, and for guidance the one without prompt.

        The motion follows the intent that is read from the prompt, and not its words: where these were new to the model
        they led it astray, and what else they may say, such as which hand, it does not follow yet.
        """
        empty = np.zeros((2, 0, self._model.config.levels), np.int64)
        steps = math.ceil(frames / STRIDE)
        intent = self._model.intent(self._words.encode(prompt))
        guided = intent != NO_INTENT and SAMPLING[task.name].guidance != 1
        intents = [intent, NO_INTENT] if guided else [intent]
        return [row(task, [], empty, scales, steps, each) for each in intents]

    def _kind(self, opening: list[Row]) -> str | None:
        """The interaction that a row asks for, which tells the clean-up whose hands should touch."""
        intent = opening[0].intent
        return None if intent == NO_INTENT else self._model.config.intents[intent].partition(":")[0]

    def _pieces(
        self,
        task: Task,
        opening: list[Row],
        total: int,
        cleaner: Cleaner,
        offsets: np.ndarray,
        seed: int,
        cancelled: Callable[[], bool],
        given: np.ndarray | None,
        placed: Callable[[Motion], Motion],
    ) -> Iterator[MotionPiece]:
        start, decoded = 0, None
        for raw in self._decoded(task, opening, total, offsets, seed, cancelled, given):
            decoded = raw if decoded is None else joined_in_time([decoded, raw])
            for motion in (cleaner.push(raw), cleaner.finish() if decoded.frames == total else None):
                if motion is not None:
                    same = decoded.slice(start, start + motion.frames)
                    yield MotionPiece(start, total, placed(motion), placed(same))
                    start += motion.frames

    def _decoded(
        self,
        task: Task,
        opening: list[Row],
        total: int,
        offsets: np.ndarray,
        seed: int,
        cancelled: Callable[[], bool],
        given: np.ndarray | None,
    ) -> Iterator[Motion]:
        """Stretches of exactly ``total`` frames as they come out of the decoder."""
        decoder = StreamingDecoder(self._tokenizer, offsets)
        steps = math.ceil(total / STRIDE)
        generator = torch.Generator().manual_seed(seed)
        made = motion_steps(self._model, opening, steps, SAMPLING[task.name], generator, cancelled, given)
        left, waiting = total, []
        for number, codes in enumerate(made, 1):
            waiting.append(codes[-len(offsets) :])
            if number % _STEPS_A_PIECE and number < steps:
                continue
            finished = [decoder.push(torch.stack(waiting, 1))]
            waiting = []
            if number == steps:
                finished.append(decoder.finish())
            for motion in finished:
                if motion is not None and left > 0:
                    motion = motion.slice(0, left)
                    left -= motion.frames
                    yield motion

    def _sentence(self, opening: Row, seed: int, cancelled: Callable[[], bool]) -> Iterator[str]:
        generator = torch.Generator().manual_seed(seed)
        ids: list[int] = []
        said = ""
        for word in words(self._model, opening, SAMPLING[DESCRIBE.name], generator, cancelled):
            ids.append(word)
            text = self._words.decode(ids)
            text = text[:1].upper() + text[1:]
            if len(text) > len(said):
                yield text[len(said) :]
                said = text
        yield "."


def _as_it_is(motion: Motion) -> Motion:
    return motion


def _check_prompt(prompt: str) -> None:
    if len(prompt) > LIMITS.prompt_characters:
        raise DuologueError(
            "prompt_too_long",
            f"The prompt has {len(prompt)} characters.",
            f"Shorten it to at most {LIMITS.prompt_characters}.",
        )


def _at_model_rate(motion: Motion) -> Motion:
    resampled = motion.resampled(FPS)
    if motion.frames < 2 or resampled.frames < _SHORTEST:
        raise DuologueError(
            "motion_too_short",
            f"The motion lasts {motion.frames} frame{'s' * (motion.frames != 1)}.",
            f"Choose a range of at least {_SHORTEST / FPS:.2f} seconds.",
        )
    if resampled.seconds > LIMITS.seconds_max + 0.5 / FPS:
        raise DuologueError(
            "motion_too_long",
            f"The motion lasts {motion.seconds:.1f} seconds.",
            f"Choose a range of at most {LIMITS.seconds_max:g} seconds.",
        )
    return resampled
