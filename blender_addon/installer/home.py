"""The folder that an installed backend has to itself: what lies where, what has been done already, how it goes.

::

    duologue-backend.json   what this folder is, and how far setting up has come
    env/                    the virtual environment
    program-ID/             backend, protocol and checkpoint, as the extension's backend.zip carries them
    downloads/              pip's, while setting up; what has arrived once is not fetched again
    setup.log
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from protocol import installation
from protocol.connection import process_runs
from protocol.errors import DuologueError
from protocol.installation import Installation

_MARK = "duologue-backend.json"
_LOCK = "setup.pid"


@dataclass(frozen=True)
class State:
    """How far setting up has come; what it was done with decides whether it may be gone on with.

    Attributes:
        python: the interpreter that the environment was made with, as `pythons.Python` prints it.
        device: ``cpu`` or ``cuda``.
        environment: the environment is whole.
        packages: id of the list of packages that are in it; empty for none.
        program: id of the program that is unpacked; empty for none.
        ready: all was done, and the backend has been seen to start.
    """

    python: str = ""
    device: str = ""
    environment: bool = False
    packages: str = ""
    program: str = ""
    ready: bool = False


@dataclass(frozen=True)
class Home:
    """A backend's folder; it need not exist yet."""

    folder: Path

    @property
    def environment(self) -> Path:
        """Folder of the virtual environment."""
        return self.folder / "env"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return interpreter_in(self.environment)

    @property
    def downloads(self) -> Path:
        """Where pip keeps what has arrived."""
        return self.folder / "downloads"

    @property
    def log(self) -> Path:
        """What setting up has said."""
        return self.folder / "setup.log"

    def program(self, identity: str) -> Path:
        """Where a program of this id is unpacked."""
        return self.folder / f"program-{identity[:12]}"

    def state(self) -> State | None:
        """How far things are; None if there is nothing of ours here."""
        try:
            fields = json.loads((self.folder / _MARK).read_text(encoding="utf-8"))
            return State(**{name: type(value)(fields[name]) for name, value in asdict(State()).items()})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, state: State) -> State:
        """Write down how far things are, and return it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f"{_MARK}.draft"
        draft.write_text(json.dumps(asdict(state), indent=1), encoding="utf-8")
        draft.replace(self.folder / _MARK)
        return state

    def forget_old(self, state: State) -> None:
        """Delete what a finished set-up needs no longer: downloads and earlier programs."""
        shutil.rmtree(self.downloads, ignore_errors=True)
        for folder in self.folder.glob("program-*"):
            if folder != self.program(state.program):
                shutil.rmtree(folder, ignore_errors=True)

    def remove(self) -> None:
        """Delete the folder, if it is ours, and the note that leads to it.

        Raises:
            DuologueError: ``not_ours`` if something else lies there, ``setup_remove`` if a file cannot be deleted.
        """
        state = self.state()
        if state is None:
            raise DuologueError(
                "not_ours",
                f"{self.folder} holds no backend that Duologue has set up.",
                "Delete it by hand, if need be.",
            )
        self.note(replace(state, ready=False))
        found = installation.find()
        if found is not None and _within(Path(found.python), self.folder):
            with suppress(OSError):
                installation.note_path().unlink()
        try:
            # The mark goes last, so that what could not be deleted can be tried again.
            for path in self.folder.iterdir():
                if path.name != _MARK:
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            shutil.rmtree(self.folder)
        except OSError as error:
            raise DuologueError(
                "setup_remove",
                f"{error.filename or self.folder} cannot be deleted: {error.strerror or error}.",
                "Close other Blenders that use the backend, then try again.",
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Have the folder to oneself.

        Raises:
            DuologueError: ``setup_busy`` while another Blender works on it, ``setup_unwritable``.
        """
        lock = self.folder / _LOCK
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            other = lock.read_text() if lock.exists() else ""
            if other.isdecimal() and int(other) != os.getpid() and process_runs(int(other)):
                raise DuologueError(
                    "setup_busy", "Another Blender is setting the backend up.", "Wait for it, then try again."
                )
            lock.write_text(str(os.getpid()))
        except OSError as error:
            raise DuologueError(
                "setup_unwritable",
                f"The folder {self.folder} cannot be written: {error}.",
                "Free the place, or set an environment up yourself and name it in the preferences.",
            ) from error
        try:
            yield
        finally:
            with suppress(OSError):
                lock.unlink()


def default_home() -> Home:
    """The one place for all Blenders of a user, beside the note that leads to it.

    Not the folder that Blender gives each extension: that is one for every version of Blender, and too deep for what
    torch unpacks on Windows.
    """
    return Home(installation.note_path().parent / "backend")


def interpreter_in(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def leave_note(home: Home, state: State) -> None:
    """Let every Blender of this user find the backend."""
    installation.leave_note(Installation(str(home.python), str(home.program(state.program))))


def _within(path: Path, folder: Path) -> bool:
    return folder in path.parents
