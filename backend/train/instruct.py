"""Stage three: tune an aligned language model on conversations: edits, questions, stories, and what it knew before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from protocol.errors import DuologueError

from ..corpus.dialogues.schema import read_dialogues
from ..language.base import Base, BaseRecipe, adapters_of
from ..language.config import ALIGNED
from ..language.layout import Row
from ..language.model import CONFIG_FILE, MotionLanguageModel, code_vectors
from ..language.script_book import ScriptBook
from ..language.words import Words
from ..tasks import ASK, EDIT
from ..tokenizer.model import MotionTokenizer
from . import processes
from .codes import CACHE_FILE, VARIANTS, EncodedCorpus, encoded_corpus
from .conversations import (
    Conversations,
    Place,
    answer_words,
    any_variant,
    asked_row,
    continued_scenes,
    conversations,
    edit_row,
    story_row,
)
from .examples import Mixture, draw_row
from .plan import Plan
from .recipe import read_recipe
from .run import Run, pick_device, step_seed
from .stepping import Stepping
from .validation import VALIDATIONS, Validation

_Item = TypeVar("_Item")
_NEAR = 4
"""A batch is drawn from so many times its size of samples, those of like length together."""


@dataclass(frozen=True)
class Shares:
    """How many of the steps go to what.

    Attributes:
        edit: a motion is changed.
        story: a motion goes on from the end of another one.
        ask: questions about a motion are answered.
        align: the tasks of stage two, so that they are not forgotten.
    """

    edit: float = 0.3
    story: float = 0.08
    ask: float = 0.15
    align: float = 0.47


@dataclass(frozen=True)
class InstructRecipe:
    """How a language model is tuned on conversations.

    Attributes:
        steps: optimizer steps.
        stepping: how they are taken.
        base: the one of stage two, if it had one; the adapter of that stage is kept, and a new one trained.
        shares: what they go to.
        mixture: of the tasks of stage two.
    """

    steps: int
    stepping: Stepping
    base: BaseRecipe | None = None
    shares: Shares = field(default_factory=Shares)
    mixture: Mixture = field(default_factory=Mixture)


def train_instruct(
    corpus: Path, dialogues: Path, tokenizer: Path, start: Path, recipe: Path, out: Path, resume: bool
) -> None:
    """Tune the language model of a finished run on conversations and write it into the run's folder.

    Args:
        corpus: folder of the scenes of stage two.
        dialogues: folder of ``dialogues.jsonl`` and its scenes, made from that corpus.
        tokenizer: folder of the motion tokenizer that the model was trained with.
        start: folder of the finished run of stage two.
        recipe: YAML file of an `InstructRecipe`.
        out: the run's folder.
        resume: go on with the run that is there.

    Raises:
        DuologueError: ``run_unfinished`` if ``start`` holds no model; ``corpus_missing``, ``dialogues_missing``,
            ``dialogues_mismatch``, ``tokenizer_missing``, ``recipe_invalid``, and what `Run` and `fit` raise.
    """
    settings = read_recipe(recipe, InstructRecipe)
    motion_tokenizer = MotionTokenizer.load(tokenizer)
    settings.stepping.check(motion_tokenizer.config.levels, recipe.name)
    if not (start / CONFIG_FILE).is_file():
        raise DuologueError(
            "run_unfinished", f"{start} holds no language model.", "Finish stage two: `duologue train language`."
        )
    run = Run(out, settings, resume)
    told = read_dialogues(dialogues)
    with processes.main_first():
        continued_scenes(told, dialogues, out / "stories")
        first = encoded_corpus(corpus, tokenizer, out / CACHE_FILE)
        changed = encoded_corpus(dialogues, tokenizer, out / f"dialogues.{CACHE_FILE}")
        stories = encoded_corpus(out / "stories", tokenizer, out / f"stories.{CACHE_FILE}")
    train = conversations(told, (first, changed), stories, "train")
    base = None if settings.base is None else Base.load(settings.base, adapters_of(start))
    words = Words.load(start) if base is None else base.words
    aligned = MotionLanguageModel.load(start, code_vectors(motion_tokenizer), words.vectors, base)
    torch.manual_seed(settings.stepping.seed)
    model = instructed(aligned, words, answer_words((*_scripts(first), *_scripts(changed)), words)).to(pick_device())
    tuned = fit_conversations(run, settings, model, words, first, train)
    if processes.is_main():
        tuned.save(out)
        if base is None:
            words.save(out)
        ScriptBook.load(start).save(out)


def fit_conversations(
    run: Run,
    recipe: InstructRecipe,
    model: MotionLanguageModel,
    words: Words,
    corpus: EncodedCorpus,
    train: Conversations,
) -> MotionLanguageModel:
    """Train on conversations; returns the model on the CPU."""
    stepping = recipe.stepping
    plan = Plan(corpus, stepping.batch, stepping.seed)
    validation = Validation(corpus, words, model.config, stepping.level_weights)
    every = max(1, recipe.steps // VALIDATIONS)
    names = ("edit", "story", "ask", "align")
    shares = np.array([getattr(recipe.shares, name) for name in names])

    def losses(step: int) -> dict[str, Tensor]:
        if step and step % every == 0:
            run.log(step, **validation.measure(model))
        rng = np.random.default_rng(step_seed(stepping.seed, step))
        kind = names[rng.choice(len(names), p=shares / shares.sum())]
        return stepping.losses(model, _rows(kind, step, rng))

    def _rows(kind: str, step: int, rng: np.random.Generator) -> list[Row]:
        slots = model.config.slots
        if kind == "edit":
            pairs = _near(train.edits, lambda pair: _steps(pair[0]) + _steps(pair[1]), stepping.batch // 2, rng)
            return [edit_row(*pair, any_variant(rng), slots) for pair in pairs]
        if kind == "story":
            places = _near(train.stories, _steps, stepping.batch, rng)
            return [story_row(place, any_variant(rng), slots) for place in places]
        if kind == "ask":
            places = _near(train.asked, _steps, stepping.batch, rng)
            examples = [corpus.example(scene, any_variant(rng)) for corpus, scene in places]
            return [asked_row(example, words, slots, recipe.mixture.unsaid, rng) for example in examples]
        return [draw_row(corpus.example(*item), words, slots, recipe.mixture, rng) for item in plan.items(step)]

    stepping.fit(run, model, losses, (recipe.steps,))
    run.log(recipe.steps, **validation.measure(model))
    return model.cpu().eval()


def instructed(aligned: MotionLanguageModel, words: Words, answers: set[int]) -> MotionLanguageModel:
    """An aligned model that may say more words and read instructions; what it has learned is kept.

    Args:
        aligned: of stage two.
        words: the text tokenizer.
        answers: ids of the words to be added to those that it may say.
    """
    old = aligned.config
    spoken = tuple(sorted({*old.spoken, *answers}))
    config = replace(old, spoken=spoken, tasks=(*ALIGNED, EDIT.name, ASK.name))
    model = MotionLanguageModel(config, aligned.code_vectors, words.vectors, aligned.base)
    kept = {name: value for name, value in aligned.state_dict().items() if name != "spoken_bias"}
    model.load_state_dict(kept, strict=False)
    with torch.no_grad():
        index = [spoken.index(word) for word in old.spoken]
        model.spoken_bias[index] = aligned.spoken_bias[:-1]
        model.spoken_bias[-1] = aligned.spoken_bias[-1]
    return model


def _near(items: Sequence[_Item], length: Callable[[_Item], int], count: int, rng: np.random.Generator) -> list[_Item]:
    """``count`` random items of like length."""
    drawn = sorted((items[int(rng.integers(len(items)))] for _ in range(_NEAR * count)), key=length)
    start = int(rng.integers(len(drawn) - count + 1))
    return drawn[start : start + count]


def _steps(place: Place) -> int:
    return place[0].steps(place[1])


def _scripts(corpus: EncodedCorpus) -> list[tuple[str, dict[str, object]]]:
    """Kind and script of all variants of the training scenes."""
    return [
        (corpus.scenes[scene].kind, corpus.script(scene, variant))
        for scene in corpus.of_split("train").tolist()
        for variant in range(len(VARIANTS))
    ]
