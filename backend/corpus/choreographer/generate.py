"""Scenes by the thousand: each depends on the seed and its index alone, so any number of processes gives the same."""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
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


def split_of(index: int, kinds: int = len(KIND_IDS)) -> Split:
    """90 % train, 5 % validation, 5 % test, the same for every one of the ``kinds`` that take turns."""
    turn = index // kinds % 20
    return "validation" if turn == 18 else "test" if turn == 19 else "train"


def make_scene(
    sources: Sources,
    seed: int,
    index: int,
    kind: str | None = None,
    kinds: Sequence[str] = KIND_IDS,
    changes: Mapping[str, str] | None = None,
) -> tuple[Scene, Motion]:
    """Scene number ``index`` of the corpus of ``seed``.

    Args:
        sources: what it is made from.
        seed: of the corpus.
        index: of the scene.
        kind: to be made whoever's turn it is.
        kinds: those that take turns in the corpus.
        changes: values to take instead of those that were drawn, such as hand="left" or mood="angry"; everything else
            stays as it is without them, so the two scenes differ in what was asked for and in what follows from it.

    Raises:
        DuologueError: ``scene_unmade`` if no draw meets the quality bars, or the changed one does not;
            ``change_impossible``.
    """
    kind = kind or kinds[index % len(kinds)]
    split = split_of(index, len(kinds))
    name = f"{kind}-{index:06d}"
    if kind == "salsa":
        motion, script = salsa.window(sources.dances[split], np.random.default_rng([seed, index]))
        return _scene(name, kind, split, "cmu", script, (), index, motion), placed(motion)
    problems: list[str] = []
    for attempt in range(ATTEMPTS):
        draw = (seed, index, attempt)
        made = _attempt(sources, kind, draw, {})
        good = not made.problems
        if good and changes:
            made = _attempt(sources, kind, draw, changes)
        problems = made.problems
        if not problems:
            script = {"kind": kind} | made.script
            scene = _scene(name, kind, split, "choreographed", script, made.contacts, index, made.motion)
            return scene, placed(made.motion)
        if good:
            break
    raise DuologueError(
        "scene_unmade", f"No draw of {name} is good enough: {', '.join(problems)}.", "Try another seed."
    )


def remake_scene(
    sources: Sources, seed: int, index: int, sizes: Sequence[float], kind: str, changes: Mapping[str, str]
) -> tuple[Scene, Motion]:
    """A scene by the dice of another one, changed: of the same bodies, speed and length, unless a change says else.

    Args:
        sources: what it is made from.
        seed: of the corpus.
        index: of the other scene.
        sizes: of the other scene's bodies, as its script has them, which tell at which draw it was good enough.
        kind: of interaction; the other scene's, or another one.
        changes: as for `make_scene`.

    Raises:
        DuologueError: ``corpus_mismatch`` if no draw has bodies of these sizes; ``scene_unmade`` if the changed one
            does not meet the quality bars; ``change_impossible``.
    """
    for attempt in range(ATTEMPTS):
        draw = (seed, index, attempt)
        if _sizes(_stage(sources, draw, {})) != list(sizes):
            continue
        made = _attempt(sources, kind, draw, changes)
        name = f"{kind}-{index:06d}"
        if made.problems:
            raise DuologueError(
                "scene_unmade", f"{name} so changed is not good enough: {', '.join(made.problems)}.", ""
            )
        script, split = {"kind": kind} | made.script, split_of(index)
        scene = _scene(name, kind, split, "choreographed", script, made.contacts, index, made.motion)
        return scene, placed(made.motion)
    raise DuologueError(
        "corpus_mismatch", f"Scene {index} was not made from seed {seed}.", "Give the seed the corpus was made with."
    )


@dataclass(frozen=True, eq=False)
class _Attempt:
    motion: Motion
    script: dict[str, object]
    contacts: tuple[Contact, ...]
    problems: list[str]


def _attempt(sources: Sources, kind: str, draw: tuple[int, int, int], changes: Mapping[str, str]) -> _Attempt:
    stage = _stage(sources, draw, changes)
    performance = KINDS[kind](stage)
    motion, planted = performed(performance)
    contacts = _within(performance.contacts, stage.seconds)
    return _Attempt(motion, _script(stage, performance), contacts, quality.problems(kind, motion, contacts, planted))


def described(
    name: str, kind: str, split: Split, stage: Stage, performance: Performance, seed: int, motion: Motion
) -> Scene:
    """The scene of a performance, with its captions drawn from a seed."""
    script, contacts = {"kind": kind} | _script(stage, performance), _within(performance.contacts, stage.seconds)
    return _scene(name, kind, split, "choreographed", script, contacts, seed, motion)


def _script(stage: Stage, performance: Performance) -> dict[str, object]:
    script = performance.script | {"sizes": _sizes(stage)}
    return script | {"events": list(performance.events)} if performance.events else script


def _stage(sources: Sources, draw: tuple[int, int, int], changes: Mapping[str, str]) -> Stage:
    rng = np.random.default_rng(draw)
    return Stage(rng, sources.library, _seconds(rng), changes)


def _sizes(stage: Stage) -> list[float]:
    return [round(body.scale, 3) for body in stage.bodies]


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
    sources: Sources,
    folder: Path,
    count: int | None,
    seed: int,
    jobs: int,
    progress: Callable[[int, float], None],
    kinds: Sequence[str] = KIND_IDS,
    hours: float = 0.0,
) -> list[Scene]:
    """Write scenes into a folder.

    Args:
        sources: what they are made from.
        folder: where to.
        count: how many; if None, as many whole rounds of the kinds as make ``hours`` of motion.
        seed: of the corpus.
        jobs: processes.
        progress: told how many are done, and how many hours of motion they are.
        kinds: which take turns.
        hours: length to reach, without a count.
    """
    (folder / "motions").mkdir(parents=True, exist_ok=True)
    scenes: list[Scene] = []
    frames = 0
    with closing(_made(sources, folder, count, seed, jobs, tuple(kinds))) as made:
        for scene in made:
            scenes.append(scene)
            frames += scene.frames
            progress(len(scenes), frames / FPS / 3600)
            if count is None and len(scenes) % len(kinds) == 0 and frames >= hours * 3600 * FPS:
                break
    write_index(folder, scenes)
    return scenes


_worker: tuple[Sources, Path, int, tuple[str, ...]] | None = None


def _made(
    sources: Sources, folder: Path, count: int | None, seed: int, jobs: int, kinds: tuple[str, ...]
) -> Generator[Scene]:
    """The scenes in order; without a count no round begins before all scenes of the one before it were taken."""
    rounds = (
        (range(count),) if count is not None else (range(k, k + len(kinds)) for k in itertools.count(0, len(kinds)))
    )
    if jobs <= 1:
        _start_worker(sources, folder, seed, kinds)
        for indices in rounds:
            yield from map(_make_one, indices)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workers = ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), initializer=_start_worker, initargs=(sources, folder, seed, kinds)
    )
    with workers:
        for indices in rounds:
            yield from workers.map(_make_one, indices, chunksize=4)


def _start_worker(sources: Sources, folder: Path, seed: int, kinds: tuple[str, ...]) -> None:
    global _worker
    _worker = (sources, folder, seed, kinds)


def _make_one(index: int) -> Scene:
    assert _worker is not None
    sources, folder, seed, kinds = _worker
    scene, motion = make_scene(sources, seed, index, kinds=kinds)
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
