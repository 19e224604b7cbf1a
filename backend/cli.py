"""The ``duologue`` command."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from . import __version__, threads  # noqa: F401  (threads: sets how they wait, before anything brings torch in)
from .console import Commands
from .places import find_checkpoint
from .task_commands import Checkpoint, Device, ask, complete, describe, edit, generate, load, react, story

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
    serve_until_stopped(lambda: load(folder, device), config)


for _task in (generate, react, edit, complete, story, describe, ask):
    app.command()(_task)


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
