"""The extension's side of the socket, against a scripted backend: slow, dying, lying, of another version."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blender_addon.link import session as session_module
from blender_addon.link.client import Client
from blender_addon.link.process import Settings
from blender_addon.link.session import Session, State
from protocol import connection as connection_file
from protocol import installation
from protocol.connection import Connection
from protocol.errors import DuologueError
from protocol.messages import (
    DESCRIBE,
    Accepted,
    Cancel,
    Error,
    Message,
    MotionPart,
    Progress,
    Result,
    StatusRequest,
    Submit,
    Welcome,
)
from protocol.motion import Motion
from protocol.skeleton import neutral_offsets
from protocol.wire import Envelope, VersionMismatch, new_key, pack, pack_version_notice
from tests.fake_backend import WELCOME, Answer, FakeBackend


@pytest.fixture
def backend() -> Iterator[Callable[..., FakeBackend]]:
    made: list[FakeBackend] = []

    def make(answer: Answer | None = None, welcome: Welcome = WELCOME) -> FakeBackend:
        made.append(FakeBackend(answer, welcome))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(to: Connection, clock: Callable[[], float] = time.monotonic) -> Client:
        clients.append(Client(to, "test", clock))
        return clients[-1]

    yield make
    for one in clients:
        one.close()


def polled(client: Client, until: Callable[[list[Message]], bool], seconds: float = 3.0) -> list[Message]:
    """Everything about jobs that arrives until the condition holds."""
    messages: list[Message] = []
    deadline = time.monotonic() + seconds
    while not until(messages):
        assert time.monotonic() < deadline, f"only {messages} arrived"
        messages += [envelope.message for envelope in client.poll()]
        time.sleep(0.005)
    return messages


def a_motion() -> Motion:
    rotations = np.zeros((8, 1, 22, 4), np.float32)
    rotations[..., 0] = 1
    return Motion(30, np.zeros((8, 1, 3), np.float32), rotations, neutral_offsets()[None])


def test_a_backend_that_answers_the_greeting_tells_its_limits(backend, connect):
    client = connect(backend().connection)
    polled(client, lambda _: client.welcome is not None)
    assert client.welcome == WELCOME
    assert client.ready


def test_polling_returns_at_once_when_nothing_has_arrived(connect):
    client = connect(Connection("tcp://127.0.0.1:9", new_key(), 1))
    start = time.perf_counter()
    for _ in range(100):
        assert client.poll() == []
    assert time.perf_counter() - start < 0.5


def test_the_parts_of_a_job_arrive_in_the_order_in_which_they_were_sent(backend, connect):
    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        job = envelope.header.id
        for message in (
            Accepted(0),
            Progress(0.5, "Generating"),
            MotionPart(0, 0, 16, a_motion()),
            MotionPart(0, 8, 16, a_motion()),
            Result(compute_seconds=1.5),
        ):
            server.say(to, message, job)

    client = connect(backend(answer).connection)
    client.send(Submit(task=DESCRIBE, motion=a_motion()))
    messages = polled(client, lambda found: len(found) == 5)
    assert [type(message) for message in messages] == [Accepted, Progress, MotionPart, MotionPart, Result]
    assert [message.start for message in messages if isinstance(message, MotionPart)] == [0, 8]


def test_a_backend_that_falls_silent_is_noticed_after_three_seconds(backend, connect):
    now = [0.0]
    server = backend()
    client = connect(server.connection, lambda: now[0])
    polled(client, lambda _: client.welcome is not None)
    server.silent.set()
    now[0] = 2.0
    client.poll()
    now[0] = 4.9
    client.poll()
    now[0] = 5.1
    with pytest.raises(DuologueError) as caught:
        client.poll()
    assert caught.value.code == "backend_lost"
    assert "Restart" in caught.value.hint


def test_a_blender_that_was_busy_for_a_minute_does_not_take_the_backend_for_dead(backend, connect):
    now = [0.0]
    client = connect(backend().connection, lambda: now[0])
    polled(client, lambda _: client.welcome is not None)
    polled(client, lambda _: client._unanswered_since is None)
    now[0] = 60.0
    client.poll()


def test_a_backend_that_is_loading_is_given_time_and_asked_until_it_is_ready(backend, connect):
    now = [0.0]
    server = backend(welcome=replace(WELCOME, ready=False))
    client = connect(server.connection, lambda: now[0])
    polled(client, lambda _: client.welcome is not None)
    assert not client.ready
    now[0] = 5.0
    polled(client, lambda _: client.ready)
    assert any(isinstance(message, StatusRequest) for message in server.received)


def test_messages_that_are_unsigned_garbled_or_replayed_disturb_nothing(backend, connect):
    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        result = pack(Result(text="once"), server.key, parent=envelope.header.id)
        server.socket.send_multipart([to, b"rubbish"])
        server.socket.send_multipart([to, *pack(Result(text="forged"), new_key(), parent=envelope.header.id)])
        server.socket.send_multipart([to, *result])
        server.socket.send_multipart([to, *result])
        server.say(to, Progress(1.0, "after"), envelope.header.id)

    client = connect(backend(answer).connection)
    client.send(Submit(task=DESCRIBE, motion=a_motion()))
    messages = polled(client, lambda found: any(isinstance(one, Progress) for one in found))
    assert [one.text for one in messages if isinstance(one, Result)] == ["once"]


def test_motion_that_holds_nan_is_handed_over_as_the_error_it_is(backend, connect):
    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        bad = a_motion()
        bad.root[3] = np.nan
        server.say(to, MotionPart(0, 0, 8, bad), envelope.header.id)

    client = connect(backend(answer).connection)
    client.send(Submit(task=DESCRIBE, motion=a_motion()))
    (error,) = polled(client, lambda found: len(found) == 1)
    assert isinstance(error, Error)
    assert error.code == "motion_not_finite"


def test_a_backend_of_another_major_version_is_told_apart_from_a_broken_one(backend, connect):
    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        server.socket.send_multipart([to, *pack_version_notice(server.key)])

    client = connect(backend(answer).connection)
    client.send(Cancel(job="x"))
    with pytest.raises(VersionMismatch) as caught:
        polled(client, lambda _: False)
    assert "Update" in caught.value.hint


# --- the session: finding, starting and losing a backend -------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(installation, "note_path", lambda: tmp_path / "note" / "backend.json")
    monkeypatch.delenv(installation.ENVIRONMENT_VARIABLE, raising=False)
    return Settings(connection_file=tmp_path / "connection.json", log=tmp_path / "backend.log")


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session("test")
    yield made
    made.stop()


def ticked(session: Session, until: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, f"{session.state}: {session.error}"
        session.tick()
        time.sleep(0.01)


SERVES = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.fake_backend import FakeBackend
from protocol import connection
server = FakeBackend()
connection.write(server.connection, Path(sys.argv[sys.argv.index("--connection") + 1]))
server.ended.wait(20)
server.close()
"""
REFUSES = """
print("loading")
print("The checkpoint was altered: language.safetensors does not have its recorded SHA-256. Fetch it again.")
raise SystemExit(1)
"""


