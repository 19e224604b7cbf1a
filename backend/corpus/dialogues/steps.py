"""What happens one after the other in a scene, as far as it is worth telling, from its script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from .instructions import OTHER, PHRASES

TOGETHER = 0.25
"""Seconds: what begins within that of each other happens at the same time."""
NAMES = {"A": "person A", "B": "person B", "both": "both"}


@dataclass(frozen=True)
class Step:
    """A person, or both, beginning to do something at ``start`` seconds."""

    beat: str
    actor: str
    start: float

    @property
    def reference(self) -> str:
        """How a question names it."""
        return f"{self.actor}:{self.beat}"


def steps_of(kind: str, script: Mapping[str, Any]) -> list[list[Step]]:
    """Groups of steps that begin together, in order; what is done again is listed once."""
    data = _data()
    if kind in data["orders"]:
        return [[step] for step in _ordered(data["orders"][kind], script)]
    listed = data["steps"].get(kind, ())
    firsts: dict[tuple[str, str], Step] = {}
    for event in script.get("events", ()):
        if event["beat"] in listed:
            key = (str(event["beat"]), str(event["actor"]))
            firsts.setdefault(key, Step(*key, float(event["start"])))
    merged: list[Step] = []
    for step in sorted(firsts.values(), key=lambda step: (step.start, step.actor)):
        twin = firsts.get((step.beat, OTHER[step.actor]))
        if twin is None or abs(twin.start - step.start) >= TOGETHER:
            merged.append(step)
        elif (twin.start, twin.actor) > (step.start, step.actor):
            merged.append(Step(step.beat, "both", step.start))
    groups: list[list[Step]] = []
    for step in merged:
        if groups and step.start - groups[-1][0].start < TOGETHER:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def events_of(kind: str, script: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fewest events in which `steps_of` sees the same steps; they follow each other in whole seconds."""
    return [
        {"beat": step.beat, "actor": actor, "start": second}
        for second, group in enumerate(steps_of(kind, script))
        for step in group
        for actor in ("AB" if step.actor == "both" else step.actor)
    ]


def clause(step: Step, name: str = "") -> str:
    """A step as a clause, such as "person A offers a hand" or "both walk up".

    Args:
        step: what is told.
        name: of who does it; the plain one if empty.
    """
    said = phrase_of(step.beat)
    return f"{name or NAMES[step.actor]} {said if step.actor == 'both' else third_person(said)}"


def phrase_of(beat: str) -> str:
    """A beat as a verb phrase in its plain form, such as "hold out a fist"."""
    return _data()["said"].get(beat, beat)


def third_person(phrase: str) -> str:
    """A verb phrase as it follows a name: "carry the thing" becomes "carries the thing"."""
    verb, space, rest = phrase.partition(" ")
    if verb.endswith(("s", "sh", "ch", "x", "z", "o")):
        verb += "es"
    elif verb.endswith("y") and verb[-2:-1] not in tuple("aeiou"):
        verb = f"{verb[:-1]}ies"
    else:
        verb += "s"
    return verb + space + rest


def same_action(said: str, beat: str) -> bool:
    """Whether plain words tell of a beat, by whomever."""
    phrase = phrase_of(beat)
    words = {word for word in said.split() if word not in ("a", "an", "the")}
    return any(
        {word for word in form.split() if word not in ("a", "an", "the")} <= words
        for form in (phrase, third_person(phrase))
    )


def _ordered(order: list[tuple[str, str, str]], script: Mapping[str, Any]) -> list[Step]:
    """The steps of a kind whose script has no events, evenly in time; some only where the script says so."""
    actor = str(script.get("actor", "both"))
    who = {"both": "both", "actor": actor, "partner": OTHER.get(actor, "both")}
    true = [(role, beat) for condition, role, beat in order if not condition or script.get(condition)]
    return [Step(beat, who[role], float(at)) for at, (role, beat) in enumerate(true)]


@cache
def _data() -> dict[str, Any]:
    return json.loads((PHRASES / "beats.json").read_text(encoding="utf-8"))
