"""Setting the backend up, and removing it again, in a thread that whoever draws the progress never waits for."""

from __future__ import annotations

import enum
import hashlib
import json
import re
import shutil
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from protocol.errors import DuologueError

from . import pythons
from .commands import Commands, Stopped
from .download import Download
from .home import Home, State, leave_note
from .payload import Payload

AUTO, CPU, CUDA = "auto", "cpu", "cuda"
_TORCH_WHEELS = "https://download.pytorch.org/whl/"
_BRIEFLY = ("--retries", "1", "--extra-index-url")
_JOIN_SECONDS = 5.0
_PROBE_DEVICE = "import json, torch; print(json.dumps([torch.__version__, torch.cuda.is_available()]))"


class Phase(enum.Enum):
    """Where it stands."""

    IDLE = enum.auto()
    RUNNING = enum.auto()
    DONE = enum.auto()
    FAILED = enum.auto()
    CANCELLED = enum.auto()


@dataclass(frozen=True)
class Wish:
    """What is to be set up.

    Attributes:
        home: where.
        payload: the backend.
        python: interpreter to make the environment with; empty to look for one.
        device: ``auto``, ``cpu`` or ``cuda``.
        online: whether the person lets Blender go online.
        blender_python: the interpreter that Blender comes with.
    """

    home: Home
    payload: Payload
    python: str
    device: str
    online: bool
    blender_python: str


@dataclass(frozen=True)
class Progress:
    """How far it is; replaced as a whole, so that any thread may read it.

    Attributes:
        step: what is being done, for people.
        detail: more about it; may be empty.
        fraction: 0 to 1.
        python: the interpreter, once it is chosen.
        device: the device, once it is known.
        error: why it FAILED.
    """

    phase: Phase = Phase.IDLE
    step: str = ""
    detail: str = ""
    fraction: float = 0.0
    python: str = ""
    device: str = ""
    error: DuologueError | None = None


class Setup:
    """One thing at a time: setting up, going on with it, or removing."""

    def __init__(self) -> None:
        self.progress = Progress()
        self._thread: threading.Thread | None = None
        self._commands: Commands | None = None
        self._cancelled = False

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self.progress.phase is Phase.RUNNING

    def begin(self, wish: Wish) -> None:
        """Set up, or go on where an earlier attempt was cancelled or failed.

        Raises:
            DuologueError: ``setup_busy``, or ``setup_offline`` if there is something to fetch that Blender may not.
        """
        if not wish.online and not _is_complete(wish):
            raise DuologueError(
                "setup_offline",
                "The backend must be downloaded, and Blender may not go online.",
                "Allow online access in the preferences, or use an environment that you have set up yourself.",
            )
        self._start(lambda: self._with_commands(wish), "Looking for Python")

    def begin_removal(self, home: Home) -> None:
        """Delete what was set up.

        Raises:
            DuologueError: ``setup_busy``.
        """
        self._start(home.remove, "Removing the backend")

    def cancel(self) -> None:
        """Stop; what has arrived stays, and setting up can be gone on with. Returns at once."""
        self._cancelled = True
        if self._commands is not None:
            self._commands.stop()

    def end(self) -> None:
        """Stop, and wait for the thread."""
        self.cancel()
        if self._thread is not None:
            self._thread.join(_JOIN_SECONDS)

    def _start(self, act: Callable[[], None], step: str) -> None:
        if self.running:
            raise DuologueError("setup_busy", "Setting up is under way.", "Wait for it, or cancel it first.")
        self.progress = Progress(Phase.RUNNING, step)
        self._commands, self._cancelled = None, False

        def work() -> None:
            phase, error = Phase.DONE, None
            try:
                act()
            except Stopped:
                phase = Phase.CANCELLED
            except DuologueError as raised:
                phase, error = Phase.FAILED, raised
            except Exception as raised:
                # A thread's exceptions reach nobody, and it would seem to run for ever.
                traceback.print_exc()
                phase, error = Phase.FAILED, _unexpected(raised)
            self.progress = replace(self.progress, phase=phase, error=error, detail="")

        self._thread = threading.Thread(target=work, name="duologue-setup", daemon=True)
        self._thread.start()

    def _with_commands(self, wish: Wish) -> None:
        with wish.home.locked(), Commands(wish.home.log) as commands:
            self._commands = commands
            if self._cancelled:
                raise Stopped
            self._set_up(wish, commands)

    def _at(self, fraction: float, step: str, detail: str = "", **more: str) -> None:
        self.progress = replace(self.progress, fraction=fraction, step=step, detail=detail, **more)

    def _set_up(self, wish: Wish, commands: Commands) -> None:
        home, payload = wish.home, wish.payload
        python = _choose_python(wish, commands)
        device = _device(wish.device, commands)
        self._at(0.02, "Making the environment", python=str(python), device=device)
        done = _to_go_on_with(home.state(), str(python), device)
        # Not ready while anything is being changed: a set-up that breaks off must not be taken for whole.
        state = home.note(replace(done, ready=False))
        if not (state.environment and home.python.is_file()):
            shutil.rmtree(home.environment, ignore_errors=True)
            _must(commands, [python.path, "-m", "venv", home.environment], "setup_environment", "The environment")
            state = home.note(replace(state, environment=True, packages=""))
        commands.check()
        if state.program != payload.identity:
            self._at(0.06, "Unpacking the backend")
            payload.unpack(home.program(payload.identity))
            state = home.note(replace(state, program=payload.identity))
        needs = needs_id(payload)
        if state.packages != needs:
            self._fetch(wish, device, commands)
            state = home.note(replace(state, packages=needs))
        self._at(0.95, "Trying the backend out")
        self._try_out(home, payload, commands)
        state = home.note(replace(state, ready=True))
        leave_note(home, state)
        home.forget_old(state)
        self._at(1.0, "The backend is set up")

    def _fetch(self, wish: Wish, device: str, commands: Commands) -> None:
        home = wish.home
        pip = [home.python, "-m", "pip", "install", "--disable-pip-version-check", "--cache-dir", home.downloads]
        self._at(0.08, "Preparing the download")
        # Older pips do not tell how far they are. One that cannot be had does no harm.
        commands.run([*pip, "--upgrade", "pip"])
        said = commands.run([home.python, "-m", "pip", "--version"])[1]
        told = ["--progress-bar", "raw"] if _tells_progress(said) else []
        expected = wish.payload.cpu_bytes if device == CPU and sys.platform == "linux" else 0
        download = Download(expected)

        def heard(line: str) -> bool:
            quiet = download.feed(line)
            step = "Installing" if download.installing else "Downloading"
            self._at(0.1 + 0.8 * download.fraction, step, download.said())
            return quiet

        needs = wish.payload.requirements
        other = _wheels_for(device)
        if other:
            # Alone, so that no other package is looked for there, nor waited for where that index cannot be reached.
            torch = [need for need in needs if need.startswith("torch==")]
            _must(commands, [*pip, *told, *other, "--no-deps", *torch], "setup_download", "PyTorch", heard)
        _must(commands, [*pip, *told, *needs], "setup_download", "What the backend needs", heard)

    def _try_out(self, home: Home, payload: Payload, commands: Commands) -> None:
        folder = home.program(payload.identity)
        said = _must(commands, [home.python, "-c", _PROBE_DEVICE], "setup_broken", "The new environment", folder=folder)
        _must(commands, [home.python, "-m", "backend", "--version"], "setup_broken", "The backend", folder=folder)
        try:
            torch, cuda = json.loads(said)
        except ValueError:
            return
        at = "an NVIDIA card" if cuda else "the processor"
        self._at(0.98, "Trying the backend out", device=f"torch {torch} on {at}")


