"""Questions about a scene that its script answers, and the rule that judges any answer to them.

What may be asked depends on the script alone, so it can be asked of a scene whose persons are swapped or mirrored as
well. The words are data, in ``phrases/questions.json`` and, for what happens when, ``phrases/beats.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..choreographer.captions import Split, phrases
from .instructions import PHRASES
from .steps import Step, clause, same_action, steps_of

KINDS = ("who", "lead", "win", "hand", "leg", "count", "friendly", "touch", "feel", "why", "before", "next")
"""Kinds of questions. ``before`` and ``next`` are followed by a colon and what they refer to, such as
``before:B:cross arms``; ``friendly`` and ``touch`` by a sign, for they may be asked the other way round."""

SORTS = ("who", "lead", "win", "hand", "leg", "count", "friendly+", "friendly-", "touch+", "touch-", "feel", "why")
SORTS += ("before", "next")
"""What a question can be heard to ask: `KINDS`, those of the two signs apart, without what they refer to."""
OTHER_SORT = "other"
"""Of the words, those that ask for something else."""

_NUMBERS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "once": "1", "twice": "2"}


class Asked(NamedTuple):
    """A question: its kind, with what it refers to; its words; and a right answer of at most twelve words."""

    kind: str
    question: str
    answer: str


def question(kind: str, script: Mapping[str, Any], rng: np.random.Generator, split: Split = "train") -> Asked:
    """Ask something about a scene.

    Args:
        kind: id of the interaction.
        script: what was drawn, and its events.
        rng: draws what is asked, and how; answers that would be right too often are drawn less often.
        split: which phrasings.
    """
    able = list(askable(kind, script))
    weights = np.array([_weight(asked, answer) for asked, answer in able])
    # What comes before or after what gives many questions of two kinds; they share the weight of these kinds.
    families = [family_of(asked) for asked, _ in able]
    weights /= [families.count(family) for family in families]
    asked, answer = able[int(rng.choice(len(able), p=weights / weights.sum()))]
    return Asked(asked, worded(asked, script, rng, split), answer)


def sort_of(question_kind: str) -> str:
    """One of `SORTS`."""
    return question_kind.partition(":")[0]


def family_of(question_kind: str) -> str:
    """One of `KINDS`, without what a question of it refers to."""
    return sort_of(question_kind).rstrip("+-")


def askable(kind: str, script: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every kind of question that the script of a scene answers, and the answer."""
    data = _data()
    answers: dict[str, str] = data["answers"]
    if "actor" in phrases(kind) and "actor" in script:
        yield "who", answers[script["actor"]]
    if data["lead"].get(kind) in script:
        yield "lead", answers[script[data["lead"][kind]]]
    if "winner" in script:
        yield "win", answers[script["winner"]]
    if kind in data["hand"] and script.get("hand") in ("left", "right", "both"):
        yield "hand", str(script["hand"])
    if script.get("leg") in ("left", "right"):
        yield "leg", str(script["leg"])
    if kind in data["count"] and "count" in script:
        yield "count", data["times"].get(str(script["count"]), "many times")
    for name in ("friendly", "touch"):
        for answer, other in (("yes", "no"), ("no", "yes")):
            if kind in data[name][answer]:
                yield f"{name}+", answer
                yield f"{name}-", other
    if "mood" in script:
        yield "feel", data["moods"][script["mood"]]
    for reason, kinds in data["reasons"].items():
        if kind in kinds:
            yield "why", reason
    groups = steps_of(kind, script)
    for earlier, later in pairwise(groups):
        yield f"before:{later[0].reference}", clause(earlier[0])
        yield f"next:{earlier[0].reference}", clause(later[0])


def right(question_kind: str, answer: str, script: Mapping[str, Any]) -> bool:
    """Whether an answer, in whatever words, is right for the script of a scene, which names its ``kind``."""
    said = _plain(answer)
    expected = [true for asked, true in askable(str(script["kind"]), script) if asked == question_kind]
    if not expected or not said:
        return False
    judge = _JUDGES.get(family_of(question_kind))
    return judge(said, expected[0]) if judge else _step_right(question_kind, answer, script)


def _person_right(said: str, expected: str) -> bool:
    found = {name for name, pattern in _PERSONS.items() if re.search(pattern, said)}
    wanted = {"person A": {"A"}, "person B": {"B"}, "both": {"both"}, "nobody": {"nobody"}}[expected]
    return found == wanted or (wanted == {"both"} and found == {"A", "B"})


