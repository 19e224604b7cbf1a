"""Edit, ask, story and complete over the wire: what reaches the model, what comes back, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.connection import Connection
from protocol.messages import SCRIPT, SCRIPT_CHARACTERS_MAX, Error, Hello, MotionPart, Result, Submit, TextPart, Welcome
from protocol.motion import joined_in_time
from tests.unit.fake_model import FakeModel, still
from tests.unit.test_serve import serving
from tests.unit.wire_client import WireClient

PAIR = still(60, 2)


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def connection(tmp_path: Path, model: FakeModel) -> Iterator[Connection]:
    with serving(tmp_path / "connection.json", lambda: model) as connection:
        yield connection


@pytest.fixture
def client(connection: Connection) -> Iterator[WireClient]:
    with WireClient(connection) as client:
        client.send(Hello("test"))
        while not client.wait_for(Welcome).ready:
            pass
        yield client


def outcome(client: WireClient, submit: Submit) -> tuple[list[MotionPart], Result]:
    told = client.until(Result, client.send(submit))
    result = told[-1]
    assert isinstance(result, Result)
    return [message for message in told if isinstance(message, MotionPart)], result


def test_an_edit_sends_script_and_motion_and_brings_the_whole_motion_with_a_new_script(client: WireClient):
    parts, result = outcome(client, Submit("edit", "slower", motion=PAIR, script="{}"))
    assert joined_in_time([part.motion for part in parts]).frames == 60
    assert {part.motion.persons for part in parts} == {2}
    assert result.details[SCRIPT] == "{}+slower"


def test_a_reaction_is_made_on_a_body_of_the_size_that_was_asked_for(client: WireClient, model: FakeModel):
    outcome(client, Submit("react", motion=still(12, 1), scale=1.2))
    assert model.scale == pytest.approx(1.2)


def test_a_motion_without_script_brings_none(client: WireClient):
    assert SCRIPT not in outcome(client, Submit("generate", "wave", seconds=1.0))[1].details


def test_a_question_is_answered_in_text(client: WireClient):
    told = client.until(Result, client.send(Submit("ask", "Who leads?", motion=still(12, 1))))
    assert [message.text for message in told if isinstance(message, TextPart)] == ["Who leads? ", "1 people", "."]
    assert isinstance(told[-1], Result)
    assert told[-1].text == "Who leads? 1 people."


def test_a_story_is_as_long_as_asked_and_may_go_on_from_a_motion(client: WireClient, model: FakeModel):
    parts, _ = outcome(client, Submit("story", seconds=3.0, prompts=["they meet", "they part"]))
    assert parts[-1].start + parts[-1].motion.frames == parts[-1].total == 90
    outcome(client, Submit("story", seconds=2.0, prompts=["they wave"], motion=PAIR))
    assert model.done == ["they meet, they part", "after 60: they wave"]


@pytest.mark.parametrize(("gap", "frames"), [([20, 50], 30), ([0, 10], 10), ([60, 105], 45)])
def test_complete_brings_the_gap_alone_counted_from_its_start(client: WireClient, gap: list[int], frames: int):
    parts, _ = outcome(client, Submit("complete", motion=PAIR, gap=gap, seed=3, samples=2))
    for sample in (0, 1):
        own = [part for part in parts if part.sample == sample]
        assert own[0].start == 0
        assert {part.total for part in own} == {frames}
        assert joined_in_time([part.motion for part in own]).frames == frames
        assert own[0].motion.root[0, 0, 0] == 3 + sample


@pytest.mark.parametrize(
    ("submit", "code"),
    [
        (Submit("edit", "slower"), "motion_missing"),
        (Submit("edit", "slower", motion=still(60, 1)), "motion_persons"),
        (Submit("edit", " ", motion=PAIR), "prompt_empty"),
        (Submit("edit", "x" * 501, motion=PAIR), "prompt_too_long"),
        (Submit("edit", "slower", motion=PAIR, script="x" * (SCRIPT_CHARACTERS_MAX + 1)), "script_too_long"),
        (Submit("ask", "why?"), "motion_missing"),
        (Submit("ask", "", motion=PAIR), "prompt_empty"),
        (Submit("ask", "why?", motion=still(60, 3)), "motion_persons"),
        (Submit("story", seconds=3.0), "scenes_out_of_range"),
        (Submit("story", seconds=9.0, prompts=["a"] * 5), "scenes_out_of_range"),
        (Submit("story", seconds=3.0, prompts=["they meet", ""]), "prompt_empty"),
        (Submit("story", seconds=1.5, prompts=["they meet", "they part"]), "seconds_out_of_range"),
        (Submit("story", seconds=20.5, prompts=["they meet", "they part"]), "seconds_out_of_range"),
        (Submit("story", seconds=3.0, prompts=["they meet"], motion=still(60, 1)), "motion_persons"),
        (Submit("complete", gap=[0, 5]), "motion_missing"),
        (Submit("complete", motion=still(60, 1), gap=[0, 5]), "motion_persons"),
        *[
            (Submit("complete", motion=PAIR, gap=gap), "gap_out_of_range")
            for gap in ([], [5], [5, 5], [9, 5], [-1, 5], [50, 61], [61, 70], [0, 60], [1, 2, 3])
        ],
        (Submit("complete", motion=PAIR, gap=[60, 361]), "gap_too_long"),
    ],
)
def test_a_bad_request_is_refused_by_name_and_never_reaches_the_model(
    client: WireClient, model: FakeModel, submit: Submit, code: str
):
    assert client.wait_for(Error, client.send(submit)).code == code
    assert model.done == []


def test_what_the_checkpoint_has_not_learned_is_said_in_welcome_and_refused(client: WireClient, model: FakeModel):
    model.tasks = ("generate",)
    client.send(Hello("test"))
    assert client.wait_for(Welcome).tasks == ["generate"]
    refusal = client.wait_for(Error, client.send(Submit("edit", "slower", motion=PAIR)))
    assert refusal.code == "task_unsupported"
    assert "fake" in refusal.message


def test_a_job_that_came_before_the_checkpoint_is_refused_when_it_turns_out_unable(tmp_path: Path):
    class Simple(FakeModel):
        """Has only the first three tasks, and says otherwise of one."""

        edit = None  # type: ignore[assignment]

    model = Simple(tasks=("generate", "edit"))
    with serving(tmp_path / "connection.json", lambda: model) as connection, WireClient(connection) as client:
        for submit in (Submit("ask", "why?", motion=PAIR), Submit("edit", "slower", motion=PAIR)):
            assert client.wait_for(Error, client.send(submit)).code == "task_unsupported"
