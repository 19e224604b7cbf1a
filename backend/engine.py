"""A checkpoint and its tasks: motion and text in, finished stretches of both out. Knows nothing of sockets."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
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
from .cleanup.cleaner import cleaned
from .features import body_scale, canonicalized, features
from .language.decode import Cancelled, motion_steps, words
from .language.layout import MotionBlock, Row, collate, row
from .language.model import MotionLanguageModel, code_vectors, likeliest
from .language.sampling import Sampling
from .language.script_book import ScriptBook
from .language.slots import UNSAID, script_of
from .language.words import Words
from .making import MotionPiece, Order, Seam, pieces
from .tasks import COMPLETE, DESCRIBE, GENERATE, REACT
from .tokenizer.config import STRIDE
from .tokenizer.model import MotionTokenizer
from .tokenizer.stream import FPS

__all__ = ["LIMITS", "Cancelled", "Engine", "MotionPiece"]

LIMITS = Limits(prompt_characters=500, seconds_min=1.0, seconds_max=10.0, samples_max=8)
STORY = "story"
"""Several prompts, each motion going on from where the one before it ended; no task of its own to the model."""

SAMPLING = {
    GENERATE.name: Sampling(temperature=1.0, cooling=0.75, top_p=0.92, guidance=2.5),
    REACT.name: Sampling(temperature=0.8, cooling=0.75, top_p=0.92, guidance=1.5),
    COMPLETE.name: Sampling(temperature=0.8, cooling=0.75, top_p=0.9, guidance=1.5),
    DESCRIBE.name: Sampling(temperature=0.4, top_p=0.8),
}
"""How each task draws."""

_SHORTEST = 8
_SCALES = (0.6, 1.5)
_CONTEXT = 3
"""Latent steps of what was before, with which a motion that goes on from it begins."""
_AROUND = 8
"""Latent steps on either side of a gap that are looked at."""


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
    tasks = (GENERATE.name, REACT.name, DESCRIBE.name, COMPLETE.name, STORY)

    def __init__(
        self, name: str, tokenizer: MotionTokenizer, words: Words, model: MotionLanguageModel, book: ScriptBook
    ) -> None:
        self.name, self.device = name, model.markers.weight.device.type
        self._tokenizer, self._words, self._model, self._book = tokenizer, words, model, book

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
            book = ScriptBook.load(folder)
        except (ValueError, KeyError, RuntimeError) as error:
            raise DuologueError(
                "checkpoint_unreadable",
                f"The files of the checkpoint {folder} do not fit together: {error}.",
                "Download or package the checkpoint again.",
            ) from error
        engine = cls(checkpoint.name, tokenizer, spoken, model, book)
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
        _check_prompt(prompt, needed=True)
        _check_seconds(seconds, LIMITS.seconds_max)
        return self._generated(prompt, seconds, seed, cancelled)

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
            motion: of two persons, at any frame rate, from whose end the story goes on, in its world frame.
            seed: the same seed gives the same motion.
            cancelled: asked before every step of the language model.

        Raises:
            DuologueError: ``prompt_empty``, ``prompt_too_long``, ``seconds_out_of_range``, ``motion_persons`` or
                ``motion_too_short``; at once.
            Cancelled: while iterating, once ``cancelled()`` is true.
        """
        for prompt in prompts or ("",):
            _check_prompt(prompt, needed=True)
        _check_seconds(seconds, LIMITS.seconds_max * len(prompts), LIMITS.seconds_min * len(prompts))
        if motion is not None:
            motion = _at_model_rate(_of_two(motion), longest=math.inf)
        return self._told(prompts, round(seconds * FPS), seed, motion, cancelled)

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
        told, shown = self._model.read_prompt(self._words.encode(prompt)), self._shown(codes, scales)
        if told[0] in (UNSAID, shown[0]):
            told = np.where(told == UNSAID, shown, told)
        script = self._filled(told, motion.seconds, seed)
        partner = neutral_offsets()[None]
        order = Order(
            task=REACT,
            script=script,
            told=self._text_of(script),
            scales=(scales[0], 1.0),
            steps=codes.shape[1],
            frames=motion.frames,
            offsets=partner,
            cleaner=Cleaner(partner, motion),
            sampling=SAMPLING[REACT.name],
            given=self._no_codes,
            before=(MotionBlock(codes, self._open),),
            partner=codes[0],
            placed=placement.undo,
        )
        return pieces(order, self._model, self._tokenizer, seed, cancelled)

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
                from the motion's end on continues it.
            prompt: what they do; may be empty, then they go on with what they did.
            seed: the same seed gives the same motion.
            cancelled: asked before every step of the language model.

        Returns:
            the frames of the gap at 30 fps, in the world frame of ``motion``.

        Raises:
            DuologueError: ``prompt_too_long``, ``motion_persons``, ``motion_too_short`` or ``gap_impossible``; at once.
            Cancelled: while iterating, once ``cancelled()`` is true.
        """
        _check_prompt(prompt)
        rate = FPS / motion.fps
        first, last = (round(frame * rate) for frame in gap)
        motion = _at_model_rate(_of_two(motion), longest=math.inf)
        longest = LIMITS.seconds_max - (2 * _AROUND + 2) * STRIDE / FPS
        if not _SHORTEST <= first <= motion.frames or not 0 < last - first <= longest * FPS:
            raise DuologueError(
                "gap_impossible",
                f"The {(last - first) / FPS:.1f} seconds from frame {gap[0]} on cannot be made anew.",
                f"Choose up to {longest:.1f} seconds, {_SHORTEST / FPS:.1f} seconds or more after the start.",
            )
        if last >= motion.frames:
            script = self._script_for(prompt, motion.slice(0, first), seed)
            return self._continued(motion.slice(0, first), script, last - first, seed, cancelled)
        return self._filled_in(motion, (first, last), prompt, seed, cancelled)

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
        return self._sentence(row(DESCRIBE, [MotionBlock(codes, self._open)], scales), seed, cancelled)

    def _generated(
        self, prompt: str, seconds: float, seed: int, cancelled: Callable[[], bool]
    ) -> Iterator[MotionPiece]:
        frames = round(seconds * FPS)
        offsets = np.stack([neutral_offsets()] * 2)
        script = self._filled(self._model.read_prompt(self._words.encode(prompt)), seconds, seed)
        order = Order(
            task=GENERATE,
            script=script,
            told=self._text_of(script),
            scales=(1.0, 1.0),
            steps=math.ceil(frames / STRIDE),
            frames=frames,
            offsets=offsets,
            cleaner=Cleaner(offsets),
            sampling=SAMPLING[GENERATE.name],
            given=self._no_codes,
        )
        return pieces(order, self._model, self._tokenizer, seed, cancelled)

    def _told(
        self, prompts: Sequence[str], frames: int, seed: int, before: Motion | None, cancelled: Callable[[], bool]
    ) -> Iterator[MotionPiece]:
        """The scenes of a story one after the other, their frames counted through."""
        ends = np.linspace(0, frames, len(prompts) + 1).round().astype(int)
        for number, prompt in enumerate(prompts):
            start, count = int(ends[number]), int(ends[number + 1] - ends[number])
            if before is None:
                scene = self._generated(prompt, count / FPS, seed, cancelled)
            else:
                script = self._script_for(prompt, before, seed + number)
                scene = self._continued(before, script, count, seed + number, cancelled)
            for piece in scene:
                before = piece.motion if before is None else joined_in_time([before, piece.motion])
                yield replace(piece, start=start + piece.start, total=frames)

    def _continued(
        self, before: Motion, script: np.ndarray, frames: int, seed: int, cancelled: Callable[[], bool]
    ) -> Iterator[MotionPiece]:
        """``frames`` frames that go on from the end of a pair's motion, in its world."""
        known = min(_CONTEXT * STRIDE, before.frames // STRIDE * STRIDE)
        tail, placement = canonicalized(before.slice(before.frames - known, before.frames))
        codes, scales = self._encode(tail)
        order = Order(
            task=GENERATE,
            script=script,
            told=self._text_of(script),
            scales=scales,
            steps=codes.shape[1] + math.ceil(frames / STRIDE),
            frames=frames,
            offsets=before.offsets,
            cleaner=Cleaner(before.offsets),
            sampling=SAMPLING[GENERATE.name],
            given=codes,
            placed=placement.undo,
            goes_on_from=before.slice(before.frames - 1, before.frames),
        )
        return pieces(order, self._model, self._tokenizer, seed, cancelled)

    @torch.inference_mode()
    def _filled_in(
        self, motion: Motion, gap: tuple[int, int], prompt: str, seed: int, cancelled: Callable[[], bool]
    ) -> Iterator[MotionPiece]:
        """The frames of a gap between two ends that are there; in one piece, for the far end corrects all of it."""
        known = min(_AROUND * STRIDE, gap[0] // STRIDE * STRIDE)
        start, steps = gap[0] - known, math.ceil((gap[1] - gap[0]) / STRIDE)
        stop = min(gap[0] + (steps + _AROUND) * STRIDE, motion.frames)
        around, placement = canonicalized(motion.slice(start, stop))
        codes, scales = self._encode(around)
        given, after = codes[:, : known // STRIDE], codes[:, known // STRIDE + steps :]
        script = self._script_for(prompt, motion.slice(0, gap[0]), seed)
        before = (MotionBlock(after, self._open),) if after.shape[1] else ()
        sampling = SAMPLING[COMPLETE.name]
        openings = [
            row(COMPLETE, [*before, MotionBlock(given, each, steps=codes.shape[1])], scales)
            for each in (script, self._open)
        ]
        generator = torch.Generator().manual_seed(seed)
        # The countdown goes on over what is there after the gap, so those steps are made too, and not used.
        made = motion_steps(self._model, openings, steps + after.shape[1], sampling, generator, cancelled)
        drawn = np.stack([next(made).cpu().numpy() for _ in range(steps)], 1)
        whole = torch.from_numpy(np.concatenate((given, drawn, after), 1)).to(self.device)
        root, rotations = self._tokenizer.decode(whole, torch.from_numpy(motion.offsets).to(self.device))
        raw = Motion(FPS, root.transpose(0, 1).cpu().numpy(), rotations.transpose(0, 1).cpu().numpy(), motion.offsets)
        raw = placement.undo(raw)
        found = _joined_at_both_ends(placement.undo(cleaned(placement.apply(raw))), motion, start, gap)
        frames = gap[1] - gap[0]
        told = json.dumps(self._text_of(script))
        yield MotionPiece(0, frames, found, raw.slice(known, known + frames), told)

    def _encode(self, motion: Motion) -> tuple[np.ndarray, list[float]]:
        """Codes (P, L, D) of a canonical motion, its last pose held until a latent step is full, and body scales."""
        steps = math.ceil(motion.frames / STRIDE)
        index = np.minimum(np.arange(steps * STRIDE), motion.frames - 1)
        held = torch.from_numpy(features(motion)[index].swapaxes(0, 1).copy()).to(self.device)  # (P, 4L, 268)
        scales = np.clip(body_scale(motion.offsets), *_SCALES).astype(np.float32)
        codes = self._tokenizer.encode(held, torch.from_numpy(scales).to(self.device))
        return codes.cpu().numpy(), scales.tolist()

    @property
    def _open(self) -> np.ndarray:
        """A script that says nothing."""
        return np.full(len(self._model.config.slots), UNSAID)

    @property
    def _no_codes(self) -> np.ndarray:
        return np.zeros((2, 0, self._model.config.levels), np.int64)

    def _text_of(self, script: np.ndarray) -> dict[str, str]:
        return script_of(self._model.config.slots, script)

    def _filled(self, told: np.ndarray, seconds: float, seed: int) -> np.ndarray:
        """What was told, and for the rest what a script of training says."""
        return self._book.filled(told, seconds, np.random.default_rng(seed))

    def _script_for(self, prompt: str, before: Motion, seed: int) -> np.ndarray:
        """The script that a prompt tells, or without one that which a pair's motion shows."""
        told = self._model.read_prompt(self._words.encode(prompt))
        if told[0] == UNSAID:
            last = before.slice(max(0, before.frames - round(LIMITS.seconds_max * FPS)), before.frames)
            told = self._shown(*self._encode(canonicalized(last)[0]))
        return self._filled(told, before.seconds, seed)

    @torch.inference_mode()
    def _shown(self, codes: np.ndarray, scales: Sequence[float]) -> np.ndarray:
        """The script (S,) that a motion's codes (P, L, D) most likely show."""
        batch = collate([row(DESCRIBE, [MotionBlock(codes, self._open)], scales)]).to(self.device)
        return likeliest(self._model.motion_logits(self._model.hidden(batch)[:, -1]))

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


def _joined_at_both_ends(made: Motion, motion: Motion, start: int, gap: tuple[int, int]) -> Motion:
    """The frames of a gap, moved so that they begin and end where the motion around them does.

    Args:
        made: what was made from frame ``start`` of the motion on, what is around the gap included.
        motion: the whole motion.
        start: see ``made``.
        gap: first frame of the gap, and the one after its last.
    """
    first, last = gap
    before = Seam.between(motion.slice(first - 1, first), made.slice(first - 1 - start, first - start))
    after = Seam.between(motion.slice(last, last + 1), made.slice(last - start, last - start + 1))
    share = (np.arange(last - first) + 1) / (last - first + 1)
    share = share * share * (3 - 2 * share)
    fresh = made.slice(first - start, last - start)
    return after.added(before.added(fresh, 1 - share), share)


def _check_prompt(prompt: str, needed: bool = False) -> None:
    if needed and not prompt.strip():
        raise DuologueError("prompt_empty", "The prompt is empty.", "Say what the two characters should do.")
    if len(prompt) > LIMITS.prompt_characters:
        raise DuologueError(
            "prompt_too_long",
            f"The prompt has {len(prompt)} characters.",
            f"Shorten it to at most {LIMITS.prompt_characters}.",
        )


def _check_seconds(seconds: float, longest: float, shortest: float = LIMITS.seconds_min) -> None:
    if not shortest <= seconds <= longest:  # also false for NaN
        raise DuologueError(
            "seconds_out_of_range",
            f"{seconds:g} seconds cannot be generated.",
            f"Choose between {shortest:g} and {longest:g} seconds.",
        )


def _of_two(motion: Motion) -> Motion:
    if motion.persons != 2:
        raise DuologueError(
            "motion_persons",
            f"The motion of two persons is needed, and this one has {motion.persons}.",
            "Choose both characters of the pair.",
        )
    return motion


def _at_model_rate(motion: Motion, longest: float = LIMITS.seconds_max) -> Motion:
    resampled = motion.resampled(FPS)
    if motion.frames < 2 or resampled.frames < _SHORTEST:
        raise DuologueError(
            "motion_too_short",
            f"The motion lasts {motion.frames} frame{'s' * (motion.frames != 1)}.",
            f"Choose a range of at least {_SHORTEST / FPS:.2f} seconds.",
        )
    if resampled.seconds > longest + 0.5 / FPS:
        raise DuologueError(
            "motion_too_long",
            f"The motion lasts {motion.seconds:.1f} seconds.",
            f"Choose a range of at most {longest:g} seconds.",
        )
    return resampled
