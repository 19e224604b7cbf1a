"""Words that ask for a change: what differs between two scripts, said in one of many ways.

The phrases are data, in ``phrases/instructions.json``: training and held-out ones apart, as in the choreographer's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..choreographer.captions import Split, person_captions, phrases, some_captions

PHRASES = Path(__file__).parent / "phrases"

SPEEDS = ("slow", "normal", "fast")
PROPERTIES = (
    *("kind", "actor", "leader", "winner", "mood", "leg", "refusal", "dodge", "answer", "comes", "touch", "pose"),
    *("partner_side", "side", "way", "direction", "style", "depth", "level", "hand", "speed", "count"),
)
"""What a change may ask for; of two that differ the first is what was asked for, the other follows from it."""
OTHER = {"A": "B", "B": "A"}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """The property in which two scripts differ first, None where they do not."""
    for name in PROPERTIES:
        if name in before and name in after and before[name] != after[name]:
            return name
    return None


def instruction(
    before: Mapping[str, Any], after: Mapping[str, Any], rng: np.random.Generator, split: Split = "train"
) -> str:
    """A sentence that asks for the change from one script to another.

    Args:
        before: the script of what is there.
        after: the script of what is wanted.
        rng: draws the words.
        split: which phrasings.

    Raises:
        ValueError: if the scripts do not differ in anything that has words.
    """
    said = instructions(before, after, rng, split)
    text = said[int(rng.integers(len(said)))]
    if text.endswith("?") or changed(before, after) == "kind":
        return text
    frames = _words()["frames"][split]
    return str(frames[int(rng.integers(len(frames)))]).replace("{x}", text)


def instructions(
    before: Mapping[str, Any], after: Mapping[str, Any], rng: np.random.Generator, split: Split
) -> list[str]:
    """All phrases that fit the change, each with names drawn anew; arguments as for `instruction`."""
    name = changed(before, after)
    if name is None:
        raise ValueError("the two scripts do not differ")
    values = _values(name, before, after, rng, split)
    found = []
    for key in _keys(name, before, after):
        for template in _words()["phrases"][key][split]:
            slots = {slot for slot in values if f"{{{slot}}}" in template}
            drawn = {slot: _one(values[slot], rng) for slot in sorted(slots)}
            if all(drawn.values()) and "{" not in (text := _filled(template, drawn)):
                found.append(text)
    return found


def _keys(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The lists of phrases that tell a change of ``name``."""
    old, new = before[name], after[name]
    if name == "actor":
        return ["actor:both" if new == "both" else "actor:one" if old == "both" else "actor:other"]
    if name == "mood":
        return ["mood:neutral" if new == "neutral" else "mood"]
    if name == "hand":
        if new == "both":
            return ["hand:both"]
        return (
            ["hand:one"] if old == "both" else ["hand", "hand:other"] if {old, new} == {"left", "right"} else ["hand"]
        )
    if name == "speed":
        relation = "slower" if SPEEDS.index(new) < SPEEDS.index(old) else "faster"
        return [f"speed:{relation}", f"speed:{new}"]
    if name == "count":
        one = ["count:one"] if new == 1 else []
        return ["count", *one, "count:more" if new > old else "count:fewer"]
    if name == "winner":
        return ["winner:nobody" if new == "nobody" else "winner:person"]
    if name == "partner_side":
        return ["side"]
    valued = f"{name}:{str(new).lower()}"
    return [valued if valued in _words()["phrases"] else name]


def _values(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any], rng: np.random.Generator, split: Split
) -> dict[str, Sequence[str]]:
    """What may stand for each placeholder."""
    words = _words()
    who: dict[str, list[str]] = words["who"][split]
    actor = str(after.get("actor", "both"))
    # One way of naming them throughout a sentence.
    style = int(rng.integers(min(len(names) for names in who.values())))
    people = {person: [names[style]] for person, names in who.items()}
    plural = actor == "both"
    values: dict[str, Sequence[str]] = {
        "who": ["they"] if plural else people[actor],
        "whom": ["them"] if plural else people[actor],
        "is": ["are"] if plural else ["is"],
        "were": ["were"],
    }
    if not plural:
        values |= {"actor": people[actor], "partner": people[OTHER[actor]]}
    for slot in ("hand", "leg", "mood", "direction"):
        values[slot] = [str(after.get(slot, ""))]
        values[f"old_{slot}"] = [str(before.get(slot, ""))]
    values["adverb"] = [words["adverbs"].get(after.get("mood"), "")]
    for slot in ("leader", "winner"):
        values[slot] = people.get(str(after.get(slot)), [""])
    values["side"] = [str(after.get("partner_side", after.get("side", "")))]
    values["towards"] = [words["towards"].get(str(after.get("way")), "")]
    values["times"] = [words["times"].get(str(after.get("count")), "")]
    values["old_times"] = [words["times"].get(str(before.get("count")), "")]
    if name == "actor" and not plural:
        values["does"] = _does(after, actor, split)
    if name == "kind":
        values["caption"] = some_captions(str(after["kind"]), after, split, 6, int(rng.integers(2**31)))
    return values


def _does(script: Mapping[str, Any], actor: str, split: Split) -> list[str]:
    """What the actor does, as verb phrases that may follow a name."""
    if "actor" not in phrases(str(script["kind"])):
        return []
    told = person_captions(str(script["kind"]), script, "A" if actor == "A" else "B", split)
    return [text for text in told if not text.startswith(("a ", "someone ", "the person ", "somebody ", "the char"))]


def _one(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))] if options else ""


def _filled(template: str, values: Mapping[str, str]) -> str:
    for slot, text in values.items():
        template = template.replace(f"{{{slot}}}", text)
    return template


@cache
def _words() -> dict[str, Any]:
    return json.loads((PHRASES / "instructions.json").read_text(encoding="utf-8"))
