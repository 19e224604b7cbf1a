"""Scenes by the thousand: each depends on the seed and its index alone, so any number of processes gives the same."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion

from ..cmu import Take, load_takes
from ..scene import Contact, Scene, Split, write_index, write_motion
from . import quality, salsa
from .blend import FPS
from .captions import KINDS as KIND_IDS
from .captions import person_captions, some_captions
from .kinds import KINDS
from .library import Library, library_of
from .staging import Performance, Stage

CAPTIONS, PROMPTS = 12, 6
"""Captions of the pair, and prompts for each person, that a scene carries."""
ATTEMPTS = 12
"""How often a scene is drawn again when it does not meet the quality bars."""


@dataclass(frozen=True)
class Sources:
    """What scenes are made from: the choreographer's library and the salsa takes by split."""

    library: Library
    dances: dict[Split, list[Take]]


def load_sources(folder: Path) -> Sources:
    """Everything that the CMU folder offers the choreographer.

    Raises:
        DuologueError: ``cmu_missing`` if the takes are not there.
    """
    takes = load_takes(folder)
    return Sources(library_of(takes), salsa.dances(takes))


def split_of(index: int) -> Split:
    """90 % train, 5 % validation, 5 % test, the same for every kind."""
    turn = index // len(KIND_IDS) % 20
    return "validation" if turn == 18 else "test" if turn == 19 else "train"


def make_scene(sources: Sources, seed: int, index: int, kind: str | None = None) -> tuple[Scene, Motion]:
    """Scene number ``index`` of the corpus of ``seed``; kinds take turns unless one is asked for.

    Raises:
        DuologueError: ``scene_unmade`` if no draw meets the quality bars.
    """
    kind = kind or KIND_IDS[index % len(KIND_IDS)]
    split = split_of(index)
    name = f"{kind}-{index:06d}"
    if kind == "salsa":
        motion, script = salsa.window(sources.dances[split], np.random.default_rng([seed, index]))
        return _scene(name, kind, split, "cmu", script, (), index, motion), placed(motion)
    problems: list[str] = []
    for attempt in range(ATTEMPTS):
        rng = np.random.default_rng([seed, index, attempt])
        stage = Stage(rng, sources.library, _seconds(rng))
        performance = KINDS[kind](stage)
        motion, planted = performed(performance)
        contacts = _within(performance.contacts, stage.seconds)
        problems = quality.problems(kind, motion, contacts, planted)
        if not problems:
            script = {"kind": kind} | performance.script | {"sizes": [round(body.scale, 3) for body in stage.bodies]}
            return _scene(name, kind, split, "choreographed", script, contacts, index, motion), placed(motion)
    raise DuologueError(
        "scene_unmade", f"No draw of {name} is good enough: {', '.join(problems)}.", "Try another seed."
    )


def performed(performance: Performance) -> tuple[Motion, np.ndarray]:
    """The motion of both performers, and which of their feet bear on the floor: (T, 2, 2) bool."""
    played = [one.perform() for one in performance.performers]
    motion = Motion(
        fps=FPS,
        root=np.stack([root for root, _, _ in played], axis=1),
        rotations=np.stack([rotations for _, rotations, _ in played], axis=1),
        offsets=np.stack([one.body.offsets for one in performance.performers]),
    )
    return motion, np.stack([steps.planted for _, _, steps in played], axis=1)


def placed(motion: Motion) -> Motion:
    """The pair moved rigidly until A's first frame is over the origin, facing +Z."""
    back = rot.about_y(-rot.yaw(motion.rotations[0, 0, 0]))
    origin = motion.root[0, 0] * np.array([1, 0, 1], np.float32)
    return motion.moved(back, -rot.rotate(back, origin))


def generate(
    sources: Sources, folder: Path, count: int, seed: int, jobs: int, progress: Callable[[int], None]
) -> list[Scene]:
    """Write ``count`` scenes into ``folder``, with ``jobs`` processes; ``progress`` is told how many are done."""
    (folder / "motions").mkdir(parents=True, exist_ok=True)
    scenes = []
    for scene in _made(sources, folder, count, seed, jobs):
        scenes.append(scene)
        progress(len(scenes))
    write_index(folder, scenes)
    return scenes


_worker: tuple[Sources, Path, int] | None = None


def _made(sources: Sources, folder: Path, count: int, seed: int, jobs: int) -> Iterator[Scene]:
    if jobs <= 1:
        _start_worker(sources, folder, seed)
        yield from map(_make_one, range(count))
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workers = ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), initializer=_start_worker, initargs=(sources, folder, seed)
    )
    with workers:
        yield from workers.map(_make_one, range(count), chunksize=4)


def _start_worker(sources: Sources, folder: Path, seed: int) -> None:
    global _worker
    _worker = (sources, folder, seed)


def _make_one(index: int) -> Scene:
    assert _worker is not None
    sources, folder, seed = _worker
    scene, motion = make_scene(sources, seed, index)
    write_motion(folder, scene.id, motion)
    return scene


def _seconds(rng: np.random.Generator) -> float:
    """Most scenes last 3 to 6 s; all lengths from 2.5 to 10 s occur."""
    low, high = ((2.5, 3.0), (3.0, 6.0), (6.0, 10.0))[int(rng.choice(3, p=(0.12, 0.6, 0.28)))]
    return float(rng.uniform(low, high))


def _within(contacts: tuple[Contact, ...], seconds: float) -> tuple[Contact, ...]:
    """The contacts that begin before the scene ends, cut to it."""
    return tuple(
        Contact(c.joint_a, c.joint_b, round(c.start, 3), round(min(c.end, seconds), 3))
        for c in contacts
        if c.start < seconds - 1 / FPS
    )


def _scene(
    name: str, kind: str, split: Split, source: str, script: dict, contacts: tuple, index: int, motion: Motion
) -> Scene:
    words = "held_out" if split == "test" else "train"
    rng = np.random.default_rng(index)
    prompts = {}
    for person in ("A", "B"):
        texts = person_captions(kind, script, person, words)
        prompts[person] = tuple(texts[k] for k in rng.permutation(len(texts))[:PROMPTS])
    captions = tuple(dict.fromkeys(some_captions(kind, script, words, CAPTIONS, seed=index)))
    return Scene(name, kind, split, source, captions, prompts, script, contacts, motion.frames)  # type: ignore[arg-type]
