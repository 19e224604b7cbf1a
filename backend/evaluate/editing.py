"""Editing: does what was asked for change, and does the rest stay? By rules, from the motions before and after.

The same rules judge the true edited scenes, which shows how strict they are, and the scenes as they were, which must
not pass as changed. Edits whose effect no rule can tell are counted and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import DuologueError
from protocol.motion import Motion

from ..checks import finds
from ..checks.manner import HANDS, SPEEDS, Manner, as_asked, distances
from ..corpus.dialogues import Turn, read_dialogues
from ..corpus.scene import Scene, read_scene_motion, read_scenes
from .held_out import Conversant, Progress, share, whole

SOURCES = ("generated", "truth", "unedited")
ROOT_SLACK, POSE_SLACK = 0.25, 0.1
"""Metres by which roots, and joints about them, may be further from the scene before than the true edit has them."""


@dataclass(frozen=True)
class Edited:
    """An edit to be made: what is said, and the scenes before and after with their motions' folders."""

    turn: Turn
    before: tuple[Path, Scene]
    after: tuple[Path, Scene]

    @property
    def name(self) -> str:
        """The property that was asked for."""
        return next(iter(self.turn.changes))


def held_out_edits(folder: Path, corpus: Path, kinds: Sequence[str], per_property: int) -> list[Edited]:
    """Edits of the test split, of each property as many as there are up to a number.

    Args:
        folder: of the dialogues.
        corpus: whose scenes they edit.
        kinds: that the scenes before and after may be of.
        per_property: how many of each.

    Raises:
        DuologueError: ``dialogues_missing``, ``corpus_missing``, ``corpus_broken``; ``dialogues_too_small`` if there is
            no edit for tests.
    """
    known = {scene.id: (where, scene) for where in (corpus, folder) for scene in read_scenes(where)}
    found: dict[str, list[Edited]] = {}
    for dialogue in read_dialogues(folder):
        for turn in dialogue.turns:
            if dialogue.split != "test" or turn.task != "edit" or turn.source not in known or turn.target not in known:
                continue
            edit = Edited(turn, known[turn.source], known[turn.target])
            if edit.before[1].kind in kinds and edit.after[1].kind in kinds:
                found.setdefault(edit.name, []).append(edit)
    chosen = [edit for edits in found.values() for edit in edits[:per_property]]
    if not chosen:
        raise DuologueError(
            "dialogues_too_small", f"{folder} holds no edits for tests.", "Make more: duologue corpus dialogues --edits"
        )
    return chosen


def editing(model: Conversant, edits: Sequence[Edited], progress: Progress) -> dict[str, Any]:
    """Let the model make edits, and judge what changed and what stayed.

    Args:
        model: what is evaluated.
        edits: of held-out scenes.
        progress: told how far it is.

    Returns:
        for each of `SOURCES`: ``changed`` and ``kept``, shares in 0..1, and ``both``; ``by_property``: the same of each
        property; ``edits``; ``unmeasured``: edits whose effect no rule can tell, by property; every edit under
        ``items``.
    """
    items: list[dict[str, Any]] = []
    unmeasured: dict[str, int] = {}
    for index, edit in enumerate(edits):
        progress(index / len(edits), "Editing")
        before, truth = (read_scene_motion(*where) for where in (edit.before, edit.after))
        seen = _Seen.of(edit, before, truth)
        if seen.changed(truth) is None:
            unmeasured[edit.name] = unmeasured.get(edit.name, 0) + 1
            continue
        motions = {
            "generated": _edited(model, before, edit.turn.words, index),
            "truth": truth,
            "unedited": before,
        }
        item: dict[str, Any] = {"words": edit.turn.words, "property": edit.name, "source": edit.turn.source}
        for name, motion in motions.items():
            changed, kept = bool(seen.changed(motion)), seen.kept(motion)
            item[name] = {"changed": changed, "kept": kept, "both": changed and kept}
        items.append(item)
    properties = dict.fromkeys(item["property"] for item in items)
    by_property = {
        name: _shares(of) | {"edits": len(of)}
        for name in properties
        if (of := [item for item in items if item["property"] == name])
    }
    return _shares(items) | {
        "by_property": by_property, "edits": len(items), "unmeasured": unmeasured, "items": items,
    }  # fmt: skip


def _edited(model: Conversant, before: Motion, words: str, seed: int) -> Motion:
    """The motion after an edit; as it was, if the words were not understood: nothing changed then."""
    try:
        return whole(model.edit(before, words, seed=seed))
    except DuologueError as error:
        if error.code != "edit_unclear":
            raise
        return before


@dataclass(frozen=True)
class _Seen:
    """An edit with what the rules see of the scene before it and of the true one after it."""

    edit: Edited
    old: dict[str, Any]
    new: dict[str, Any]
    before: Motion
    truth: Motion
    was: Manner
    true: Manner

    @classmethod
    def of(cls, edit: Edited, before: Motion, truth: Motion) -> _Seen:
        old, new = edit.before[1].script, edit.after[1].script
        manners = Manner.of(before, str(old["actor"])), Manner.of(truth, str(new["actor"]))
        return cls(edit, old, new, before, truth, *manners)

    def changed(self, motion: Motion) -> bool | None:
        """Whether what was asked for is there; None where no rule can tell."""
        name = self.edit.name
        if name in ("kind", "actor"):
            return self._shows(motion)
        manner = Manner.of(motion, str(self.new["actor"]))
        return as_asked(self.was, manner, str(self.new["kind"]), name, self.old[name], self.new[name])

    def kept(self, motion: Motion) -> bool:
        """Whether everything else is as in the true edit: the kind and who does it, the hand, the speed, the ways."""
        name, manner = self.edit.name, Manner.of(motion, str(self.new["actor"]))
        if name not in ("kind", "actor") and not self._shows(motion):
            return False
        ratio = manner.haste / max(self.true.haste, 1e-6)
        if name != "speed" and not SPEEDS[0] < ratio < SPEEDS[1]:
            return False
        if name != "hand" and abs(manner.right_handed - self.true.right_handed) > HANDS:
            return False
        roots, poses = distances(motion, self.before)
        true_roots, true_poses = distances(self.truth, self.before)
        return roots <= true_roots + ROOT_SLACK and poses <= true_poses + POSE_SLACK

    def _shows(self, motion: Motion) -> bool:
        """Whether the rules see the kind of the edited scene in a motion, done by whom it is done there."""
        return finds(motion, str(self.new["kind"]), str(self.new["actor"]))


def _shares(items: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        name: {what: share(item[name][what] for item in items) for what in ("changed", "kept", "both")}
        for name in SOURCES
    }
