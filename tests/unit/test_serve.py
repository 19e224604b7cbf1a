"""The server: many clients, one model, real cancellation, a clean end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import zmq

from backend.serve import endpoint
from backend.serve.queue import WAITING_PER_CLIENT_MAX
from backend.serve.server import Server, ServerConfig
from protocol import connection as connection_file
from protocol.connection import Connection
from protocol.errors import DuologueError
from protocol.messages import (
    Accepted,
    Cancel,
    Error,
    Heartbeat,
    Hello,
    MotionPart,
    Progress,
    Result,
    Shutdown,
    Status,
    StatusRequest,
    Submit,
    TextPart,
    Welcome,
)
from protocol.motion import joined_in_time
from protocol.wire import VersionMismatch, new_key, pack
from tests.unit.fake_model import FakeModel, still
from tests.unit.wire_client import WireClient

ROOT = Path(__file__).parents[2]
GENERATE_BRIEFLY = Submit("generate", "wave", seconds=1.0)
GENERATE_FOREVER = Submit("generate", "endless", seconds=1.0)


@contextmanager
def serving(
    path: Path, load: Callable[[], FakeModel] = FakeModel, address: str = endpoint.LOOPBACK
) -> Iterator[Connection]:
    server = Server(load, ServerConfig("fake", path, address))
    connection = server.open()
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield connection
    finally:
        server.stop()
        thread.join(5)
        assert not thread.is_alive()


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def connection(tmp_path: Path, model: FakeModel) -> Iterator[Connection]:
    with serving(tmp_path / "run" / "connection.json", lambda: model) as connection:
        yield connection


@pytest.fixture
def client(connection: Connection) -> Iterator[WireClient]:
    with WireClient(connection) as client:
        client.send(Hello("test"))
        while not client.wait_for(Welcome).ready:
            pass
        yield client


def open_when_free(client: WireClient, within: float) -> float:
    """Seconds until the worker is free."""
    start = time.perf_counter()
    while time.perf_counter() - start < within:
        client.send(StatusRequest())
        if not client.wait_for(Status).busy:
            return time.perf_counter() - start
    raise TimeoutError("still busy")


def wait_until_busy(client: WireClient) -> None:
    """Wait for the worker to take up the job that was accepted last."""
    deadline = time.monotonic() + 10
    while True:
        client.send(StatusRequest())
        if client.wait_for(Status).busy:
            return
        assert time.monotonic() < deadline


def test_welcome_tells_what_the_backend_can_do(client: WireClient):
    client.send(Hello("test"))
    welcome = client.wait_for(Welcome)
    assert welcome.ready
    assert (welcome.checkpoint, welcome.device, welcome.limits.samples_max) == ("fake", "cpu", 4)
    assert welcome.tasks == ["generate", "react", "describe", "edit", "ask", "story", "complete"]


def test_motion_arrives_in_pieces_that_make_up_the_whole(client: WireClient):
    job = client.send(GENERATE_BRIEFLY)
    told = client.until(Result, job)
    parts = [message for message in told if isinstance(message, MotionPart)]
    assert isinstance(told[0], Accepted)
    assert told[0].ahead == 0
    assert [part.start for part in parts] == list(range(0, 30, 4))
    assert joined_in_time([part.motion for part in parts]).frames == parts[0].total == 30
    fractions = [message.fraction for message in told if isinstance(message, Progress)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_first_piece_leaves_before_the_motion_is_finished(client: WireClient, model: FakeModel):
    job = client.send(GENERATE_BRIEFLY)
    client.wait_for(MotionPart, job)
    assert model.done == []


def test_variations_are_numbered_and_differ_in_their_seed(client: WireClient):
    job = client.send(Submit("generate", "wave", seconds=1.0, seed=7, samples=3))
    parts = [message for message in client.until(Result, job) if isinstance(message, MotionPart)]
    assert {part.sample: part.motion.root[0, 0, 0] for part in parts} == {0: 7.0, 1: 8.0, 2: 9.0}


def test_react_answers_with_the_partner_alone(client: WireClient):
    job = client.send(Submit("react", motion=still(12, 1)))
    parts = [message for message in client.until(Result, job) if isinstance(message, MotionPart)]
    assert {part.motion.persons for part in parts} == {1}
    assert sum(part.motion.frames for part in parts) == 12


def test_describe_streams_text_and_repeats_it_in_the_result(client: WireClient):
    told = client.until(Result, client.send(Submit("describe", motion=still(12, 2))))
    assert [message.text for message in told if isinstance(message, TextPart)] == ["2 people", " stand."]
    assert isinstance(told[-1], Result)
    assert told[-1].text == "2 people stand."


def test_cancel_frees_the_worker_within_a_fifth_of_a_second(client: WireClient):
    job = client.send(GENERATE_FOREVER)
    client.wait_for(Accepted, job)
    start = time.perf_counter()
    client.send(Cancel(job))
    assert client.wait_for(Error, job).code == "cancelled"
    assert open_when_free(client, within=0.2) + time.perf_counter() - start < 0.4
    assert time.perf_counter() - start < 0.2


def test_a_cancelled_waiting_job_never_runs(client: WireClient, model: FakeModel):
    running = client.send(GENERATE_FOREVER)
    waiting = client.send(GENERATE_BRIEFLY)
    client.send(Cancel(waiting))
    assert client.wait_for(Error, waiting).code == "cancelled"
    client.send(Cancel(running))
    assert client.wait_for(Error, running).code == "cancelled"
    open_when_free(client, within=1)
    assert model.done == []


def test_a_client_cannot_cancel_the_job_of_another(connection: Connection, client: WireClient):
    job = client.send(GENERATE_BRIEFLY)
    with WireClient(connection) as other:
        other.send(Cancel(job))
        client.wait_for(Result, job)


def test_jobs_run_in_the_order_they_came_in_from_two_clients(
    connection: Connection, client: WireClient, model: FakeModel
):
    blocking = client.send(GENERATE_FOREVER)
    client.wait_for(Accepted, blocking)
    with WireClient(connection) as other:
        first = client.send(Submit("generate", "first", seconds=1.0))
        assert client.wait_for(Accepted, first).ahead == 1
        second = other.send(Submit("generate", "second", seconds=1.0))
        assert other.wait_for(Accepted, second).ahead == 2
        client.send(Cancel(blocking))
        assert other.wait_for(Progress, second).stage == "Waiting for 1 job"
        client.wait_for(Result, first)
        other.wait_for(Result, second)
    assert model.done == ["first", "second"]


def test_the_server_answers_while_the_model_works(client: WireClient):
    client.wait_for(Accepted, client.send(GENERATE_FOREVER))
    wait_until_busy(client)
    start = time.perf_counter()
    client.send(Heartbeat())
    client.wait_for(Heartbeat)
    client.send(StatusRequest())
    assert client.wait_for(Status).busy
    assert time.perf_counter() - start < 0.5


def test_a_flood_is_refused_with_a_reason(client: WireClient):
    client.wait_for(Accepted, client.send(GENERATE_FOREVER))
    wait_until_busy(client)
    for _ in range(WAITING_PER_CLIENT_MAX):
        client.wait_for(Accepted, client.send(GENERATE_BRIEFLY))
    assert client.wait_for(Error, client.send(GENERATE_BRIEFLY)).code == "queue_full"


def test_the_jobs_of_a_client_that_is_gone_are_stopped(connection: Connection, client: WireClient):
    with WireClient(connection) as other:
        other.wait_for(Accepted, other.send(GENERATE_FOREVER))
        wait_until_busy(client)
    assert open_when_free(client, within=3) < 3


@pytest.mark.parametrize(
    ("submit", "code"),
    [
        (Submit("generate", "", seconds=1.0), "prompt_empty"),
        (Submit("generate", "wave", seconds=1.0, samples=5), "samples_out_of_range"),
        (Submit("generate", "wave", seconds=1.0, samples=0), "samples_out_of_range"),
        (Submit("react"), "motion_missing"),
        (Submit("describe"), "motion_missing"),
        (Submit("juggle"), "task_unknown"),
        (Submit("generate", "fail", seconds=1.0), "internal"),
    ],
)
def test_a_bad_job_is_answered_and_the_next_one_runs(client: WireClient, submit: Submit, code: str):
    assert client.wait_for(Error, client.send(submit)).code == code
    client.wait_for(Result, client.send(GENERATE_BRIEFLY))


def test_nan_in_a_motion_is_refused_by_name(connection: Connection, client: WireClient):
    motion = still(12, 1)
    motion.root[3] = np.nan
    assert client.wait_for(Error, client.send(Submit("react", motion=motion))).code == "motion_not_finite"


def test_without_the_key_nothing_can_be_submitted(connection: Connection, client: WireClient, model: FakeModel):
    with WireClient(connection, key=new_key()) as stranger:
        stranger.send(GENERATE_BRIEFLY)
        with pytest.raises(TimeoutError):
            stranger.receive(0.3)
    client.send(StatusRequest())
    assert client.wait_for(Status) == Status(ready=True, busy=False, waiting=0)
    assert model.done == []


def test_a_peer_of_another_major_version_is_told(client: WireClient):
    frames = pack(Hello("from the future"), client.key)
    client.socket.send_multipart([b"DUOL\x02\x00", *frames[1:]])
    with pytest.raises(VersionMismatch) as told:
        client.wait_for(Status)
    assert told.value.notice


def test_jobs_sent_while_the_model_loads_wait_and_are_told_so(tmp_path: Path):
    may_load = threading.Event()

    def load() -> FakeModel:
        assert may_load.wait(5)
        return FakeModel()

    with serving(tmp_path / "connection.json", load) as connection, WireClient(connection) as client:
        client.send(Hello("test"))
        assert not client.wait_for(Welcome).ready
        job = client.send(GENERATE_BRIEFLY)
        assert client.wait_for(Progress, job).stage == "Loading the model"
        may_load.set()
        assert client.wait_for(Welcome).ready
        client.wait_for(Result, job)


def test_a_checkpoint_that_cannot_be_loaded_is_explained_and_tried_again(tmp_path: Path):
    outcomes: list[Exception | FakeModel] = [
        DuologueError("checkpoint_altered", "It was altered.", "Fetch it again."),
        DuologueError("checkpoint_altered", "It was altered.", "Fetch it again."),
        FakeModel(),
    ]

    def load() -> FakeModel:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    with serving(tmp_path / "connection.json", load) as connection, WireClient(connection) as client:
        hello = client.send(Hello("test"))
        assert client.wait_for(Error, hello).code == "checkpoint_altered"
        assert client.wait_for(Error, client.send(GENERATE_BRIEFLY)).code == "checkpoint_altered"
        client.wait_for(Result, client.send(GENERATE_BRIEFLY))


def test_shutdown_tells_the_running_job_and_frees_port_and_file(tmp_path: Path):
    path = tmp_path / "connection.json"
    with serving(path) as connection, WireClient(connection) as client:
        job = client.send(GENERATE_FOREVER)
        client.wait_for(Accepted, job)
        client.send(Shutdown())
        assert client.wait_for(Error, job).code == "backend_stopped"
        end = time.monotonic() + 3
        while path.exists() and time.monotonic() < end:
            time.sleep(0.02)
    assert not path.exists()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        assert endpoint.bind(router, connection.address, None) == connection.address


def test_a_second_server_does_not_take_over_the_connection_file(tmp_path: Path, connection: Connection):
    with pytest.raises(DuologueError) as refusal:
        Server(FakeModel, ServerConfig("fake", tmp_path / "run" / "connection.json")).open()
    assert refusal.value.code == "already_running"
    assert connection_file.read(tmp_path / "run" / "connection.json") == connection


def test_a_port_in_use_is_named(tmp_path: Path, connection: Connection):
    with pytest.raises(DuologueError) as refusal:
        Server(FakeModel, ServerConfig("fake", tmp_path / "other.json", connection.address)).open()
    assert refusal.value.code == "address_in_use"
    assert not (tmp_path / "other.json").exists()


@pytest.mark.parametrize(
    "address", ["tcp://0.0.0.0", "127.0.0.1:80", "tcp://127.0.0.1:0", "tcp://example.org", "ipc://x"]
)
def test_addresses_that_are_none_are_refused(address: str):
    with pytest.raises(DuologueError) as refusal:
        endpoint.is_loopback(address)
    assert refusal.value.code == "address_invalid"


def test_no_open_port_without_encryption():
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router, pytest.raises(DuologueError) as refusal:
        endpoint.bind(router, "tcp://192.0.2.7", None)
    assert refusal.value.code == "address_exposed"


def test_curve_lets_in_only_those_who_know_the_servers_key():
    curve = endpoint.new_curve()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.linger = 0
        address = endpoint.bind(router, endpoint.LOOPBACK, curve)
        with WireClient(Connection(address, new_key(), 1)) as plain:
            plain.send(Hello("unencrypted"))
            assert not router.poll(300)
        with WireClient(Connection(address, new_key(), 1, curve.public)) as encrypted:
            encrypted.send(Hello("encrypted"))
            assert router.poll(2000)


PROCESS = """
import sys
from pathlib import Path
from backend.serve.process import serve
from backend.serve.server import ServerConfig
from tests.unit.fake_model import FakeModel
serve(FakeModel, ServerConfig("fake", Path(sys.argv[1]), parent_pid=int(sys.argv[2]) if sys.argv[2:] else None))
"""


def wait_until(true: Callable[[], bool], within: float) -> bool:
    end = time.monotonic() + within
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


@pytest.mark.skipif(os.name != "posix", reason="Windows ends a process without telling it")
def test_sigterm_ends_the_process_cleanly(tmp_path: Path):
    path = tmp_path / "connection.json"
    process = subprocess.Popen([sys.executable, "-c", PROCESS, str(path)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        assert wait_until(path.exists, 30)
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=5)[1]
    finally:
        process.kill()
    assert process.returncode == 0
    assert "Stopped" in log
    assert not path.exists()


def test_the_server_ends_with_its_parent(tmp_path: Path):
    path = tmp_path / "connection.json"
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = subprocess.Popen([sys.executable, "-c", PROCESS, str(path), str(parent.pid)], cwd=ROOT)
    try:
        assert wait_until(path.exists, 30)
        assert process.poll() is None
        parent.communicate(b"\n", timeout=5)
        assert process.wait(timeout=5) == 0
    finally:
        process.kill()
        parent.kill()
    assert not path.exists()
