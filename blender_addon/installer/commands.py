"""Other programs, run for setting up: every line that they say is logged, and they can be stopped at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_PATIENCE_SECONDS = 2.0
_OURS_ALONE = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_USER")
"""What must not leak from the surroundings of Blender into an environment of our own."""


class Stopped(Exception):  # noqa: N818 - it is no error
    """The person has cancelled."""


class Commands:
    """Runs one program after the other, in whichever thread calls; `stop` comes from another one."""

    def __init__(self, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def run(
        self, command: Sequence[object], folder: Path | None = None, heard: Callable[[str], bool] | None = None
    ) -> tuple[int, str]:
        """Run a program to its end.

        Args:
            command: the program and its arguments.
            folder: where it runs.
            heard: is given each line; returns whether the log can do without it.

        Returns:
            its exit code, and the last line that it said.

        Raises:
            Stopped: `stop` was called.
            OSError: it cannot be run.
        """
        words = [str(word) for word in command]
        self.note("> " + " ".join(words))
        with self._lock:
            if self._stopped:
                raise Stopped
            process = self._process = subprocess.Popen(
                words,
                cwd=folder,
                env={name: value for name, value in os.environ.items() if name not in _OURS_ALONE},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                **_as_group(),
            )
        assert process.stdout is not None
        last = self._listen(process.stdout, heard)
        code = process.wait()
        with self._lock:
            self._process = None
            if self._stopped:
                raise Stopped
        return code, last

    def stop(self) -> None:
        """End what runs, with all that it started, and run nothing more; returns at once."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None:
            _end(process, force=False)
            threading.Timer(_PATIENCE_SECONDS, _end, (process,), {"force": True}).start()

    def check(self) -> None:
        """Raise `Stopped` if the person has cancelled."""
        if self._stopped:
            raise Stopped

    def note(self, line: str) -> None:
        """Write a line into the log."""
        self._log.write(line + "\n")
        self._log.flush()

    def __enter__(self) -> Commands:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._log.close()

    def _listen(self, output: IO[str], heard: Callable[[str], bool] | None) -> str:
        last = ""
        for line in output:
            text = line.rstrip()
            if heard is None or not heard(text):
                self.note(text)
                last = text or last
        return last


def _as_group() -> dict[str, Any]:
    """What makes a program the head of a group that can be ended as a whole."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _end(process: subprocess.Popen[str], *, force: bool) -> None:
    if process.poll() is not None:
        return
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill() if force else process.terminate()
        else:
            os.killpg(process.pid, signal.SIGKILL if force else signal.SIGTERM)
