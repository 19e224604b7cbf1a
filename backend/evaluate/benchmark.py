"""How fast a checkpoint is: two-person motion a second, first frames, cancelling, loading, and a flattened baseline."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from protocol.motion import Motion, joined_in_time

from ..engine import STORY, Cancelled, Engine
from ..language.config import LanguageConfig
from ..language.model import CONFIG_FILE
from ..making import kept
from ..tokenizer.config import STRIDE
from ..tokenizer.stream import FPS

PROMPTS = (
    "two people shake hands",
    "two people walk side by side",
    "one person pushes the other",
    "two people hug each other",
    "one person bows to the other",
)
_CANCEL_AFTER = (0.1, 0.25, 0.4, 0.6, 0.8, 1.0)
_BASELINE_TOKENS = 180
_STORY_SECONDS, _SCENE_SECONDS = 60.0, 5.0


def benchmark_engine(
    engine: Engine, seconds: float, repeats: int, show: Callable[[float, str], None]
) -> dict[str, Any]:
    """Speed of a loaded engine on this machine, idle and beside a busy process.

    Args:
        engine: a loaded checkpoint.
        seconds: length of the motion made.
        repeats: motions made for each figure; medians are reported.
        show: told how far it is.

    Returns:
        ``threads``, ``seconds``; ``idle`` and ``busy``, each with ``realtime_factor`` (seconds of two-person motion a
        second, until the first attempt is whole), ``kept_factor`` (until the attempt that is kept is there, over all
        prompts) and ``first_piece_s`` (from the call to the first finished frames); ``cancel_s``: median and largest
        time from cancelling until the engine is free, idle and busy; ``story_slowdown``: how many times as long as
        after its first scene a story takes to go on at its end, after a minute.
    """
    figures: dict[str, Any] = {"threads": torch.get_num_threads(), "seconds": seconds}
    show(0.1, "Generating")
    figures["idle"] = _speed(engine, seconds, repeats)
    show(0.4, "Generating beside a busy process")
    with busy_neighbour():
        figures["busy"] = _speed(engine, seconds, repeats)
        busy = _cancel_latencies(engine, seconds)
    show(0.8, "Cancelling")
    idle = _cancel_latencies(engine, seconds)
    figures["cancel_s"] = {"median": statistics.median(idle + busy), "largest": max(idle + busy)}
    if STORY in engine.tasks:
        show(0.9, "Going on with a story")
        figures["story_slowdown"] = _story_slowdown(engine, repeats)
    return figures


def _speed(engine: Engine, seconds: float, repeats: int) -> dict[str, float]:
    factors, firsts, whole = [], [], 0.0
    for seed in range(repeats):
        start = time.perf_counter()
        came = []
        for piece in engine.generate(PROMPTS[seed % len(PROMPTS)], seconds, seed):
            now = time.perf_counter() - start
            came.append(now)
            if piece.ends and len(factors) == seed:
                factors.append(seconds / now)
        firsts.append(came[0])
        whole += time.perf_counter() - start
    return {
        "realtime_factor": statistics.median(factors),
        "kept_factor": repeats * seconds / whole,
        "first_piece_s": statistics.median(firsts),
    }


def _story_slowdown(engine: Engine, repeats: int) -> float:
    first = joined_in_time([piece.motion for piece in kept(engine.generate(PROMPTS[0], _SCENE_SECONDS))])
    almost = joined_in_time([first] * round(_STORY_SECONDS / _SCENE_SECONDS - 1))

    def taken(before: Motion, seed: int) -> float:
        start = time.perf_counter()
        next(piece for piece in engine.story([PROMPTS[0]], _SCENE_SECONDS, seed, motion=before) if piece.ends)
        return time.perf_counter() - start

    times = [(taken(first, seed), taken(almost, seed)) for seed in range(repeats)]
    soon, late = (statistics.median(each) for each in zip(*times, strict=True))
    return late / soon


def _cancel_latencies(engine: Engine, seconds: float) -> list[float]:
    found = []
    for after in _CANCEL_AFTER:
        when = time.perf_counter() + after
        try:
            for _ in engine.generate(PROMPTS[0], seconds, cancelled=lambda when=when: time.perf_counter() >= when):
                pass
        except Cancelled:
            found.append(time.perf_counter() - when)
    return found or [0.0]


@contextmanager
def busy_neighbour() -> Iterator[None]:
    """Another process that keeps one core busy, as Blender does."""
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.3)
        yield
    finally:
        neighbour.kill()
        neighbour.wait()


def import_seconds() -> float:
    """How long a fresh Python takes to import the engine, torch and transformers included."""
    code = "import time; start = time.perf_counter(); import backend.engine; print(time.perf_counter() - start)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    return float(done.stdout)


def flattened_factor(folder: Path) -> float:
    """Seconds of two-person motion a second if codes were flattened into the vocabulary, one step for each code.

    A Llama of the checkpoint's own size with random weights, driven by Hugging Face ``generate`` with sampling, as
    models in the manner of T2M-GPT are; without guidance, and without the time for decoding the codes.
    """
    from .flattened import flattened_llama

    config = LanguageConfig.from_json(json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8")))
    model = flattened_llama(config, config.codes * config.levels).eval()
    start = time.perf_counter()
    with torch.inference_mode():
        prompt = torch.ones(1, 16, dtype=torch.long)
        model.generate(prompt, max_new_tokens=_BASELINE_TOKENS, do_sample=True, top_p=0.9)  # type: ignore[operator]
    tokens_a_second = _BASELINE_TOKENS / (time.perf_counter() - start)
    return tokens_a_second / (FPS / STRIDE * 2 * config.levels)
