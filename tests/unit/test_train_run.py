import dataclasses
import signal
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from backend.evaluate.reconstruction import reconstruction
from backend.tokenizer.config import TokenizerConfig
from backend.tokenizer.model import MotionTokenizer
from backend.train.recipe import read_recipe
from backend.train.run import Interrupted, Run, cosine_with_restarts, fit, step_seed
from backend.train.tokenizer import Sharpening, TokenizerRecipe, fit_tokenizer, sharpen
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
    pace: Literal["slow", "fast"] = "slow"
    inner: "Settings | None" = None


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


def test_on_one_cpu_a_run_does_what_a_plain_loop_does(tmp_path: Path) -> None:
    torch.manual_seed(1)
    linear = torch.nn.Linear(4, 1)
    model = torch.nn.Sequential(torch.nn.Dropout(0.5), linear)
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    for step in range(12):
        optimizer.param_groups[0]["lr"] = 0.1 * cosine_with_restarts(step, [12], warmup=3)
        torch.manual_seed(step_seed(0, step))
        x = torch.from_numpy(np.random.default_rng(step_seed(0, step)).normal(size=(16, 4))).float()
        optimizer.zero_grad()
        (model(x) - x.sum(-1, keepdim=True)).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    assert torch.equal(line(12, tmp_path, resume=False), linear.weight)


def test_accumulated_batches_step_down_the_mean_of_their_gradients(tmp_path: Path) -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    model = torch.nn.Module()
    model.register_parameter("weight", weight)
    seen = []

    def losses(batch: int) -> dict[str, torch.Tensor]:
        seen.append((batch, weight.item()))
        return {"pull": (batch - 3.5) * 0.1 * weight.sum()}  # gradients -0.35, -0.25, ... 0.45

    run = Run(tmp_path, Settings(9), False)
    optimizer = torch.optim.SGD([weight], 1.0)
    fit(run, model, optimizer, losses, cycles=[9], warmup=1, seed=0, accumulate=4)
    assert [batch for batch, _ in seen] == list(range(8))  # the ninth has no fellows
    assert {value for _, value in seen[:4]} == {0.0}
    assert [value for _, value in seen[4:]] == pytest.approx([0.2] * 4)
    assert run.read_log()[0]["pull"] == 0.0
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 8


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


def trouble(folder: Path, monkeypatch: pytest.MonkeyPatch, losses, resume: bool = False) -> DuologueError:
    """The error of a run of five steps that saves after every one."""
    monkeypatch.setattr("backend.train.run._SAVE_SECONDS", -1.0)
    model = torch.nn.Linear(1, 1)
    with pytest.raises(DuologueError) as error:
        fit(
            Run(folder, Settings(5), resume), model, torch.optim.SGD(model.parameters(), 0.1),
            lambda step: {"loss": losses(step, model)}, cycles=[5], warmup=1, seed=0,
        )  # fmt: skip
    return error.value


