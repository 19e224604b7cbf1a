"""``duologue corpus``: make, inspect and export the motion that the models are trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

app = typer.Typer(help="Make and inspect the corpus of two-person motion.", no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", help="Folder to write to.")]
Corpus = Annotated[Path, typer.Argument(help="Folder of a corpus.")]


@app.command()
def choreograph(
    out: Out = Path("data/corpus"),
    count: Annotated[Optional[int], typer.Option(min=1, help="How many scenes; 3000 unless --hours are given.")] = None,  # noqa: UP045
    hours: Annotated[
        float | None, typer.Option(min=0.001, help="Or: how much motion, in whole rounds of the kinds.")
    ] = None,
    kinds: Annotated[Optional[str], typer.Option(help="Kinds that take turns, with commas between; else all.")] = None,  # noqa: UP045
    seed: Annotated[int, typer.Option(help="The same seed gives the same scenes.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Generate captioned scenes of two persons from the CMU takes."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from protocol.errors import DuologueError

    from .choreographer.families import KINDS
    from .choreographer.generate import generate, load_sources
    from .cmu import cmu_folder

    if count is not None and hours is not None:
        raise DuologueError("usage", "--count and --hours cannot both be met.", "Give one of them.")
    chosen = tuple(kinds.split(",")) if kinds else KINDS
    if unknown := [kind for kind in chosen if kind not in KINDS]:
        raise DuologueError("kind_unknown", f"There is no kind {unknown[0]!r}.", f"There are: {', '.join(KINDS)}.")
    count = None if hours else count or 3000
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[made]}"), TimeRemainingColumn())
    with Progress(*columns) as bars:
        reading = bars.add_task("Reading the CMU takes", total=1, made="")
        sources = load_sources(cmu_folder())
        bars.update(reading, completed=1)
        making = bars.add_task("Choreographing", total=count or hours, made="")

        def told(scenes: int, length: float) -> None:
            bars.update(making, completed=scenes if count else length, made=f"{scenes} scenes, {length:.2f} h")

        scenes = generate(sources, out, count, seed, jobs, told, chosen, hours or 0.0)
    typer.echo(f"{len(scenes)} scenes, {sum(scene.frames for scene in scenes) / 30 / 3600:.2f} h, in {out}")


@app.command()
def dialogues(
    corpus: Annotated[Path, typer.Option(help="Folder of the choreographed scenes that are edited.")] = Path(
        "data/corpus"
    ),
    out: Out = Path("data/dialogues"),
    edits: Annotated[int, typer.Option(min=0, help="How many edits, with questions about their scenes.")] = 3000,
    stories: Annotated[int, typer.Option(min=0, help="How many stories of two to four scenes.")] = 300,
    seed: Annotated[int, typer.Option(help="The same seed gives the same dialogues.")] = 0,
    corpus_seed: Annotated[int, typer.Option(help="The seed that the corpus was made with.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    writer_url: Annotated[
        str,
        typer.Option(
            envvar="DUOLOGUE_WRITER_URL",
            help="Base URL of an OpenAI-compatible endpoint that chooses the words; else the grammar does.",
        ),
    ] = "",
    writer_model: Annotated[str, typer.Option(envvar="DUOLOGUE_WRITER_MODEL", help="Its model.")] = "",
) -> None:
    """Make dialogues: edits of scenes, questions about them, and stories. A writer's key is DUOLOGUE_WRITER_KEY."""
    import os

    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from protocol.errors import DuologueError

    from .choreographer.generate import load_sources
    from .cmu import cmu_folder
    from .dialogues.make import Order, make_dialogues
    from .dialogues.writer import Endpoint, Grammar

    if writer_url and not writer_model:
        raise DuologueError("usage", "An endpoint needs a model.", "Name one with --writer-model.")
    key = os.environ.get("DUOLOGUE_WRITER_KEY", "")
    writer = Endpoint(writer_url, writer_model, key) if writer_url else Grammar()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[made]}"), TimeRemainingColumn())
    with Progress(*columns) as bars:
        reading = bars.add_task("Reading the CMU takes", total=1, made="")
        sources = load_sources(cmu_folder())
        bars.update(reading, completed=1)
        making = bars.add_task("Making dialogues", total=edits + stories, made="")

        def told(changed: int, stories: int) -> None:
            bars.update(making, completed=changed + stories, made=f"{changed} edits, {stories} stories")

        order = Order(corpus, corpus_seed, out, edits, stories, seed, jobs)
        report = make_dialogues(sources, order, writer, told)
    for reason, count in report.given_up.items():
        typer.echo(f"{count} given up: {reason}")
    if report.refused:
        typer.echo(f"{report.refused} times the endpoint's words were no JSON or untrue; the grammar's stand for them")
    typer.echo(f"{report.dialogues} dialogues with {report.edits} edits and {report.stories} stories, in {out}")