def install(folder: Path, script: str) -> None:
    """Make an installation whose `python -m backend` runs ``script``."""
    (folder / "backend").mkdir(parents=True)
    here = Path(__file__).resolve()
    text = script.replace("{root!r}", repr(str(here.parents[2])))
    (folder / "backend" / "__main__.py").write_text(text)
    installation.leave_note(installation.Installation(sys.executable, str(folder)))


def test_a_running_backend_is_found_and_none_is_started(backend, session, settings):
    server = backend()
    connection_file.write(server.connection, settings.connection_file)
    session.connect(settings)
    ticked(session, lambda: session.state is State.READY)
    assert not session.started_here


def test_without_a_running_backend_one_is_started_and_ends_with_us(session, settings, tmp_path):
    install(tmp_path / "installed", SERVES)
    session.connect(settings)
    ticked(session, lambda: session.state is State.READY)
    assert session.started_here
    pid = connection_file.read(settings.connection_file).pid
    session.stop()
    assert session.state is State.OFF
    assert not connection_file.process_runs(pid)


def test_a_backend_that_dies_is_noticed_at_once_and_restarting_helps(session, settings, tmp_path):
    install(tmp_path / "installed", SERVES)
    session.connect(settings)
    ticked(session, lambda: session.state is State.READY)
    os.kill(connection_file.read(settings.connection_file).pid, signal.SIGTERM)
    ticked(session, lambda: session.state is State.FAILED)
    assert session.error is not None
    assert session.error.code == "backend_ended"
    session.connect(settings)
    ticked(session, lambda: session.state is State.READY)


def test_the_end_of_a_backend_that_others_started_is_noticed_at_once(backend, session, settings):
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    connection_file.write(replace(backend().connection, pid=sleeper.pid), settings.connection_file)
    session.connect(settings)
    ticked(session, lambda: session.state is State.READY)
    sleeper.kill()
    sleeper.wait()
    killed = time.monotonic()
    ticked(session, lambda: session.state is State.FAILED)
    assert session.error is not None
    assert session.error.code == "backend_lost"
    assert time.monotonic() - killed < 2


