"""Edits of a scene: the same dice with one thing changed, so that the edited motion is exactly what was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from protocol.errors import DuologueError
from protocol.motion import Motion

from ..choreographer.generate import Sources, remake_scene
from ..scene import Scene
from .instructions import PHRASES, changed

VALUES: dict[str, tuple[str, ...]] = {
    "actor": ("A", "B", "both"),
    "leader": ("A", "B"),
    "winner": ("A", "B", "nobody"),
    "mood": ("neutral", "happy", "sad", "angry", "proud", "tired"),
    "leg": ("left", "right"),
    "refusal": ("folds the arms", "turns away", "waves it off"),
    "dodge": ("back", "side", "duck"),
    "answer": ("catches", "nods"),
    "comes": ("true", "false"),
    "touch": ("strokes", "pats"),
    "pose": ("folded arms", "arms at their sides"),
    "partner_side": ("left", "right"),
    "side": ("left", "right"),
    "way": ("left", "right", "forward", "backward"),
    "direction": ("clockwise", "counterclockwise"),
    "style": ("facing", "walking", "straight", "crosswise"),
    "depth": ("slight", "deep"),
    "level": ("high", "shoulder"),
    "hand": ("left", "right", "both"),
    "speed": ("slow", "normal", "fast"),
    "count": ("1", "2", "3", "4", "5", "6"),
}
"""What may be asked of a scene whose script has the property; a kind knows only some of the values."""

SHARES = {"kind": 5.0, "speed": 4.0, "actor": 4.0, "mood": 4.0, "hand": 4.0, "count": 3.0}
"""How often a property is changed, of those that a scene has; the others have a share of 1.5 each."""
TRIES = 8
"""Changes tried on a scene before it is given up."""
SEEN = 0.01
"""Metres, or units of a quaternion, by which something must differ somewhere for an edit to be one."""


@dataclass(frozen=True)
class Change:
    """What is asked of a scene: the name of a property, ``kind`` among them, and the value that it shall have."""

    name: str
    value: str

    def met(self, script: Mapping[str, Any]) -> bool:
        """Whether a script has what was asked for."""
        return str(script.get(self.name)).lower() == self.value.lower()


def possible_changes(script: Mapping[str, Any]) -> list[Change]:
    """Changes that have words and may be possible, each to another value than the script has."""
    found = [Change("kind", kind) for kind in counterparts().get(str(script["kind"]), ())]
    for name, values in VALUES.items():
        if name in script and str(script[name]) != "none":
            found += [change for value in values if not (change := Change(name, value)).met(script)]
    return found


@dataclass(frozen=True, eq=False)
class Edit:
    """A changed scene.

    Attributes:
        change: what was asked for.
        draws: what was asked of the dice for it, and for the edits before it.
        scene: under the id of a scene of its kind.
        motion: of it.
    """

    change: Change
    draws: Mapping[str, str]
    scene: Scene
    motion: Motion


def make_edit(
    sources: Sources,
    dice: tuple[int, int],
    scene: Scene,
    motion: Motion,
    draws: Mapping[str, str],
    rng: np.random.Generator,
) -> Edit:
    """Change something about a choreographed scene.

    Args:
        sources: what scenes are made from.
        dice: the seed and the index that the scene was made of, before any edit.
        scene: of any kind but salsa.
        motion: of the scene.
        draws: what was asked of the dice already; empty for a scene of the corpus.
        rng: draws the change.

    Raises:
        DuologueError: ``edit_impossible`` if no change that was tried can be made; ``corpus_mismatch``.
    """
    for change in _drawn(possible_changes(scene.script), rng):
        made = _made(sources, dice, scene, draws, change)
        if made is not None and _differ(motion, made.motion):
            return made
    raise DuologueError("edit_impossible", f"No change of {scene.id} can be made.", "Take another scene.")


def index_of(scene: Scene) -> int:
    """The index of a scene in its corpus, which its id ends with.

    Raises:
        DuologueError: ``corpus_mismatch`` if it has none, as a scene that nobody choreographed.
    """
    try:
        return int(scene.id.rpartition("-")[2])
    except ValueError as error:
        raise DuologueError(
            "corpus_mismatch", f"{scene.id} is no scene of a choreographed corpus.", "Give the folder of one."
        ) from error


@cache
def counterparts() -> dict[str, tuple[str, ...]]:
    """For each kind those that a scene of it may be turned into."""
    listed = json.loads((PHRASES / "counterparts.json").read_text(encoding="utf-8"))
    return {kind: tuple(others) for kind, others in listed.items()}


def _drawn(changes: list[Change], rng: np.random.Generator) -> Iterator[Change]:
    """The properties in random order by their shares, each with a random value of those that may be asked for."""
    names = list(dict.fromkeys(change.name for change in changes))
    shares = np.array([SHARES.get(name, 1.5) for name in names])
    for name in rng.choice(names, size=TRIES, p=shares / shares.sum()):
        values = [change for change in changes if change.name == name]
        yield values[int(rng.integers(len(values)))]


def _made(
    sources: Sources, dice: tuple[int, int], scene: Scene, draws: Mapping[str, str], change: Change
) -> Edit | None:
    """The changed scene; None where the kind cannot have it, or it does not come out well."""
    kind = change.value if change.name == "kind" else scene.kind
    for asked in _asked(scene.script, draws, change):
        try:
            made, motion = remake_scene(sources, *dice, scene.script["sizes"], kind, asked)
        except DuologueError as error:
            if error.code in ("change_impossible", "scene_unmade"):
                continue
            raise
        as_asked = change.met(made.script) and changed(scene.script, made.script) == change.name
        return Edit(change, asked, made, motion) if as_asked else None
    return None


def _asked(script: Mapping[str, Any], draws: Mapping[str, str], change: Change) -> list[dict[str, str]]:
    """Draws to ask for: the change, or for another kind the roles and hands of the old one as far as that has them."""
    if change.name != "kind":
        return [{**draws, change.name: change.value}]
    speed = {name: draws[name] for name in ("speed",) if name in draws}
    kept = {name: str(script[name]) for name in ("actor", "hand", "mood") if name in script}
    fewer = ({name: kept[name] for name in names if name in kept} for names in (("actor", "hand"), ("actor",), ()))
    return [speed | kept, *(speed | some for some in fewer)]


def _differ(before: Motion, after: Motion) -> bool:
    """Whether anybody moves a joint otherwise at any time."""
    if before.frames != after.frames:
        return True
    apart = np.abs(before.rotations - after.rotations).max(), np.abs(before.root - after.root).max()
    return bool(max(apart) > SEEN)
