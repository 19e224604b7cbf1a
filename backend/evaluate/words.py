"""What a sentence says: which kind of interaction, and who does it, read off the known phrase that it is most like.

It judges captions that a model wrote, so it looks at words alone and knows nothing of where a text came from. Likeness
is the cosine of two sentences' stems and pairs of stems, each weighted by how few kinds use it (Sparck Jones 1972).
"""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..corpus.choreographer.captions import KINDS, PHRASES, phrases

LEAST = 0.3
"""Likeness below which a sentence is like no phrase at all."""

_NAMES = {
    # Not the article: "A push by B".
    "A": r"(?i:one (?:person|character|figure)|someone|the first(?: (?:person|one|figure|character))?"
    r"|(?:person|character) A)|A(?! \w+ (?:by|from|of|between|in|on|at|for)\b)|(?<=[a-z] )A",
    "B": r"(?i:the other(?: (?:person|character|figure))?|another person|somebody else"
    r"|the second(?: (?:person|one|figure|character))?|(?:person|character) B)|B",
}
_MENTION = re.compile("|".join(rf"(?P<{person}>\b(?:{names})\b)" for person, names in _NAMES.items()))
_TOGETHER = re.compile(rf"(?:{_NAMES['A']}),? and (?:{_NAMES['B']})\b|each other|one another")
_OTHER = {"A": "B", "B": "A"}
_ROLES = re.compile(r"\{(\w+)\}")
_PERSON = "someperson"


@dataclass(frozen=True)
class _Known:
    """The known phrases: their kinds, who is named in what order, and which features they have."""

    kinds: list[str]
    roles: list[list[str]]
    pairs: np.ndarray
    where: dict[str, np.ndarray]
    weights: dict[str, float]
    lengths: np.ndarray


def caption_kind(text: str) -> str | None:
    """The kind of interaction that a caption or prompt names, or None where it is like no phrase that is known."""
    best = _nearest(text)
    return None if best is None else _known().kinds[best]


def caption_actor(text: str) -> str | None:
    """Who does it by a caption's words: "A", "B", or "both"; None if one person acts but the words leave open who."""
    best = _nearest(text, of_the_pair=True)
    if best is None:
        return None
    kind, roles = _known().kinds[best], _known().roles[best]
    mention = _MENTION.search(text)
    if not roles:
        return "both" if "each" in phrases(kind) else None
    if mention is None:
        return None
    person = str(mention.lastgroup)
    return person if roles[0] == "actor" else _OTHER[person]


def _without_names(text: str) -> str:
    return _MENTION.sub(f" {_PERSON} ", _TOGETHER.sub(" ", text))


def _nearest(text: str, of_the_pair: bool = False) -> int | None:
    """The index of the known phrase (of those for both persons, if asked) that is most like a sentence, if one is."""
    known = _known()
    found = _features(_without_names(text))
    scores = np.zeros(len(known.kinds))
    square = 0.0
    for feature in found:
        weight = known.weights.get(feature, _unknown_weight())
        square += weight**2
        if feature in known.where:
            scores[known.where[feature]] += weight**2
    scores /= known.lengths * max(square, 1e-9) ** 0.5
    best = int(np.argmax(np.where(known.pairs, scores, 0) if of_the_pair else scores))
    return best if scores[best] > LEAST else None


@cache
def _known() -> _Known:
    kinds: list[str] = []
    roles: list[list[str]] = []
    pairs: list[bool] = []
    features: list[set[str]] = []
    for kind in KINDS:
        for role, texts in phrases(kind).items():
            splits = {"pair": texts} if isinstance(texts, list) else texts
            for text in (text for split in splits.values() for text in split):
                kinds.append(kind)
                roles.append([name for name in _ROLES.findall(text) if name in ("actor", "partner")])
                pairs.append(role in ("train", "held_out"))
                features.append(_features(_without_names(_ROLES.sub(_filled, text))))
    used = defaultdict(set)
    where = defaultdict(list)
    for index, found in enumerate(features):
        for feature in found:
            used[feature].add(kinds[index])
            where[feature].append(index)
    weights = {feature: float(np.log(1 + len(KINDS) / len(by))) for feature, by in used.items()}
    lengths = np.array([max(sum(weights[feature] ** 2 for feature in found), 1e-9) ** 0.5 for found in features])
    return _Known(
        kinds, roles, np.array(pairs), {feature: np.array(at) for feature, at in where.items()}, weights, lengths
    )


def _filled(slot: re.Match[str]) -> str:
    """What stands for a placeholder: a person, or all that it may be filled with."""
    if slot[1] in ("actor", "partner", "first", "second"):
        return f" {_PERSON} "
    detail = _names()["details"].get(slot[1], {})
    return " ".join(word for words in detail.values() if isinstance(words, list) for word in words)


@cache
def _names() -> dict[str, Any]:
    return json.loads((PHRASES / "names.json").read_text(encoding="utf-8"))


@cache
def _unknown_weight() -> float:
    return float(np.log(1 + len(KINDS)))


@cache
def _ignored() -> frozenset[str]:
    """Words of names and of details that phrases leave open: they tell nothing of the kind."""
    names = _names()
    texts = [
        text
        for group in ("persons", "pairs", "lone")
        for split in names[group].values()
        for entry in split
        for text in (
            [value for value in entry.values() if isinstance(value, str)] if isinstance(entry, dict) else [entry]
        )
    ]
    texts += [
        word
        for detail in ("hand", "speed", "mood", "times")
        for words in names["details"][detail].values()
        for word in words
    ]
    common = ["a", "an", "the", "and", "to", "of", "their", "them", "they", "is", "who", "it", "as", "with", "in", "at"]
    return frozenset(word for text in (*texts, *common) for word in re.findall(r"[a-z]+", text.lower()))


def _features(text: str) -> set[str]:
    words = re.findall(r"[a-z]+", text.lower())
    stems = [_stem(word) for word in words if word not in _ignored()]
    return set(stems) | {f"{a} {b}" for a, b in itertools.pairwise(stems)}


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) > 2:
            return word.removesuffix(ending)
    return word
