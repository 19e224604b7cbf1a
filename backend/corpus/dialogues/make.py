"""Dialogues by the thousand: each depends on the seed and its number alone, whatever the number of processes."""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from protocol.errors import DuologueError

from ..choreographer.generate import Sources, make_scene
from ..scene import Scene, read_scene_motion, read_scenes, write_index, write_motion
from .edits import index_of, make_edit
from .schema import Dialogue, Turn, write_dialogues, write_facts
from .stories import make_story
from .writer import Writer

BRIDGES = "bridges"
"""Folder beside the scenes that is a corpus of its own: how they get from one scene of a story to the next."""
ROUND = 32
"""Dialogues that are begun before it is asked whether there are enough."""
SECOND = 0.3
"""Share of dialogues in which what was changed is changed once more."""
ASKED = 0.5
"""Share of scenes in a dialogue that a question is asked about."""


@dataclass(frozen=True)
class Order:
    """What is wanted.

    Attributes:
        corpus: folder whose scenes are edited.
        corpus_seed: that it was made with.
        out: folder to write to.
        edits: how many edits, at least.
        stories: how many stories.
        seed: of the dialogues.
        jobs: processes.
    """

    corpus: Path
    corpus_seed: int
    out: Path
    edits: int
    stories: int
    seed: int
    jobs: int


class Made(NamedTuple):
    """A dialogue and the scenes that were written for it; None for one that could not be made, and why."""

    dialogue: Dialogue | None
    scenes: list[Scene]
    bridges: list[Scene]
    problem: str = ""
    refused: int = 0


class Report(NamedTuple):
    """What was made: dialogues, edits and stories; how many were given up, by the reason's code; and how often the
    writer's words were not used."""

    dialogues: int
    edits: int
    stories: int
    given_up: dict[str, int]
    refused: int


def make_dialogues(sources: Sources, order: Order, writer: Writer, progress: Callable[[int, int], None]) -> Report:
    """Write dialogues, and the scenes that they lead to, into a folder.

    Args:
        sources: what scenes are made from.
        order: what is wanted.
        writer: chooses the words.
        progress: told how many edits and stories are done.

    Raises:
        DuologueError: ``corpus_missing``, ``corpus_broken``; ``corpus_mismatch`` if the corpus is not of the seed that
            the order names, or of another version of the choreographer; ``corpus_too_small``.
    """
    able = [scene for scene in read_scenes(order.corpus) if scene.source == "choreographed"]
    if not able:
        raise DuologueError("corpus_too_small", f"{order.corpus} holds no choreographed scene.", "Make a larger one.")
    _check(sources, order, able)
    for folder in (order.out, order.out / BRIDGES):
        (folder / "motions").mkdir(parents=True, exist_ok=True)
    made: list[Made] = []
    given_up: dict[str, int] = {}
    edits = stories = 0
    with closing(_made(sources, order, able, writer)) as work:
        for one in work:
            if one.dialogue is None:
                given_up[one.problem] = given_up.get(one.problem, 0) + 1
                continue
            told = one.dialogue.turns
            edits += sum(turn.task == "edit" for turn in told)
            stories += any(turn.task == "story" for turn in told)
            made.append(one)
            progress(edits, stories)
    write_index(order.out, itertools.chain.from_iterable(one.scenes for one in made))
    write_index(order.out / BRIDGES, itertools.chain.from_iterable(one.bridges for one in made))
    write_dialogues(order.out, (one.dialogue for one in made if one.dialogue is not None))
    write_facts(order.out, {"corpus_seed": order.corpus_seed, "seed": order.seed, "edits": edits, "stories": stories})
    return Report(len(made), edits, stories, given_up, sum(one.refused for one in made))


def _check(sources: Sources, order: Order, able: Sequence[Scene]) -> None:
    """Make two scenes of the corpus again, to see that they are those."""
    for scene in (able[0], able[-1]):
        again, motion = make_scene(sources, order.corpus_seed, index_of(scene), kind=scene.kind)
        same = again.script == scene.script and np.allclose(motion.root, read_scene_motion(order.corpus, scene).root)
        if not same:
            raise DuologueError(
                "corpus_mismatch",
                f"{scene.id} in {order.corpus} is not what the choreographer makes of seed {order.corpus_seed}.",
                "Give the --corpus-seed it was made with, or make the corpus again with this version.",
            )


_worker: tuple[Sources, Order, Sequence[Scene], Writer] | None = None


