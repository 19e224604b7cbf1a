"""A training run: a folder with its recipe, log, loss curves and a checkpoint from which it goes on exactly.

Everything random in a step is drawn from the seed and the step's number, so a resumed run repeats what an unbroken one
would have done.
"""

from __future__ import annotations

import dataclasses
import json
import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from protocol.errors import DuologueError

_LOG_EVERY = 20
_SAVE_SECONDS = 120.0


class Interrupted(Exception):  # noqa: N818 (no error: it ends a run as asked)
    """The run was stopped by Ctrl-C after its state was saved."""


def pick_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 on a GPU; on CPUs float32 is faster."""
    return torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()


def warmup_cosine(step: int, steps: int, warmup: int) -> float:
    """Learning-rate factor: linear from 0 to 1 over ``warmup`` steps, then half a cosine down to 2 %."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def cosine_with_restarts(step: int, cycles: Sequence[int], warmup: int) -> float:
    """Learning-rate factor of `warmup_cosine` begun anew in every cycle (SGDR, arXiv 1608.03983).

    Args:
        step: number of the step, from the beginning of the first cycle.
        cycles: steps of each cycle.
        warmup: steps to the peak, in every cycle.
    """
    for length in cycles:
        if step < length:
            return warmup_cosine(step, length, warmup)
        step -= length
    raise ValueError(f"step {step} comes after the last cycle")


def step_seed(seed: int, step: int) -> int:
    """The seed of everything random in one step."""
    return (seed * 1_000_003 + step) % 2**63


class Run:
    """The folder of one training run.

    Args:
        folder: made if need be.
        recipe: the frozen dataclass that the run follows; written to ``recipe.json``.
        resume: go on from the folder's checkpoint.

    Raises:
        DuologueError: ``run_exists`` if there is a checkpoint and ``resume`` is off, ``run_missing`` if there is none
            and it is on, ``recipe_changed`` if the recipe is not the one the run began with.
    """

    def __init__(self, folder: Path, recipe: Any, resume: bool) -> None:
        self.folder = folder
        self.checkpoint = folder / "checkpoint.pt"
        self._log = folder / "log.jsonl"
        recipe_file = folder / "recipe.json"
        text = json.dumps(dataclasses.asdict(recipe), indent=2) + "\n"
        if resume and not self.checkpoint.is_file():
            raise DuologueError("run_missing", f"{folder} holds no run to resume.", "Start it without --resume.")
        if not resume and self.checkpoint.is_file():
            raise DuologueError(
                "run_exists",
                f"{folder} already holds a run.",
                "Add --resume to go on with it, or choose another --out.",
            )
        if resume and recipe_file.read_text(encoding="utf-8") != text:
            raise DuologueError(
                "recipe_changed",
                f"The recipe is not the one that the run in {folder} began with.",
                "Restore the recipe, or start a new run in another folder.",
            )
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(recipe_file, text.encode())
        if not resume:
            self._log.unlink(missing_ok=True)
        self.resume = resume

    def log(self, step: int, **values: float) -> None:
        """Append one line of figures to ``log.jsonl``."""
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")

    def read_log(self) -> list[dict[str, float]]:
        """All lines logged so far."""
        if not self._log.is_file():
            return []
        return [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]

    def save(self, step: int, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write the state after ``step`` steps, so that a crash while writing loses nothing, and the loss curves."""
        state = {"step": step, "model": model.state_dict(), "optimizer": optimizer.state_dict()}
        waiting = self.checkpoint.with_suffix(".part")
        torch.save(state, waiting)
        waiting.replace(self.checkpoint)
        draw_curves(self.read_log(), self.folder / "losses.png")

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
        """Load the state last saved; returns the number of steps already done, 0 for a new run."""
        if not self.resume:
            return 0
        try:
            state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
        except Exception as error:  # whatever a damaged file makes torch raise
            raise DuologueError(
                "run_damaged", f"{self.checkpoint} cannot be read: {error}.", "Start a new run in another folder."
            ) from error
        kept = [line for line in self.read_log() if line["step"] < state["step"]]
        write_atomically(self._log, "".join(json.dumps(line) + "\n" for line in kept).encode())
        return state["step"]


def fit(
    run: Run,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    losses: Callable[[int], dict[str, Tensor]],
    *,
    cycles: Sequence[int],
    warmup: int,
    seed: int,
    clip: float = 1.0,
) -> None:
    """Train: sum the terms that ``losses(step)`` returns, step down their gradient, log, save, show progress.

    The learning rates of the optimizer's groups are taken as peaks of `cosine_with_restarts` over ``cycles``, each in
    steps.

    Raises:
        Interrupted: on Ctrl-C, after the state was saved.
        DuologueError: ``training_diverged`` if the loss is not finite.
    """
    steps = sum(cycles)
    peaks = [group["lr"] for group in optimizer.param_groups]
    first = run.restore(model, optimizer)
    model.train()
    started = saved = time.monotonic()
    with _progress() as progress, _stopping_at_interrupt() as stop:
        bar = progress.add_task("training", total=steps, completed=first, figures="")
        for step in range(first, steps):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * cosine_with_restarts(step, cycles, warmup)
            torch.manual_seed(step_seed(seed, step))
            terms = losses(step)
            total = torch.stack([term.float() for term in terms.values()]).sum()
            if not torch.isfinite(total):
                raise DuologueError(
                    "training_diverged", f"The loss is not finite at step {step}.", "Lower the recipe's learning rate."
                )
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            if step % _LOG_EVERY == 0 or step == steps - 1:
                rate = (step - first + 1) / (time.monotonic() - started)
                figures = {name: term.item() for name, term in terms.items()}
                run.log(step, loss=total.item(), rate=rate, **figures)
                progress.update(bar, figures=f"loss {total.item():.4f}  {rate:.2f} steps/s")
            progress.update(bar, completed=step + 1)
            if stop() or step == steps - 1 or time.monotonic() - saved > _SAVE_SECONDS:
                run.save(step + 1, model, optimizer)
                saved = time.monotonic()
            if stop():
                raise Interrupted
    if first >= steps:
        run.save(first, model, optimizer)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    waiting = path.with_name(path.name + ".part")
    waiting.write_bytes(content)
    waiting.replace(path)


def draw_curves(log: list[dict[str, float]], path: Path) -> None:
    """Draw every logged figure but the rate over the steps, logarithmically, into a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="step", yscale="log")
    for name in [key for key in (log[-1] if log else {}) if key not in ("step", "rate")]:
        points = [(line["step"], line[name]) for line in log if line.get(name, 0) > 0]
        if points:
            axes.plot(*zip(*points, strict=True), label=name)
    if axes.lines:
        axes.legend()
    figure.savefig(path, dpi=110)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        refresh_per_second=2,
    )


@contextmanager
def _stopping_at_interrupt() -> Iterator[Callable[[], bool]]:
    """Within it, Ctrl-C only makes the function given come true; a second one stops at once."""
    pressed = False

    def note(_number: int, _frame: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
