"""What the shipped choices are worth, each against others at the same small budget: the tables of ABLATIONS.md.

    python -m tests.benchmarks.ablation codes        levels and codebook sizes of the tokenizer
    python -m tests.benchmarks.ablation stacking     stacked codes against codes flattened into the vocabulary
    python -m tests.benchmarks.ablation guidance     how strictly the shipped checkpoint follows a prompt

All need `duologue corpus choreograph --count 15600 --seed 1`, and the first one the CMU takes. Trainings go on where
they were stopped. No figure is chosen by the rules of `backend/checks`: of everything the first attempt is judged.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from backend.checks import finds
from backend.cleanup.cleaner import cleaned
from backend.corpus.choreographer.captions import held_out_prompts
from backend.corpus.scene import write_index
from backend.engine import Engine
from backend.evaluate.flattened import FlattenedModel, prompt_reader
from backend.evaluate.held_out import Corpus, Maker, Piece, first_attempt, whole
from backend.evaluate.reconstruction import reconstructed, reconstruction
from backend.evaluate.t2m import SECONDS, shows
from backend.language.anticipation import Anticipation
from backend.language.model import MotionLanguageModel, code_vectors
from backend.language.prompt_reader import PromptReader
from backend.language.slots import Slot, numbers, script_of
from backend.language.words import Words
from backend.orders import SAMPLING
from backend.places import find_checkpoint
from backend.tasks import GENERATE
from backend.tokenizer.model import MotionTokenizer
from backend.train.codes import CACHE_FILE, encoded_corpus
from backend.train.examples import Mixture
from backend.train.flattened import FlattenedRecipe, fit_flattened
from backend.train.language import LanguageRecipe, ModelSizes, fit_language, script_book
from backend.train.recipe import read_recipe, recipe_of
from backend.train.run import CHECKPOINT_FILE, Run
from backend.train.tokenizer import Sharpening, TokenizerRecipe, fit_tokenizer, real_takes
from protocol.motion import Motion

SHIPPED = "duologue-small"

CODES = ((512, 6), (512, 3), (512, 9), (128, 6), (1024, 6))
"""Entries of a codebook and levels of the pose; the first is what is shipped. The place keeps its three levels."""
TOKENIZER_STEPS = 1200
"""Of each tokenizer, an eighth of them without quantizer."""
HELD_OUT = 2
"""Test scenes of each kind that go through a tokenizer."""

SCENES, EPOCHS = 50, 9
"""Scenes of each kind that are trained on. Either layout sees them once, a third model sees them so often, stacked."""
SMALL = ModelSizes(width=192, layers=4, heads=3, feed_forward=512, head_width=192)
"""The transformer of both layouts: one of the shipped size takes half a minute for a step of flattened codes."""
SHORT_SECONDS, SHORT_PHRASINGS = 3.0, 2
"""Both see the shortest scenes of each kind, and are asked for motions of that length."""
GUIDED_PHRASINGS = 2
GUIDANCE = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)


class FirstAttempts:
    """An engine that draws once: its second attempt is never begun."""

    def __init__(self, engine: Engine, guidance: float = 1.0) -> None:
        self._engine, self._guidance = engine, guidance

    def generate(self, prompt: str, seconds: float, seed: int = 0) -> Iterator[Piece]:
        """A pair's motion from a prompt."""
        for piece in self._engine.generate(prompt, seconds, seed, guidance=self._guidance):
            yield piece
            if piece.ends:
                return


class Translated:
    """Reads prompts as the shipped reader does, for a model whose small corpus lacks some values: those stay open."""

    def __init__(self, reader: PromptReader, slots: tuple[Slot, ...]) -> None:
        self._reader, self.slots = reader, slots

    def read(self, prompt: str) -> np.ndarray:
        """What a prompt says, (S,) numbers of the model's slots."""
        return numbers(self.slots, script_of(self._reader.slots, self._reader.read(prompt)))


