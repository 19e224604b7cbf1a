"""More ways to ask for the kinds than the captions have, so that the model meets many words for each.

The model's frozen word vectors bring near words together, but a few captions of each kind do not tell which of a
sentence's words matter. ``vocabulary.json`` holds synonyms, definitions, sentence patterns and names for training
prompts, ``sentences.json`` whole sentences for every kind; captions are never learned from either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..corpus.choreographer.captions import KINDS, held_out_prompts

VOCABULARY = Path(__file__).parent / "vocabulary.json"
SENTENCES = Path(__file__).parent / "sentences.json"

_SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}")
_ROLES = frozenset(("actor", "partner"))
_TOGETHER = frozenset(("they", "them", "first", "second"))
_DEFINITION_SHARE = 0.08
_SENTENCE_SHARE = 0.65
_ADJUNCT_SHARE = 0.3
_DETAIL_SHARE = 0.25
_IRREGULAR = {
    "hit": "hit",
    "drive": "driven",
    "draw": "drawn",
    "beat": "beaten",
    "lead": "led",
    "bring": "brought",
    "come": "come",
    "go": "gone",
}


def wording(kind: str, script: Mapping[str, Any], rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """A random training prompt that is true of a script, never a held-out one: a definition, pattern or sentence.

    Args:
        kind: id of the interaction.
        script: what was drawn; "actor" ("A", "B" or "both") is told, and at times hand, speed, mood and count.
        rng: draws.

    Returns:
        the prompt, and the names of the script's entries that it tells.
    """
    while (made := _drawn(kind, script, rng))[0].lower() in _held_out():
        pass
    return made


def _drawn(kind: str, script: Mapping[str, Any], rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    vocabulary = _vocabulary()
    entry = vocabulary["kinds"][kind]
    if rng.random() < _DEFINITION_SHARE:
        return _one(entry["definitions"], rng), frozenset(("kind",))
    actor = str(script.get("actor", "both"))
    patterns = _fitting(_sentences()[kind], actor) if rng.random() < _SENTENCE_SHARE else []
    pattern = _one(patterns or _fitting(entry["templates"], actor), rng)
    slots = _slots(pattern)
    names = _names(vocabulary, slots, actor, rng)

    def fill(match: re.Match[str]) -> str:
        if match[1] in names:
            return names[match[1]]
        return inflected(_one(entry["slots"][match[1]], rng), match[2] or "")

    text = _SLOT.sub(fill, pattern)
    told = {"kind"} | ({"actor"} if (_ROLES | _TOGETHER).intersection(slots) else set())
    for name, phrases in vocabulary["details"].items():
        value = str(script.get(name)).lower()
        if value in phrases and rng.random() < _DETAIL_SHARE:
            text, told = f"{text} {_one(phrases[value], rng)}", told | {name}
    if rng.random() < _ADJUNCT_SHARE:
        text = f"{text} {_one(vocabulary['adjuncts'], rng)}"
    return text, frozenset(told)


def inflected(verb: str, form: str) -> str:
    """A verb, or the first word of a phrase, in the form "" (plain), "s", "ing" or "ed" (participle)."""
    head, _, rest = verb.partition(" ")
    if form == "s":
        head += "es" if re.search(r"(s|sh|ch|x|z|o)$", head) else "s"
        head = re.sub(r"(?<=[^aeiou])ys$", "ies", head)
    elif form == "ed" and head in _IRREGULAR:
        head = _IRREGULAR[head]
    elif form:
        head = re.sub(r"(?<=[^aeiou])y$", "i", head) if form == "ed" else head
        head = re.sub(r"(?<=[^e])e$", "", head)
        if re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", head) and not verb.startswith(head + "e"):
            head += head[-1]
        head += form
    return f"{head} {rest}".rstrip()


def _fitting(patterns: list[str], actor: str) -> list[str]:
    """The patterns that speak of one who acts, or of both who do; those that name nobody fit always."""
    wrong = _TOGETHER if actor in ("A", "B") else _ROLES
    return [pattern for pattern in patterns if not wrong.intersection(_slots(pattern))]


def _slots(pattern: str) -> list[str]:
    return [match[1] for match in _SLOT.finditer(pattern)]


def _names(vocabulary: dict[str, Any], slots: list[str], actor: str, rng: np.random.Generator) -> dict[str, str]:
    """What the persons are called: "they" and "them", or a name for each role, the first person's name being A's."""
    noun = _one(vocabulary["nouns"], rng)
    role, other = rng.choice(vocabulary["roles"], 2, replace=False)
    pair = _one(vocabulary["pairs"], rng).format(nouns=noun, role=role, other=other)
    names = {"they": pair, "them": "them" if pair == "they" else pair}
    if actor == "B":
        roles = {"partner": 0, "actor": 1, "first": 0, "second": 1}
    else:
        roles = {"actor": 0, "partner": 1, "first": 0, "second": 1}
    mentioned = [roles[slot] for slot in slots if slot in roles]
    from_a = not mentioned or mentioned[0] == 0
    fitting = [entry for entry in vocabulary["persons"] if from_a or not entry["in_order"]]
    chosen = fitting[rng.integers(len(fitting))]
    singular = vocabulary["singular"].get(noun, noun.removesuffix("s"))
    both = [chosen[key].format(noun=singular, role=role, other=other) for key in ("first", "second")]
    return names | {role: both[index] for role, index in roles.items()}


def _one(choices: list[str], rng: np.random.Generator) -> str:
    return choices[rng.integers(len(choices))]


@cache
def _held_out() -> frozenset[str]:
    return frozenset(prompt.text.lower() for kind in KINDS for prompt in held_out_prompts(kind))


@cache
def _vocabulary() -> dict[str, Any]:
    return json.loads(VOCABULARY.read_text(encoding="utf-8"))


@cache
def _sentences() -> dict[str, list[str]]:
    return json.loads(SENTENCES.read_text(encoding="utf-8"))
