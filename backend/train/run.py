"""A training run: a folder with its recipe, log, loss curves and a checkpoint from which it goes on exactly.

Everything random in a step is drawn from the seed and the step's number, so a resumed run repeats what an unbroken one
would have done.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from protocol.errors import DuologueError

from ..weights import load_own_state, own_state
from . import processes
from .schedule import cosine_with_restarts
from .trouble import diverged, memory_explained, unsaved

CHECKPOINT_FILE = "checkpoint.pt"
_LOG_EVERY = 20
_SAVE_SECONDS = 120.0


class Interrupted(Exception):  # noqa: N818 (no error: it ends a run as asked)
    """The run was stopped by Ctrl-C, or by whoever runs the machine, after its state was saved."""


def pick_device() -> torch.device:
    """The GPU if there is one, else the CPU; of many processes each has a GPU of its own."""
    return processes.accelerator().device


def autocast(device: torch.device, on_cpu: bool = False) -> AbstractContextManager[Any]:
    """bfloat16 on a GPU, and on a CPU where that is asked for: on most of them float32 is faster."""
    return torch.autocast(device.type, torch.bfloat16) if device.type == "cuda" or on_cpu else nullcontext()


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
        self.checkpoint = folder / CHECKPOINT_FILE
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
        self.resume = resume
        if processes.is_main():
            write_atomically(recipe_file, text.encode())
            if not resume:
                self._log.unlink(missing_ok=True)

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
        """Write the state after ``step`` steps, so that a crash while writing loses nothing, and the loss curves.

        Raises:
            OSError, RuntimeError: if the disk does not take it; what was saved before is whole.
        """
        state = {"step": step, "model": own_state(model), "optimizer": optimizer.state_dict()}
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
            load_own_state(model, state["model"])
            optimizer.load_state_dict(state["optimizer"])
        except Exception as error:  # whatever a damaged file makes torch raise
            raise DuologueError(
                "run_damaged", f"{self.checkpoint} cannot be read: {error}.", "Start a new run in another folder."
            ) from error
        if processes.is_main():
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
    accumulate: int = 1,
) -> None:
    """Train: sum the terms that ``losses(batch)`` returns, step down their gradient, log, save, show progress.

    Batches are numbered, and steps are counted in batches. The learning rates of the optimizer's groups are taken as
    peaks of `cosine_with_restarts` over ``cycles``. ``accumulate`` consecutive batches make one step of the optimizer,
    down the mean of their gradients; of many processes each takes that many, and logged losses are the first one's.

    Raises:
        Interrupted: on Ctrl-C, after the state was saved.
        DuologueError: ``training_diverged`` if the loss or its gradient is not finite, ``out_of_memory``, or
            ``run_not_saved``.
    """
    everyone = processes.accelerator()
    batches, together = sum(cycles), accumulate * everyone.num_processes
    peaks = [group["lr"] for group in optimizer.param_groups]
    first = kept = run.restore(model, optimizer)
    objective, stepper = everyone.prepare(_Objective(model, losses), optimizer)
    model.train()
    started = saved = time.monotonic()
    with _progress(everyone) as progress, _stopping_when_told() as told:
        bar = progress.add_task("training", total=batches, completed=first, figures="")
        for step in range(first, batches - together + 1, together):
            last = step + 2 * together > batches
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * cosine_with_restarts(step, cycles, warmup)
            optimizer.zero_grad(set_to_none=True)
            begin = step + everyone.process_index * accumulate
            with memory_explained(step, kept, run.folder):
                found = []
                for batch in range(begin, begin + accumulate):
                    torch.manual_seed(step_seed(seed, batch))
                    with everyone.no_sync(objective) if batch < begin + accumulate - 1 else nullcontext():
                        terms = objective(batch)
                        total = torch.stack([term.float() for term in terms.values()]).sum()
                        if not torch.isfinite(total):
                            raise diverged(step, "loss", kept, run.folder)
                        everyone.backward(total / accumulate)
                    found.append({"loss": total, **terms})
                size = everyone.clip_grad_norm_(model.parameters(), clip)
                if everyone.scaler is None and size is not None and not torch.isfinite(size):
                    raise diverged(step, "gradient", kept, run.folder)
                stepper.step()
            if everyone.is_main_process and (step // together % _LOG_EVERY == 0 or last):
                rate = (step - first + together) / (time.monotonic() - started)
                figures = {name: sum(terms[name].item() for terms in found) / accumulate for name in found[0]}
                loss = figures.pop("loss")
                run.log(step, loss=loss, rate=rate, **figures)
                progress.update(bar, figures=f"loss {loss:.4f}  {rate:.2f} steps/s")
            progress.update(bar, completed=step + together)
            stop = processes.any_of_all(everyone, told())
            if everyone.is_main_process and (stop or last or time.monotonic() - saved > _SAVE_SECONDS):
                try:
                    run.save(step + together, model, optimizer)
                except (OSError, RuntimeError) as error:
                    raise unsaved(step + together, error, kept, run.folder) from error
                kept, saved = step + together, time.monotonic()
            if stop:
                raise Interrupted
    if first + together > batches and everyone.is_main_process:
        run.save(first, model, optimizer)
    everyone.wait_for_everyone()


class _Objective(nn.Module):
    """The loss as a module that holds the model: what wrappers for many GPUs can wrap."""

    def __init__(self, model: nn.Module, losses: Callable[[int], dict[str, Tensor]]) -> None:
        super().__init__()
        self.model, self._losses = model, losses

    def forward(self, batch: int) -> dict[str, Tensor]:
        """The terms of the loss on one batch."""
        return self._losses(batch)


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


def _progress(everyone: Accelerator) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        refresh_per_second=2,
        disable=not everyone.is_main_process,
    )


@contextmanager
def _stopping_when_told() -> Iterator[Callable[[], bool]]:
    """Within it, Ctrl-C and SIGTERM only make the function given come true; a second one stops at once."""
    told = False

    def note(_number: int, _frame: object) -> None:
        nonlocal told
        if told:
            raise KeyboardInterrupt
        told = True

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
