"""The commands of the tasks: files and words in, files and words out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import __version__
from .console import print_json, progress_bar
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


def generate(
    prompt: Annotated[str, typer.Argument(help="What the two do.")],
    out: Out,
    seconds: Annotated[float, typer.Option(help="Duration, 1 to 10.")] = 4.0,
    seed: Seed = 0,
    samples: Samples = 1,
    guidance: Annotated[
        float, typer.Option(help="How strictly the sentence is followed, 0 to 4; 1 suits the model.")
    ] = 1.0,
    checkpoint: Checkpoint = None,
    device: Device = None,
    json: AsJson = False,
) -> None:
    """Make the motion of two persons from a sentence."""
    files = targets(out, samples)
    folder = find_checkpoint(checkpoint)

    def made(engine: Engine, number: int) -> Iterator[MotionPiece]:
        return engine.generate(prompt, seconds, seed + number, guidance=guidance)

    _make(files, folder, device, made, json=json)


def react(
    motion: Annotated[Path, typer.Argument(help="Motion of one person: .bvh or .npz.")],
    out: Out,
    prompt: Annotated[str, typer.Option(help="What the partner does.")] = "",
    scale: Annotated[float, typer.Option(help="The partner's size, in bodies of usual size.")] = 1.0,
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

    def made(engine: Engine, number: int) -> Iterator[MotionPiece]:
        return engine.react(given, prompt, seed + number, scale=scale)

    _make(files, folder, device, made, given, json=json)


def edit(
    files: Annotated[list[Path], typer.Argument(help="Motion of a pair: an .npz, or one .bvh a person.")],
    instruction: Annotated[str, typer.Option("--change", help='What to change: "slower", "with the left hand" ...')],
    out: Out,
    seed: Seed = 0,
    samples: Samples = 1,
    checkpoint: Checkpoint = None,
    device: Device = None,
    json: AsJson = False,
) -> None:
    """Change the motion of a pair by words."""
    from .export import read_motion

    written = targets(out, samples)
    folder, given = find_checkpoint(checkpoint), read_motion(files)
    _make(written, folder, device, lambda engine, number: engine.edit(given, instruction, seed + number), json=json)


def complete(
    files: Annotated[list[Path], typer.Argument(help="Motion of a pair: an .npz, or one .bvh a person.")],
    gap: Annotated[tuple[float, float], typer.Option(help="From and to, seconds; from the end on to continue.")],
    out: Out,
    prompt: Annotated[str, typer.Option(help="What they do there.")] = "",
    seed: Seed = 0,
    samples: Samples = 1,
    checkpoint: Checkpoint = None,
    device: Device = None,
    json: AsJson = False,
) -> None:
    """Make a stretch of a pair's motion anew, or continue it; what is made is written."""
    from .export import read_motion

    written = targets(out, samples)
    folder, given = find_checkpoint(checkpoint), read_motion(files)
    frames = (round(gap[0] * given.fps), round(gap[1] * given.fps))
    _make(
        written,
        folder,
        device,
        lambda engine, number: engine.complete(given, frames, prompt, seed + number),
        json=json,
    )


def story(
    prompts: Annotated[list[str], typer.Argument(help="What the two do, scene after scene.")],
    out: Out,
    seconds: Annotated[float, typer.Option(help="Duration of the whole, 1 to 10 a scene.")] = 12.0,
    seed: Seed = 0,
    samples: Samples = 1,
    checkpoint: Checkpoint = None,
    device: Device = None,
    json: AsJson = False,
) -> None:
    """Make scenes that follow one another."""
    files = targets(out, samples)
    folder = find_checkpoint(checkpoint)
    _make(files, folder, device, lambda engine, number: engine.story(prompts, seconds, seed + number), json=json)


def describe(
    files: Annotated[list[Path], typer.Argument(help="An .npz, or one .bvh a person.")],
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
    device: Device = None,
    json: AsJson = False,
) -> None:
    """Say what one or two persons do."""
    _say(files, "caption", checkpoint, device, lambda engine, motion: engine.describe(motion, seed=seed), json=json)


def ask(
    files: Annotated[list[Path], typer.Argument(help="An .npz, or one .bvh a person.")],
    question: Annotated[str, typer.Option(help='"Who leads?", "What happens next?" ...')],
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
    device: Device = None,
    json: AsJson = False,
) -> None:
    """Answer a question about what one or two persons do."""
    _say(files, "answer", checkpoint, device, lambda engine, motion: engine.ask(motion, question, seed=seed), json=json)


def load(folder: Path, device: str | None) -> Engine:
    """The engine of a checkpoint folder."""
    from .engine import Engine

    return Engine.load(folder, device)


def _made_with(engine: Engine) -> dict[str, Any]:
    return {"checkpoint": engine.name, "device": engine.device, "version": __version__}


def _say(
    files: list[Path],
    what: str,
    checkpoint: str | None,
    device: str | None,
    words: Callable[[Engine, Motion], Iterator[str]],
    *,
    json: bool,
) -> None:
    """Say something about the motion in some files, and under ``what`` in JSON."""
    from .export import read_motion

    folder = find_checkpoint(checkpoint)
    motion = read_motion(files)
    with progress_bar(LOADING) as show:
        engine = load(folder, device)
        show(None, "Looking")
        start = time.perf_counter()
        text = "".join(words(engine, motion)).strip()
        compute_seconds = time.perf_counter() - start
    if json:
        print_json({what: text, "compute_seconds": compute_seconds, **_made_with(engine)})
    else:
        typer.echo(text)


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

    from .making import kept

    motions = []
    with progress_bar(LOADING) as show:
        engine = load(folder, device)
        start = time.perf_counter()
        for number in range(len(files)):
            parts = []
            for piece in pieces(engine, number):
                parts.append(piece)
                show((number + (piece.start + piece.motion.frames) / piece.total) / len(files), "Generating")
            motions.append(joined_in_time([piece.motion for piece in kept(parts)]))
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
