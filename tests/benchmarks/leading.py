"""What it is worth to give a partner the true size, and to lead and bring them to where they are expected: one table.

    python -m tests.benchmarks.leading        a quarter of an hour on one processor core

The shipped checkpoint reacts to A of held-out scenes; of every reaction the first attempt counts. Needs
`duologue corpus choreograph --count 15600 --seed 1`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from backend.cleanup import Cleaner
from backend.engine import Engine
from backend.evaluate.contacts import Agreement, agreement
from backend.evaluate.held_out import Corpus, Piece, first_attempt
from backend.evaluate.react import reaction
from backend.evaluate.reconstruction import reconstructed
from backend.features import body_scale, canonicalized
from backend.language.anticipation import Anticipation, Whereabouts, watched
from backend.language.between import READ_JOINTS
from backend.language.model import MotionLanguageModel, code_vectors
from backend.language.prompt_reader import PromptReader
from backend.language.script_book import ScriptBook
from backend.language.words import Words
from backend.making import Order
from backend.orders import Orders
from backend.places import find_checkpoint
from backend.tokenizer.config import STRIDE
from backend.tokenizer.model import MotionTokenizer
from backend.understanding import Understanding
from protocol.motion import Motion, joined_as_persons, joined_in_time
from protocol.skeleton import neutral_offsets

SHIPPED = "duologue-small"
PER_KIND = 2
ROWS = (("neutral", False, False), ("true", False, False), ("true", True, False), ("true", True, True))
"""The partner's body; whether they are led while they are drawn, and brought the rest of the way after it."""


class Anywhere:
    """Expects a partner anywhere."""

    def partner_of(self, motion: Motion, script: Mapping[str, Any], scale: float) -> Whereabouts:
        """Everywhere is as likely as everywhere else."""
        shape = len(watched(motion).seen), len(READ_JOINTS)
        return Whereabouts(np.zeros((*shape, 3), np.float32), np.full(shape, 1e6, np.float32))


class OnlyLed(Orders):
    """Orders of reactions whose clean-up knows nothing of where a partner is expected."""

    def react(self, motion: Motion, prompt: str, seed: int, scale: float) -> Iterator[Order]:
        """The same orders, without the last argument of their cleaners."""
        for order in super().react(motion, prompt, seed, scale):
            cleaner = cast("partial[Cleaner]", order.cleaner)
            yield replace(order, cleaner=partial(Cleaner, *cleaner.args[:-1]))


@dataclass(frozen=True)
class FirstReactions:
    """An engine that draws a reaction once, on the body asked for or on the neutral one."""

    engine: Engine
    sized: bool

    def generate(self, prompt: str, seconds: float, seed: int = 0) -> Iterator[Piece]:
        """Not part of the table."""
        raise NotImplementedError

    def describe(self, motion: Motion, *, seed: int = 0) -> Iterator[str]:
        """Not part of the table."""
        raise NotImplementedError

    def react(self, motion: Motion, prompt: str = "", seed: int = 0, *, scale: float = 1.0) -> Iterator[Piece]:
        """The first attempt at a partner."""
        yield from first_attempt(self.engine.react(motion, prompt, seed, scale=scale if self.sized else 1.0))


def engine_of(folder: Path, led: bool, brought: bool) -> Engine:
    """The engine of a checkpoint, whose partners are led, and brought to where they are expected, or not."""
    tokenizer, words = MotionTokenizer.load(folder), Words.load(folder)
    model = MotionLanguageModel.load(folder, code_vectors(tokenizer), words.vectors)
    model.hasten()
    expects = Anticipation.load(folder) if led else cast(Anticipation, Anywhere())
    reader, book = PromptReader.load(folder), ScriptBook.load(folder)
    engine = Engine(folder.name, tokenizer, words, model, reader, book, expects)
    if not brought:
        engine._orders = OnlyLed(Understanding(model, words, reader, book), tokenizer, expects)
    return engine


def ceilings(corpus: Corpus, tokenizer: MotionTokenizer) -> dict[str, Agreement]:
    """How true partners touch: on a neutral body, and after encoding, decoding and clean-up, as all that is made."""
    neutral, coded = Agreement(0, 0, 0), Agreement(0, 0, 0)
    for scene in corpus.held_out(PER_KIND):
        whole = corpus.motion(scene)
        motion, _ = canonicalized(whole.slice(0, whole.frames // STRIDE * STRIDE))
        a, b = motion.person(0), motion.person(1)
        lowered = b.root * np.array([1, 1 / body_scale(b.offsets)[0], 1], np.float32)
        same = replace(b, root=lowered, offsets=neutral_offsets()[None])
        neutral += agreement(joined_as_persons([a, same]), motion)
        cleaner = Cleaner(b.offsets, a, scene.kind)
        parts = [cleaner.push(reconstructed(tokenizer, motion).person(1)), cleaner.finish()]
        cleaned = joined_in_time([part for part in parts if part is not None])
        coded += agreement(joined_as_persons([a, cleaned]), motion)
    return {"true motion on a neutral body": neutral, "true motion, encoded, decoded and cleaned": coded}


def alike(sentences: Sequence[str]) -> np.ndarray:
    """Sentence vectors for a baseline that the table leaves out."""
    return np.ones((len(sentences), 1))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus"), help="folder of choreographed scenes")
    corpus = Corpus.read(parser.parse_args().corpus)
    folder = find_checkpoint(SHIPPED)
    for what, touched in ceilings(corpus, MotionTokenizer.load(folder)).items():
        print(f"{what}: contact F1 {touched.f1:.2f}", flush=True)
    print(
        "| body | led | brought | kind shown, % | contact F1 | joints off, mm "
        "| no prompt: kind, % | contact F1 | joints off, mm |"
    )
    print("|" + " --- |" * 9)
    for body, led, brought in ROWS:
        model = FirstReactions(engine_of(folder, led, brought), body == "true")
        found = reaction(model, corpus, PER_KIND, alike, None, lambda _share, _what: None)
        cells = [body, "yes" if led else "no", "yes" if brought else "no"]
        for name in ("with_prompt", "without_prompt"):
            near = found["near"][name]
            cells += [f"{100 * found[name]:.0f}", f"{near['contact_f1']:.2f}", f"{near['joint_mm']:.0f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