@pytest.mark.parametrize(
    "shortage",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        MemoryError(),
    ],
)
def test_running_out_of_memory_says_what_was_kept(
    shortage: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def losses(step: int, model: torch.nn.Linear) -> torch.Tensor:
        if step == 3:
            raise shortage
        return model.weight.sum()

    error = trouble(tmp_path, monkeypatch, losses)
    assert error.code == "out_of_memory"
    assert "first 3 steps is kept" in error.message
    assert "--resume" in error.hint
    assert "accumulate" in error.hint
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 3
    again = trouble(tmp_path, monkeypatch, losses, resume=True)
    assert "first 3 steps is kept" in again.message


def test_other_errors_in_a_step_are_not_taken_for_a_lack_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def losses(_step: int, model: torch.nn.Linear) -> torch.Tensor:
        return model(torch.ones(2, 3))

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        trouble(tmp_path, monkeypatch, losses)


def test_a_gradient_that_is_not_finite_spoils_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def losses(step: int, model: torch.nn.Linear) -> torch.Tensor:
        return model.weight.sum() if step < 2 else (model.weight.sum() * 0).sqrt()  # 0, with a gradient of NaN

    error = trouble(tmp_path, monkeypatch, losses)
    assert error.code == "training_diverged"
    assert "gradient is not finite at step 2" in error.message
    assert "first 2 steps is kept" in error.message
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["model"]
    assert all(torch.isfinite(value).all() for value in state.values())


def test_a_full_disk_leaves_what_was_saved_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save, saved = torch.save, []

    def until_full(state, path: Path) -> None:
        saved.append(path)
        if len(saved) > 2:
            raise OSError(28, "No space left on device")
        save(state, path)

    monkeypatch.setattr(torch, "save", until_full)
    error = trouble(tmp_path, monkeypatch, lambda _step, model: model.weight.sum())
    assert error.code == "run_not_saved"
    assert "No space left" in error.message
    assert "first 2 steps is kept" in error.message
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 2


def test_whoever_runs_the_machine_may_stop_a_run(tmp_path: Path) -> None:
    model = torch.nn.Linear(1, 1)

    def losses(_step: int) -> dict[str, torch.Tensor]:
        signal.raise_signal(signal.SIGTERM)
        return {"loss": model.weight.sum()}

    with pytest.raises(Interrupted):
        fit(
            Run(tmp_path, Settings(5), False), model, torch.optim.SGD(model.parameters(), 0.1), losses,
            cycles=[5], warmup=1, seed=0,
        )  # fmt: skip
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 1


def test_frozen_weights_are_not_saved(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    model[0].requires_grad_(False)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    fit(
        Run(tmp_path, Settings(2), False), model, torch.optim.SGD(trained, 0.1),
        lambda _step: {"loss": model(torch.ones(1, 2)).sum()}, cycles=[2], warmup=1, seed=0,
    )  # fmt: skip
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["model"]
    assert set(state) == {"1.weight", "1.bias"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("steps: 5\nspeed: 3", "unknown entry 'speed'"),
        ("rate: 0.5", "lacks 'steps'"),
        ("steps: many", "'steps' should be int, not 'many'"),
        ("steps: 5\npace: quick", "'pace' should be one of slow, fast, not 'quick'"),
        ("steps: 5\ninner: {steps: 1, size: 2}", "'inner' has an unknown entry 'size'"),
        ("- 5", "list of names and values"),
        ("steps: [", "while parsing"),
    ],
)
def test_a_wrong_recipe_is_refused_by_name(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text)
    with pytest.raises(DuologueError, match=complaint):
        read_recipe(file, Settings)


def test_an_inner_recipe_may_be_left_out_or_given(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    for text, inner in (("", None), ("inner:", None), ("inner: {steps: 2, pace: fast}", Settings(2, pace="fast"))):
        file.write_text(f"steps: 5\n{text}")
        assert read_recipe(file, Settings) == Settings(5, inner=inner)


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
    assert losses[-1] < losses[0] * 0.6
    figures, untrained = (reconstruction(one, motions) for one in (tokenizer, MotionTokenizer(TINY.model).eval()))
    for name in ("pose_mm", "pair_root_mm"):
        assert figures[name] < untrained[name] / 2
    assert figures["bone_length_mm"] < 0.1


def test_sharpening_changes_what_is_decoded_and_no_code(tmp_path: Path) -> None:
    motions = [dance(), dance(1)]
    recipe = dataclasses.replace(TINY, sharpening=Sharpening(steps=6))
    tokenizer = fit_tokenizer(Run(tmp_path / "run", recipe, False), recipe, [(1.0, motions)])
    before = {name: value.clone() for name, value in tokenizer.state_dict().items()}
    sharpen(Run(tmp_path / "sharpening", recipe, False), recipe, tokenizer, [(0.5, motions), (0.5, motions[:1])])
    changed = {name for name, value in tokenizer.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("decoder.") for name in changed)
