"""The jobs that wait for the worker: first come, first served, and none may flood the others out."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from protocol.errors import DuologueError
from protocol.messages import Submit

WAITING_PER_CLIENT_MAX = 8
WAITING_MAX = 64


@dataclass(frozen=True, eq=False)
class Job:
    """One submitted task.

    Attributes:
        client: the ZeroMQ identity of who submitted it.
        id: id of its `Submit` message.
        submit: what to do.
        cancelled: set when it should stop.
    """

    client: bytes
    id: str
    submit: Submit
    cancelled: threading.Event = field(default_factory=threading.Event)


class JobQueue:
    """A thread-safe queue with one job at a time in the worker's hands."""

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._closed = False
        self._changed = threading.Condition()

    def add(self, job: Job) -> int:
        """Append a job; returns how many are before it, the running one included.

        Raises:
            DuologueError: ``queue_full``, or ``job_known`` if the client has a job of this id already.
        """
        with self._changed:
            own = [other for other in self._waiting if other.client == job.client]
            if len(own) >= WAITING_PER_CLIENT_MAX or len(self._waiting) >= WAITING_MAX:
                raise DuologueError(
                    "queue_full",
                    f"{len(self._waiting)} jobs are waiting already.",
                    "Wait until some are done, or cancel one.",
                )
            if any(other.id == job.id for other in self._of(job.client)):
                raise DuologueError("job_known", "A job of this id waits or runs already.", "Submit it under a new id.")
            ahead = len(self._waiting) + (self._running is not None)
            self._waiting.append(job)
            self._changed.notify_all()
            return ahead

    def take(self) -> Job | None:
        """The next job, which runs from now on until `finish`; waits for one. None once the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            self._running = self._waiting.popleft()
            return self._running

    def finish(self) -> None:
        """The running job has ended, one way or another."""
        with self._changed:
            self._running = None

    def cancel(self, client: bytes, id: str) -> Job | None:
        """Stop a client's job; returns it if it was still waiting, and so has ended by this."""
        return next(iter(self._stop([job for job in self.of(client) if job.id == id])), None)

    def drop(self, client: bytes) -> None:
        """Stop all jobs of a client that is gone."""
        self._stop(self.of(client))

    def close(self) -> list[Job]:
        """Stop everything and take no more; returns the jobs that were waiting or running."""
        with self._changed:
            self._closed = True
            jobs = [*([self._running] if self._running else []), *self._waiting]
            self._waiting.clear()
            for job in jobs:
                job.cancelled.set()
            self._changed.notify_all()
            return jobs

    def of(self, client: bytes) -> list[Job]:
        """A client's jobs, the running one first."""
        with self._changed:
            return self._of(client)

    def clients(self) -> set[bytes]:
        """Everybody who has a job waiting or running."""
        with self._changed:
            return {job.client for job in self._waiting} | ({self._running.client} if self._running else set())

    @property
    def waiting(self) -> list[Job]:
        """The jobs that wait, the next one first."""
        with self._changed:
            return list(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether a job is in the worker's hands."""
        return self._running is not None

    def _of(self, client: bytes) -> list[Job]:
        running = [self._running] if self._running else []
        return [job for job in (*running, *self._waiting) if job.client == client]

    def _stop(self, jobs: list[Job]) -> list[Job]:
        with self._changed:
            ended = [job for job in jobs if job in self._waiting]
            for job in jobs:
                job.cancelled.set()
            for job in ended:
                self._waiting.remove(job)
            return ended