def found(model: Maker, corpus: Corpus, phrasings: int, seconds: float) -> dict[str, float]:
    """Share of held-out phrasings whose first attempt shows what they say, and processor seconds for each."""
    prompts = [prompt for kind in corpus.kinds for prompt in held_out_prompts(kind)[:phrasings]]
    start = time.process_time()
    made = [whole(first_attempt(model.generate(one.text, seconds, n))) for n, one in enumerate(prompts)]
    took = (time.process_time() - start) / len(prompts)
    return {"found": sum(map(shows, made, prompts)) / len(prompts), "took": took, "prompts": len(prompts)}


def codes(corpus: Corpus, out: Path) -> Iterator[dict[str, Any]]:
    """Tokenizers of several sizes, each trained alike: what they lose, and what is still seen after them."""
    takes = real_takes("test")
    scenes = corpus.held_out(HELD_OUT)
    motions: list[Motion] = []
    recipe = read_recipe(recipe_of(SHIPPED, "tokenizer"), TokenizerRecipe)
    short = replace(
        recipe, steps=TOKENIZER_STEPS, autoencoder_steps=TOKENIZER_STEPS // 8, sharpening=Sharpening(steps=0)
    )
    for entries, levels in CODES:
        model = replace(recipe.model, codes=entries, levels=recipe.model.place_levels + levels)
        sized = replace(short, model=model)
        folder = out / f"codes-{entries}-{levels}"

        def train(run: Run, sized: TokenizerRecipe = sized) -> None:
            if not motions:
                seen = [scene for kind in corpus.kinds for scene in corpus.of("train", kind)[:SCENES]]
                motions.extend(corpus.motion(scene) for scene in seen)
            sources = [(sized.real_share, real_takes()), (1 - sized.real_share, motions)]
            fit_tokenizer(run, sized, sources).save(run.folder)

        once(folder, sized, train)
        tokenizer = MotionTokenizer.load(folder)
        seen = [cleaned(reconstructed(tokenizer, corpus.motion(scene)), scene.kind) for scene in scenes]
        kept = [finds(motion, scene.kind, scene.script["actor"]) for motion, scene in zip(seen, scenes, strict=True)]
        told = reconstruction(tokenizer, takes)
        yield {
            "codes of a codebook": entries,
            "levels of the pose": levels,
            "joints of real takes, mm": told["pose_mm"],
            "roots, mm": told["root_mm"],
            "between palms that meet, mm": told["palm_mm"],
            f"of {len(scenes)} true scenes still seen, %": 100 * sum(kept) / len(kept),
        }


