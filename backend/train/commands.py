"""``duologue train``: the stages on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from .. import threads
from .recipe import RECIPES

app = typer.Typer(no_args_is_help=True, help="Train a checkpoint, stage by stage.")

Corpus = Annotated[Path, typer.Option(help="Folder of choreographed scenes.")]
Recipe = Annotated[Path, typer.Option(help="YAML file with the sizes and rates.")]
Out = Annotated[Path, typer.Option(help="Folder of the run: checkpoint, log and loss curves.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")]


@app.command()
def tokenizer(
    out: Out,
    corpus: Corpus = Path("data/corpus"),
    recipe: Recipe = RECIPES / "duologue-small.tokenizer.yaml",
    resume: Resume = False,
) -> None:
    """Train the motion tokenizer on the real takes and on choreographed scenes."""
    threads.set_thread_count(threads.TRAINING)
    from .tokenizer import train_tokenizer

    _run(lambda: train_tokenizer(corpus, recipe, out, resume), out)


@app.command()
def language(
    out: Out,
    tokenizer: Annotated[Path, typer.Option(help="Folder of the trained motion tokenizer.")],
    corpus: Corpus = Path("data/corpus"),
    recipe: Recipe = RECIPES / "duologue-small.language.yaml",
    resume: Resume = False,
) -> None:
    """Train the motion language model on a corpus, through a trained tokenizer."""
    threads.set_thread_count(threads.TRAINING)
    from .language import train_language

    _run(lambda: train_language(corpus, tokenizer, recipe, out, resume), out)


@app.command()
def instruct(
    out: Out,
    start: Annotated[Path, typer.Option(help="Folder of the finished language run.")],
    dialogues: Annotated[Path, typer.Option(help="Folder of dialogues made from the corpus.")],
    tokenizer: Annotated[Path, typer.Option(help="Folder of the trained motion tokenizer.")],
    corpus: Corpus = Path("data/corpus"),
    recipe: Recipe = RECIPES / "duologue-small.instruct.yaml",
    resume: Resume = False,
) -> None:
    """Tune a trained language model on conversations: edits, questions and stories."""
    threads.set_thread_count(threads.TRAINING)
    from .instruct import train_instruct

    _run(lambda: train_instruct(corpus, dialogues, tokenizer, start, recipe, out, resume), out)


@app.command()
def reader(
    out: Out,
    corpus: Corpus = Path("data/corpus"),
    recipe: Recipe = RECIPES / "duologue-small.reader.yaml",
    start: Annotated[
        Path | None, typer.Option(help="Folder of a reader run, or a checkpoint, whose reader is trained further.")
    ] = None,
    resume: Resume = False,
) -> None:
    """Train the reader that turns prompts into scripts, which takes no motion."""
    threads.set_thread_count(threads.TRAINING)
    from .reader import train_reader

    _run(lambda: train_reader(corpus, recipe, out, resume, start), out)


@app.command()
def anticipation(
    out: Out,
    corpus: Corpus = Path("data/corpus"),
    recipe: Recipe = RECIPES / "duologue-small.anticipation.yaml",
    resume: Resume = False,
) -> None:
    """Train what expects where the partner of a lone person is, for reactions."""
    threads.set_thread_count(threads.TRAINING)
    from .anticipation import train_anticipation

    _run(lambda: train_anticipation(corpus, recipe, out, resume), out)


@app.command()
def flattened(
    tokenizer: Annotated[Path, typer.Option(help="Folder of the trained motion tokenizer.")],
    out: Out = Path("runs/flattened"),
    corpus: Corpus = Path("data/corpus"),
    recipe: Recipe = RECIPES / "duologue-small.language.yaml",
    steps: Annotated[int, typer.Option(min=1, help="Batches to train on.")] = 20_000,
    resume: Resume = False,
) -> None:
    """Train the baseline that `duologue evaluate --task flattened` judges: codes flattened into the vocabulary."""
    threads.set_thread_count(threads.TRAINING)
    from .flattened import train_flattened

    _run(lambda: train_flattened(corpus, tokenizer, recipe, steps, out, resume), out)


@app.command()
def evaluator(
    out: Out = Path("runs/evaluator"),
    corpus: Corpus = Path("data/corpus"),
    recipe: Recipe = RECIPES / "evaluator.yaml",
    resume: Resume = False,
) -> None:
    """Train the judge of `duologue evaluate --task retrieval` on the training split of a corpus."""
    threads.set_thread_count(threads.TRAINING)
    from .evaluator import train_evaluator

    _run(lambda: train_evaluator(corpus, recipe, out, resume), out)


@app.command("all")
def whole(
    name: Annotated[str, typer.Argument(help="Name of the recipes: duologue-small, duologue-smollm2 or llama-3.1-8b.")],
    corpus: Corpus = Path("data/corpus"),
    dialogues: Annotated[Path, typer.Option(help="Folder of dialogues made from the corpus.")] = Path("data/dialogues"),
    borrow: Annotated[
        Path | None,
        typer.Option(help="Checkpoint whose tokenizer, reader and anticipation are taken instead of trained."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Gets a folder for each stage.")] = Path("runs"),
    out: Annotated[Path | None, typer.Option(help="Folder of the checkpoint; checkpoints/NAME if not given.")] = None,
) -> None:
    """Train all stages of a checkpoint and package it; the same command again goes on where it was stopped."""
    threads.set_thread_count(threads.TRAINING)
    from .run import Interrupted
    from .whole import Materials, train_whole

    try:
        made = train_whole(name, Materials(corpus, dialogues, runs, borrow), out or Path("checkpoints") / name)
    except Interrupted:
        typer.echo("Stopped and saved. To go on, repeat the command.")
        raise typer.Exit(130) from None
    typer.echo(f"Packaged {made.name}: {made.folder}")


@app.command()
def package(
    out: Annotated[Path, typer.Option(help="Folder of the checkpoint; its last part is the checkpoint's name.")],
    tokenizer: Annotated[Path, typer.Option(help="Folder of the finished tokenizer run.")],
    language: Annotated[Path, typer.Option(help="Folder of the finished language or instruct run.")],
    reader: Annotated[Path, typer.Option(help="Folder of the finished reader run.")],
    anticipation: Annotated[Path, typer.Option(help="Folder of the finished anticipation run.")],
) -> None:
    """Make a checkpoint of finished runs; run it again after a change to the checkpoint's model card."""
    from ..checkpoint import package_checkpoint

    made = package_checkpoint(tokenizer, language, reader, anticipation, out)
    typer.echo(f"Packaged {made.name}: {out}")


def _run(train: Callable[[], None], out: Path) -> None:
    """Train; after Ctrl-C, say how to go on."""
    from .run import Interrupted

    try:
        train()
    except Interrupted:
        typer.echo(f"Stopped and saved. To go on, repeat the command with --resume (--out {out}).")
        raise typer.Exit(130) from None
    typer.echo(f"Done: {out}")
