import dataclasses
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.evaluate.reconstruction import reconstruction
from backend.tokenizer.config import TokenizerConfig
from backend.train.recipe import read_recipe
from backend.train.run import Interrupted, Run, cosine_with_restarts, fit, step_seed
from backend.train.tokenizer import TokenizerRecipe, fit_tokenizer
from backend.train.windows import Windows
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets

TINY = TokenizerRecipe(
    steps=120,
    autoencoder_steps=60,
    model=TokenizerConfig(codes=32, levels=3, place_levels=1, latent_width=16, width=48, frame_width=24),
    batch=4,
    frames=32,
    learning_rate=3e-3,
    warmup=5,
)
SHIPPED = Path(__file__).parents[2] / "backend" / "train" / "recipes" / "duologue-small.tokenizer.yaml"


@dataclasses.dataclass(frozen=True)
class Settings:
    steps: int
    rate: float = 0.1


def dance(persons: int = 2, frames: int = 96) -> Motion:
    """Persons who face each other, swing their arms and step to and fro."""
    phase = np.arange(frames)[:, None] * 0.15 + np.arange(persons)
    rotations = np.zeros((frames, persons, 22, 4), np.float32)
    rotations[..., 0] = 1
    rotations[:, :, 0] = rot.about_y(np.arange(persons) * np.pi)
    for name in ("left_shoulder", "right_hip", "left_knee"):
        rotations[:, :, JOINT[name]] = rot.from_axis_angle(np.array([1.0, 0, 0.5]), 0.6 * np.sin(phase))
    root = np.full((frames, persons, 3), [0, 0.97, 0])
    root[:, :, 2] = 0.3 * np.sin(phase * 0.3) + np.arange(persons)
    return Motion(30, root, rotations, np.stack([neutral_offsets(1 - 0.05 * p) for p in range(persons)]))


def line(steps: int, folder: Path, resume: bool, stop_at: int | None = None) -> torch.Tensor:
    """Fit a line to noise with dropout; returns its weights."""
    torch.manual_seed(1)
    linear = torch.nn.Linear(4, 1)
    model = torch.nn.Sequential(torch.nn.Dropout(0.5), linear)
    optimizer = torch.optim.Adam(model.parameters(), 0.1)

    def losses(step: int) -> dict[str, torch.Tensor]:
        if step == stop_at:
            signal.raise_signal(signal.SIGINT)
        x = torch.from_numpy(np.random.default_rng(step_seed(0, step)).normal(size=(16, 4))).float()
        return {"fit": (model(x) - x.sum(-1, keepdim=True)).square().mean()}

    fit(Run(folder, Settings(steps), resume), model, optimizer, losses, cycles=[steps], warmup=3, seed=0)
    return linear.weight.detach().clone()


def test_a_run_stopped_by_ctrl_c_and_resumed_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    unbroken = line(30, tmp_path / "a", resume=False)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted):
        line(30, tmp_path / "b", resume=False, stop_at=17)
    assert torch.load(tmp_path / "b" / "checkpoint.pt", weights_only=True)["step"] == 18
    assert signal.getsignal(signal.SIGINT) is before
    assert torch.equal(line(30, tmp_path / "b", resume=True), unbroken)


def test_a_run_leaves_its_recipe_log_and_curves(tmp_path: Path) -> None:
    line(30, tmp_path, resume=False)
    log = Run(tmp_path, Settings(30), True).read_log()
    assert [entry["step"] for entry in log] == [0, 20, 29]
    assert set(log[0]) == {"step", "loss", "rate", "fit"}
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("resume", "recipe", "code"), [(False, 5, "run_exists"), (True, 6, "recipe_changed")])
def test_a_run_is_neither_overwritten_nor_resumed_by_another_recipe(
    tmp_path: Path, resume: bool, recipe: int, code: str
) -> None:
    line(5, tmp_path, resume=False)
    with pytest.raises(DuologueError) as error:
        Run(tmp_path, Settings(recipe), resume)
    assert error.value.code == code


def test_the_learning_rate_rises_and_falls_in_every_cycle() -> None:
    rates = [cosine_with_restarts(step, [10, 6], warmup=2) for step in range(16)]
    assert rates[:2] == rates[10:12] == [0.5, 1.0]
    assert np.diff(rates[2:10]).max() < 0 > np.diff(rates[12:]).max()
    assert rates[9] < 0.2 > rates[15]
    with pytest.raises(ValueError, match="after the last cycle"):
        cosine_with_restarts(16, [10, 6], warmup=2)


def test_there_must_be_a_run_to_resume(tmp_path: Path) -> None:
    with pytest.raises(DuologueError, match="no run to resume"):
        Run(tmp_path, Settings(5), True)


def test_training_that_diverges_says_so(tmp_path: Path) -> None:
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(DuologueError, match="not finite at step 0"):
        fit(
            Run(tmp_path, Settings(2), False), model, optimizer,
            lambda step: {"loss": model.weight.sum() * float("nan")}, cycles=[2], warmup=1, seed=0,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("steps: 5\nspeed: 3", "unknown entry 'speed'"),
        ("rate: 0.5", "lacks 'steps'"),
        ("steps: many", "'steps' should be int, not 'many'"),
        ("- 5", "list of names and values"),
        ("steps: [", "while parsing"),
    ],
)
def test_a_wrong_recipe_is_refused_by_name(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text)
    with pytest.raises(DuologueError, match=complaint):
        read_recipe(file, Settings)


def test_the_shipped_recipe_can_be_read() -> None:
    recipe = read_recipe(SHIPPED, TokenizerRecipe)
    assert recipe.frames % recipe.model.stride == 0
    assert 0 < recipe.autoencoder_steps < recipe.steps


def test_windows_start_in_the_leaders_canonical_frame() -> None:
    motion = dance(frames=48).moved(rot.about_y(2.0), np.array([5.0, 1.0, 5.0], np.float32))
    root, rotations, offsets = Windows([motion], frames=48, mirror=0.0).draw(64, np.random.default_rng(0))
    at_origin = root[:, 0, [0, 2]].norm(dim=-1) < 1e-4
    assert 0.3 < float(at_origin.float().mean()) < 0.7
    heading = rot.yaw(rotations[:, 0, 0].numpy())
    assert np.allclose(heading[at_origin.numpy()], 0, atol=1e-4)
    assert np.allclose(root[:, :, 1].mean(), 0.97, atol=0.05)
    assert offsets.shape == (64, 22, 3)


def test_a_small_tokenizer_learns_a_small_dance(tmp_path: Path) -> None:
    motions = [dance(), dance(1)]
    run = Run(tmp_path, TINY, False)
    tokenizer = fit_tokenizer(run, TINY, [(1.0, motions)])
    losses = [entry["loss"] for entry in run.read_log()]
    figures = reconstruction(tokenizer, motions)
    assert losses[-1] < losses[0] * 0.6
    assert figures["pose_mm"] < 110
    assert figures["bone_length_mm"] < 0.1
    assert figures["pair_root_mm"] < 400
