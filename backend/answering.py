"""Answers to questions about a motion, from the script that is read from it: what was seen is put into words by rule.

A small language model hears what a question is about, and seldom whether it asks "friendly?" or "hostile?"; the script
of a motion it reads well. So the reader of prompts hears what sort of question is asked, and the script answers it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .corpus.dialogues.questions import askable, sort_of
from .corpus.dialogues.steps import phrase_of

_STEM = 4
"""Letters that a verb's forms have in common, near enough: "offer", "offers", "offering"."""
_COMMON = frozenset(("a", "an", "the", "it", "to", "of"))
"""Words that tell no step from another."""
_NAMED = 0.25
"""What the name of the one who takes a step counts beside its words."""
_MENTIONED = 0.5
"""Share of a step's words that a question about it has at least."""
_PERSONS = {
    "A": re.compile(r"\bA\b|\bfirst\b|\b(?:person|character|actor|figure) a\b"),
    "B": re.compile(r"\b[Bb]\b|\bsecond\b"),
    "both": re.compile(r"\b(?:both|they|two|pair)\b"),
}


def answered(sort: str, question: str, script: Mapping[str, Any]) -> str | None:
    """The answer that a script gives.

    Args:
        sort: what is asked: one of `questions.SORTS`.
        question: in plain words, which tell before or after what.
        script: entries by name, with the ``kind`` and its ``events``.

    Returns:
        A person, a side, a number, yes or no, a mood, a reason or a clause; None if the script does not answer it.
    """
    able = [(asked, answer) for asked, answer in askable(str(script["kind"]), script) if sort_of(asked) == sort]
    if sort not in ("before", "next"):
        return able[0][1] if able else None
    meant = [(_mentioned(asked.partition(":")[2], question), answer) for asked, answer in able]
    best = max(meant, default=(0.0, ""))
    return best[1] if best[0] >= _MENTIONED else None


def _mentioned(reference: str, question: str) -> float:
    """The share of the words of a step, named as `Step.reference` does, in a question; more if it names who acts."""
    actor, _, beat = reference.partition(":")
    words = _stems(phrase_of(beat))
    share = len(words & _stems(question)) / len(words)
    return share + _NAMED * bool(_PERSONS[actor].search(question)) if share else 0.0


def _stems(text: str) -> set[str]:
    return {word[:_STEM] for word in re.findall(r"[a-z]+", text.lower())} - _COMMON
