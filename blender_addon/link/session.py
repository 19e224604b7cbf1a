"""From "a backend is wanted" to "it answers": finds a running one, starts one if there is none, notices its end.

Knows nothing of Blender; `tick` is called a few times a second and never waits.
"""

from __future__ import annotations

import enum
import time
import urllib.parse
from collections.abc import Callable

from protocol import connection as connection_file
from protocol.connection import Connection
from protocol.errors import DuologueError
from protocol.messages import Cancel, Shutdown, Submit, Welcome
from protocol.wire import Envelope, VersionMismatch

from .client import Client, lost
from .process import BackendProcess, Settings

GREETING_SECONDS = 5.0
"""How long a backend that runs already may take to greet."""
START_SECONDS = 90.0
"""How long a backend that was just started may take to greet."""
_LOOK_SECONDS = 0.5
"""How often it is looked whether a backend that others started still runs."""
_STOP_SECONDS = 2.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class State(enum.Enum):
    """How things stand; the value is what the sidebar says."""

    OFF = "Not running"
    SEEKING = "Looking for the backend"
    STARTING = "Starting the backend"
    LOADING = "Loading the model"
    READY = "Ready"
    FAILED = "Failed"


class Session:
    """The extension's one relation to a backend.

    Attributes:
        state: see `State`.
        error: why it is FAILED; None otherwise.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.state = State.OFF
        self.error: DuologueError | None = None
        self._name = name
        self._clock = clock
        self._settings: Settings | None = None
        self._client: Client | None = None
        self._process: BackendProcess | None = None
        self._stale_key: bytes | None = None
        self._deadline = 0.0
        self._watched_pid: int | None = None
        self._next_look = 0.0

    @property
    def welcome(self) -> Welcome | None:
        """What the connected backend said about itself."""
        return self._client.welcome if self._client else None

    @property
    def connected(self) -> bool:
        """Whether jobs can be submitted; they wait in the backend while it still loads."""
        return self.state in (State.LOADING, State.READY)

    @property
    def started_here(self) -> bool:
        """Whether the backend is a process of ours, which ends with Blender."""
        return self._process is not None

    def connect(self, settings: Settings) -> None:
        """Begin to look for a backend, unless one is there or on its way."""
        if self.state not in (State.OFF, State.FAILED):
            return
        self.stop()
        self._settings, self.state, self.error = settings, State.SEEKING, None

    def tick(self) -> list[Envelope]:
        """Move things on and return what arrived about jobs.

        Trouble does not come as an exception: it makes the state FAILED and stands in ``error``.
        """
        try:
            # Heard before judged: while Blender was busy, the answer may have come and the deadline passed.
            envelopes = self._poll(self._client) if self._client is not None else []
            if self.state is State.SEEKING:
                self._seek()
            elif self.state is State.STARTING:
                self._await_started()
            return envelopes
        except DuologueError as error:
            self._fail(error)
        return []

    def submit(self, job: Submit) -> str:
        """Send a job and return its id.

        Raises:
            DuologueError: there is no backend, or the job is too large for the wire.
        """
        if self._client is None or not self.connected:
            raise DuologueError("backend_off", "No Duologue backend is connected.", "Press Start in the Duologue tab.")
        return self._client.send(job)

    def cancel(self, job_id: str) -> None:
        """Ask the backend to stop a job; where there is none left, there is nothing to stop."""
        if self._client is not None and self.connected:
            self._client.send(Cancel(job=job_id))

    def stop(self) -> None:
        """Disconnect, and end the backend if it was started here; takes up to a few seconds then."""
        if self._client is not None:
            if self._process is not None:
                self._client.send(Shutdown())
            self._client.close()
        if self._process is not None:
            self._process.stop(_STOP_SECONDS if self._client is not None else 0.0)
        self._client = self._process = self._stale_key = None
        self.state, self.error = State.OFF, None

    def _seek(self) -> None:
        assert self._settings is not None
        if self._client is None:
            try:
                self._open(connection_file.read(self._settings.connection_file))
                self._deadline = self._clock() + GREETING_SECONDS
            except VersionMismatch:
                raise
            except DuologueError as error:
                self._start_instead(error)
        elif self._clock() > self._deadline:
            self._start_instead(
                DuologueError(
                    "backend_silent",
                    f"Nothing answers where the connection file {self._settings.connection_file} points.",
                    "Delete that file, then start the backend again.",
                )
            )

    def _start_instead(self, trouble: DuologueError) -> None:
        """Start a backend of our own, unless settings forbid it; then ``trouble`` is what stands in the way."""
        assert self._settings is not None
        if self._settings.fixed or not self._settings.auto_start:
            raise trouble
        if trouble.code == "connection_exposed":
            raise trouble
        self._stale_key = self._current_key()
        if self._client is not None:
            self._client.close()
            self._client = None
        self._process = BackendProcess(self._settings)
        self.state, self._deadline = State.STARTING, self._clock() + START_SECONDS

    def _current_key(self) -> bytes | None:
        assert self._settings is not None
        try:
            return connection_file.read(self._settings.connection_file).key
        except DuologueError:
            return None

    def _await_started(self) -> None:
        assert self._settings is not None
        assert self._process is not None
        self._process.check()
        if self._clock() > self._deadline:
            raise DuologueError(
                "backend_slow",
                f"The Duologue backend was started, but does not answer after {START_SECONDS:.0f} seconds.",
                f"Look into {self._settings.log}, then press Restart.",
            )
        if self._client is not None:
            return
        try:
            found = connection_file.read(self._settings.connection_file)
        except DuologueError:
            return
        if found.key != self._stale_key:
            self._open(found)

    def _open(self, connection: Connection) -> None:
        assert self._settings is not None
        host = urllib.parse.urlsplit(connection.address).hostname
        if host not in _LOOPBACK and not self._settings.online:
            raise DuologueError(
                "offline",
                f"The backend is on another computer ({host}), and Blender may not go online.",
                "Allow online access in Blender's preferences under System, then try again.",
            )
        self._client = Client(connection, self._name, self._clock)
        # The process of a backend on another computer cannot be looked at from here.
        self._watched_pid = connection.pid if connection.curve is None else None

    def _poll(self, client: Client) -> list[Envelope]:
        envelopes = client.poll()
        if client.welcome is not None:
            self.state = State.READY if client.ready else State.LOADING
        if self._process is not None and self.connected:
            self._process.check()
        if self._watched_pid is not None and self._clock() >= self._next_look:
            self._next_look = self._clock() + _LOOK_SECONDS
            if not connection_file.process_runs(self._watched_pid):
                raise lost()
        return envelopes

    def _fail(self, error: DuologueError) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._process is not None:
            self._process.stop(0.0)
            self._process = None
        self.state, self.error = State.FAILED, error
