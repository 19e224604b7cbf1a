"""Setting up the backend from Blender, with a made-up Python and pip: no network, nothing outside the test's folder."""

from __future__ import annotations

import json
import os
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from blender_addon.installer import pythons
from blender_addon.installer.download import Download, spoken
from blender_addon.installer.home import Home
from blender_addon.installer.payload import Payload, payload
from blender_addon.installer.setup import CPU, CUDA, Phase, Setup, Wish
from protocol import installation
from protocol.errors import DuologueError
from tests.fake_python import FakePython

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the made-up Python is a script with a #! line")


@pytest.fixture
def fake(tmp_path: Path) -> FakePython:
    return FakePython(tmp_path / "fake")


@pytest.fixture
def note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data" / "backend.json"
    monkeypatch.setattr(installation, "note_path", lambda: path)
    monkeypatch.delenv(installation.ENVIRONMENT_VARIABLE, raising=False)
    return path


def a_payload(path: Path, identity: str = "one") -> Payload:
    fields = {"identity": identity, "version": "0.1.0", "requirements": ["torch==1", "numpy"], "cpu_bytes": 20_000_000}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("backend.json", json.dumps(fields))
        archive.writestr("backend/__main__.py", "")
    found = payload(path)
    assert found is not None
    return found


@pytest.fixture
def wish(fake: FakePython, note: Path, tmp_path: Path) -> Wish:
    home = Home(tmp_path / "data" / "backend")
    return Wish(home, a_payload(tmp_path / "backend.zip"), str(fake.path), CPU, True, "")


@pytest.fixture
def installer() -> Iterator[Setup]:
    made = Setup()
    yield made
    made.end()


