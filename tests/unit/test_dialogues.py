"""Dialogues: edits change what was asked, answers are judged, stories go on without a jump, broken lines are named."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from backend.answering import answered
from backend.corpus.choreographer.captions import Split, swapped
from backend.corpus.choreographer.generate import generate
from backend.corpus.dialogues import instruction, question, read_dialogues, right
from backend.corpus.dialogues.edits import VALUES, Change, index_of, make_edit, possible_changes
from backend.corpus.dialogues.instructions import changed, instructions
from backend.corpus.dialogues.make import Order, make_dialogues
from backend.corpus.dialogues.questions import KINDS, SORTS, askable, family_of, sort_of, worded
from backend.corpus.dialogues.steps import events_of, steps_of, third_person
from backend.corpus.dialogues.stories import make_story
from backend.corpus.dialogues.writer import Endpoint, Grammar
from backend.corpus.scene import Scene, read_scene_motion, read_scenes
from protocol.errors import DuologueError
from protocol.skeleton import JOINT
from tests.unit.test_choreographer import library, sources  # noqa: F401

SPLITS: tuple[Split, ...] = ("train", "held_out")
TOES = [JOINT["left_foot"], JOINT["right_foot"]]
KINDS_HERE = ("handshake", "refuse_hand", "throw_catch", "kick_dodge", "waltz", "tug_of_war")


@pytest.fixture(scope="module")
def corpus(sources, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("corpus")
    generate(sources, folder, 2 * len(KINDS_HERE), 5, 1, lambda scenes, hours: None, KINDS_HERE)
    return folder


@pytest.fixture(scope="module")
def made(sources, corpus, tmp_path_factory):  # noqa: F811
    out = tmp_path_factory.mktemp("dialogues")
    report = make_dialogues(sources, Order(corpus, 5, out, 4, 1, 3, 1), Grammar(), lambda edits, stories: None)
    return out, report


@pytest.fixture(scope="module")
def scripts(corpus):
    return {scene.kind: scene.script for scene in read_scenes(corpus)}


def test_an_edit_changes_what_was_asked_for_and_keeps_bodies_and_length(made, corpus):
    out, report = made
    known = {scene.id: (scene, folder) for folder in (corpus, out) for scene in read_scenes(folder)}
    turns = [turn for dialogue in read_dialogues(out) for turn in dialogue.turns if turn.task == "edit"]
    assert len(turns) == report.edits >= 4
    for turn in turns:
        ids = (str(turn.source), str(turn.target))
        (before, _), (after, _) = (known[scene] for scene in ids)
        assert changed(before.script, after.script) in turn.changes
        assert before.script["sizes"] == after.script["sizes"]
        motions = [read_scene_motion(folder, scene) for scene, folder in (known[each] for each in ids)]
        assert motions[0].frames == motions[1].frames
        assert np.allclose(motions[0].offsets, motions[1].offsets)
        assert not np.allclose(motions[0].rotations, motions[1].rotations)


def test_a_count_can_be_changed_as_far_as_there_is_time(sources, corpus):  # noqa: F811
    scene = next(scene for scene in read_scenes(corpus) if scene.kind == "kick_dodge")
    wanted = [change for change in possible_changes(scene.script) if change.name == "count"]
    assert Change("count", str(scene.script["count"])) not in wanted
    edit = make_edit(
        sources, (5, index_of(scene)), scene, read_scene_motion(corpus, scene), {}, np.random.default_rng(1)
    )
    assert edit.change.met(edit.scene.script)
    assert not edit.change.met(scene.script)


def test_dialogues_are_the_same_from_the_same_seed(sources, corpus, made, tmp_path):  # noqa: F811
    make_dialogues(sources, Order(corpus, 5, tmp_path, 2, 0, 3, 1), Grammar(), lambda edits, stories: None)
    again, before = read_dialogues(tmp_path), read_dialogues(made[0])
    assert again == before[: len(again)]


def test_a_corpus_of_another_seed_is_refused(sources, corpus, tmp_path):  # noqa: F811
    with pytest.raises(DuologueError, match="seed 6"):
        make_dialogues(sources, Order(corpus, 6, tmp_path, 1, 0, 0, 1), Grammar(), lambda edits, stories: None)


def test_every_change_has_words_in_both_splits():
    base = {"kind": "kick_dodge", "actor": "A", "hand": "left", "speed": "normal", "mood": "neutral"}
    for name, values in VALUES.items():
        for before in values:
            for after in values:
                scripts = [base | {name: int(value) if name == "count" else value} for value in (before, after)]
                for split in SPLITS:
                    if before != after:
                        said = instructions(scripts[0], scripts[1], np.random.default_rng(0), split)
                        assert said, (name, before, after)
                        assert not any("{" in text for text in said)


def test_instructions_say_relative_and_absolute_things_in_the_words_of_their_split():
    rng = np.random.default_rng(0)
    fast, normal = ({"kind": "wave", "actor": "A", "speed": speed} for speed in ("fast", "normal"))
    train = {instruction(fast, normal, rng, "train") for _ in range(4000)}
    held_out = {instruction(fast, normal, rng, "held_out") for _ in range(300)}
    assert {"slower", "at a normal speed"} <= train
    assert not any("faster" in text for text in train)
    assert not train & held_out
    assert "the other way round: B does it" in {
        instruction({"kind": "push", "actor": "A"}, {"kind": "push", "actor": "B"}, rng) for _ in range(4000)
    }
    with pytest.raises(ValueError, match="do not differ"):
        instruction(fast, fast, rng)


WRONG = {"yes": "no", "no": "yes", "left": "right", "right": "left", "both": "left", "person A": "person B"}


def test_the_judge_takes_true_answers_and_no_false_ones(scripts):
    asked = set()
    for kind, script in scripts.items():
        for told in (script, swapped(script)):
            true = list(askable(kind, told))
            for question_kind, answer in true:
                asked.add(family_of(question_kind))
                assert right(question_kind, answer, told)
                assert right(question_kind, answer.upper(), told)
                assert not right(question_kind, WRONG.get(answer, "something else"), told)
                assert not right(question_kind, "", told)
                others = {other for kind_, other in true if kind_ == question_kind and other != answer}
                assert not any(right(question_kind, other, told) for other in others)
    assert asked == set(KINDS)


def test_a_script_answers_its_own_questions_even_if_only_the_order_of_its_events_is_known(scripts):
    rng, asked_of = np.random.default_rng(0), set()
    for kind, script in scripts.items():
        known = {**script, "events": events_of(kind, script)}
        assert [[step.reference for step in group] for group in steps_of(kind, known)] == [
            [step.reference for step in group] for group in steps_of(kind, script)
        ]
        for asked, _ in askable(kind, script):
            asked_of.add(sort_of(asked))
            for _ in range(3):
                answer = answered(sort_of(asked), worded(asked, script, rng, "train"), known)
                assert answer is not None
                assert right(asked, answer, script), (asked, answer)
    assert asked_of == set(SORTS)


def test_what_a_script_does_not_say_is_not_answered(scripts):
    handshake = scripts["handshake"]
    assert answered("win", "who wins?", handshake) is None
    assert answered("before", "what happens before A plays the piano?", handshake) is None
    assert answered("who", "who does it?", {"kind": "push"}) is None


def test_swapped_persons_change_who_did_it(scripts):
    script = scripts["refuse_hand"]
    assert right("who", f"person {script['actor']}", script)
    assert not right("who", f"person {script['actor']}", swapped(script))
    assert not right("who", "person A and person B", script)


def test_no_constant_answer_is_often_right(scripts):
    rng = np.random.default_rng(0)
    answers = {"touch": [], "friendly": []}
    for script in scripts.values():
        for _ in range(200):
            asked = question(script["kind"], script, rng)
            assert len(asked.answer.split()) <= 12
            answers.get(family_of(asked.kind), []).append(asked.answer)
    for given in answers.values():
        assert 0.35 < given.count("yes") / len(given) < 0.65


def test_steps_come_in_order_and_are_told_in_the_third_person(scripts):
    steps = [step.beat for group in steps_of("refuse_hand", scripts["refuse_hand"]) for step in group]
    assert steps.index("offer a hand") < steps.index("lower the head")
    assert [third_person(text) for text in ("carry it", "reach", "walk up")] == ["carries it", "reaches", "walks up"]


def test_a_story_goes_on_where_it_was_without_a_jump_or_a_slide(sources):  # noqa: F811
    worst, slid = 0.0, []
    for number in range(3):
        story = make_story(sources, 2, number)
        assert 2 <= len(story.parts) <= 4
        positions = story.motion.positions()
        velocity = np.diff(positions, axis=0) * 30
        at = 0
        for part in story.parts:
            lead = round(part.lead * 30)
            if lead:
                assert 0.7 < part.lead <= 2.6
                seams = [slice(max(at + off - 3, 0), at + off + 3) for off in (0, lead)]
                worst = max(worst, *(np.abs(np.diff(velocity[seam], axis=0)).max() * 30 for seam in seams))
                toes = positions[at : at + lead][:, :, TOES]
                still = (toes[1:, ..., 1] < 0.003) & (toes[:-1, ..., 1] < 0.003)
                slid.append(np.linalg.norm(np.diff(toes, axis=0)[..., [0, 2]], axis=-1)[still].mean() * 30)
            assert part.scene.frames == part.motion.frames
            at += part.motion.frames
    assert worst < 100
    assert max(slid) < 0.05


def test_bridges_are_a_corpus_of_their_own(made):
    out, _ = made
    stories = [dialogue for dialogue in read_dialogues(out) if dialogue.turns[0].task == "story"]
    bridges = {scene.id: scene for scene in read_scenes(out / "bridges")}
    assert stories
    for story in stories:
        for before, turn in zip(story.turns, story.turns[1:], strict=False):
            assert turn.source == before.target
            scene = bridges[str(turn.bridge)]
            first, end = scene.script["gap"]
            assert round((end - first) / 30, 3) == round(turn.lead, 3)
            assert read_scene_motion(out / "bridges", scene).frames == scene.frames


def test_a_broken_line_is_named_counted_and_skipped(made, tmp_path):
    lines = (made[0] / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()
    broken = ["{", json.dumps({"id": "x", "split": "train", "turns": [{"task": "edit", "words": "slower"}]}), "[]"]
    (tmp_path / "dialogues.jsonl").write_text("\n".join([lines[0], *broken, *lines[1:]]), encoding="utf-8")
    said: list[str] = []
    assert len(read_dialogues(tmp_path, said.append)) == len(lines)
    assert [f":{number}:" in text for number, text in zip((2, 3, 4), said, strict=False)] == [True] * 3
    assert "edit lacks" in said[1]
    assert said[-1].endswith(f"3 of {len(lines) + 3} lines were skipped.")


def test_a_folder_without_dialogues_says_so(tmp_path):
    with pytest.raises(DuologueError, match="no dialogues"):
        read_dialogues(tmp_path)
    (tmp_path / "dialogues.jsonl").write_text("{}\n")
    with pytest.raises(DuologueError, match="no dialogue at all"):
        read_dialogues(tmp_path, lambda text: None)


@pytest.fixture
def endpoint():
    """A server that speaks the OpenAI protocol and says what it is told to."""
    said: list[str] = []
    heard: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append({"path": self.path, "key": self.headers["Authorization"]} | json.loads(body))
            answer = json.dumps({"choices": [{"message": {"content": said.pop(0)}}]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Endpoint(f"http://127.0.0.1:{server.server_port}/v1", "some-model", "secret"), said, heard
    server.shutdown()
    server.server_close()


def test_an_endpoint_writes_what_is_true_and_the_grammar_the_rest(endpoint, scripts):
    writer, said, heard = endpoint
    rng = np.random.default_rng(0)
    before, after = ({"kind": "push", "actor": "A", "hand": hand, "speed": "normal"} for hand in ("left", "right"))
    said += ['{"words": "could it be the right hand?"}', '{"words": "with both hands, quickly"}', "no JSON"]
    assert writer.instruction(before, after, rng, "train") == "could it be the right hand?"
    assert "both" not in writer.instruction(before, after, rng, "train")
    assert writer.instruction(before, after, rng, "train")
    assert writer.refused == 2
    assert heard[0]["path"] == "/v1/chat/completions"
    assert heard[0]["key"] == "Bearer secret"
    assert heard[0]["model"] == "some-model"
    script = scripts["kick_dodge"]
    plain = Grammar().question("kick_dodge", script, np.random.default_rng(7), "train")
    said += [
        json.dumps({"question": "Tell me!", "answer": plain.answer}),
        '{"question": "Well?", "answer": "a banana"}',
    ]
    assert writer.question("kick_dodge", script, np.random.default_rng(7), "train").question == "Tell me!"
    assert writer.question("kick_dodge", script, np.random.default_rng(7), "train") == plain
    assert writer.refused == 3


def test_an_endpoint_that_is_not_there_is_named(scripts):
    script = scripts["waltz"]
    for url in ("http://127.0.0.1:9", "file:///nowhere"):
        with pytest.raises(DuologueError) as raised:
            Endpoint(url, "m", seconds=2).question("waltz", script, np.random.default_rng(0), "train")
        assert raised.value.code == "writer_unreachable"


def test_a_scene_that_nobody_choreographed_cannot_be_edited(scripts):
    scene = Scene("a real take", "salsa", "train", "cmu", (), {}, {"kind": "salsa"})
    with pytest.raises(DuologueError, match="choreographed"):
        index_of(scene)
