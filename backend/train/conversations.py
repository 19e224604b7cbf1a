"""What stage three reads: edits, questions and stories, as rows of positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from protocol.errors import DuologueError
from protocol.motion import joined_in_time

from ..corpus.dialogues.questions import askable, question
from ..corpus.dialogues.schema import Dialogue
from ..corpus.scene import Scene, Split, read_scene_motion, read_scenes, write_index, write_motion
from ..language.layout import MotionBlock, Row, TextBlock, row
from ..language.slots import Slot, numbers
from ..language.words import Words
from ..tasks import ASK, EDIT, GENERATE, Marker
from ..tokenizer.config import STRIDE
from .codes import VARIANTS, EncodedCorpus, Example
from .examples import partly

CONTEXT_STEPS = 3
"""Latent steps of the scene before with which a scene of a story begins."""

Place = tuple[EncodedCorpus, int]
"""A corpus and the number of one of its scenes."""


@dataclass(frozen=True)
class Conversations:
    """Scenes that answer one another.

    Attributes:
        edits: the scene that is changed, and what becomes of it.
        stories: scenes that begin with the end of the one before them.
        asked: scenes that are asked about.
    """

    edits: tuple[tuple[Place, Place], ...]
    stories: tuple[Place, ...]
    asked: tuple[Place, ...]


def conversations(
    dialogues: Iterable[Dialogue], corpora: Sequence[EncodedCorpus], stories: EncodedCorpus, split: Split
) -> Conversations:
    """The conversations of one split.

    Args:
        dialogues: as `backend.corpus.dialogues.schema.read_dialogues` gives them.
        corpora: encoded, that hold the scenes that the dialogues name.
        stories: what `continued_scenes` made, encoded.
        split: which.

    Raises:
        DuologueError: ``dialogues_mismatch`` if a dialogue names a scene that no corpus holds.
    """
    places: dict[str, Place] = {scene.id: (corpus, n) for corpus in corpora for n, scene in enumerate(corpus.scenes)}
    edits = []
    for dialogue in dialogues:
        for turn in dialogue.turns:
            if dialogue.split == split and turn.task == "edit" and turn.source and turn.target:
                if missing := {turn.source, turn.target} - set(places):
                    raise DuologueError(
                        "dialogues_mismatch",
                        f"The dialogue {dialogue.id} speaks of {min(missing)}, which no corpus given holds.",
                        "Give the corpus that the dialogues were made from.",
                    )
                edits.append((places[turn.source], places[turn.target]))
    asked = [(corpus, int(n)) for corpus in corpora for n in corpus.of_split(split)]
    return Conversations(tuple(edits), tuple((stories, int(n)) for n in stories.of_split(split)), tuple(asked))


def continued_scenes(dialogues: Iterable[Dialogue], folder: Path, out: Path) -> None:
    """Write a corpus of the scenes of stories, each with the end of the scene before it in front.

    Args:
        dialogues: of ``folder``.
        folder: of the dialogues and their scenes.
        out: folder of the new corpus; left as it is when it is there already.

    Raises:
        DuologueError: ``corpus_broken`` if a motion cannot be read.
    """
    if (out / "scenes.jsonl").is_file():
        return
    (out / "motions").mkdir(parents=True, exist_ok=True)
    scenes = {scene.id: scene for scene in read_scenes(folder)}
    written: list[Scene] = []
    for dialogue in dialogues:
        for turn in dialogue.turns:
            if turn.task != "story" or not turn.source or not turn.target:
                continue
            before = read_scene_motion(folder, scenes[turn.source])
            known = CONTEXT_STEPS * STRIDE
            tail = before.slice(before.frames - known, before.frames)
            motion = joined_in_time([tail, read_scene_motion(folder, scenes[turn.target])])
            write_motion(out, turn.target, motion)
            written.append(replace(scenes[turn.target], frames=motion.frames))
    write_index(out, written)


def edit_row(source: Place, target: Place, variant: int, slots: Sequence[Slot]) -> Row:
    """A motion and its script are given, and the model makes what becomes of it, following the changed script."""
    before, after = (corpus.example(scene, variant) for corpus, scene in (source, target))
    given = MotionBlock(before.codes, numbers(slots, before.script))
    made = MotionBlock(after.codes, numbers(slots, after.script), EDIT.learned_persons)
    return row(EDIT, [given, made], after.scales)


def story_row(place: Place, variant: int, slots: Sequence[Slot]) -> Row:
    """The end of a scene is given, and the model makes the next one."""
    example = place[0].example(place[1], variant)
    script = numbers(slots, example.script)
    block = MotionBlock(example.codes, script, GENERATE.learned_persons, given=CONTEXT_STEPS)
    return row(GENERATE, [block], example.scales)


def asked_row(example: Example, words: Words, slots: Sequence[Slot], unsaid: float, rng: np.random.Generator) -> Row:
    """A motion with most of its script, and one to three questions about it with their answers."""
    script = partly(numbers(slots, example.script), unsaid, rng)
    texts = []
    for _ in range(int(rng.integers(1, 4))):
        asked = question(example.kind, example.script, rng)
        texts += [
            TextBlock(words.encode(asked.question), learned=False, opening=Marker.ASK),
            TextBlock(words.encode(asked.answer), learned=True, opening=Marker.ANSWER),
        ]
    return row(ASK, [MotionBlock(example.codes, script)], example.scales, texts)


def answer_words(scripts: Iterable[tuple[str, Mapping[str, object]]], words: Words) -> set[int]:
    """Ids of all words that answers about (kind, script) pairs use."""
    answers = {answer for kind, script in scripts for _, answer in askable(kind, script)}
    return {word for answer in answers for word in words.encode(answer)}


def any_variant(rng: np.random.Generator) -> int:
    """The number of a random variant of a scene."""
    return int(rng.integers(len(VARIANTS)))
