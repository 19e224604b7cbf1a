"""Training prompts with what they tell: a sentence that is true of an example, and which slots it speaks of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from ..corpus.choreographer.captions import PHRASES, fillings, phrases
from .wording import wording

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_PERSONS = frozenset(("actor", "partner", "they", "them", "first", "second"))
_WORDING_SHARE = 0.8
"""Prompts for a pair in the wider words of `backend.train.wording`; the others are captions."""


def pair_prompt(kind: str, script: Mapping[str, Any], rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """A random prompt for a pair that is true of a script, and the names of the entries that it tells."""
    return wording(kind, script, rng) if rng.random() < _WORDING_SHARE else pair_caption(kind, script, rng)


def pair_caption(kind: str, script: Mapping[str, Any], rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """A random training caption of a pair that is true of a script, and the names of the entries that it tells."""
    told = script if "actor" in phrases(kind) else {**script, "actor": "both"}
    return _caption(phrases(kind)["train"], told, rng)


def person_prompt(
    kind: str, script: Mapping[str, Any], person: str, rng: np.random.Generator
) -> tuple[str, frozenset[str]]:
    """What one person does, in words that are true of a script, and the names of the entries that it tells."""
    known = phrases(kind)
    actor = script["actor"] if "actor" in known else "both"
    role = "each" if actor == "both" else "actor" if actor == person else "partner"
    text, told = _caption(known[role]["train"], {**script, "actor": actor}, rng)
    subjects = _names()["lone"]["train"]
    return subjects[rng.integers(len(subjects))] + text, told | {"actor"}


def _caption(templates: list[str], script: Mapping[str, Any], rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """A template that fits, filled; some template of every kind fits every script."""
    while True:
        template = templates[rng.integers(len(templates))]
        if filled := fillings(template, script, "train"):
            return filled[rng.integers(len(filled))], told_by(template)


@cache
def told_by(template: str) -> frozenset[str]:
    """Names of the script's entries that a caption template tells."""
    wanted = set(_PLACEHOLDER.findall(template))
    details = _names()["details"]
    told = {details[name]["of"] for name in wanted if name in details}
    return frozenset(told | {"kind"} | ({"actor"} if wanted & _PERSONS else set()))


@cache
def _names() -> dict[str, Any]:
    return json.loads((PHRASES / "names.json").read_text(encoding="utf-8"))
