"""``duologue evaluate`` and ``duologue benchmark`` on the command line."""

from __future__ import annotations

import json as jsonlib
import math
import platform
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from .. import threads
from ..console import print_json, progress_bar
from ..places import find_checkpoint


class Part(StrEnum):
    """What to evaluate."""

    all = "all"
    reconstruction = "reconstruction"
    t2m = "t2m"
    blind = "blind"
    m2t = "m2t"
    react = "react"
    retrieval = "retrieval"
    edit = "edit"
    ask = "ask"
    flattened = "flattened"


Checkpoint = Annotated[Optional[str], typer.Option(help="Name or folder of the checkpoint.")]  # noqa: UP045
Figures = Annotated[Optional[Path], typer.Option("--out", "-o", help="JSON file to add the figures to.")]  # noqa: UP045
AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]
Card = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(help="Model card to write the tables into: all figures in --out, those of earlier runs included."),
]


def evaluate(
    checkpoint: Checkpoint = None,
    corpus: Annotated[Path, typer.Option(help="Folder of choreographed scenes, with a test split.")] = Path(
        "data/corpus"
    ),
    task: Annotated[Part, typer.Option(help="What to evaluate.")] = Part.all,
    per_kind: Annotated[
        int, typer.Option(min=1, help="Held-out scenes of each kind for m2t, react and retrieval.")
    ] = 8,
    phrasings: Annotated[int, typer.Option(min=1, help="Held-out phrasings of each kind for t2m; there are 8.")] = 8,
    evaluator: Annotated[
        Path, typer.Option(help="Folder of the trained evaluator: see `duologue train evaluator`.")
    ] = Path("runs/evaluator"),
    repeats: Annotated[
        int, typer.Option(min=1, help="How often retrieval generates everything anew: papers repeat 20 times.")
    ] = 20,
    flattened: Annotated[
        Path, typer.Option(help="Folder of the baseline with flattened codes: see `duologue train flattened`.")
    ] = Path("runs/flattened"),
    dialogues: Annotated[
        Path, typer.Option(help="Folder of dialogues about the corpus: see `duologue corpus dialogues`.")
    ] = Path("data/dialogues"),
    out: Figures = None,
    card: Card = None,
    json: AsJson = False,
) -> None:
    """Judge a checkpoint on held-out phrasings, scenes and takes."""
    threads.set_thread_count(threads.DECODING)
    from protocol.errors import DuologueError

    from ..corpus.dialogues import read_dialogues
    from ..engine import Engine
    from .evaluator import Evaluator
    from .flattened import FlattenedConfig
    from .held_out import Conversant, Corpus, known_kinds
    from .protocols import MEASURES, Trial

    folder = find_checkpoint(checkpoint)
    scenes = Corpus.read(corpus, known_kinds(folder))
    if task in (Part.all, Part.retrieval):
        Evaluator.load(evaluator)  # lest it be found missing after an hour
    if task is Part.flattened:
        FlattenedConfig.load(flattened)
    if task is Part.edit:
        read_dialogues(dialogues)
    figures: dict[str, Any] = {}
    with progress_bar("Loading the model") as show:
        engine = Engine.load(folder)
        if task in (Part.edit, Part.ask) and not isinstance(engine, Conversant):
            raise DuologueError("task_unknown", f"{engine.name} neither edits nor answers.", "Take one that does.")
        trial = Trial(engine, folder, scenes, per_kind, repeats, evaluator, flattened, dialogues, phrasings)
        for name, measure in MEASURES.items():
            if task in (Part.all, Part(name)):
                figures |= _finite(measure(trial, show))
                _keep(figures, out)  # at once: what is measured stays, should the next task be interrupted
    _report({"checkpoint": engine.name, "device": engine.device} | figures, out, card, json)


def benchmark(
    checkpoint: Checkpoint = None,
    seconds: Annotated[float, typer.Option(help="Length of the motion made.")] = 5.0,
    repeats: Annotated[int, typer.Option(min=1, help="Motions made for each figure.")] = 5,
    out: Figures = None,
    card: Card = None,
    json: AsJson = False,
) -> None:
    """Measure the speed of a checkpoint on this machine, idle and beside a busy process."""
    import time

    threads.set_thread_count(threads.DECODING)
    with progress_bar("Importing") as show:
        from .benchmark import benchmark_engine, flattened_factor, import_seconds

        folder = find_checkpoint(checkpoint)
        imported = import_seconds()
        show(None, "Loading the model")
        from ..engine import Engine

        start = time.perf_counter()
        engine = Engine.load(folder)
        loaded = time.perf_counter() - start
        figures = {
            "machine": f"{platform.machine()} with {engine.device}",
            "import_s": imported,
            "load_s": loaded,
            **benchmark_engine(engine, seconds, repeats, show),
            "flattened_factor": flattened_factor(folder),
        }
    _report({"checkpoint": engine.name, "device": engine.device, "benchmark": figures}, out, card, json)


def _report(figures: dict[str, Any], out: Path | None, card: Path | None, json: bool) -> None:
    """Add figures to a file, put them into a card, and print them."""
    from rich.console import Console
    from rich.markdown import Markdown

    from .card import card_tables, write_card

    figures = _finite(figures)
    collected = _keep(figures, out)
    if card is not None:
        write_card(card, collected)
    if json:
        print_json(figures)
    else:
        Console().print(Markdown(card_tables(figures)))


def _keep(figures: dict[str, Any], out: Path | None) -> dict[str, Any]:
    """Add figures to those in the file, if one is given; returns all that are known now."""
    if out is None:
        return figures
    known = jsonlib.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(jsonlib.dumps(known | figures, indent=1) + "\n", encoding="utf-8", newline="\n")
    return known | figures


def _finite(value: Any) -> Any:
    """The same with None for NaN, which JSON cannot hold."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
