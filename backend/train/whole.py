"""All stages of a checkpoint, one after another, each of them where it was left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import DuologueError

from ..checkpoint import (
    ANTICIPATION_FILES,
    LANGUAGE_FILES,
    READER_FILES,
    TOKENIZER_FILES,
    Checkpoint,
    package_checkpoint,
)
from ..corpus.scene import read_scenes
from ..language.prompt_reader import PromptReader
from ..language.slots import slots_of
from . import processes
from .anticipation import train_anticipation
from .codes import VARIANTS, script_in
from .instruct import train_instruct
from .language import train_language
from .reader import train_reader
from .recipe import recipe_of
from .run import CHECKPOINT_FILE
from .tokenizer import train_tokenizer

_SHARED = ("tokenizer", "reader", "anticipation")
"""Stages whose outcome checkpoints may have in common."""


@dataclass(frozen=True)
class Materials:
    """What a checkpoint is made of, and where its runs are.

    Attributes:
        corpus: folder of choreographed scenes.
        dialogues: folder of dialogues made from that corpus.
        runs: gets a folder for each stage, named after its recipe.
        borrowed: a checkpoint of which all that needs no language model is taken; None trains it.
    """

    corpus: Path
    dialogues: Path
    runs: Path
    borrowed: Path | None = None


def train_whole(name: str, materials: Materials, out: Path) -> Checkpoint:
    """Train what is not yet trained of a checkpoint and package it: called again, it goes on where it was stopped.

    Args:
        name: of its recipes. Those of the stages that need no language model are duologue-small's where it has none.
        materials: see there.
        out: the checkpoint's folder.

    Raises:
        DuologueError: ``recipe_missing`` if there are no recipes of that name, ``borrowed_unfit`` if the reader of
            ``borrowed`` knows other scripts than the corpus has, and what the stages raise.
    """
    corpus, dialogues, borrowed = materials.corpus, materials.dialogues, materials.borrowed
    recipes = {stage: recipe_of(name, stage, shared=stage in _SHARED) for stage in (*_SHARED, "language", "instruct")}
    if borrowed is not None:
        _check_reader(borrowed, corpus)

    def ended(stage: str, made: str, train: Callable[[Path, Path, bool], None]) -> Path:
        """The folder of a stage that has ended; ``made`` is the last file that it writes."""
        recipe = recipes[stage]
        folder = materials.runs / recipe.stem
        if not (folder / made).is_file():
            train(recipe, folder, (folder / CHECKPOINT_FILE).is_file())
            processes.accelerator().wait_for_everyone()
        return folder

    tokenizer = borrowed or ended("tokenizer", TOKENIZER_FILES[-1], lambda *run: train_tokenizer(corpus, *run))
    language = ended("language", LANGUAGE_FILES[-1], lambda *run: train_language(corpus, tokenizer, *run))
    instruct = ended(
        "instruct", LANGUAGE_FILES[-1], lambda *run: train_instruct(corpus, dialogues, tokenizer, language, *run)
    )
    reader = borrowed or ended("reader", READER_FILES[-1], lambda *run: train_reader(corpus, *run))
    anticipation = borrowed or ended(
        "anticipation", ANTICIPATION_FILES[-1], lambda *run: train_anticipation(corpus, *run)
    )
    return package_checkpoint(tokenizer, instruct, reader, anticipation, out)


def _check_reader(checkpoint: Path, corpus: Path) -> None:
    """See that a reader fills the slots that a model of a corpus follows: lest that be found out after hours."""
    scenes = (scene for scene in read_scenes(corpus) if scene.split == "train")
    scripts = (script_in(scene, variant) for scene in scenes for variant in range(len(VARIANTS)))
    if PromptReader.load(checkpoint).slots != slots_of(scripts):
        raise DuologueError(
            "borrowed_unfit",
            f"The reader of {checkpoint} reads prompts into other scripts than those in {corpus}.",
            "Make the corpus as that checkpoint's card says, or train a reader: leave --borrow out.",
        )
