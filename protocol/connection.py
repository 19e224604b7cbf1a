"""The connection file, through which a client finds the backend and shares its key.

JSON, readable by its user alone: ``{"version": [major, minor], "address": "tcp://127.0.0.1:PORT", "key": HEX,
"pid": N, "curve": Z85 or null}``. It lies at `default_path`; the environment variable ``DUOLOGUE_CONNECTION`` names
another place.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from .errors import DuologueError
from .messages import PROTOCOL_VERSION
from .wire import KEY_BYTES, VersionMismatch

ENVIRONMENT_VARIABLE = "DUOLOGUE_CONNECTION"
_FILE_BYTES_MAX = 64 * 1024


@dataclass(frozen=True)
class Connection:
    """How to reach one running backend.

    Attributes:
        address: ZeroMQ endpoint, such as ``tcp://127.0.0.1:50123``.
        key: 32 bytes that sign every message both ways.
        pid: the backend's process.
        curve: the backend's public CURVE key (Z85) when it is not on loopback; None on loopback.
        version: (major, minor) of the protocol that the backend speaks.
    """

    address: str
    key: bytes
    pid: int
    curve: str | None = None
    version: tuple[int, int] = PROTOCOL_VERSION


def default_path() -> Path:
    """Where the connection file lies.

    ``$DUOLOGUE_CONNECTION`` if set; else Windows ``%LOCALAPPDATA%/Duologue/connection.json``, macOS
    ``~/Library/Application Support/Duologue/connection.json``, elsewhere ``$XDG_RUNTIME_DIR/duologue/connection.json``
    or, without a runtime folder, ``~/.cache/duologue/connection.json``.
    """
    if chosen := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(chosen)
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "Duologue" / "connection.json"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Duologue" / "connection.json"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return (Path(runtime) if runtime else Path.home() / ".cache") / "duologue" / "connection.json"


def write(connection: Connection, path: Path) -> None:
    """Write the file in one step, so that no reader ever sees half of it, and so that only its user can read it.

    On Windows the folder's own access list, which admits the user alone under ``%LOCALAPPDATA%``, does the latter.

    Raises:
        DuologueError: ``connection_unwritable``.
    """
    text = json.dumps(
        {
            "version": list(connection.version),
            "address": connection.address,
            "key": connection.key.hex(),
            "pid": connection.pid,
            "curve": connection.curve,
        }
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise DuologueError(
            "connection_unwritable",
            f"The connection file {path} cannot be written: {error.strerror or error}.",
            f"Free the place, or name another one in the environment variable {ENVIRONMENT_VARIABLE}.",
        ) from error


def read(path: Path) -> Connection:
    """Read and check the file.

    Raises:
        DuologueError: ``connection_missing``, ``connection_unreadable``, ``connection_exposed`` (others may read or
            change it), ``connection_malformed``, ``connection_stale`` (its backend no longer runs).
        VersionMismatch: the backend speaks another major version.
    """
    connection = _parse(_read_text(path), path)
    if connection.version[0] != PROTOCOL_VERSION[0]:
        raise VersionMismatch(connection.version[0])
    # Across a network, the process is one of another machine and cannot be looked up here.
    if connection.curve is None and not process_runs(connection.pid):
        raise DuologueError(
            "connection_stale",
            "The Duologue backend that wrote the connection file no longer runs.",
            "Start the backend again.",
        )
    return connection


def remove(path: Path, connection: Connection) -> None:
    """Delete the file if it still is the one of this connection; a newer backend's file stays."""
    try:
        if _parse(_read_text(path), path).key == connection.key:
            path.unlink()
    except (DuologueError, OSError):
        return


def process_runs(pid: int) -> bool:
    """Whether a process with this id exists on this machine."""
    if sys.platform == "win32":
        return _process_runs_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _process_runs_on_windows(pid: int) -> bool:
    # os.kill(pid, 0) would send Ctrl-C there.
    import ctypes

    query_limited_information, still_active = 0x1000, 259
    kernel32 = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
    kernel32.OpenProcess.restype = ctypes.c_void_p
    handle = kernel32.OpenProcess(query_limited_information, False, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel32.GetExitCodeProcess(ctypes.c_void_p(handle), ctypes.byref(code))
    kernel32.CloseHandle(ctypes.c_void_p(handle))
    return code.value == still_active


def _read_text(path: Path) -> str:
    try:
        # Checked through the open file, so that it cannot be exchanged between the check and the reading.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, encoding="utf-8") as file:
            status = os.fstat(descriptor)
            _check_private(status, path)
            return file.read(_FILE_BYTES_MAX)
    except FileNotFoundError as error:
        raise DuologueError(
            "connection_missing", "No Duologue backend runs: there is no connection file.", "Start the backend."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DuologueError(
            "connection_unreadable",
            f"The connection file {path} cannot be read: {error}.",
            "Delete it and start the backend again.",
        ) from error


def _check_private(status: os.stat_result, path: Path) -> None:
    if os.name != "posix":
        return
    exposed = stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.getuid()
    if exposed or not stat.S_ISREG(status.st_mode):
        raise DuologueError(
            "connection_exposed",
            f"The connection file {path} does not belong to you alone, so its key may be known to others.",
            "Delete it and start the backend again.",
        )


def _parse(text: str, path: Path) -> Connection:
    try:
        fields = json.loads(text)
        major, minor = fields["version"]
        address, pid, curve = fields["address"], fields["pid"], fields.get("curve")
        key = bytes.fromhex(fields["key"])
        types_hold = all(type(number) is int for number in (major, minor, pid)) and isinstance(address, str)
        curve_holds = curve is None or (isinstance(curve, str) and len(curve) == 40)
        if not (types_hold and curve_holds and len(key) == KEY_BYTES and pid > 0 and address.startswith("tcp://")):
            raise ValueError("a field is out of range")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DuologueError(
            "connection_malformed",
            f"The connection file {path} does not hold what a Duologue backend writes.",
            "Delete it and start the backend again.",
        ) from error
    return Connection(address, key, pid, curve, (major, minor))
