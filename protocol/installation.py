"""Where a backend is installed: a note that setting up leaves for the extension, so that people need not type a path.

JSON: ``{"python": path of an interpreter that can run `python -m backend`, "folder": where to run it}``.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

ENVIRONMENT_VARIABLE = "DUOLOGUE_PYTHON"
"""Names another interpreter than the note does."""


@dataclass(frozen=True)
class Installation:
    """A backend that can be started.

    Attributes:
        python: the interpreter.
        folder: its working folder; None where any will do.
    """

    python: str
    folder: str | None = None


def note_path() -> Path:
    """Where the note lies: the user's data folder, which outlives a restart of the machine."""
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "Duologue" / "backend.json"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Duologue" / "backend.json"
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "duologue" / "backend.json"


def leave_note(installation: Installation) -> Path:
    """Write the note and return its path; an earlier one is replaced.

    Raises:
        OSError: the place cannot be written.
    """
    path = note_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(installation)), encoding="utf-8")
    draft.replace(path)
    return path


def find() -> Installation | None:
    """The installation that ``$DUOLOGUE_PYTHON`` or the note names; None if there is none that still exists."""
    if chosen := os.environ.get(ENVIRONMENT_VARIABLE):
        return Installation(chosen)
    try:
        fields = json.loads(note_path().read_text(encoding="utf-8"))
        found = Installation(str(fields["python"]), str(fields["folder"]) if fields.get("folder") else None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    exists = Path(found.python).is_file() and (found.folder is None or Path(found.folder).is_dir())
    return found if exists else None
