"""Words for what two persons do: captions and prompts that are true of a script, filled from the phrase files.

The phrases are data, in ``phrases/KIND.json``; ``phrases/README.md`` describes them. Here they are only filled in.
"""

import json
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from .families import KINDS

Split = Literal["train", "held_out"]
Person = Literal["A", "B"]

PHRASES = Path(__file__).parent / "phrases"

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_OPPOSITE = {"left": "right", "clockwise": "counterclockwise"}
_OPPOSITE |= {right: left for left, right in _OPPOSITE.items()}
_SIDED = re.compile(r"(?<![a-z])(left|right|counterclockwise|clockwise)(?![a-z])")
_OTHER = {"A": "B", "B": "A"}


@dataclass(frozen=True)
class Prompt:
    """A sentence that asks for an interaction, and what has to be seen in the answer.

    Attributes:
        text: the sentence.
        kind: id of the interaction it names.
        actor: "A" or "B" where the sentence says who does it, else "both".
    """

    text: str
    kind: str
    actor: str


def captions(kind: str, script: Mapping[str, object], split: Split) -> list[str]:
    """Every caption of the pair that is true of ``script``.

    Each phrase that fits comes once for every way of naming the persons and every adverb, 50 to 400 captions in all;
    ``some_captions`` draws a few of them.

    Args:
        kind: id of the interaction.
        script: what was drawn: "actor" ("A", "B" or "both"), "hand", "speed" and whatever names.json has words for.
        split: which phrases.
    """
    told = _with_role(kind, script)
    return _unique(text for template in phrases(kind)[split] for text in fillings(template, told, split))


def some_captions(kind: str, script: Mapping[str, object], split: Split, count: int, seed: int) -> list[str]:
    """``count`` captions that are true of ``script``, of different phrases while there are enough of them."""
    draw = random.Random(seed)
    told = _with_role(kind, script)
    by_phrase = [found for template in phrases(kind)[split] if (found := fillings(template, told, split))]
    draw.shuffle(by_phrase)
    return [draw.choice(by_phrase[index % len(by_phrase)]) for index in range(count)]


def person_captions(kind: str, script: Mapping[str, object], person: Person, split: Split) -> list[str]:
    """Everything true that can be said of what one person does: prompts for a reaction, captions of a lone person.

    Args:
        kind: id of the interaction.
        script: as for ``captions``.
        person: whose part.
        split: which phrases.
    """
    told = _with_role(kind, script)
    role = "each" if told["actor"] == "both" else "actor" if told["actor"] == person else "partner"
    return _unique(
        subject + text
        for template in phrases(kind)[role][split]
        for text in fillings(template, told, split)
        for subject in _names()["lone"][split]
    )


def held_out_prompts(kind: str) -> list[Prompt]:
    """One prompt for each of the kind's eight held-out phrases; who does it alternates, and so do the names."""
    prompts = []
    for index, template in enumerate(phrases(kind)["held_out"]):
        roles = "{actor}" in template
        script = {"actor": "AB"[index % 2] if roles else "both", "hand": "right", "speed": "normal"}
        choices = fillings(template, script, "held_out")
        prompts.append(Prompt(choices[index % len(choices)], kind, str(script["actor"])))
    return prompts


def fillings(template: str, script: Mapping[str, object], split: Split) -> list[str]:
    """All ways to fill a template truly; none if it speaks of something that the script leaves open.

    A template with {actor} and {partner} needs a script in which one person acts, and one with {they} or {first} and
    {second} needs both to act. Names such as "the other" are used only after "one person".
    """
    wanted = _PLACEHOLDER.findall(template)
    filled = []
    for values in _castings(wanted, script, split):
        texts = [template]
        for name in wanted:
            texts = [text.replace(f"{{{name}}}", choice) for text in texts for choice in values.get(name, ())]
        filled += texts
    return _unique(filled)


def swapped(script: Mapping[str, object]) -> dict[str, object]:
    """The script of the same motion when the persons change index: A becomes B, in keys such as ``step_a`` too."""
    return {_swapped_key(key): _swapped_value(value) for key, value in script.items()}


def mirrored(script: Mapping[str, object]) -> dict[str, object]:
    """The script of the same motion seen in a mirror: left and right, clockwise and counterclockwise change places."""
    return {key: _mirrored_value(value) for key, value in script.items()}


@cache
def phrases(kind: str) -> dict[str, Any]:
    """The contents of ``phrases/KIND.json``.

    Raises:
        KeyError: if there is no such kind.
    """
    if kind not in KINDS:
        raise KeyError(f"{kind!r} is none of the kinds {', '.join(KINDS)}")
    return json.loads((PHRASES / f"{kind}.json").read_text(encoding="utf-8"))


@cache
def _names() -> dict[str, Any]:
    return json.loads((PHRASES / "names.json").read_text(encoding="utf-8"))


def _with_role(kind: str, script: Mapping[str, object]) -> Mapping[str, object]:
    """The script as the words see it: in a kind whose phrases know no roles, both persons act."""
    return script if "actor" in phrases(kind) else {**script, "actor": "both"}


def _castings(wanted: list[str], script: Mapping[str, object], split: Split) -> list[dict[str, list[str]]]:
    """Values for the placeholders, one dictionary for each way of naming the persons."""
    names = _names()
    common = {
        name: detail[str(script[detail["of"]]).lower()]
        for name, detail in names["details"].items()
        if str(script.get(detail["of"])).lower() in detail
    }
    actor = script["actor"]
    if "they" in wanted or "them" in wanted:
        pairs = names["pairs"][split] if actor == "both" else []
        return [common | {"they": [pair["they"]], "them": [pair["them"]]} for pair in pairs]
    if "first" in wanted:
        persons = names["persons"][split] if actor == "both" else []
        return [common | {"first": [n["first"]], "second": [n["second"]]} for n in persons]
    if "actor" in wanted:
        roles = {"A": ("actor", "partner"), "B": ("partner", "actor")}.get(str(actor))
        if roles is None:
            return []
        starts_with_first = next(name for name in wanted if name in roles) == roles[0]
        return [
            common | {roles[0]: [n["first"]], roles[1]: [n["second"]]}
            for n in names["persons"][split]
            if starts_with_first or not n["in_order"]
        ]
    return [common]


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _swapped_key(key: str) -> str:
    return re.sub(r"(?<=_)([ab])$", lambda end: _OTHER[end[1].upper()].lower(), _OTHER.get(key, key))


def _swapped_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return swapped(value)
    if isinstance(value, list | tuple):
        return [_swapped_value(entry) for entry in value]
    return _OTHER.get(value, value) if isinstance(value, str) else value


def _mirrored_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return mirrored(value)
    if isinstance(value, list | tuple):
        return [_mirrored_value(entry) for entry in value]
    return _SIDED.sub(lambda side: _OPPOSITE[side[1]], value) if isinstance(value, str) else value