def wait(installer: Setup, until: Callable[[], bool] | None = None, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not (until() if until else not installer.running):
        assert time.monotonic() < deadline, installer.progress
        time.sleep(0.01)


def made(installer: Setup, wish: Wish) -> None:
    installer.begin(wish)
    wait(installer)
    assert installer.progress.phase is Phase.DONE, installer.progress


def test_one_call_makes_an_environment_that_every_blender_finds(installer: Setup, wish: Wish, fake: FakePython) -> None:
    made(installer, wish)
    found = installation.find()
    assert found is not None
    assert Path(found.python) == wish.home.python
    assert found.folder is not None
    assert (Path(found.folder) / "backend" / "__main__.py").is_file()
    assert "Python 3.12.1" in installer.progress.python
    assert "torch 1" in installer.progress.device
    state = wish.home.state()
    assert state is not None
    assert state.ready
    assert not wish.home.downloads.exists()
    assert "Downloading torch-1-py3-none-any.whl" in wish.home.log.read_text()
    assert "Progress " not in wish.home.log.read_text()


def test_beginning_never_waits(installer: Setup, wish: Wish, fake: FakePython) -> None:
    fake.tell(hangs="torch")
    begun = time.thread_time()
    installer.begin(wish)
    assert time.thread_time() - begun < 0.02
    assert installer.running
    installer.cancel()
    wait(installer)


def test_the_download_says_how_far_it_is(installer: Setup, wish: Wish, fake: FakePython) -> None:
    fake.tell(hangs="torch")
    installer.begin(wish)
    wait(installer, lambda: "torch: 5 of 10 MB" in installer.progress.detail)
    assert installer.progress.step == "Downloading"
    assert installer.progress.fraction == pytest.approx(0.1 + 0.8 * 5 / 20)
    installer.cancel()
    wait(installer)


def test_cancelled_it_stops_at_once_and_goes_on_later(installer: Setup, wish: Wish, fake: FakePython) -> None:
    fake.tell(hangs="numpy")
    installer.begin(wish)
    wait(installer, lambda: "numpy: 5" in installer.progress.detail)
    begun = time.monotonic()
    installer.cancel()
    assert time.monotonic() - begun < 0.1
    wait(installer, seconds=5)
    assert installer.progress.phase is Phase.CANCELLED
    assert installation.find() is None
    fake.tell()
    made(installer, wish)
    assert fake.said("venv") == 1
    assert wish.home.log.read_text().count("Downloading torch") == 1


def test_another_python_or_device_begins_anew(installer: Setup, wish: Wish, fake: FakePython) -> None:
    made(installer, wish)
    made(installer, replace(wish, device=CUDA))
    assert fake.said("venv") == 2


def test_a_download_that_fails_says_why_and_can_be_gone_on_with(installer: Setup, wish: Wish, fake: FakePython) -> None:
    fake.tell(fails="torch")
    installer.begin(wish)
    wait(installer)
    error = installer.progress.error
    assert error is not None
    assert (error.code, bool(error.hint)) == ("setup_download", True)
    assert "No space left on device" in error.message
    assert installation.find() is None
    fake.tell()
    made(installer, wish)


def test_a_new_program_replaces_the_old_one_without_downloading_again(
    installer: Setup, wish: Wish, fake: FakePython, tmp_path: Path
) -> None:
    made(installer, wish)
    downloads = fake.said("torch==1")
    newer = replace(wish, payload=a_payload(tmp_path / "newer.zip", "two"), online=False)
    made(installer, newer)
    assert fake.said("torch==1") == downloads
    assert [path.name for path in wish.home.folder.glob("program-*")] == ["program-two"]
    found = installation.find()
    assert found is not None
    assert found.folder == str(wish.home.program("two"))


def test_offline_it_says_so_before_anything_is_done(installer: Setup, wish: Wish) -> None:
    with pytest.raises(DuologueError) as caught:
        installer.begin(replace(wish, online=False))
    assert caught.value.code == "setup_offline"
    assert not wish.home.folder.exists()


def test_removed_nothing_of_it_is_left(installer: Setup, wish: Wish, note: Path) -> None:
    made(installer, wish)
    installer.begin_removal(wish.home)
    wait(installer)
    assert installer.progress.phase is Phase.DONE
    assert not wish.home.folder.exists()
    assert not note.exists()


def test_only_what_was_set_up_here_is_removed(installer: Setup, wish: Wish) -> None:
    wish.home.folder.mkdir(parents=True)
    (wish.home.folder / "precious").touch()
    installer.begin_removal(wish.home)
    wait(installer)
    assert installer.progress.error is not None
    assert installer.progress.error.code == "not_ours"
    assert (wish.home.folder / "precious").exists()


def test_the_note_of_another_installation_outlives_a_removal(installer: Setup, wish: Wish, note: Path) -> None:
    made(installer, wish)
    other = installation.Installation(sys.executable)
    installation.leave_note(other)
    installer.begin_removal(wish.home)
    wait(installer)
    assert installation.find() == other


def test_two_blenders_do_not_set_up_at_once(installer: Setup, wish: Wish) -> None:
    wish.home.folder.mkdir(parents=True)
    (wish.home.folder / "setup.pid").write_text(str(os.getppid()))
    installer.begin(wish)
    wait(installer)
    assert installer.progress.error is not None
    assert installer.progress.error.code == "setup_busy"


@pytest.mark.parametrize("version", [(3, 10, 9), (2, 7, 18)])
def test_a_python_that_is_too_old_is_named(
    installer: Setup, wish: Wish, fake: FakePython, version: tuple[int, int, int]
) -> None:
    fake.tell(version=version)
    installer.begin(wish)
    wait(installer)
    assert installer.progress.error is not None
    assert installer.progress.error.code == "python_unfit"
    assert str(fake.path) in installer.progress.error.message


def test_blenders_own_python_is_the_last_resort(fake: FakePython, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pythons, "candidates", lambda: iter([str(fake.path)]))
    assert pythons.choose("", str(fake.path)).inside_blender
    assert not pythons.choose("", "/nowhere/python").inside_blender
    monkeypatch.setattr(pythons, "candidates", lambda: iter([]))
    with pytest.raises(DuologueError) as caught:
        pythons.choose("", "")
    assert caught.value.code == "python_missing"


def test_a_python_of_this_machine_is_found_and_runs() -> None:
    found = next(found for path in [sys.executable, *pythons.candidates()] if (found := pythons.probe(path)))
    assert found.version[:2] >= pythons.MINIMUM


def test_time_left_is_that_of_all_files_at_the_speed_of_late() -> None:
    now = [0.0]
    download = Download(30_000_000, lambda: now[0])
    download.feed("Downloading torch-2.13.0-cp312-cp312-any.whl (10.0 MB)")
    for second in range(6):
        now[0] = float(second)
        assert download.feed(f"Progress {second * 1_000_000} of 10000000")
    assert download.seconds_left() == pytest.approx(25)
    assert download.said() == "torch: 5 of 10 MB, 25 s left"
    download.feed("Downloading numpy-2-any.whl (2.0 MB)")
    assert download.received == 5_000_000
    download.feed("Installing collected packages: torch, numpy")
    assert download.fraction == 1.0


def test_where_the_whole_is_unknown_it_speaks_of_the_file() -> None:
    now = [0.0]
    download = Download(0, lambda: now[0])
    download.feed("  Downloading torch-2.13.0-cp312-cp312-any.whl (1.0 GB)")
    download.feed("Progress 0 of 1000000000")
    now[0] = 10.0
    download.feed("Progress 50000000 of 1000000000")
    assert download.fraction == pytest.approx(0.05)
    assert download.said().endswith(f"{spoken(190)} left for this file")