@app.command()
def cmu(out: Annotated[Optional[Path], typer.Option("--out", help="Write each take as an NPZ here.")] = None) -> None:  # noqa: UP045
    """List the real takes, and write them as NPZ files if a folder is given."""
    from rich.progress import track

    from ..export import write_npz
    from .cmu import cmu_folder, load_takes

    takes = load_takes(cmu_folder())
    for take in takes:
        persons = "two persons" if take.motion.persons == 2 else "one person"
        typer.echo(f"{take.name:12} {take.split:10} {take.motion.seconds:6.1f} s  {persons:11}  {take.description}")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for take in track(takes, "Writing"):
            write_npz(take.motion, out / f"{take.name}.npz")
        typer.echo(f"{len(takes)} takes in {out}")


@app.command()
def preview(
    folder: Corpus,
    out: Annotated[Path, typer.Option("--out", help="PNG to write.")] = Path("preview.png"),
    kind: Annotated[Optional[str], typer.Option(help="Only scenes of this kind; else one of each kind.")] = None,  # noqa: UP045
    family: Annotated[Optional[str], typer.Option(help="Or: one scene of each kind of this family.")] = None,  # noqa: UP045
    rows: Annotated[int, typer.Option(min=1, help="Scenes on the sheet when one kind is asked for.")] = 8,
) -> None:
    """Draw a contact sheet of scenes."""
    from protocol.errors import DuologueError

    from .choreographer.families import FAMILIES, KINDS
    from .preview import contact_sheet
    from .scene import read_scene_motion, read_scenes

    scenes = read_scenes(folder)
    if family is not None and family not in FAMILIES:
        raise DuologueError("family_unknown", f"There is no family {family!r}.", f"There are: {', '.join(FAMILIES)}.")
    if kind is None:
        wanted = FAMILIES[family] if family else KINDS
        firsts = {scene.kind: scene for scene in reversed(scenes)}
        chosen = [firsts[name] for name in wanted if name in firsts]
    else:
        chosen = [scene for scene in scenes if scene.kind == kind][:rows]
    if not chosen:
        kinds = ", ".join(sorted({scene.kind for scene in scenes}))
        raise DuologueError("kind_unknown", f"{folder} holds no scene of the kind {kind!r}.", f"It holds: {kinds}.")
    contact_sheet([(f"{scene.id}: {scene.captions[0]}", read_scene_motion(folder, scene)) for scene in chosen], out)
    typer.echo(out)


@app.command()
def stats(
    folder: Corpus,
    sample: Annotated[int, typer.Option(min=0, help="How many scenes of each kind to measure.")] = 3,
) -> None:
    """Count the scenes and hours of a corpus by family, kind and split, and measure how clean its motion is."""
    from rich.console import Console
    from rich.table import Table

    from ..evaluate.physics import physics
    from .choreographer.families import FAMILIES
    from .scene import SPLITS, read_scenes
    from .stats import kind_stats

    found = kind_stats(folder, read_scenes(folder), sample, lambda motion: physics([motion])["penetration_cm"])
    table = Table(
        "family", "kind", *SPLITS, "hours", "shortest", "longest", "captions", "skate m/s", "contact cm", "inside cm"
    )
    for family in FAMILIES:
        for one in (one for one in found if one.family == family):
            measured = (f"{one.skate:.3f}", f"{one.contact:.1f}", f"{one.penetration:.1f}")
            measured = tuple("–" if figure == "nan" else figure for figure in measured)
            figures = (f"{one.hours:.2f}", f"{one.shortest:.1f}", f"{one.longest:.1f}", str(one.captions), *measured)
            table.add_row(family, one.name, *(str(one.scenes[split]) for split in SPLITS), *figures)
        members = [one for one in found if one.family == family]
        if members:
            counts = (str(sum(one.scenes[split] for one in members)) for split in SPLITS)
            table.add_row(
                family, f"all {len(members)}", *counts, f"{sum(one.hours for one in members):.2f}", end_section=True
            )
    counts = (str(sum(one.scenes[split] for one in found)) for split in SPLITS)
    table.add_row("all", str(len(found)), *counts, f"{sum(one.hours for one in found):.2f}")
    Console(width=150).print(table)


@app.command()
def check(
    folder: Corpus,
    sample: Annotated[int, typer.Option(min=1, help="How many scenes of each kind to measure.")] = 10,
) -> None:
    """Measure choreographed scenes: the mean skate of each kind, and the worst of everything else."""
    from dataclasses import fields

    from rich.console import Console
    from rich.table import Table

    from .choreographer.quality import Measures, measure, resting
    from .scene import read_scene_motion, read_scenes

    scenes = [scene for scene in read_scenes(folder) if scene.source == "choreographed"]
    worst = {"skate": lambda values: sum(values) / len(values), "apart": min, "lowest": min}
    table = Table("kind", *(field.name for field in fields(Measures)))
    for kind in dict.fromkeys(scene.kind for scene in scenes):
        measured = []
        for scene in [scene for scene in scenes if scene.kind == kind][:sample]:
            motion = read_scene_motion(folder, scene)
            measured.append(measure(motion, scene.contacts, resting(motion)))
        columns = {field.name: [getattr(one, field.name) for one in measured] for field in fields(Measures)}
        table.add_row(kind, *(f"{worst.get(name, max)(values):.3f}" for name, values in columns.items()))
    Console().print(table)
