"""A small synchronous client, so that tests read like a conversation with the server."""

from __future__ import annotations

import time
from typing import Self, TypeVar

import zmq

from protocol.connection import Connection
from protocol.messages import Heartbeat, Message
from protocol.wire import Envelope, Seen, new_id, pack, unpack

M = TypeVar("M", bound=Message)


class WireClient:
    """Speaks to one server; every wait has an end."""

    def __init__(self, connection: Connection, key: bytes | None = None) -> None:
        self.key = key or connection.key
        self.seen = Seen()
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        if connection.curve:
            self.socket.curve_publickey, self.socket.curve_secretkey = zmq.curve_keypair()
            self.socket.curve_serverkey = connection.curve.encode()
        self.socket.connect(connection.address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self.context.term()

    def send(self, message: Message) -> str:
        """Send a message; returns its id."""
        name = new_id()
        self.socket.send_multipart(pack(message, self.key, id=name))
        return name

    def receive(self, timeout: float = 5.0) -> Envelope:
        """The next message; TimeoutError if none comes."""
        if not self.socket.poll(int(timeout * 1000)):
            raise TimeoutError("the server said nothing")
        return unpack(self.socket.recv_multipart(), self.key, self.seen)

    def wait_for(self, kind: type[M], parent: str | None = None, timeout: float = 5.0) -> M:
        """The next message of a kind (and about ``parent``), whatever else comes before it."""
        end = time.monotonic() + timeout
        while True:
            envelope = self.receive(max(0.0, end - time.monotonic()))
            if isinstance(envelope.message, kind) and parent in (None, envelope.header.parent):
                return envelope.message

    def until(self, kind: type[Message], parent: str, timeout: float = 5.0) -> list[Message]:
        """Everything about ``parent`` up to and with the first message of a kind."""
        end = time.monotonic() + timeout
        messages: list[Message] = []
        while not (messages and isinstance(messages[-1], kind)):
            envelope = self.receive(max(0.0, end - time.monotonic()))
            if envelope.header.parent == parent and not isinstance(envelope.message, Heartbeat):
                messages.append(envelope.message)
        return messages
