"""The socket: a ROUTER that answers every client at once, whatever the model is doing."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import zmq

from protocol import connection as connection_file
from protocol.connection import Connection
from protocol.errors import DuologueError
from protocol.messages import (
    TASKS,
    USUAL_LIMITS,
    Accepted,
    Cancel,
    Error,
    Heartbeat,
    Hello,
    Message,
    Progress,
    Shutdown,
    Status,
    StatusRequest,
    Submit,
    Welcome,
)
from protocol.wire import BUFFER_BYTES_MAX, Refused, Seen, VersionMismatch, new_key, pack, pack_version_notice, unpack

from .. import __version__
from . import endpoint, requests
from .model import Model
from .queue import Job, JobQueue
from .worker import LOADING, Worker, cancelled

log = logging.getLogger("duologue.server")

_POLL_MILLISECONDS = 50
_TICK_SECONDS = 1.0
_WORKER_PATIENCE_SECONDS = 0.5
_MESSAGES_PER_TURN = 64
_CLIENTS_MAX = 64
_UNSENT_MAX = 10_000
"""Messages that may wait for one client to read them; one that is further behind counts as gone."""


@dataclass(frozen=True)
class ServerConfig:
    """How to serve.

    Attributes:
        checkpoint: name of the checkpoint, for `Welcome` until it is loaded.
        connection_file: where to write how to be reached.
        address: where to listen.
        parent_pid: process whose end ends the server; None to outlive everybody.
    """

    checkpoint: str
    connection_file: Path
    address: str = endpoint.LOOPBACK
    parent_pid: int | None = None


class Server:
    """Accepts messages, queues jobs, passes on what the worker tells; `open` it, then `run` it."""

    def __init__(self, load: Callable[[], Model], config: ServerConfig) -> None:
        self._config = config
        self._load = load
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._from_worker = self._context.socket(zmq.PULL)
        self._to_reader = self._context.socket(zmq.PUSH)
        self._queue = JobQueue()
        self._seen = Seen()
        self._hellos: dict[bytes, str] = {}
        self._model: Model | None = None
        self._problem: DuologueError | None = None
        self._stopping = False
        self._born_of_parent = config.parent_pid == os.getppid()
        self._connection = Connection("", new_key(), os.getpid())

    def open(self) -> Connection:
        """Listen, and write the connection file.

        Raises:
            DuologueError: ``already_running``, what `endpoint.bind` raises, or what `connection.write` raises.
        """
        try:
            endpoint.refuse_second(self._config.connection_file)
            curve = None if endpoint.is_loopback(self._config.address) else endpoint.new_curve()
            self._router.setsockopt(zmq.ROUTER_MANDATORY, 1)
            self._router.setsockopt(zmq.MAXMSGSIZE, BUFFER_BYTES_MAX)
            self._router.setsockopt(zmq.SNDHWM, _UNSENT_MAX)
            address = endpoint.bind(self._router, self._config.address, curve)
            key, pid = self._connection.key, self._connection.pid
            self._connection = Connection(address, key, pid, curve.public if curve else None)
            connection_file.write(self._connection, self._config.connection_file)
        except DuologueError:
            self._context.destroy(linger=0)
            raise
        for end in (self._from_worker, self._to_reader):
            end.setsockopt(zmq.SNDHWM, 0)
            end.setsockopt(zmq.RCVHWM, 0)
        self._from_worker.bind("inproc://worker")
        self._to_reader.connect("inproc://worker")
        log.info("Listening on %s; connection file %s", address, self._config.connection_file)
        return self._connection

    def run(self) -> None:
        """Serve until stopped.

        The worker has ended by then too, unless it is deep in something that cannot be interrupted, such as an import.
        """
        worker = Worker(self._queue, self._load, self._tell_from_worker, self._loaded)
        worker.start()
        try:
            self._loop()
        finally:
            for job in self._queue.close():
                self._send(job.client, Error("backend_stopped", "The backend was stopped.", "Start it again."), job.id)
            connection_file.remove(self._config.connection_file, self._connection)
            self._router.close(linger=500)
            self._from_worker.close(linger=0)
            worker.join(_WORKER_PATIENCE_SECONDS)
        if not worker.is_alive():
            self._context.destroy()
        log.info("Stopped")

    def stop(self) -> None:
        """End `run` soon; may be called from a signal handler or another thread."""
        self._stopping = True

    def _loop(self) -> None:
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._from_worker, zmq.POLLIN)
        next_tick = time.monotonic() + _TICK_SECONDS
        while not self._stopping:
            poller.poll(_POLL_MILLISECONDS)
            for client, *frames in _arrived(self._from_worker):
                if frames:
                    self._send_frames(client, frames)
                else:
                    self._announce()
            for client, *frames in _arrived(self._router):
                self._receive(client, frames)
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + _TICK_SECONDS
                self._tick()

    def _tick(self) -> None:
        # Nothing else would show in time that the client of a long job is gone.
        for client in self._queue.clients():
            self._send(client, Heartbeat())
        if self._config.parent_pid is not None and self._parent_gone(self._config.parent_pid):
            log.info("The process that started this backend has ended")
            self._stopping = True

    def _parent_gone(self, pid: int) -> bool:
        if self._born_of_parent and os.name == "posix":
            # A dead parent that nobody has buried still has its process id, but no children.
            return os.getppid() != pid
        return not connection_file.process_runs(pid)

    def _receive(self, client: bytes, frames: list[bytes]) -> None:
        try:
            envelope = unpack(frames, self._connection.key, self._seen)
        except VersionMismatch as mismatch:
            log.warning("%s", mismatch.message)
            if not mismatch.notice:
                self._send_frames(client, pack_version_notice(self._connection.key))
            return
        except Refused as refusal:
            log.warning("%s", refusal.message)
            if refusal.parent:
                self._send(client, _error(refusal), refusal.parent)
            return
        try:
            self._answer(client, envelope.header.id, envelope.message)
        except DuologueError as error:
            self._send(client, _error(error), envelope.header.id)

    def _answer(self, client: bytes, id: str, message: Message) -> None:
        match message:
            case Hello():
                log.info("Hello from %s", message.client[:100])
                self._remember(client, id)
                self._greet(client, id)
            case Submit():
                self._submit(Job(client, id, message))
            case Cancel():
                if self._queue.cancel(client, message.job):
                    self._send(client, cancelled(), message.job)
            case Heartbeat():
                self._send(client, Heartbeat(), id)
            case StatusRequest():
                status = Status(self._model is not None, self._queue.busy, len(self._queue.waiting))
                self._send(client, status, id)
            case Shutdown():
                self._stopping = True
            case _:
                raise DuologueError(
                    "wire_unexpected", f"A backend does not take messages of the type {message.TYPE!r}.", ""
                )

    def _submit(self, job: Job) -> None:
        submit = job.submit
        limits = self._model.limits if self._model else USUAL_LIMITS
        requests.check(submit, limits)
        if self._model and submit.task not in self._model.tasks:
            raise requests.unsupported(submit.task, self._model.name)
        self._send(job.client, Accepted(self._queue.add(job)), job.id)
        if self._model is None and self._problem is None:
            self._send(job.client, Progress(0.0, LOADING), job.id)

    def _remember(self, client: bytes, hello_id: str) -> None:
        self._hellos[client] = hello_id
        if len(self._hellos) > _CLIENTS_MAX:
            self._hellos.pop(next(iter(self._hellos)))

    def _announce(self) -> None:
        for client, hello_id in list(self._hellos.items()):
            self._greet(client, hello_id)

    def _greet(self, client: bytes, hello_id: str) -> None:
        model = self._model
        if model:
            welcome = Welcome(__version__, list(model.tasks), model.name, model.device, True, model.limits)
        else:
            welcome = Welcome(__version__, list(TASKS), self._config.checkpoint, "", False, USUAL_LIMITS)
        self._send(client, welcome, hello_id)
        if self._problem:
            self._send(client, _error(self._problem), hello_id)

    def _send(self, client: bytes, message: Message, parent: str = "") -> None:
        self._send_frames(client, pack(message, self._connection.key, parent=parent))

    def _send_frames(self, client: bytes, frames: list[bytes]) -> None:
        try:
            self._router.send_multipart([client, *frames], flags=zmq.NOBLOCK)
        except zmq.ZMQError as error:
            # Unreachable, or so far behind that its queue is full.
            if error.errno not in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                raise
            self._queue.drop(client)
            self._hellos.pop(client, None)

    def _tell_from_worker(self, job: Job, message: Message) -> None:
        self._push([job.client, *pack(message, self._connection.key, parent=job.id)])

    def _loaded(self, model: Model | None, problem: DuologueError | None) -> None:
        self._model, self._problem = model, problem
        if model:
            log.info("Loaded %s on %s", model.name, model.device)
        self._push([b""])

    def _push(self, frames: list[bytes]) -> None:
        # There is no reader any more once the server stops.
        with contextlib.suppress(zmq.Again):
            self._to_reader.send_multipart(frames, flags=zmq.NOBLOCK)


def _arrived(socket: zmq.Socket) -> list[list[bytes]]:
    messages = []
    while len(messages) < _MESSAGES_PER_TURN:
        try:
            messages.append(socket.recv_multipart(flags=zmq.NOBLOCK))
        except zmq.Again:
            break
    return messages


def _error(error: DuologueError) -> Error:
    return Error(error.code, error.message, error.hint)
