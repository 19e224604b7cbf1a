"""Whole scripts to fill what a prompt leaves open, such as with which hand and how fast, and how their scenes go.

A model that is told everything moves with more purpose than one that is told half and must make up its mind on the
way, so what nobody said is taken from one of the scripts that training saw. And a motion opens as one of those scenes
did, for 0.13 s: where the two stand at first decides who will do what to whom, and a bad draw there is never mended.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from .slots import UNSAID

FILE = "scripts.safetensors"
_COURSES = "courses"
_NEAREST = 12

Events = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class ScriptBook:
    """Scripts that training saw.

    Attributes:
        scripts: (N, S) numbers of slots; the first slot is the kind.
        seconds: (N,) how long each of them took.
        openings: (N, 2, D) codes of both persons in its first latent step.
        manners: (N, 2) haste, m/s^2, and right-handedness of who acts, as `backend.checks.manner` measures them.
        courses: what may happen in a scene, each as a JSON list of events: ``beat``, ``actor`` and ``start``.
        course: (N,) the number of what happens in each of them.
    """

    scripts: np.ndarray
    seconds: np.ndarray
    openings: np.ndarray
    manners: np.ndarray
    courses: Sequence[str]
    course: np.ndarray

    @classmethod
    def of(
        cls,
        scripts: np.ndarray,
        seconds: np.ndarray,
        openings: np.ndarray,
        manners: np.ndarray,
        events: Sequence[Events],
    ) -> ScriptBook:
        """A book of scripts with what happens in each of them; see the class for the arrays."""
        told = [json.dumps(each) for each in events]
        courses = sorted(set(told))
        numbered = {course: number for number, course in enumerate(courses)}
        course = np.array([numbered[each] for each in told])
        return cls(
            scripts.astype(np.int64), seconds.astype(np.float32), openings.astype(np.int64), manners, courses, course
        )

    def filled(
        self, told: np.ndarray, seconds: float, rng: np.random.Generator, wished: np.ndarray | None = None
    ) -> np.ndarray:
        """A script that agrees with what was told as far as any does, of about this length; what was told stays.

        Args:
            told: (S,) numbers, `UNSAID` where nothing was said; returned as it is if the kind is unsaid.
            seconds: length of the motion to be made.
            rng: draws one of those that fit equally well.
            wished: (S,) numbers that are taken over as far as a script that fits has them.
        """
        if told[0] == UNSAID:
            return told
        said = np.flatnonzero(told)
        alike = (self.scripts[:, said] == told[said]).sum(1) + len(said) * (self.scripts[:, 0] == told[0])
        if wished is not None:
            alike = alike * len(told) + ((self.scripts == wished) & (wished != UNSAID)).sum(1)
        chosen = self.scripts[self._drawn(alike, seconds, rng)]
        return np.where(told == UNSAID, chosen, told)

    def opening(self, script: np.ndarray, seconds: float, rng: np.random.Generator) -> np.ndarray:
        """Codes (2, 1, D) with which a motion of a script opens; (2, 0, D) if its kind is unsaid.

        Args:
            script: (S,) numbers; the kind and who acts, its first two, matter most.
            seconds: length of the motion to be made.
            rng: draws one of those that fit equally well.
        """
        if script[0] == UNSAID:
            return np.zeros((2, 0, self.openings.shape[2]), np.int64)
        return self.openings[self._drawn(self._likeness(script), seconds, rng)][:, None]

    def events(self, script: np.ndarray) -> Events:
        """What happens in a scene of a script (S,), as in most of those that are most like it."""
        likeness = self._likeness(script)
        taken = self.course[likeness == likeness.max()]
        return json.loads(self.courses[int(np.bincount(taken).argmax())])

    def manner(self, script: np.ndarray) -> tuple[float, float]:
        """Haste, m/s^2, and right-handedness of who acts that scenes most like a script (S,) have: their medians."""
        same = np.flatnonzero(self.scripts[:, 0] == script[0])
        known = same if len(same) else np.arange(len(self.scripts))
        alike = known[np.argsort(-self._likeness(script)[known], kind="stable")[:_NEAREST]]
        haste, right_handed = np.median(self.manners[alike], axis=0).tolist()
        return haste, right_handed

    def _likeness(self, script: np.ndarray) -> np.ndarray:
        """How much each of the scripts is like another (S,), (N,): the kind and who acts matter most."""
        same = self.scripts == script
        return same.sum(1) + len(script) * (2 * same[:, 0] + same[:, 1])

    def _drawn(self, alike: np.ndarray, seconds: float, rng: np.random.Generator) -> int:
        """The number of one of the scripts that are most alike, of about this length."""
        fitting = np.flatnonzero(alike == alike.max())
        nearest = fitting[np.argsort(np.abs(self.seconds[fitting] - seconds), kind="stable")[:_NEAREST]]
        return int(rng.choice(nearest))

    def save(self, folder: Path) -> None:
        """Write the scripts into a checkpoint folder."""
        stored = {
            "scripts": self.scripts.astype(np.uint8),
            "seconds": self.seconds,
            "openings": self.openings.astype(np.int16),
            "manners": self.manners.astype(np.float16),
            "course": self.course.astype(np.uint16),
        }
        save_file(stored, folder / FILE, {_COURSES: json.dumps(self.courses)})

    @classmethod
    def load(cls, folder: Path) -> ScriptBook:
        """Read what `save` wrote."""
        with safe_open(folder / FILE, "np") as file:
            names = ("scripts", "seconds", "openings", "manners", "course")
            scripts, seconds, openings, manners, course = (file.get_tensor(name) for name in names)
            courses = json.loads(file.metadata()[_COURSES])
        return cls(
            scripts.astype(np.int64), seconds, openings.astype(np.int64), manners.astype(np.float32), courses, course
        )
