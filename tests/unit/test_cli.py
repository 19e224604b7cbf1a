"""The command line: what it makes, and that every bad input ends in one sentence and the next step."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backend import cli, console, task_commands
from backend.engine import Engine
from backend.export import read_motion, write_bvh, write_npz
from backend.making import kept
from backend.serve.server import Server, ServerConfig
from backend.tasks import TASKS
from protocol.messages import Cancel, Error, Hello, MotionPart, Result, Status, StatusRequest, Submit, Welcome
from protocol.motion import Motion, joined_in_time
from tests.unit.fake_model import still
from tests.unit.tiny import tiny_checkpoint
from tests.unit.wire_client import WireClient

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny")


LOAD_ONCE = functools.cache(task_commands.load)


@pytest.fixture
def run(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run ``duologue`` with arguments; gives exit code, stdout and stderr."""
    monkeypatch.setenv("DUOLOGUE_CHECKPOINT", str(checkpoint))
    monkeypatch.setattr(task_commands, "load", LOAD_ONCE)

    def call(*arguments: object) -> tuple[int, str, str]:
        result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return call


Run = Callable[..., tuple[int, str, str]]


def error_of(run: Run, *arguments: object) -> str:
    """The code of the error that a command ends with, once it is told well both ways."""
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert "Traceback" not in err
    code, out, _ = run(*arguments, "--json")
    error = json.loads(out)["error"]
    assert code == 1
    assert error["message"] in err
    assert error["hint"]
    return error["code"]


def test_generate_writes_a_whole_motion_as_npz(run: Run, tmp_path: Path):
    code, out, _ = run("generate", "two people hug", "--seconds", 1.5, "-o", tmp_path / "new" / "out.npz", "--json")
    assert code == 0
    report = json.loads(out)
    assert report["files"] == [str(tmp_path / "new" / "out.npz")]
    assert report["checkpoint"] == "tiny"
    assert report["realtime_factor"] == pytest.approx(1.5 / report["compute_seconds"])
    motion = read_motion(tmp_path / "new" / "out.npz")
    assert (motion.frames, motion.persons, motion.fps) == (45, 2, 30)


def test_generate_writes_a_bvh_for_each_person_and_variation(run: Run, tmp_path: Path):
    code, out, _ = run("generate", "two people hug", "--seconds", 1, "--samples", 2, "-o", tmp_path / "out.bvh")
    names = ["out_1_a.bvh", "out_1_b.bvh", "out_2_a.bvh", "out_2_b.bvh"]
    assert code == 0
    assert out.split() == [str(tmp_path / name) for name in names]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_the_same_seed_gives_the_same_motion(run: Run, tmp_path: Path):
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        run("generate", "two people hug", "--seconds", 1, "--seed", seed, "-o", tmp_path / f"{name}.npz")
    one, two, other = (read_motion(tmp_path / f"{name}.npz") for name in ("one", "two", "other"))
    np.testing.assert_array_equal(one.rotations, two.rotations)
    assert not np.array_equal(one.rotations, other.rotations)


@pytest.mark.parametrize("ending", ["npz", "bvh"])
def test_react_writes_the_given_person_and_the_partner(run: Run, tmp_path: Path, ending: str):
    given = still(30, 1, x=2.0)
    source = tmp_path / f"given.{ending}"
    (write_npz if ending == "npz" else write_bvh)(given, source)
    code, _, _ = run("react", source, "--prompt", "hugs the other", "-o", tmp_path / "pair.npz")
    pair = read_motion(tmp_path / "pair.npz")
    assert code == 0
    assert (pair.persons, pair.frames) == (2, 30)
    np.testing.assert_allclose(pair.root[:, 0], given.root[:, 0], atol=1e-4)


def test_describe_says_something_of_one_file_or_two(run: Run, tmp_path: Path):
    write_npz(still(30, 2), tmp_path / "pair.npz")
    files = write_bvh(still(30, 2), tmp_path / "pair")
    code, out, _ = run("describe", tmp_path / "pair.npz")
    assert code == 0
    assert out.endswith(".\n")
    code, out, _ = run("describe", *files, "--json")
    assert code == 0
    assert json.loads(out)["caption"].endswith(".")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["generate", ""], "prompt_empty"),
        (["generate", " \n"], "prompt_empty"),
        (["generate", "x" * 501], "prompt_too_long"),
        (["generate", "hug", "--seconds", "0.5"], "seconds_out_of_range"),
        (["generate", "hug", "--seconds", "11"], "seconds_out_of_range"),
        (["generate", "hug", "--seconds", "nan"], "seconds_out_of_range"),
        (["generate", "hug", "--samples", "9"], "samples_out_of_range"),
        (["generate", "hug", "--checkpoint", "none-of-this-name"], "checkpoint_missing"),
        (["react", "missing.bvh"], "file_missing"),
        (["react", "missing.npz"], "file_missing"),
        (["react", "motion.fbx"], "file_type"),
    ],
)
def test_bad_requests_end_in_a_sentence_and_change_nothing(run: Run, tmp_path: Path, arguments: list[str], code: str):
    out = tmp_path / "out.npz"
    out.write_text("was here before")
    assert error_of(run, *arguments, "-o", out) == code
    assert out.read_text() == "was here before"
    assert list(tmp_path.iterdir()) == [out]


def test_describe_names_a_missing_file(run: Run, tmp_path: Path):
    assert error_of(run, "describe", tmp_path / "none.npz") == "file_missing"


