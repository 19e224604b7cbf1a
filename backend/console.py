"""What commands share: errors as a sentence, results as text or JSON, progress bars on stderr."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from protocol.errors import DuologueError


class Commands(TyperGroup):
    """A group of commands that ends every `DuologueError` as one sentence with its next step, and exit code 1.

    With ``--json`` anywhere on the command line the error is ``{"error": {"code", "message", "hint"}}`` on stdout.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Note whether JSON is wanted, then parse."""
        ctx.obj = {"json": "--json" in args}
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except DuologueError as error:
            problem = error
        except ModuleNotFoundError as error:
            if not error.name or error.name.partition(".")[0] in ("backend", "protocol"):
                raise
            message = f"This command needs the package {error.name}, which is not installed."
            problem = DuologueError("package_missing", message, "Run `pip install 'duologue[train,evaluation]'`.")
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            message = f"{error.filename or 'A file'}: {error.strerror or error}."
            problem = DuologueError("file", message, "Check the path, its permissions and the free space.")
        _print_error(problem, ctx.obj["json"])
        raise typer.Exit(1)


def _print_error(error: DuologueError, as_json: bool) -> None:
    if as_json:
        print_json({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
    else:
        typer.echo(f"Error: {error.message} {error.hint}".rstrip(), err=True)


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on stdout."""
    typer.echo(json.dumps(value, indent=1))


@contextmanager
def progress_bar(stage: str) -> Iterator[Callable[[float | None, str], None]]:
    """A bar on stderr, gone when done; yields ``show(fraction, stage)``. None as the fraction: nobody knows.

    Without a terminal nothing is drawn.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(stage, total=None)

        def show(fraction: float | None, stage: str) -> None:
            total = None if fraction is None else 1.0
            progress.update(task, description=stage, total=total, completed=fraction or 0.0)

        yield show
