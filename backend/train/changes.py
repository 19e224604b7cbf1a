"""Scripts that differ in what an instruction asks for: what the reader of instructions learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from protocol.errors import DuologueError

from ..corpus.dialogues.edits import counterparts
from ..corpus.dialogues.instructions import PROPERTIES, changed, instruction


class Changes:
    """Scripts that differ in what an instruction asks for.

    Args:
        scripts: (kind, script) pairs.

    Raises:
        DuologueError: ``corpus_too_small`` if no script can be changed.
    """

    def __init__(self, scripts: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        self._scripts = [{**script, "kind": kind} for kind, script in scripts]
        self._of_kind: dict[str, list[Mapping[str, Any]]] = {}
        self._values: dict[tuple[str, str], list[Any]] = {}
        for script in self._scripts:
            self._of_kind.setdefault(str(script["kind"]), []).append(script)
            for name in set(PROPERTIES) & set(script):
                values = self._values.setdefault((str(script["kind"]), name), [])
                if script[name] not in values:
                    values.append(script[name])
        if not any(self._options(script) for script in self._scripts):
            raise DuologueError("corpus_too_small", "No scene of the corpus can be changed.", "Make a larger one.")

    def draw(self, rng: np.random.Generator) -> tuple[str, Mapping[str, Any], Mapping[str, Any], frozenset[str]]:
        """An instruction, the script it is about, the one it asks for, and the names of what it tells of that."""
        while True:
            before = self._scripts[int(rng.integers(len(self._scripts)))]
            options = self._options(before)
            if not options:
                continue
            name = options[int(rng.integers(len(options)))]
            after = self._other_kind(before, rng) if name == "kind" else self._with_another(before, name, rng)
            if changed(before, after) == name:
                told = frozenset(("kind", "actor")) if name == "kind" else frozenset((name,))
                return instruction(before, after, rng), before, after, told

    def _options(self, script: Mapping[str, Any]) -> list[str]:
        """What may be changed: what has several values, and the kind where others are like it."""
        kind = str(script["kind"])
        names = [
            name
            for name in PROPERTIES
            if name in script and name != "kind" and script[name] != "none" and len(self._values[kind, name]) > 1
        ]
        others = any(other in self._of_kind for other in counterparts().get(kind, ()))
        return [*names, "kind"] if others else names

    def _with_another(self, script: Mapping[str, Any], name: str, rng: np.random.Generator) -> dict[str, Any]:
        values = [value for value in self._values[str(script["kind"]), name] if value not in (script[name], "none")]
        return {**script, name: values[int(rng.integers(len(values)))]} if values else dict(script)

    def _other_kind(self, script: Mapping[str, Any], rng: np.random.Generator) -> Mapping[str, Any]:
        kinds = [kind for kind in counterparts()[str(script["kind"])] if kind in self._of_kind]
        others = self._of_kind[kinds[int(rng.integers(len(kinds)))]]
        same = [other for other in others if other["actor"] == script["actor"]] or others
        return same[int(rng.integers(len(same)))]