def needs_id(payload: Payload) -> str:
    """Id of a payload's list of packages."""
    return hashlib.sha256("\n".join(payload.requirements).encode()).hexdigest()


def _is_complete(wish: Wish) -> bool:
    """Whether everything that has to be fetched is here."""
    state = wish.home.state()
    return state is not None and state.packages == needs_id(wish.payload)


def _choose_python(wish: Wish, commands: Commands) -> pythons.Python:
    """The interpreter that was begun with, else what `pythons.choose` finds, else one that uv fetches."""
    try:
        found = pythons.choose(wish.python, wish.blender_python)
    except DuologueError as error:
        uv = pythons.find_uv()
        if error.code != "python_missing" or uv is None:
            raise
        commands.run([uv, "python", "install", pythons.UV_PYTHON])
        _, path = commands.run([uv, "python", "find", pythons.UV_PYTHON])
        fetched = pythons.probe(path)
        if fetched is None:
            raise
        found = fetched
    commands.note(str(found))
    commands.check()
    return found


def _to_go_on_with(state: State | None, python: str, device: str) -> State:
    """What an earlier attempt has done, if it was the same attempt."""
    if state is not None and state.python == python and state.device == device:
        return state
    return State(python=python, device=device)


def _device(wished: str, commands: Commands) -> str:
    if wished != AUTO:
        return wished
    driver = shutil.which("nvidia-smi")
    try:
        return CUDA if driver is not None and commands.run([driver, "-L"])[0] == 0 else CPU
    except OSError:
        return CPU


def _wheels_for(device: str) -> list[str]:
    """Where torch is fetched from when the package index's own build is not the one for this device."""
    if sys.platform == "linux" and device == CPU:
        return [*_BRIEFLY, _TORCH_WHEELS + "cpu"]
    if sys.platform == "win32" and device == CUDA:
        return [*_BRIEFLY, _TORCH_WHEELS + "cu130"]
    return []


def _tells_progress(version: str) -> bool:
    """Whether this pip, by what ``--version`` says, knows ``--progress-bar raw``."""
    found = re.match(r"pip (\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= (24, 1)


def _must(
    commands: Commands,
    command: list[object],
    code: str,
    what: str,
    heard: Callable[[str], bool] | None = None,
    folder: Path | None = None,
) -> str:
    """Run a command that must not fail; returns the last line that it said."""
    try:
        status, last = commands.run(command, folder, heard)
    except OSError as error:
        status, last = 1, error.strerror or str(error)
    if status:
        raise DuologueError(code, f"{what} could not be set up: {last}", _HINTS[code])
    return last


_HINTS = {
    "setup_environment": "Choose another Python in the preferences, then try again.",
    "setup_download": "Look at the network and at the free space, then go on: what has arrived is kept.",
    "setup_broken": "Open the log; if nothing there helps, remove the backend and set it up again.",
}


def _unexpected(error: Exception) -> DuologueError:
    return DuologueError(
        "setup_unexpected", f"Setting up failed: {type(error).__name__}: {error}.", "Open the log, then try again."
    )
