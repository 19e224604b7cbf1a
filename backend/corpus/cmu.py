"""The CMU takes that come as zips of BVH files: singles, and pairs in one world frame.

The folder holds the zips of 30 fps files described in its README. The same take number of subjects 60 and 61, and of
18 and 19, is one moment in one world, so these become takes of two persons.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from protocol.errors import DuologueError
from protocol.motion import Motion, joined_as_persons

from .bvh import parse_bvh
from .conventions import detect, to_motion
from .floor import on_floor

Split = Literal["train", "validation", "test"]

PARTNERS = {"60": "61", "18": "19"}
"""Subject of person A -> subject of person B."""

SPLITS: dict[str, Split] = {"60_05": "test", "60_15": "test", "60_10": "validation"}
"""By whole take, never by crop; every other take trains."""

GLITCH_SPEED = 9.0
GLITCH_CHANGE = 7.5
"""Metres a second: a joint that is faster, and whose velocity changes by more within one frame, has jumped, not moved.
(A football kick here reaches 12.5 m/s, but its velocity changes by at most 6.5 m/s a frame.)"""
IMPOSSIBLE_SPEED = 13.0
"""Metres a second: no joint in these trials moves that fast, however smoothly."""
GLITCH_MARGIN = 3
"""Frames dropped on either side of a jump, for the capture's smoothing smears it."""
SHORTEST = 30
"""Frames: a piece between two jumps that is shorter is dropped."""


@dataclass(frozen=True)
class Take:
    """A stretch of real motion without jumps, floor level and at y = 0, 30 fps.

    Attributes:
        name: trial such as ``60_01``; with ``#1``, ``#2`` … behind it where jumps cut the trial into pieces.
        motion: two persons for the pairs (60 with 61, 18 with 19), else one.
        split: what the trial may be used for.
        description: CMU's own words for the trial.
    """

    name: str
    motion: Motion
    split: Split
    description: str


def cmu_folder() -> Path:
    """The folder with the CMU zips: ``DUOLOGUE_CMU``, or ``shared/data/cmu`` beside the repository.

    Raises:
        DuologueError: ``cmu_missing`` if it is not there.
    """
    named = os.environ.get("DUOLOGUE_CMU")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data" / "cmu"
    if not (folder / "trials.json").is_file():
        raise DuologueError(
            "cmu_missing",
            f"There is no CMU motion capture in {folder}.",
            "Set DUOLOGUE_CMU to the folder that holds trials.json and the zips.",
        )
    return folder


def load_takes(folder: Path) -> list[Take]:
    """All takes, sorted by name, as Motion on SMPL-22; pairs as two persons in one world frame; jumps cut out.

    Raises:
        DuologueError: ``cmu_missing`` if the folder is not one of CMU zips, or what a broken BVH file in it raises.
    """
    trials = folder / "trials.json"
    archives = sorted(folder.glob("*.zip"))
    if not (trials.is_file() and archives):
        raise DuologueError("cmu_missing", f"{folder} holds no CMU zips.", "Give the folder that holds trials.json.")
    descriptions: dict[str, str] = json.loads(trials.read_text(encoding="utf-8"))
    people = {name: motion for archive in archives for name, motion in _read_archive(archive)}
    takes: list[Take] = []
    for name in sorted(people):
        subject, _, trial = name.partition("_")
        if subject in PARTNERS.values():
            continue
        motion = people[name]
        partner = people.get(f"{PARTNERS.get(subject)}_{trial}")
        if partner is not None:
            frames = min(motion.frames, partner.frames)
            motion = joined_as_persons([motion.slice(0, frames), partner.slice(0, frames)])
        pieces = list(without_jumps(motion))
        for number, piece in enumerate(pieces, 1):
            label = name if len(pieces) == 1 else f"{name}#{number}"
            takes.append(Take(label, on_floor(piece), SPLITS.get(name, "train"), descriptions.get(name, "")))
    return takes


def _read_archive(archive: Path) -> Iterator[tuple[str, Motion]]:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.namelist():
            if member.endswith(".bvh"):
                clip = parse_bvh(opened.read(member).decode("utf-8", errors="replace"), member)
                yield Path(member).stem, to_motion(clip, detect(clip.names, member))


def without_jumps(motion: Motion) -> Iterator[Motion]:
    """The pieces of a motion between capture glitches, each at least a second long."""
    velocity = np.diff(motion.positions(), axis=0) * motion.fps
    speed = np.linalg.norm(velocity, axis=-1)
    change = np.zeros((len(speed) + 1, *speed.shape[1:]), np.float32)
    change[1:-1] = np.linalg.norm(np.diff(velocity, axis=0), axis=-1)
    abrupt = np.maximum(change[:-1], change[1:]) > GLITCH_CHANGE
    jumped = (speed > GLITCH_SPEED) & abrupt | (speed > IMPOSSIBLE_SPEED)
    jumps = np.flatnonzero(jumped.any(axis=(1, 2)))
    bad = np.zeros(motion.frames, bool)
    for jump in jumps:
        bad[max(0, jump + 1 - GLITCH_MARGIN) : jump + 1 + GLITCH_MARGIN] = True
    edges = np.flatnonzero(np.diff(np.concatenate(([True], bad, [True])).astype(int)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start >= SHORTEST:
            yield motion.slice(start, stop)
