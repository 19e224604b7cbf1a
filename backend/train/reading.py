"""Teaches a model to read instructions, from words alone: without motion it takes but minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from rich.progress import track

from protocol.errors import DuologueError

from ..corpus.dialogues.edits import counterparts
from ..corpus.dialogues.instructions import PROPERTIES, changed, instruction
from ..language.layout import padded_prompts
from ..language.losses import slot_surprise
from ..language.model import MotionLanguageModel
from ..language.slots import numbers
from ..language.words import Words
from .run import step_seed


@dataclass(frozen=True)
class Reading:
    """How the reading of instructions is learned.

    Attributes:
        steps: optimizer steps.
        instructions: how many a step.
        word_dropout: share of the words left out, so that no single word is relied on.
        learning_rate: peak.
    """

    steps: int = 4000
    instructions: int = 64
    word_dropout: float = 0.1
    learning_rate: float = 2e-3


def learn_to_edit(
    model: MotionLanguageModel,
    scripts: Sequence[tuple[str, Mapping[str, Any]]],
    words: Words,
    reading: Reading,
    seed: int,
) -> float:
    """Train the model's reader of instructions and nothing else; returns the share read right in the last tenth.

    Args:
        model: its ``edit_reader`` is trained, in place; left in evaluation mode.
        scripts: (kind, script) pairs, which are changed one property at a time.
        words: the text tokenizer.
        reading: how.
        seed: of everything random.
    """
    device, slots = model.markers.weight.device, model.config.slots
    changes = Changes(scripts)
    torch.manual_seed(seed)
    model.train()
    parameters = [*model.edit_reader.parameters(), *model.slot_words.parameters()]
    optimizer = torch.optim.AdamW(parameters, reading.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, reading.steps)
    right = []
    for step in track(range(reading.steps), "Learning to read instructions"):
        rng = np.random.default_rng(step_seed(seed, step))
        drawn = [changes.draw(rng) for _ in range(reading.instructions)]
        kept = [
            [word for word in words.encode(text) if rng.random() >= reading.word_dropout] for text, _, _, _ in drawn
        ]
        ids, mask = padded_prompts(kept)
        before = torch.from_numpy(np.stack([numbers(slots, script) for _, script, _, _ in drawn])).to(device)
        wanted = torch.from_numpy(np.stack([numbers(slots, script, told) for _, _, script, told in drawn])).to(device)
        logits = model.edit_logits(ids.to(device), mask.to(device), before)
        optimizer.zero_grad()
        slot_surprise(logits, wanted).backward()
        optimizer.step()
        schedule.step()
        found = torch.stack([slot.argmax(-1) for slot in logits], -1)
        right.append(float((found == wanted).all(-1).float().mean()))
    model.eval()
    return float(np.mean(right[-max(1, reading.steps // 10) :]))


class Changes:
    """Scripts that differ in what an instruction asks for.

    Args:
        scripts: (kind, script) pairs.

    Raises:
        DuologueError: ``corpus_too_small`` if no script can be changed.
    """

    def __init__(self, scripts: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        self._scripts = [{**script, "kind": kind} for kind, script in scripts]
        self._of_kind: dict[str, list[Mapping[str, Any]]] = {}
        self._values: dict[tuple[str, str], list[Any]] = {}
        for script in self._scripts:
            self._of_kind.setdefault(str(script["kind"]), []).append(script)
            for name in set(PROPERTIES) & set(script):
                values = self._values.setdefault((str(script["kind"]), name), [])
                if script[name] not in values:
                    values.append(script[name])
        if not any(self._options(script) for script in self._scripts):
            raise DuologueError("corpus_too_small", "No scene of the corpus can be changed.", "Make a larger one.")

    def draw(self, rng: np.random.Generator) -> tuple[str, Mapping[str, Any], Mapping[str, Any], frozenset[str]]:
        """An instruction, the script it is about, the one it asks for, and the names of what it tells of that."""
        while True:
            before = self._scripts[int(rng.integers(len(self._scripts)))]
            options = self._options(before)
            if not options:
                continue
            name = options[int(rng.integers(len(options)))]
            after = self._other_kind(before, rng) if name == "kind" else self._with_another(before, name, rng)
            if changed(before, after) == name:
                told = frozenset(("kind", "actor")) if name == "kind" else frozenset((name,))
                return instruction(before, after, rng), before, after, told

    def _options(self, script: Mapping[str, Any]) -> list[str]:
        """What may be changed: what has several values, and the kind where others are like it."""
        kind = str(script["kind"])
        names = [
            name
            for name in PROPERTIES
            if name in script and name != "kind" and script[name] != "none" and len(self._values[kind, name]) > 1
        ]
        others = any(other in self._of_kind for other in counterparts().get(kind, ()))
        return [*names, "kind"] if others else names

    def _with_another(self, script: Mapping[str, Any], name: str, rng: np.random.Generator) -> dict[str, Any]:
        values = [value for value in self._values[str(script["kind"]), name] if value not in (script[name], "none")]
        return {**script, name: values[int(rng.integers(len(values)))]} if values else dict(script)

    def _other_kind(self, script: Mapping[str, Any], rng: np.random.Generator) -> Mapping[str, Any]:
        kinds = [kind for kind in counterparts()[str(script["kind"])] if kind in self._of_kind]
        others = self._of_kind[kinds[int(rng.integers(len(kinds)))]]
        same = [other for other in others if other["actor"] == script["actor"]] or others
        return same[int(rng.integers(len(same)))]