def stacking(corpus: Corpus, out: Path) -> Iterator[dict[str, Any]]:
    """The same transformer with codes stacked and flattened, trained on nothing but text to motion."""
    shipped = find_checkpoint(SHIPPED)
    tokenizer, words = MotionTokenizer.load(shipped), Words.load(shipped)
    encoded = encoded_corpus(part_of(corpus, out / "corpus"), shipped, out / CACHE_FILE)
    recipe = read_recipe(recipe_of(SHIPPED, "language"), LanguageRecipe)
    steps = len(encoded.of_split("train")) // recipe.stepping.batch
    # bfloat16 helps on some processors only, and the baseline does without.
    stepping = replace(recipe.stepping, bfloat16=False, warmup=steps // 4)
    alone = replace(
        recipe, model=SMALL, mixture=Mixture(generate=1, react=0, complete=0, describe=0), stepping=stepping
    )

    def flattened(run: Run) -> None:
        model, config = fit_flattened(run, FlattenedRecipe(alone, steps), encoded, tokenizer)
        model.save_pretrained(run.folder)
        config.save(run.folder)

    folder = out / "flattened"
    run = once(folder, FlattenedRecipe(alone, steps), flattened)
    baseline = FlattenedModel.load(folder, tokenizer, prompt_reader(shipped))
    yield row_of("flattened", run, found(baseline, corpus, SHORT_PHRASINGS, SHORT_SECONDS))
    for epochs in (1, EPOCHS):
        repeated = replace(alone, cycles=(epochs,))

        def stacked(run: Run, recipe: LanguageRecipe = repeated) -> None:
            fit_language(run, recipe, encoded, tokenizer, words).save(run.folder)

        folder = out / f"stacked-{epochs}"
        run = once(folder, repeated, stacked)
        model = MotionLanguageModel.load(folder, code_vectors(tokenizer), words.vectors)
        model.hasten()
        reader = cast(PromptReader, Translated(PromptReader.load(shipped), model.config.slots))
        book = script_book(encoded, model.config)
        engine = Engine("stacked", tokenizer, words, model, reader, book, Anticipation.load(shipped))
        yield row_of("stacked", run, found(FirstAttempts(engine), corpus, SHORT_PHRASINGS, SHORT_SECONDS))


def part_of(corpus: Corpus, folder: Path) -> Path:
    """A corpus folder of the shortest training scenes of each kind, and all that are not for training."""
    folder.mkdir(parents=True, exist_ok=True)
    seen = [
        scene
        for kind in corpus.kinds
        for scene in sorted(corpus.of("train", kind), key=lambda scene: scene.frames)[:SCENES]
    ]
    write_index(folder, [*seen, *(scene for scene in corpus.scenes if scene.split != "train")])
    if not (folder / "motions").exists():
        (folder / "motions").symlink_to((corpus.folder / "motions").resolve(), target_is_directory=True)
    return folder


def row_of(layout: str, run: Run, figures: dict[str, float]) -> dict[str, Any]:
    """A row of the table of layouts: what a run took, by its log, and what came of it."""
    log = run.read_log()
    last = [entry for entry in log if "rate" in entry][-1]
    steps = int(last["step"]) + 1
    return {
        "codes": layout,
        "steps": steps,
        "minutes of training": steps / last["rate"] / 60,
        "surprise at held-out codes, nats": log[-1]["validation_motion"],
        f"of {figures['prompts']} phrasings found, %": 100 * figures["found"],
        f"processor seconds for {SHORT_SECONDS:g} s": figures["took"],
    }


def guidance(corpus: Corpus, _out: Path) -> Iterator[dict[str, Any]]:
    """The shipped checkpoint, guided more and less."""
    engine = Engine.load(find_checkpoint(SHIPPED), "cpu")
    for scale in GUIDANCE:
        times_usual = scale / SAMPLING[GENERATE.name].guidance
        figures = found(FirstAttempts(engine, times_usual), corpus, GUIDED_PHRASINGS, SECONDS)
        yield {"guidance": scale, f"of {figures['prompts']} phrasings found, %": 100 * figures["found"]}


TABLES: dict[str, Callable[[Corpus, Path], Iterator[dict[str, Any]]]] = {
    "codes": codes,
    "stacking": stacking,
    "guidance": guidance,
}


def once(folder: Path, recipe: Any, train: Callable[[Run], None]) -> Run:
    """Train into a folder unless that has been done, from where it was stopped; returns the run."""
    run = Run(folder, recipe, (folder / CHECKPOINT_FILE).is_file())
    done = folder / "done"
    if not done.exists():
        train(run)
        done.touch()
    return run


def main() -> None:
    """Make the tables that the command line names, and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", choices=TABLES, metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus"), help="folder of choreographed scenes")
    parser.add_argument("--out", type=Path, default=Path("runs/ablation"), help="folder of the trainings")
    chosen = parser.parse_args()
    corpus = Corpus.read(chosen.corpus)
    for name in chosen.tables:
        print(f"\n{(TABLES[name].__doc__ or '').strip()}\n", flush=True)
        for number, row in enumerate(TABLES[name](corpus, chosen.out)):
            if not number:
                print("| " + " | ".join(row) + " |\n|" + " --- |" * len(row))
            cells = (f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values())
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
