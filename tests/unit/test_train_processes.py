"""Two processes that train together learn what one does that takes two batches a step."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import multiprocessing

from backend.train import run as training
from backend.train.run import Run, fit


@dataclass(frozen=True)
class Settings:
    steps: int


def train(folder: Path, accumulate: int) -> torch.Tensor:
    """Fit a line to ten batches; half of the model takes no part, as words take none in a batch of motion."""
    torch.manual_seed(1)
    used, unused = torch.nn.Linear(4, 1), torch.nn.Linear(4, 1)
    model = torch.nn.ModuleList([used, unused])

    def losses(batch: int) -> dict[str, torch.Tensor]:
        x = torch.randn(16, 4)
        return {"fit": (used(x) - x.sum(-1, keepdim=True)).square().mean() + batch}

    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    fit(
        Run(folder, Settings(10), False), model, optimizer, losses, cycles=[10], warmup=2, seed=0, accumulate=accumulate
    )
    return used.weight.detach()


def one_of_two(rank: int, folder: Path, port: int) -> None:
    """What each of the processes runs that a launcher starts."""
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }
    training.draw_curves = lambda _log, _path: None
    torch.save(train(folder / "run", 1), folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_learn_what_one_does_with_two_batches_a_step(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(one_of_two, (tmp_path, port), nprocs=2)  # type: ignore[no-untyped-call]
    alone = train(tmp_path / "alone", 2)
    for rank in range(2):
        assert torch.allclose(torch.load(tmp_path / f"{rank}.pt", weights_only=True), alone, atol=1e-6)
    log = Run(tmp_path / "run", Settings(10), True).read_log()
    assert [entry["step"] for entry in log] == [0, 8]  # written by the first process alone
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 10