def _side_right(said: str, expected: str) -> bool:
    found = {side for side in ("left", "right", "both") if re.search(rf"\b{side}", said)}
    return found == {expected} or (expected == "both" and found == {"left", "right"})


def _count_right(said: str, expected: str) -> bool:
    def numbers(text: str) -> set[str]:
        return {_NUMBERS.get(word, word) for word in text.split() if word in _NUMBERS or word.isdigit()}

    return numbers(said) == numbers(expected) and bool(numbers(said))


def _yes_right(said: str, expected: str) -> bool:
    found = {word for word in ("yes", "no") if re.search(rf"\b{word}\b", said)}
    return found == {expected}


def _listed_right(said: str, expected: str, listed: Mapping[str, list[str]]) -> bool:
    found = {answer for answer, words in listed.items() if any(re.search(rf"\b{word}", said) for word in words)}
    return found == {expected} or said == _plain(expected)


def _step_right(question_kind: str, answer: str, script: Mapping[str, Any]) -> bool:
    """Whether an answer tells any step of the group before, or after, the one that was asked about."""
    family, _, reference = question_kind.partition(":")
    groups = steps_of(str(script["kind"]), script)
    at = next(index for index, group in enumerate(groups) if group[0].reference == reference)
    group = groups[at - 1] if family == "before" else groups[at + 1]
    return any(_tells(answer, step) for step in group)


def _tells(answer: str, step: Step) -> bool:
    said = _plain(answer)
    return same_action(said, step.beat) and _person_right(
        re.sub(r"\bthe other\b", "", said), {"A": "person A", "B": "person B"}.get(step.actor, "both")
    )


def _plain(text: str) -> str:
    """Lower case, single spaces, no punctuation; "A" alone and "person a" stay apart from the article."""
    named = re.sub(r"\bA\b(?= [a-z]|$|[.,!])", "person a", text) if not re.match(r"A [a-z]+ (?:of|a)\b", text) else text
    named = re.sub(r"\bB\b", "person b", named)
    return " ".join(re.sub(r"[^\w' ]", " ", re.sub(r"person person", "person", named).lower()).split())


_PERSONS = {
    "A": r"\bperson a\b|\bfirst\b|^a$",
    "B": r"\bperson b\b|\bsecond\b|^b$",
    "both": r"\bboth\b|\bthey\b|\beach\b",
    "nobody": r"\bnobody\b|\bno one\b",
}
_JUDGES = {
    "who": _person_right,
    "lead": _person_right,
    "win": _person_right,
    "hand": _side_right,
    "leg": _side_right,
    "count": _count_right,
    "friendly": _yes_right,
    "touch": _yes_right,
    "feel": lambda said, expected: _listed_right(said, expected, _data()["mood_words"]),
    "why": lambda said, expected: _listed_right(said, expected, _data()["reason_words"]),
}


def _weight(question_kind: str, answer: str) -> float:
    return float(_data()["weights"].get(family_of(question_kind), {}).get(answer, 1.0))


def other_questions(split: Split) -> list[str]:
    """Questions about a motion that are of none of the `SORTS`."""
    return _data()["questions"][OTHER_SORT][split]


def worded(question_kind: str, script: Mapping[str, Any], rng: np.random.Generator, split: Split) -> str:
    """A question of a kind that `askable` gives for a script, in one of many ways."""
    data = _data()
    family, _, reference = question_kind.partition(":")
    templates: list[str] = data["questions"][family][split]
    text = templates[int(rng.integers(len(templates)))]
    names: dict[str, list[str]] = data["persons"][split]
    if "{who}" in text:
        options = names[str(script["actor"])]
        who = options[int(rng.integers(len(options)))]
        text = text.replace("{who}", who)
        for verb, plural in (("does", "do"), ("is", "are")):
            for several in names["both"]:
                text = text.replace(f"{verb} {several}", f"{plural} {several}")
        return text
    if "{clause}" in text:
        group = next(group for group in steps_of(str(script["kind"]), script) if group[0].reference == reference)
        options = names[group[0].actor]
        text = text.replace("{clause}", clause(group[0], options[int(rng.integers(len(options)))]))
    return text


@cache
def _data() -> dict[str, Any]:
    return json.loads((PHRASES / "questions.json").read_text(encoding="utf-8"))
