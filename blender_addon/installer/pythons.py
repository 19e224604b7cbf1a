"""Which Python the backend's environment is made with: where one is looked for, and whether it will do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import DuologueError

MINIMUM = (3, 11)
_NAMES = ("python3.13", "python3.12", "python3.11", "python3.14", "python3", "python")
"""Those first for which every package has been out for a while."""
_PROBE = (
    "import ensurepip, json, struct, sys, venv; "
    "print(json.dumps([*sys.version_info[:3], struct.calcsize('P') * 8, sys.executable]))"
)
_PROBE_SECONDS = 30.0
UV_PYTHON = "3.12"
"""What uv is asked for where there is no Python at all."""


@dataclass(frozen=True)
class Python:
    """An interpreter that environments can be made with.

    Attributes:
        path: the interpreter.
        version: such as (3, 12, 1).
        inside_blender: it is Blender's own, and goes when that version of Blender is removed.
    """

    path: str
    version: tuple[int, int, int]
    inside_blender: bool = False

    def __str__(self) -> str:
        """For people: ``Python 3.12.1 (path)``."""
        whose = "Blender's own, " if self.inside_blender else ""
        return f"Python {'.'.join(map(str, self.version))} ({whose}{self.path})"


def choose(chosen: str, blender_python: str) -> Python:
    """The Python to use: the one that was chosen, else the first that will do, and Blender's own at the very last.

    Runs other programs, and so takes a while.

    Args:
        chosen: path of an interpreter; empty to look for one.
        blender_python: the interpreter that Blender comes with.

    Raises:
        DuologueError: ``python_unfit`` if the chosen one will not do, ``python_missing`` if there is none.
    """
    if chosen:
        found = probe(chosen)
        if found is None:
            raise DuologueError(
                "python_unfit",
                f"{chosen} is no Python {_wanted()} or newer, of 64 bits, with venv and pip.",
                "Choose another Python in the preferences, or leave the field empty.",
            )
        return found
    for path in candidates():
        found = probe(path)
        if found is not None and not _same(found.path, blender_python):
            return found
    own = probe(blender_python)
    if own is not None:
        return Python(own.path, own.version, inside_blender=True)
    raise DuologueError(
        "python_missing",
        f"No Python {_wanted()} or newer was found on this computer.",
        "Install Python, or uv, then try again; or choose a Python in the preferences.",
    )


def probe(path: str) -> Python | None:
    """What an interpreter is; None if it cannot be run or cannot make environments."""
    try:
        said = subprocess.run(
            [path, "-I", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=True,
            creationflags=subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0,
        ).stdout
        major, minor, micro, bits, executable = json.loads(said)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if (major, minor) < MINIMUM or bits != 64:
        return None
    return Python(str(executable), (major, minor, micro))


def candidates() -> Iterator[str]:
    """Paths where a Python may be, the best first; none of them has been run."""
    seen = set()
    for path in (*_on_path(), *_in_usual_places()):
        if path not in seen:
            seen.add(path)
            yield path


def find_uv() -> str | None:
    """The program uv, which can fetch a Python of its own; None where it is not installed."""
    usual = (Path.home() / ".local" / "bin", Path.home() / ".cargo" / "bin")
    return shutil.which("uv") or next((found for folder in usual if (found := shutil.which("uv", path=folder))), None)


def _on_path() -> Iterator[str]:
    for name in _NAMES:
        found = shutil.which(name)
        # Windows has a python.exe that does nothing but open a shop.
        if found and "WindowsApps" not in found:
            yield found


def _in_usual_places() -> Iterator[str]:
    home = Path.home()
    if sys.platform == "win32":
        roots = [Path(os.environ[name]) for name in ("LOCALAPPDATA", "PROGRAMFILES") if name in os.environ]
        places = [root.glob(pattern) for root in roots for pattern in ("Programs/Python/Python3*", "Python3*")]
        yield from sorted((str(folder / "python.exe") for place in places for folder in place), reverse=True)
        return
    for folder in ("/opt/homebrew/bin", "/usr/local/bin", str(home / ".local" / "bin")):
        for name in _NAMES[:-2]:
            found = shutil.which(name, path=folder)
            if found:
                yield found
    frameworks = Path("/Library/Frameworks/Python.framework/Versions").glob("3.*/bin/python3")
    for place in ((home / ".pyenv" / "versions").glob("3.*/bin/python3"), frameworks):
        yield from sorted((str(path) for path in place), reverse=True)


def _same(one: str, other: str) -> bool:
    return bool(other) and os.path.realpath(one) == os.path.realpath(other)


def _wanted() -> str:
    return ".".join(map(str, MINIMUM))