def test_places_that_cannot_be_written_are_refused_before_anything_is_made(run: Run, tmp_path: Path):
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "file").write_text("")
    assert error_of(run, "generate", "hug", "-o", tmp_path / "out.txt") == "file_type"
    assert error_of(run, "generate", "hug", "-o", tmp_path / "folder.npz") == "file_unwritable"
    assert error_of(run, "generate", "hug", "-o", tmp_path / "file" / "out.npz") == "file_unwritable"


def damage(motion: Motion, path: Path, **arrays: np.ndarray) -> Path:
    write_npz(motion, path)
    with np.load(path) as archive:
        np.savez(path, **(dict(archive) | arrays))
    return path


def test_motions_that_cannot_be_used_are_refused_by_name(run: Run, tmp_path: Path):
    good = still(30, 1)
    unknown = np.full_like(good.root, np.nan)
    cases = {
        "motion_not_finite": damage(good, tmp_path / "nan.npz", root=unknown),
        "motion_too_short": write_npz(still(1, 1), tmp_path / "one_frame.npz"),
        "motion_too_long": write_npz(still(600, 1), tmp_path / "long.npz"),
        "motion_persons": write_npz(still(30, 3), tmp_path / "three.npz"),
        "motion_shape": damage(good, tmp_path / "shape.npz", root=good.root[:5]),
    }
    for code, path in cases.items():
        assert error_of(run, "describe", path) == code
        assert error_of(run, "react", path, "-o", tmp_path / "out.npz") == code
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize(
    ("damaged", "code"),
    [
        (lambda data: data[: len(data) // 2], "checkpoint_truncated"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "checkpoint_altered"),
    ],
)
def test_a_damaged_checkpoint_is_refused(
    run: Run, checkpoint: Path, tmp_path: Path, damaged: Callable[[bytes], bytes], code: str
):
    copy = shutil.copytree(checkpoint, tmp_path / "copy")
    weights = copy / "language.safetensors"
    weights.write_bytes(damaged(weights.read_bytes()))
    assert error_of(run, "generate", "hug", "-o", tmp_path / "out.npz", "--checkpoint", copy) == code


def test_a_full_disk_is_told_in_a_sentence(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> list[Path]:
        raise OSError(28, "No space left on device", "out.npz")

    monkeypatch.setattr(task_commands, "write_motion", full)
    assert error_of(run, "generate", "hug", "--seconds", "1", "-o", tmp_path / "out.npz") == "file"


def test_help_names_every_command_without_importing_anything_heavy():
    code = (
        "import sys; from backend.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: print(*({'torch', 'transformers', 'numpy', 'zmq'} & set(sys.modules)), 'imported')"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f" {command} " in out for command in ("serve", *TASKS, "story", *cli.ROOMS))
    assert out.splitlines()[-1].split() == ["imported"]


@pytest.mark.parametrize("room", cli.ROOMS)
def test_the_other_rooms_answer_for_themselves(run: Run, room: str):
    code, out, _ = run(room, "--help")
    assert code == 0
    assert f"duologue {room}" in out or f"{room} [OPTIONS]" in out


def test_an_unknown_option_of_another_room_is_a_usage_error(run: Run):
    code, _, err = run("train", "tokenizer", "--no-such-option")
    assert code == 2
    assert "--no-such-option" in err


def test_a_missing_extra_is_told_with_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def without_yaml(*_: object) -> Path:
        raise ModuleNotFoundError("No module named 'yaml'", name="yaml")

    monkeypatch.setattr(task_commands, "find_checkpoint", without_yaml)
    assert error_of(run, "generate", "hug", "-o", tmp_path / "out.npz") == "package_missing"


def test_version(run: Run):
    assert run("--version") == (0, "0.1.0\n", "")


def test_serve_says_when_there_is_no_checkpoint(run: Run):
    code, _, err = run("serve", "--checkpoint", "none-of-this-name")
    assert code == 1
    assert "none-of-this-name" in err


def test_nothing_is_drawn_without_a_terminal(capsys: pytest.CaptureFixture[str]):
    with console.progress_bar("Loading") as show:
        show(0.5, "Generating")
    assert capsys.readouterr() == ("", "")


def test_a_real_engine_serves_streams_and_cancels(checkpoint: Path, tmp_path: Path):
    server = Server(lambda: Engine.load(checkpoint), ServerConfig("tiny", tmp_path / "connection.json"))
    connection = server.open()
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with WireClient(connection) as client:
            client.send(Hello("test"))
            while not client.wait_for(Welcome, timeout=20).ready:
                pass
            job = client.send(Submit("generate", "two people hug", seconds=2.0))
            parts = [part for part in client.until(Result, job) if isinstance(part, MotionPart)]
            assert len(parts) > 3
            assert joined_in_time([part.motion for part in kept(parts)]).frames == 60
            job = client.send(Submit("generate", "two people hug", seconds=10.0, samples=8))
            client.wait_for(MotionPart, job)
            client.send(Cancel(job))
            *late, error = client.until(Error, job)
            assert isinstance(error, Error)
            assert error.code == "cancelled"
            assert sum(part.motion.frames for part in late if isinstance(part, MotionPart)) < 8 * 30
            client.send(StatusRequest())
            assert not client.wait_for(Status).busy
    finally:
        server.stop()
        thread.join(10)
