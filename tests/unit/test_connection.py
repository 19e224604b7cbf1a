"""The connection file: found, private, whole, and gone when its backend is."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from protocol import connection
from protocol.connection import Connection
from protocol.errors import DuologueError
from protocol.wire import VersionMismatch, new_key

OURS = Connection("tcp://127.0.0.1:5055", new_key(), os.getpid())
posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX; Windows protects the folder")


def code_of_reading(path: Path) -> str:
    with pytest.raises(DuologueError) as caught:
        connection.read(path)
    assert caught.value.hint
    return caught.value.code


def changed(path: Path, **fields: object) -> Path:
    connection.write(OURS, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    return path


def test_what_is_written_is_read_back(tmp_path: Path):
    path = tmp_path / "new folder" / "connection.json"
    connection.write(OURS, path)
    assert connection.read(path) == OURS
    assert list(path.parent.iterdir()) == [path]


def test_a_file_from_another_machine_keeps_its_curve_key_and_needs_no_process_here(tmp_path: Path):
    remote = dataclasses.replace(OURS, address="tcp://192.0.2.1:5055", pid=2**22 + 1, curve="k" * 40)
    connection.write(remote, tmp_path / "connection.json")
    assert connection.read(tmp_path / "connection.json") == remote


@posix
def test_only_its_user_can_read_it(tmp_path: Path):
    path = tmp_path / "folder" / "connection.json"
    connection.write(OURS, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int):
    path = tmp_path / "connection.json"
    connection.write(OURS, path)
    path.chmod(mode)
    assert code_of_reading(path) == "connection_exposed"


@posix
def test_a_link_is_not_followed(tmp_path: Path):
    connection.write(OURS, tmp_path / "real.json")
    (tmp_path / "connection.json").symlink_to(tmp_path / "real.json")
    assert code_of_reading(tmp_path / "connection.json") == "connection_unreadable"


def test_writing_replaces_an_earlier_file_with_its_mode(tmp_path: Path):
    path = tmp_path / "connection.json"
    path.write_text("old")
    path.chmod(0o644)
    connection.write(OURS, path)
    assert connection.read(path) == OURS


def test_missing(tmp_path: Path):
    assert code_of_reading(tmp_path / "none.json") == "connection_missing"


def test_unreadable(tmp_path: Path):
    (tmp_path / "connection.json").mkdir()
    assert code_of_reading(tmp_path / "connection.json") in {"connection_unreadable", "connection_exposed"}


def test_unwritable(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DuologueError) as caught:
        connection.write(OURS, tmp_path / "file" / "connection.json")
    assert caught.value.code == "connection_unwritable"
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "{}", '{"version": [1, 0]}', "[" * 60_000])
def test_malformed(tmp_path: Path, text: str):
    path = tmp_path / "connection.json"
    connection.write(OURS, path)
    path.write_text(text)
    assert code_of_reading(path) == "connection_malformed"


@pytest.mark.parametrize(
    "field",
    [
        {"key": "00"},
        {"key": 5},
        {"pid": "1"},
        {"pid": -1},
        {"address": "http://127.0.0.1"},
        {"version": "1.0"},
        {"curve": "short"},
    ],
)
def test_fields_out_of_range_are_malformed(tmp_path: Path, field: dict[str, object]):
    assert code_of_reading(changed(tmp_path / "connection.json", **field)) == "connection_malformed"


def test_another_major_version_is_an_error_of_its_own(tmp_path: Path):
    with pytest.raises(VersionMismatch):
        connection.read(changed(tmp_path / "connection.json", version=[2, 0]))


def test_fields_of_a_newer_minor_version_are_ignored(tmp_path: Path):
    assert connection.read(changed(tmp_path / "connection.json", version=[1, 5], mood="good")).version == (1, 5)


def test_a_backend_that_no_longer_runs_is_told(tmp_path: Path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not connection.process_runs(ended.pid)
    assert code_of_reading(changed(tmp_path / "connection.json", pid=ended.pid)) == "connection_stale"


def test_removing_leaves_the_file_of_a_newer_backend(tmp_path: Path):
    path = tmp_path / "connection.json"
    newer = dataclasses.replace(OURS, key=new_key())
    connection.write(newer, path)
    connection.remove(path, OURS)
    assert connection.read(path) == newer
    connection.remove(path, newer)
    assert not path.exists()
    connection.remove(path, newer)


def test_the_environment_chooses_the_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(connection.ENVIRONMENT_VARIABLE, str(tmp_path / "mine.json"))
    assert connection.default_path() == tmp_path / "mine.json"


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_RUNTIME_DIR": "/run/user/7"}, "/run/user/7/duologue/connection.json"),
        ("linux", {}, "/home/me/.cache/duologue/connection.json"),
        ("darwin", {}, "/home/me/Library/Application Support/Duologue/connection.json"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/Duologue/connection.json"),
        ("win32", {}, "/home/me/AppData/Local/Duologue/connection.json"),
    ],
)
def test_each_system_has_its_place(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: str
):
    for name in (connection.ENVIRONMENT_VARIABLE, "XDG_RUNTIME_DIR", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    assert connection.default_path() == Path(expected)
