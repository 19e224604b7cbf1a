"""The ``duologue`` command."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import __version__, threads  # noqa: F401  (threads: sets how they wait, before anything brings torch in)
from .console import Commands, print_json, progress_bar
from .output import targets, write_motion
from .places import find_checkpoint

if TYPE_CHECKING:
    from protocol.motion import Motion

    from .engine import Engine, MotionPiece

Checkpoint = Annotated[
    str | None,
    typer.Option(help="Name or folder of the checkpoint. (env DUOLOGUE_CHECKPOINT; default duologue-small)"),
]
Device = Annotated[str | None, typer.Option(help="cpu or cuda. (default: the GPU if there is one)")]
Out = Annotated[Path, typer.Option("--out", "-o", help="File to write: .npz, or .bvh for one file a person.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same result.")]
Samples = Annotated[int, typer.Option(help="Variations to make, 1 to 8; each gets its own file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

LOADING = "Loading the model"

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Makes, understands and edits the motion of two interacting characters with language.",
)

ROOMS = {
    "corpus": ("corpus.commands:app", "Make and look at training data."),
    "train": ("train.commands:app", "Train a tokenizer or a language model."),
    "evaluate": ("evaluate.commands:evaluate", "Judge a checkpoint on held-out data."),
    "benchmark": ("evaluate.commands:benchmark", "Measure the speed of a checkpoint."),
}
"""Commands of other rooms, imported only when they are called: where they are, and what they do."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def duologue(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Options that stand before any command."""


@app.command()
def serve(
    checkpoint: Checkpoint = None,
    device: Device = None,
    connection: Annotated[
        Path | None, typer.Option(help="Connection file to write. (env DUOLOGUE_CONNECTION; default: the user's own)")
    ] = None,
    address: Annotated[
        str, typer.Option(help="Where to listen, tcp://HOST[:PORT]; encrypted if not on loopback.")
    ] = "tcp://127.0.0.1",
    parent_pid: Annotated[int | None, typer.Option(help="End when the process with this id does.")] = None,
) -> None:
    """Run the backend for Blender."""
    from protocol.connection import default_path

    from .serve.process import serve as serve_until_stopped
    from .serve.server import ServerConfig

    folder = find_checkpoint(checkpoint)
    config = ServerConfig(folder.name, connection or default_path(), address, parent_pid)
    serve_until_stopped(lambda: _load(folder, device), config)


@app.command()
def generate(
    prompt: Annotated[str, typer.Argument(help="What the two do.")],
    out: Out,
    seconds: Annotated[float, typer.Option(help="Duration, 1 to 10.")] = 4.0,
    seed: Seed = 0,
    samples: Samples = 1,
    checkpoint: Checkpoint = None,
    device: Device = None,
    json: AsJson = False,
) -> None:
    """Make the motion of two persons from a sentence."""
    files = targets(out, samples)
    folder = find_checkpoint(checkpoint)
    _make(files, folder, device, lambda engine, number: engine.generate(prompt, seconds, seed + number), json=json)


@app.command()
def react(
    motion: Annotated[Path, typer.Argument(help="Motion of one person: .bvh or .npz.")],
    out: Out,
    prompt: Annotated[str, typer.Option(help="What the partner does.")] = "",
    seed: Seed = 0,
    samples: Samples = 1,
    checkpoint: Checkpoint = None,
    device: Device = None,
    json: AsJson = False,
) -> None:
    """Make a partner for a person's motion; both are written."""
    from .export import read_motion

    files = targets(out, samples)
    folder = find_checkpoint(checkpoint)
    given = read_motion(motion)
    _make(files, folder, device, lambda engine, number: engine.react(given, prompt, seed + number), given, json=json)


@app.command()
def describe(
    files: Annotated[list[Path], typer.Argument(help="An .npz, or one .bvh a person.")],
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
    device: Device = None,
    json: AsJson = False,
) -> None:
    """Say what one or two persons do."""
    from .export import read_motion

    folder = find_checkpoint(checkpoint)
    motion = read_motion(files)
    with progress_bar(LOADING) as show:
        engine = _load(folder, device)
        show(None, "Describing")
        start = time.perf_counter()
        caption = "".join(engine.describe(motion, seed=seed)).strip()
        compute_seconds = time.perf_counter() - start
    if json:
        print_json({"caption": caption, "compute_seconds": compute_seconds, **_made_with(engine)})
    else:
        typer.echo(caption)


def _load(folder: Path, device: str | None) -> Engine:
    from .engine import Engine

    return Engine.load(folder, device)


def _made_with(engine: Engine) -> dict[str, Any]:
    return {"checkpoint": engine.name, "device": engine.device, "version": __version__}


def _make(
    files: list[Path],
    folder: Path,
    device: str | None,
    pieces: Callable[[Engine, int], Iterator[MotionPiece]],
    partner_of: Motion | None = None,
    *,
    json: bool,
) -> None:
    """Make one motion for each file, write them once all are made, and say so."""
    from protocol.motion import joined_as_persons, joined_in_time

    motions = []
    with progress_bar(LOADING) as show:
        engine = _load(folder, device)
        start = time.perf_counter()
        for number in range(len(files)):
            parts = []
            for piece in pieces(engine, number):
                parts.append(piece.motion)
                show((number + (piece.start + piece.motion.frames) / piece.total) / len(files), "Generating")
            motions.append(joined_in_time(parts))
        compute_seconds = time.perf_counter() - start
    seconds = sum(motion.seconds for motion in motions)
    if partner_of is not None:
        motions = [joined_as_persons([partner_of.resampled(motion.fps), motion]) for motion in motions]
    written = [str(path) for motion, file in zip(motions, files, strict=True) for path in write_motion(motion, file)]
    if json:
        speed = {"seconds": seconds, "compute_seconds": compute_seconds, "realtime_factor": seconds / compute_seconds}
        print_json({"files": written, **speed, **_made_with(engine)})
    else:
        typer.echo("\n".join(written))


def _mount(name: str, place: str, help: str) -> None:
    @app.command(
        name,
        help=help,
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def run_room(ctx: typer.Context) -> None:
        module, _, attribute = place.partition(":")
        room = getattr(importlib.import_module(f".{module}", __package__), attribute)
        if isinstance(room, typer.Typer):
            command = typer.main.get_group(room)
        else:
            alone = typer.Typer(add_completion=False)
            alone.command()(room)
            command = typer.main.get_command(alone)
        status = command.main(args=ctx.args, prog_name=ctx.command_path, standalone_mode=False)
        if isinstance(status, int) and status:
            raise typer.Exit(status)


for _name, (_place, _help) in ROOMS.items():
    _mount(_name, _place, _help)


def main() -> None:
    """Entry point of the ``duologue`` script."""
    app(prog_name="duologue")
