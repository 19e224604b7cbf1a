"""The backend as the extension carries it: ``backend.zip``, which build.py packs beside the extension's modules."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from protocol.errors import DuologueError

FILE = Path(__file__).resolve().parents[1] / "backend.zip"
DESCRIPTION = "backend.json"


@dataclass(frozen=True)
class Payload:
    """What is in the zip.

    Attributes:
        path: the zip.
        identity: differs as soon as one of its files does.
        version: the backend's.
        requirements: what pip is to install, one requirement each.
        cpu_bytes: how much is downloaded for the device cpu on Linux, measured.
    """

    path: Path
    identity: str
    version: str
    requirements: tuple[str, ...]
    cpu_bytes: int

    def unpack(self, folder: Path) -> None:
        """Unpack the program into a folder, which is there as a whole or not at all.

        Raises:
            DuologueError: ``setup_unpack``.
        """
        draft = folder.with_name(folder.name + ".part")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            with zipfile.ZipFile(self.path) as archive:
                archive.extractall(draft)
            draft.replace(folder)
        except (OSError, zipfile.BadZipFile) as error:
            raise DuologueError(
                "setup_unpack",
                f"The backend cannot be unpacked to {folder}: {error}.",
                "Free some space there and try again, or install the extension anew.",
            ) from error


def payload(path: Path = FILE) -> Payload | None:
    """What a backend.zip holds; None where there is none, as in a checkout."""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Payload | None:
    try:
        with zipfile.ZipFile(path) as archive:
            fields = json.loads(archive.read(DESCRIPTION))
        needs = tuple(map(str, fields["requirements"]))
        return Payload(path, str(fields["identity"]), str(fields["version"]), needs, int(fields["cpu_bytes"]))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None
