"""One connection to a running backend: a DEALER socket that is only ever polled and never waited for.

Knows nothing of Blender; whoever owns it calls `poll` a few times a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import zmq

from protocol.connection import Connection
from protocol.errors import DuologueError
from protocol.messages import (
    PROTOCOL_VERSION,
    Error,
    Heartbeat,
    Hello,
    Message,
    Status,
    StatusRequest,
    Welcome,
)
from protocol.wire import Envelope, Header, Refused, Seen, VersionMismatch, new_id, pack, unpack

HEARTBEAT_SECONDS = 1.0
"""How often the backend is asked whether it is still there."""
SILENCE_SECONDS = 3.0
"""How long it may leave such a question unanswered."""
PATIENCE_SECONDS = 60.0
"""The same until the backend has its checkpoint: importing and loading may keep a whole process busy."""
_MESSAGES_A_POLL = 64


class Client:
    """Sends messages to one backend and hands over what it answers.

    Attributes:
        welcome: what the backend said about itself; None until it has answered the greeting.
        ready: whether the backend has its checkpoint loaded.
    """

    def __init__(self, connection: Connection, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = connection.key
        self._clock = clock
        self._seen = Seen()
        self._unanswered_since: float | None = None
        self._next_heartbeat = clock()
        self.welcome: Welcome | None = None
        self.ready = False
        self._socket = zmq.Context.instance().socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 200)
        if connection.curve is not None:
            self._socket.curve_publickey, self._socket.curve_secretkey = zmq.curve_keypair()
            self._socket.curve_serverkey = connection.curve.encode()
        self._socket.connect(connection.address)
        self.send(Hello(client=name))

    def send(self, message: Message) -> str:
        """Queue a message for the backend and return its id, which the answers name as their parent.

        Raises:
            DuologueError: ``wire_too_large``, or ``backend_lost`` when so much is queued that nothing more fits.
        """
        identity = new_id()
        frames = pack(message, self._key, id=identity)
        try:
            self._socket.send_multipart(frames, flags=zmq.NOBLOCK)
        except zmq.Again as error:
            raise lost() from error
        return identity

    def poll(self) -> list[Envelope]:
        """What has arrived about jobs since the last call; returns at once, with at most 64 messages.

        A message that is signed but cannot be read, such as a motion that holds NaN, is handed over as the `Error` it
        causes, with an empty parent.

        Raises:
            VersionMismatch: the backend speaks another major version.
            DuologueError: ``backend_lost`` when a heartbeat went unanswered for too long.
        """
        about_jobs = []
        for frames in self._frames():
            envelope = self._accepted(frames)
            if envelope is None:
                continue
            self._unanswered_since = None
            match envelope.message:
                case Welcome() as welcome:
                    self.welcome, self.ready = welcome, welcome.ready
                case Status() as status:
                    self.ready = status.ready
                case Heartbeat():
                    pass
                case _:
                    about_jobs.append(envelope)
        self._beat()
        return about_jobs

    def close(self) -> None:
        """Close the socket; what was sent just before still goes out."""
        self._socket.close()

    def _frames(self) -> list[list[bytes]]:
        frames = []
        while len(frames) < _MESSAGES_A_POLL:
            try:
                frames.append(self._socket.recv_multipart(flags=zmq.NOBLOCK))
            except zmq.Again:
                break
        return frames

    def _accepted(self, frames: list[bytes]) -> Envelope | None:
        try:
            return unpack(frames, self._key, self._seen)
        except VersionMismatch:
            raise
        except Refused as refusal:
            # Unsigned or replayed: it is not the backend's, and must not be able to disturb a job.
            if not refusal.parent:
                return None
            header = Header(refusal.parent, Error.TYPE, "", PROTOCOL_VERSION)
            return Envelope(header, Error(refusal.code, refusal.message, refusal.hint))

    def _beat(self) -> None:
        now = self._clock()
        patience = SILENCE_SECONDS if self.ready else PATIENCE_SECONDS
        if self._unanswered_since is not None and now - self._unanswered_since > patience:
            raise lost()
        if now < self._next_heartbeat:
            return
        self._next_heartbeat = now + HEARTBEAT_SECONDS
        self.send(Heartbeat() if self.ready or self.welcome is None else StatusRequest())
        # Counted from the question and not from the last answer: while Blender itself is busy nobody asks.
        if self._unanswered_since is None:
            self._unanswered_since = now


def lost() -> DuologueError:
    """The error for a backend that is gone."""
    return DuologueError(
        "backend_lost",
        "The Duologue backend has stopped answering.",
        "Press Restart in the Duologue tab of the sidebar, then try again.",
    )
