"""What each task asks of the language model: prompts, instructions and motion turned into an `Order`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from protocol.motion import Motion, joined_as_persons
from protocol.skeleton import neutral_offsets

from .checks import CHECKS, finds
from .checks.edits import EditJudge
from .cleanup import Cleaner
from .coding import SCALES, encoded
from .features import canonicalized
from .language.anticipation import Anticipation
from .language.layout import MotionBlock
from .language.sampling import Sampling
from .language.slots import UNSAID
from .making import Order
from .refusals import LIMITS
from .tasks import COMPLETE, EDIT, GENERATE, REACT
from .tokenizer.config import STRIDE
from .tokenizer.model import MotionTokenizer
from .tokenizer.stream import FPS
from .understanding import Understanding

SAMPLING = {
    GENERATE.name: Sampling(temperature=1.0, cooling=0.75, steadiness=2.0, guidance=2.0),
    REACT.name: Sampling(temperature=0.8, cooling=0.75, steadiness=2.0),
    COMPLETE.name: Sampling(temperature=0.8, cooling=0.75, steadiness=2.0),
    EDIT.name: Sampling(temperature=1.0, cooling=0.75, steadiness=2.0),
}
"""How each task draws motion."""

_ATTEMPTS, _MORE = 4, 8
"""Motions that are drawn side by side, in the first round and in each other one. A step of so small a model is mostly
overhead: eight take half as long again as one does."""
ROUNDS = 7
"""How often motions are drawn, each time by another script that says the same, before the best of all is taken. Who
watches has the first attempt before their eyes meanwhile."""
_OTHER_SEED = 1_000_003

_CONTEXT = 3
"""Latent steps of what was before, with which a motion that goes on from it begins."""


class Orders:
    """Writes orders for one checkpoint: of what is asked for one for each round, by another script that says it.

    What a prompt says and a motion shows is read once, when the first of them is taken.

    Args:
        understanding: reads prompts, instructions and motions.
        tokenizer: of motion.
        anticipation: expects where a partner is.
    """

    def __init__(self, understanding: Understanding, tokenizer: MotionTokenizer, anticipation: Anticipation) -> None:
        self._understanding, self._tokenizer, self._anticipation = understanding, tokenizer, anticipation

    def generate(self, prompt: str, seconds: float, seed: int, guidance: float) -> Iterator[Order]:
        """Two persons' motion from a prompt."""
        frames = round(seconds * FPS)
        offsets = np.stack([neutral_offsets()] * 2)
        sampling = SAMPLING[GENERATE.name]
        told = self._understanding.told(prompt)
        for each, attempts in _rounds(seed):
            script = self._understanding.filled(told, seconds, each)
            yield Order(
                task=GENERATE,
                script=script,
                told=self._understanding.text(script),
                scales=(1.0, 1.0),
                steps=math.ceil(frames / STRIDE),
                frames=frames,
                offsets=offsets,
                cleaner=partial(Cleaner, offsets, kind=self._understanding.kind(script)),
                sampling=replace(sampling, guidance=guidance * sampling.guidance),
                attempts=attempts,
                score=self._shows(told),
                ranked=partial(self._understanding.ranked, told, (1.0, 1.0)),
                given=self._understanding.opening(script, seconds, each),
                opens=True,
            )

    def react(self, motion: Motion, prompt: str, seed: int, scale: float) -> Iterator[Order]:
        """A partner of a body size for one person's motion, at 30 fps."""
        there, (motion, placement) = motion, canonicalized(motion)
        codes, scales = encoded(self._tokenizer, motion)
        told = self._understanding.told_and_shown(prompt, codes, scales)
        scale = float(np.clip(scale, *SCALES))
        partner = neutral_offsets(scale)[None]
        sizes = (scales[0], scale)
        for each, attempts in _rounds(seed):
            script = self._understanding.filled(told, motion.seconds, each)
            expected = self._anticipation.partner_of(motion, self._understanding.entries(script), scale)
            yield Order(
                task=REACT,
                script=script,
                told=self._understanding.text(script),
                scales=sizes,
                steps=codes.shape[1],
                frames=motion.frames,
                offsets=partner,
                cleaner=partial(Cleaner, partner, motion, self._understanding.kind(script), expected),
                sampling=SAMPLING[REACT.name],
                attempts=attempts,
                score=self._shows(told, there),
                ranked=partial(self._understanding.ranked, told, sizes),
                given=np.zeros((2, 0, codes.shape[2]), np.int64),
                before=(MotionBlock(codes, self._understanding.open),),
                partner=codes[0],
                expected=expected,
                placed=placement.undo,
            )

    def edit(self, motion: Motion, instruction: str, seed: int, script: str) -> Iterator[Order]:
        """A pair's motion, at 30 fps, with something changed.

        Exchanged persons or a mirror, where they change what is to change and nothing else, are the edit; the model is
        asked in the rounds after the first alone.

        Args:
            motion: of a pair.
            instruction: what to change.
            seed: of the scripts that fill what it leaves open.
            script: what the motion follows, as `Understanding.text` writes it; read from it where it is empty.

        Raises:
            DuologueError: ``script_unreadable`` or ``edit_unclear``.
        """
        there, (motion, placement) = motion, canonicalized(motion)
        codes, scales = encoded(self._tokenizer, motion)
        known = self._understanding.parsed(script) if script else self._understanding.shown(codes, scales)
        for number, (each, attempts) in enumerate(_rounds(seed)):
            changed = self._understanding.changed(known, instruction, motion.seconds, each)
            old, new = self._understanding.entries(known), self._understanding.entries(changed)
            judge = EditJudge(there, old, new, *self._understanding.manner(changed))
            given = codes[:, :1]
            if number == 0 and judge.symmetry is not None:
                given, _ = encoded(self._tokenizer, canonicalized(judge.symmetry(motion))[0])
            elif (changed[:2] != known[:2]).any():
                given = self._understanding.opening(changed, motion.seconds, each)
            yield Order(
                task=EDIT,
                script=changed,
                told=self._understanding.text(changed),
                scales=scales,
                steps=codes.shape[1],
                frames=motion.frames,
                offsets=motion.offsets,
                cleaner=partial(Cleaner, motion.offsets, kind=self._understanding.kind(changed)),
                sampling=SAMPLING[EDIT.name],
                attempts=attempts,
                score=judge.score,
                ranked=partial(self._understanding.ranked, changed, scales),
                given=given,
                opens=True,
                before=(MotionBlock(codes, known),),
                placed=placement.undo,
            )

    def go_on(self, before: Motion, prompt: str, frames: int, seed: int) -> Iterator[Order]:
        """``frames`` frames that go on from the end of a pair's motion, in its world."""
        told = self.told(prompt, before)
        known = min(_CONTEXT * STRIDE, before.frames // STRIDE * STRIDE)
        tail, placement = canonicalized(before.slice(before.frames - known, before.frames))
        codes, scales = encoded(self._tokenizer, tail)
        for each, attempts in _rounds(seed):
            script = self._understanding.filled(told, before.seconds, each)
            yield Order(
                task=GENERATE,
                script=script,
                told=self._understanding.text(script),
                scales=scales,
                steps=codes.shape[1] + math.ceil(frames / STRIDE),
                frames=frames,
                offsets=before.offsets,
                cleaner=partial(Cleaner, before.offsets, kind=self._understanding.kind(script)),
                sampling=SAMPLING[GENERATE.name],
                attempts=attempts,
                score=self._shows(script),
                ranked=partial(self._understanding.ranked, script, scales),
                given=codes,
                placed=placement.undo,
                goes_on_from=before.slice(before.frames - 1, before.frames),
            )

    def told(self, prompt: str, before: Motion) -> np.ndarray:
        """The script (S,) that a prompt tells, or without one that which a pair's motion shows at its end."""
        told = self._understanding.told(prompt)
        if told[0] == UNSAID:
            longest = round(LIMITS.seconds_max * FPS)
            last = before.slice(max(0, before.frames - longest), before.frames)
            told = self._understanding.shown(*encoded(self._tokenizer, canonicalized(last)[0]))
        return told

    def _shows(self, script: np.ndarray, partner: Motion | None = None) -> Callable[[Motion], float]:
        """1 for a finished motion in which the rules see what a script (S,) says that is done, and by whom; else 0.

        Args:
            script: numbers of slots; where they leave the kind open, every motion shows it.
            partner: A of the pair, if the motion is that of B alone.
        """
        told = self._understanding.entries(script)
        kind, actor = told.get("kind"), told.get("actor")

        def shows(motion: Motion) -> float:
            pair = motion if partner is None else joined_as_persons([partner, motion])
            return float(kind not in CHECKS or finds(pair, kind, actor))

        return shows


def _rounds(seed: int) -> Iterator[tuple[int, int]]:
    """The seed of each round's script, and how many motions are drawn side by side in it."""
    yield seed, _ATTEMPTS
    for number in range(1, ROUNDS):
        yield seed + _OTHER_SEED * number, _MORE
