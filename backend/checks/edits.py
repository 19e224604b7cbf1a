"""How well a motion is another one with something changed: what was asked for is there, and the rest is as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from protocol.motion import Motion

from ..corpus.dialogues.instructions import changed
from . import CHECKS, finds
from .manner import HANDS, SPEEDS, Manner, as_asked, distances

_NEAR, _NEAR_OF_KINDS = (0.25, 0.12), (0.4, 0.2)
"""Metres within which roots, and joints about them, are on average where they were before an edit: of one kind, and of
one kind to another, which may want another distance."""

_SYMMETRIES = (("actor", {"A", "B"}, Motion.swapped), ("hand", {"left", "right"}, Motion.mirrored))
"""Entries of a script, two values of each, and what makes one of the other."""


@dataclass(frozen=True)
class EditJudge:
    """Judges edits of one motion of a pair.

    Attributes:
        before: the motion that is edited.
        old: entries of its script.
        new: those of the script that the edit follows.
        usual_haste: m/s^2, of who acts in scenes of that script.
        usual_right_handed: how much more their right hands do in these.
    """

    before: Motion
    old: Mapping[str, str]
    new: Mapping[str, str]
    usual_haste: float
    usual_right_handed: float

    @property
    def symmetry(self) -> Callable[[Motion], Motion] | None:
        """What makes exactly this edit of a motion and leaves all else: exchanged persons, or left for right."""
        differing = {name for name in {*self.old, *self.new} if self.old.get(name) != self.new.get(name)}
        for name, values, change in _SYMMETRIES:
            if differing == {name} and {self.old.get(name), self.new.get(name)} == values:
                return change
        return None

    def score(self, motion: Motion) -> float:
        """Share of the rules that a motion keeps, 0 to 1."""
        kind, actor, actor_before = self.new.get("kind"), self.new.get("actor", "both"), self.old.get("actor", "both")
        asked = changed(self.old, self.new)
        shown = kind not in CHECKS or finds(motion, kind, actor)
        if asked is None:
            return float(shown)
        was, now = Manner.of(self.before, actor_before), Manner.of(motion, actor)
        roots, poses = distances(motion, self.before.swapped() if {actor, actor_before} == {"A", "B"} else self.before)
        root_slack, pose_slack = _NEAR_OF_KINDS if asked == "kind" else _NEAR
        kept = [roots < root_slack, poses < pose_slack]
        if (there := as_asked(was, now, self.new.get("kind", ""), asked, self.old[asked], self.new[asked])) is not None:
            kept.append(there)
        # Another kind has a pace of its own, and its own use for the hands.
        haste, right_handed = was.haste, was.right_handed
        if asked == "kind":
            haste, right_handed = self.usual_haste, self.usual_right_handed
        if asked != "speed":
            kept.append(SPEEDS[0] < now.haste / max(haste, 1e-6) < SPEEDS[1])
        if asked != "hand":
            kept.append(abs(now.right_handed - right_handed) < HANDS)
        # What is not what it should be is no edit, however near it stays.
        return (sum(kept) + len(kept) * shown) / (2 * len(kept))
