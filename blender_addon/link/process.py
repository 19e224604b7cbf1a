"""The backend as a process of ours: how it is started, what it complained about, how it is stopped.

Knows nothing of Blender.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from protocol import installation
from protocol.errors import DuologueError
from protocol.installation import Installation

_LOG_TAIL_BYTES = 4096


@dataclass(frozen=True)
class Settings:
    """Where a backend is looked for.

    Attributes:
        connection_file: the file through which a running one is found and where a started one writes.
        fixed: the file was chosen by the user, so a backend of somebody else's making is meant and none is started.
        python: interpreter to start one with, or the environment that it is in; empty for the one that the
            installation note names.
        checkpoint: folder of the checkpoint; empty for the backend's own choice.
        auto_start: whether one may be started when none runs.
        online: whether the user lets Blender go online; loopback needs no such leave.
        log: file that takes what a started one prints.
    """

    connection_file: Path
    log: Path
    fixed: bool = False
    python: str = ""
    checkpoint: str = ""
    auto_start: bool = True
    online: bool = True


class BackendProcess:
    """A backend that was started from here."""

    def __init__(self, settings: Settings) -> None:
        """Start it.

        Raises:
            DuologueError: ``backend_missing`` if no backend is installed, ``backend_python`` if its interpreter cannot
                be run.
        """
        found = Installation(_interpreter(settings.python)) if settings.python else installation.find()
        if found is None:
            raise DuologueError(
                "backend_missing",
                "No Duologue backend is installed for this user.",
                "Press Set Up Backend, or run `python build.py setup` in the Duologue folder.",
            )
        command = [found.python, "-m", "backend", "serve", "--parent-pid", str(os.getpid())]
        command += ["--connection", str(settings.connection_file)]
        if settings.checkpoint:
            command += ["--checkpoint", settings.checkpoint]
        self._log = settings.log
        settings.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with settings.log.open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    cwd=found.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    creationflags=subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0,
                )
        except OSError as error:
            raise DuologueError(
                "backend_python",
                f"The backend's Python {found.python} cannot be run: {error.strerror or error}.",
                "Name another environment in the preferences, or none, and set the backend up.",
            ) from error

    def check(self) -> None:
        """Say so if it has ended.

        Raises:
            DuologueError: ``backend_ended``, with the last line that it printed.
        """
        code = self._process.poll()
        if code is None:
            return
        last = self._last_line()
        raise DuologueError(
            "backend_ended",
            f"The Duologue backend ended by itself: {last or f'exit code {code}'}",
            f"Put that right and press Restart; all it said is in {self._log}.",
        )

    def stop(self, patience: float) -> None:
        """End it: wait ``patience`` seconds for it to go by itself, then make it."""
        for force in (lambda: None, self._process.terminate, self._process.kill):
            force()
            try:
                self._process.wait(patience)
                return
            except subprocess.TimeoutExpired:
                continue

    def _last_line(self) -> str:
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, self._log.stat().st_size - _LOG_TAIL_BYTES))
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _interpreter(path: str) -> str:
    """An interpreter, where its environment may have been named instead."""
    inside = (Path(path) / place for place in ("bin/python", "Scripts/python.exe", "python.exe"))
    return next((str(found) for found in inside if found.is_file()), path)