def test_two_blenders_share_a_backend_and_hear_only_of_their_own_jobs(backend, settings):
    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        submit = envelope.message
        if isinstance(submit, Submit):
            server.say(to, Result(text=submit.prompt), envelope.header.id)

    connection_file.write(backend(answer).connection, settings.connection_file)
    sessions = [Session("one"), Session("two")]
    try:
        for one in sessions:
            one.connect(settings)
            ticked(one, lambda one=one: one.state is State.READY)
        jobs = [one.submit(Submit(task=DESCRIBE, prompt=name)) for one, name in zip(sessions, "ab", strict=True)]
        heard: list[list[Envelope]] = [[], []]
        deadline = time.monotonic() + 20
        while not all(heard):
            assert time.monotonic() < deadline
            for one, envelopes in zip(sessions, heard, strict=True):
                envelopes += one.tick()
            time.sleep(0.005)
        for one, job, name in zip(heard, jobs, "ab", strict=True):
            assert [envelope.header.parent for envelope in one] == [job]
            assert [envelope.message.text for envelope in one if isinstance(envelope.message, Result)] == [name]
    finally:
        for one in sessions:
            one.stop()


def test_a_backend_that_ends_while_starting_is_quoted(session, settings, tmp_path):
    install(tmp_path / "installed", REFUSES)
    session.connect(settings)
    ticked(session, lambda: session.state is State.FAILED)
    assert session.error is not None
    assert session.error.code == "backend_ended"
    assert "does not have its recorded SHA-256" in session.error.message


def test_no_backend_installed_says_how_to_install_one(session, settings):
    session.connect(settings)
    ticked(session, lambda: session.state is State.FAILED)
    assert session.error is not None
    assert session.error.code == "backend_missing"
    assert "build.py setup" in session.error.hint


def test_an_interpreter_that_is_none_is_named(session, settings):
    session.connect(replace(settings, python="/nowhere/python"))
    ticked(session, lambda: session.state is State.FAILED)
    assert session.error is not None
    assert session.error.code == "backend_python"
    assert "/nowhere/python" in session.error.message


def test_a_connection_file_of_a_dead_backend_leads_to_a_new_one(backend, session, settings, tmp_path):
    install(tmp_path / "installed", SERVES)
    old = Connection("tcp://127.0.0.1:9", new_key(), 2**22 - 3)
    connection_file.write(old, settings.connection_file)
    session.connect(settings)
    ticked(session, lambda: session.state is State.READY)
    assert connection_file.read(settings.connection_file).key != old.key


def test_a_connection_file_that_the_user_chose_never_starts_a_backend(session, settings, tmp_path):
    install(tmp_path / "installed", SERVES)
    session.connect(replace(settings, fixed=True))
    ticked(session, lambda: session.state is State.FAILED)
    assert session.error is not None
    assert session.error.code == "connection_missing"


def test_a_connection_file_that_others_can_read_is_refused(backend, session, settings):
    if sys.platform == "win32":
        pytest.skip("Windows keeps the folder, not the file, to its user")
    connection_file.write(backend().connection, settings.connection_file)
    settings.connection_file.chmod(0o644)
    session.connect(settings)
    ticked(session, lambda: session.state is State.FAILED)
    assert session.error is not None
    assert session.error.code == "connection_exposed"


def test_a_backend_of_another_major_version_is_refused_before_anything_is_sent(backend, session, settings):
    server = backend()
    connection_file.write(replace(server.connection, version=(9, 0)), settings.connection_file)
    session.connect(settings)
    ticked(session, lambda: session.state is State.FAILED)
    assert session.error is not None
    assert session.error.code == "version_mismatch"
    assert server.received == []


def test_a_backend_on_another_computer_needs_blenders_leave_to_go_online(session, settings):
    far = Connection("tcp://192.0.2.1:5000", new_key(), 1, curve="x" * 40)
    connection_file.write(far, settings.connection_file)
    session.connect(replace(settings, online=False, fixed=True))
    ticked(session, lambda: session.state is State.FAILED)
    assert session.error is not None
    assert session.error.code == "offline"


def test_an_answer_that_came_while_blender_was_busy_counts(backend, settings):
    now = [0.0]
    session = Session("test", lambda: now[0])
    connection_file.write(backend().connection, settings.connection_file)
    session.connect(settings)
    session.tick()
    time.sleep(0.2)
    now[0] = 60.0
    session.tick()
    state = session.state
    session.stop()
    assert state is State.READY


def test_nobody_answering_at_a_chosen_address_is_said_after_a_few_seconds(session, settings, monkeypatch):
    monkeypatch.setattr(session_module, "GREETING_SECONDS", 0.2)
    connection_file.write(Connection("tcp://127.0.0.1:9", new_key(), os.getpid()), settings.connection_file)
    session.connect(replace(settings, fixed=True))
    ticked(session, lambda: session.state is State.FAILED)
    assert session.error is not None
    assert session.error.code == "backend_silent"