def _made(sources: Sources, order: Order, able: Sequence[Scene], writer: Writer) -> Generator[Made]:
    """Edits, until there are enough, and then stories, in the order of their numbers."""
    if order.jobs <= 1:
        _begin(sources, order, able, writer)
        yield from _until(order, lambda work, numbers: map(work, numbers))
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(order.jobs, context, _begin, (sources, order, able, writer)) as workers:
        yield from _until(order, lambda work, numbers: workers.map(work, numbers, chunksize=4))


def _until(order: Order, mapped: Callable[..., object]) -> Generator[Made]:
    for work, wanted, task in ((_edited, order.edits, "edit"), (_told, order.stories, "story")):
        done = 0
        for first in itertools.count(0, ROUND):
            if done >= wanted or first > 20 * wanted + ROUND:
                break
            for one in mapped(work, range(first, first + ROUND)):  # type: ignore[attr-defined]
                if done < wanted:
                    yield one
                    turns = one.dialogue.turns if one.dialogue else ()
                    done += sum(turn.task == task for turn in turns) if task == "edit" else bool(turns)


def _begin(sources: Sources, order: Order, able: Sequence[Scene], writer: Writer) -> None:
    global _worker
    _worker = (sources, order, able, writer)


def _edited(number: int) -> Made:
    assert _worker is not None
    sources, order, able, writer = _worker
    refused = writer.refused
    # Every scene once in a random order that the seed decides, then again in another one.
    turn, place = divmod(number, len(able))
    scene = able[int(np.random.default_rng([order.seed, 1, turn]).permutation(len(able))[place])]
    rng = np.random.default_rng([order.seed, 2, number])
    words = "held_out" if scene.split == "test" else "train"
    index, draws, scenes, turns = index_of(scene), {}, [], []
    before, motion = scene, read_scene_motion(order.corpus, scene)
    for k in range(1 + (rng.random() < SECOND)):
        if not turns and rng.random() < ASKED:
            turns.append(_question(before, writer, rng, words))
        try:
            edit = make_edit(sources, (order.corpus_seed, index), before, motion, draws, rng)
        except DuologueError as error:
            if error.code != "edit_impossible":
                raise
            if not scenes:
                return Made(None, [], [], error.code)
            break
        after = replace(edit.scene, id=f"{edit.scene.kind}-edit-{number:06d}{'ab'[k]}")
        write_motion(order.out, after.id, edit.motion)
        said = writer.instruction(before.script, after.script, rng, words)
        changes = {edit.change.name: edit.change.value}
        turns.append(Turn(task="edit", words=said, source=before.id, target=after.id, changes=changes))
        if rng.random() < ASKED:
            turns.append(_question(after, writer, rng, words))
        scenes.append(after)
        before, motion, draws = after, edit.motion, edit.draws
    dialogue = Dialogue(id=f"edit-{number:06d}", split=scene.split, writer=writer.name, turns=tuple(turns))
    return Made(dialogue, scenes, [], refused=writer.refused - refused)


def _question(scene: Scene, writer: Writer, rng: np.random.Generator, words: str) -> Turn:
    asked = writer.question(scene.kind, scene.script, rng, "held_out" if words == "held_out" else "train")
    return Turn(task="ask", words=asked.question, source=scene.id, question=asked.kind, answer=asked.answer)


def _told(number: int) -> Made:
    assert _worker is not None
    sources, order, _, writer = _worker
    refused = writer.refused
    try:
        story = make_story(sources, order.seed, number)
    except DuologueError as error:
        if error.code != "story_unmade":
            raise
        return Made(None, [], [], error.code)
    rng = np.random.default_rng([order.seed, 4, number])
    turns: list[Turn] = []
    for k, part in enumerate(story.parts):
        words = writer.story(
            part.scene.kind, part.scene.script, k, rng, "held_out" if story.split == "test" else "train"
        )
        write_motion(order.out, part.scene.id, part.motion)
        bridge = part.bridge
        if bridge is not None:
            write_motion(order.out / BRIDGES, bridge[0].id, bridge[1])
        turns.append(
            Turn(
                task="story",
                words=words,
                source=story.parts[k - 1].scene.id if k else None,
                target=part.scene.id,
                bridge=bridge[0].id if bridge else None,
                lead=part.lead,
            )
        )
    dialogue = Dialogue(id=f"story-{number:06d}", split=story.split, writer=writer.name, turns=tuple(turns))
    bridges = [part.bridge[0] for part in story.parts if part.bridge is not None]
    return Made(dialogue, [part.scene for part in story.parts], bridges, refused=writer.refused - refused)
