"""What prompts, instructions and motions say, as scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from protocol.errors import DuologueError

from .answering import answered
from .language.layout import MotionBlock, collate, row
from .language.model import MotionLanguageModel, likeliest
from .language.prompt_reader import PromptReader
from .language.script_book import ScriptBook
from .language.slots import UNSAID, numbers, script_of, value_of
from .language.words import Words
from .tasks import DESCRIBE


class Understanding:
    """Reads scripts with a model.

    Args:
        model: in evaluation mode.
        words: its text tokenizer.
        reader: of prompts, in evaluation mode.
        book: fills what was left open.

    Raises:
        ValueError: if the reader does not fill the model's slots.
    """

    def __init__(self, model: MotionLanguageModel, words: Words, reader: PromptReader, book: ScriptBook) -> None:
        if reader.slots != model.config.slots:
            raise ValueError("prompts are read into other slots than motion follows")
        self._model, self._words, self._reader, self._book = model, words, reader, book

    @property
    def open(self) -> np.ndarray:
        """A script (S,) that says nothing."""
        return np.full(len(self._model.config.slots), UNSAID)

    def told(self, prompt: str) -> np.ndarray:
        """What a prompt says, (S,); all open if it is empty."""
        return self._reader.read(prompt)

    @torch.inference_mode()
    def shown(self, codes: np.ndarray, scales: Sequence[float]) -> np.ndarray:
        """The script (S,) that the codes (P, L, D) of a canonical motion most likely show."""
        return likeliest(self._shown(codes, scales))

    @torch.inference_mode()
    def told_and_shown(self, prompt: str, codes: np.ndarray, scales: Sequence[float]) -> np.ndarray:
        """The script (S,) that a prompt tells about a motion of which it shows a part.

        The two are independent witnesses: of the values that either thinks possible the likeliest by both is taken.
        What the prompt does not speak of, the motion shows.
        """
        shown = self._shown(codes, scales)
        if not prompt.strip():
            return likeliest(shown)
        said = self._reader.said(prompt)
        script = likeliest(shown)
        for slot, (one, other) in enumerate(zip(said, shown, strict=True)):
            if slot == 0 or int(one[0].argmax()) != UNSAID:
                likely = one[0, 1:].log_softmax(-1) + other[0, 1:].log_softmax(-1).to(one.device)
                script[slot] = 1 + int(likely.argmax())
        return script

    @torch.inference_mode()
    def ranked(self, wanted: np.ndarray, scales: Sequence[float], codes: np.ndarray) -> np.ndarray:
        """The numbers of attempts (n, P, L, D), those first that most likely show what a script (S,) says: (n,)."""
        said = [
            slot.log_softmax(-1)[:, number]
            for slot, number in zip(self._shown(codes, scales), wanted.tolist(), strict=True)
            if number != UNSAID
        ]
        if not said:
            return np.arange(len(codes))
        return torch.stack(said).sum(0).argsort(descending=True, stable=True).cpu().numpy()

    def _shown(self, codes: np.ndarray, scales: Sequence[float]) -> tuple[torch.Tensor, ...]:
        """What motions (n, P, L, D), or a single one (P, L, D), show of each slot: logits (n, 1 + values)."""
        motions = codes if codes.ndim == 4 else codes[None]
        rows = [row(DESCRIBE, [MotionBlock(each, self.open)], scales) for each in motions]
        batch = collate(rows).to(self._model.markers.weight.device)
        return self._model.motion_logits(self._model.hidden(batch)[:, -1])

    def filled(self, told: np.ndarray, seconds: float, seed: int) -> np.ndarray:
        """What was told, and for the rest what a script of training says."""
        return self._book.filled(told, seconds, np.random.default_rng(seed))

    def opening(self, script: np.ndarray, seconds: float, seed: int) -> np.ndarray:
        """Codes (2, 0 or 1, D) with which a motion of a script opens."""
        return self._book.opening(script, seconds, np.random.default_rng(seed))

    def manner(self, script: np.ndarray) -> tuple[float, float]:
        """Haste, m/s^2, and right-handedness of who acts that are usual in scenes of a script (S,)."""
        return self._book.manner(script)

    def answer(self, question: str, script: np.ndarray) -> str | None:
        """What the script (S,) of a motion answers to a question; None if it does not."""
        sort = self._reader.read_question(question)
        told = self.entries(script)
        if sort is None or "kind" not in told:
            return None
        known = {name: value_of(value) for name, value in told.items()}
        return answered(sort, question, known | {"events": self._book.events(script)})

    def changed(self, before: np.ndarray, instruction: str, seconds: float, seed: int) -> np.ndarray:
        """A script as an instruction wants it; what that does not speak of stays as far as it can.

        Raises:
            DuologueError: ``edit_unclear`` if the instruction changes nothing.
        """
        wanted = self._reader.read_edit(instruction, before)
        after = np.where(wanted == UNSAID, before, wanted)
        if (after == before).all():
            raise DuologueError(
                "edit_unclear",
                "What to change was not understood, or it is like that already.",
                'Name one thing, such as "slower", "with the left hand", or "but B refuses".',
            )
        if after[0] == before[0]:
            return after
        return self._book.filled(wanted, seconds, np.random.default_rng(seed), wished=before)

    def entries(self, script: np.ndarray) -> dict[str, str]:
        """What a script (S,) says, by the names of its slots; what it leaves open is left out."""
        return script_of(self._model.config.slots, script)

    def kind(self, script: np.ndarray) -> str | None:
        """The id of the interaction of a script (S,); None if it is left open."""
        return self.entries(script).get("kind")

    def text(self, script: np.ndarray) -> str:
        """A script (S,) as a JSON object, for those who ask what was understood and for `parsed`."""
        return json.dumps(self.entries(script))

    def parsed(self, text: str) -> np.ndarray:
        """The script (S,) of a text that `text` made.

        Raises:
            DuologueError: ``script_unreadable`` if it is no such text.
        """
        try:
            script = json.loads(text)
        except ValueError:
            script = None
        if not isinstance(script, Mapping):
            raise DuologueError(
                "script_unreadable", "What was understood of the motion cannot be read.", "Leave the script out."
            )
        return numbers(self._model.config.slots, script)
