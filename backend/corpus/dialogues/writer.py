"""Who chooses the words of a dialogue: the grammar, or a language model behind an OpenAI-compatible address.

What a model writes is used only where a rule finds it true of the script; the grammar's words stand in for the rest.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import numpy as np

from protocol.errors import DuologueError

from ..choreographer.captions import Split, some_captions
from .instructions import PHRASES, changed, instruction
from .questions import Asked, question, right

LONGEST = 40
"""Words that an instruction or a question may have."""


class Writer(Protocol):
    """Puts a change, a question, or a story's next scene into words."""

    @property
    def name(self) -> str:
        """What dialogues say about who wrote them."""
        ...

    @property
    def refused(self) -> int:
        """How often its words were not used so far."""
        ...

    def instruction(
        self, before: Mapping[str, Any], after: Mapping[str, Any], rng: np.random.Generator, split: Split
    ) -> str:
        """What a person says to get from one script to another."""
        ...

    def question(self, kind: str, script: Mapping[str, Any], rng: np.random.Generator, split: Split) -> Asked:
        """A question about a scene, and its answer."""
        ...

    def story(self, kind: str, script: Mapping[str, Any], part: int, rng: np.random.Generator, split: Split) -> str:
        """What a person says to get the scene number ``part`` of a story."""
        ...


@dataclass(frozen=True)
class Grammar:
    """Words by the phrases of this package and those of the choreographer: offline, and always true."""

    name: str = "grammar"
    refused: int = 0

    def instruction(
        self, before: Mapping[str, Any], after: Mapping[str, Any], rng: np.random.Generator, split: Split
    ) -> str:
        """See `Writer`."""
        return instruction(before, after, rng, split)

    def question(self, kind: str, script: Mapping[str, Any], rng: np.random.Generator, split: Split) -> Asked:
        """See `Writer`."""
        return question(kind, script, rng, split)

    def story(self, kind: str, script: Mapping[str, Any], part: int, rng: np.random.Generator, split: Split) -> str:
        """See `Writer`."""
        caption = some_captions(kind, script, split, 1, int(rng.integers(2**31)))[0]
        openings = _connectives()["first" if part == 0 else "next"][split]
        return str(openings[int(rng.integers(len(openings)))]).replace("{caption}", caption)


@dataclass
class Endpoint:
    """Words by a chat model behind an address that speaks the OpenAI protocol.

    Attributes:
        url: base address, such as ``http://127.0.0.1:8000/v1``.
        model: its name there.
        key: sent as bearer token unless empty.
        seconds: to wait for an answer.
        refused: how many answers were not used because they were not JSON, or not true.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    seconds: float = 60.0
    refused: int = 0
    grammar: Grammar = Grammar()

    @property
    def name(self) -> str:
        """What dialogues say about who wrote them."""
        return f"endpoint:{self.model}"

    def instruction(
        self, before: Mapping[str, Any], after: Mapping[str, Any], rng: np.random.Generator, split: Split
    ) -> str:
        """See `Writer`."""
        plain = self.grammar.instruction(before, after, rng, split)
        told = {
            "instruction": plain,
            "before": _facts(before),
            "after": _facts(after),
            "changed": changed(before, after),
        }
        said = self._ask("Say the instruction to an animator in other words.", told, ("words",))
        return self._kept(said.get("words", ""), plain, after)

    def question(self, kind: str, script: Mapping[str, Any], rng: np.random.Generator, split: Split) -> Asked:
        """See `Writer`."""
        plain = self.grammar.question(kind, script, rng, split)
        told = {"question": plain.question, "answer": plain.answer, "scene": _facts(script)}
        said = self._ask(
            "Put the question in other words, and answer it in at most twelve.", told, ("question", "answer")
        )
        words, answer = said.get("question", ""), said.get("answer", "")
        if _fits(words) and len(answer.split()) <= 12 and right(plain.kind, answer, script):
            return Asked(plain.kind, words, answer)
        self.refused += 1
        return plain

    def story(self, kind: str, script: Mapping[str, Any], part: int, rng: np.random.Generator, split: Split) -> str:
        """See `Writer`."""
        plain = self.grammar.story(kind, script, part, rng, split)
        said = self._ask(
            "Tell this part of a story in other words.", {"part": plain, "scene": _facts(script)}, ("words",)
        )
        return self._kept(said.get("words", ""), plain, script)

    def _kept(self, words: str, plain: str, true: Mapping[str, Any]) -> str:
        """The words if they fit and name nothing that the grammar did not, or that is untrue; else the grammar's."""
        if _fits(words) and _named(words) <= _named(plain) | _named(" ".join(str(v) for v in _facts(true).values())):
            return words
        self.refused += 1
        return plain

    def _ask(self, task: str, told: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, str]:
        """The strings that the model answers under these keys; empty where it answers otherwise.

        Raises:
            DuologueError: ``writer_unreachable`` if nobody answers there, or refuses to.
        """
        wanted = ", ".join(f'"{key}"' for key in keys)
        system = f"{task} Keep the meaning and the names of the persons. Answer with one JSON object: {wanted}."
        body = {
            "model": self.model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": json.dumps(told)}],
            "response_format": {"type": "json_object"},
        }
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        address = f"{self.url.rstrip('/')}/chat/completions"
        if not address.startswith(("http://", "https://")):
            raise DuologueError(
                "writer_unreachable", f"{self.url} is no web address.", "Give one that begins with http."
            )
        request = urllib.request.Request(address, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as answer:
                content = json.load(answer)["choices"][0]["message"]["content"]
                found = json.loads(content)
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise DuologueError(
                "writer_unreachable",
                f"{address} does not answer: {error}.",
                "Check --writer-url, the model and the key.",
            ) from error
        except (ValueError, KeyError, IndexError, TypeError):
            return {}
        return {key: str(found[key]) for key in keys if isinstance(found, dict) and isinstance(found.get(key), str)}


def _fits(words: str) -> bool:
    return 0 < len(words.split()) <= LONGEST and "\n" not in words


_TELLING = re.compile(
    r"\b(left|right|both|once|twice|three|four|five|six|slow|fast|quick|angr|happ|sad|tired|proud|clockwise|counterclockwise)"
)


def _named(words: str) -> set[str]:
    """The words in a sentence that would be untrue of most scenes."""
    return {"fast" if word == "quick" else word for word in _TELLING.findall(words.lower())}


def _facts(script: Mapping[str, Any]) -> dict[str, Any]:
    """What a writer is told of a script."""
    return {name: value for name, value in script.items() if name not in ("sizes", "events") and value != "none"}


@cache
def _connectives() -> dict[str, dict[str, list[str]]]:
    return json.loads((PHRASES / "connectives.json").read_text(encoding="utf-8"))
