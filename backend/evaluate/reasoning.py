"""Reasoning: questions about held-out scenes in held-out words, judged by what their scripts know.

Of every kind of question as many are asked of each right answer as there are, so that saying always the same is seldom
right; how often the best of such answers is right stands in the same table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..corpus.dialogues.questions import KINDS, askable, family_of, right, worded
from ..corpus.scene import Scene
from .held_out import Conversant, Corpus, Progress, share


class Question(NamedTuple):
    """What is asked about a scene: the kind of question, its words, and a right answer."""

    scene: Scene
    kind: str
    words: str
    answer: str


def held_out_questions(corpus: Corpus, per_family: int) -> list[Question]:
    """Questions about test scenes: of every kind up to a number, spread over its right answers and over the scenes."""
    rng = np.random.default_rng(0)
    able: dict[str, dict[str, list[tuple[Scene, str]]]] = {}
    scenes = [scene for scene in corpus.scenes if scene.split == "test"]
    for index in rng.permutation(len(scenes)):
        scene = scenes[int(index)]
        for kind, answer in askable(scene.kind, scene.script):
            able.setdefault(family_of(kind), {}).setdefault(answer, []).append((scene, kind))
    found = []
    for family in (family for family in KINDS if family in able):
        answers = sorted(able[family])
        rounds = max(len(questions) for questions in able[family].values())
        drawn = [(answer, n) for n in range(rounds) for answer in answers if n < len(able[family][answer])]
        for answer, n in drawn[:per_family]:
            scene, kind = able[family][answer][n]
            found.append(Question(scene, kind, worded(kind, scene.script, rng, "held_out"), answer))
    return found


def reasoning(model: Conversant, corpus: Corpus, questions: Sequence[Question], progress: Progress) -> dict[str, Any]:
    """Ask the model, and judge its answers.

    Args:
        model: what is evaluated.
        corpus: that the questions' scenes are of.
        questions: what is asked.
        progress: told how far it is.

    Returns:
        ``accuracy`` and ``constant`` (the best answer that is always the same), shares in 0..1: the means over the
        kinds of questions; the same of each kind under ``by_kind``; ``questions``; every one under ``items``.
    """
    items = []
    for index, asked in enumerate(questions):
        progress(index / len(questions), "Reasoning")
        answer = "".join(model.ask(corpus.motion(asked.scene), asked.words, seed=index))
        items.append(
            {
                "scene": asked.scene.id,
                "kind": asked.kind,
                "question": asked.words,
                "expected": asked.answer,
                "answer": answer,
                "right": right(asked.kind, answer, asked.scene.script),
            }
        )
    by_kind = {}
    for family in dict.fromkeys(family_of(asked.kind) for asked in questions):
        of = [asked for asked in questions if family_of(asked.kind) == family]
        accuracy = share(item["right"] for item in items if family_of(item["kind"]) == family)
        by_kind[family] = {"accuracy": accuracy, "constant": constant(of), "questions": len(of)}
    means = {name: float(np.mean([one[name] for one in by_kind.values()])) for name in ("accuracy", "constant")}
    return means | {"questions": len(items), "by_kind": by_kind, "items": items}


def constant(questions: Sequence[Question]) -> float:
    """How many of some questions the one answer that suits most of them is right for, as a share."""
    answers = dict.fromkeys(asked.answer for asked in questions)
    return max(share(right(asked.kind, answer, asked.scene.script) for asked in questions) for answer in answers)
