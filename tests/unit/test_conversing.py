"""Measures of editing and reasoning: true edits and true answers score all, doing nothing scores nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from backend.checks.edits import EditJudge
from backend.checks.manner import Manner
from backend.corpus.choreographer.generate import make_scene, remake_scene
from backend.corpus.dialogues import Dialogue, Turn, write_dialogues
from backend.corpus.scene import Scene, read_scene_motion, write_index, write_motion
from backend.evaluate.card import card_tables
from backend.evaluate.editing import distances, editing, held_out_edits
from backend.evaluate.held_out import Conversant, Corpus
from backend.evaluate.reasoning import held_out_questions, reasoning
from backend.language.slots import value_text
from protocol.errors import DuologueError
from protocol.motion import Motion
from tests.unit.test_choreographer import library, sources  # noqa: F401

KINDS = ("handshake", "bow", "slap", "fist_bump", "wave")
CHANGES = (
    (1, "handshake", {"speed": "slow"}),
    (1, "handshake", {"hand": "left"}),
    (2, "bow", {"count": "1"}),
    (3, "slap", {"actor": "other"}),
    (3, "slap", {"kind": "wave"}),
    (4, "fist_bump", {"mood": "happy"}),
)
"""Scene number, its kind, what is asked for; the last one is told by no rule."""


@dataclass(frozen=True)
class Piece:
    motion: Motion
    start: int = 0

    @property
    def raw(self) -> Motion:
        return self.motion


class Told:
    """A model that says and does what it was told."""

    def __init__(self, motions: dict[str, Motion], answers: dict[str, str]) -> None:
        self.motions, self.answers = motions, answers

    def edit(self, motion: Motion, instruction: str, seed: int = 0) -> Iterator[Piece]:
        done = self.motions.get(instruction, motion)
        half = done.frames // 2
        yield from (Piece(done.slice(0, half)), Piece(done.slice(half, done.frames), half))

    def ask(self, motion: Motion, question: str, *, seed: int = 0) -> Iterator[str]:
        yield from self.answers.get(question, self.answers.get("", "no idea")).split(" ", 1)


@pytest.fixture(scope="module")
def folders(sources, tmp_path_factory):  # noqa: F811
    """A corpus, dialogues about it, and the true edits by what is said."""
    corpus, dialogues = (tmp_path_factory.mktemp(name) for name in ("corpus", "dialogues"))
    before: dict[str, Scene] = {}
    after: list[Scene] = []
    turns: list[Turn] = []
    true: dict[str, Motion] = {}
    for folder in (corpus, dialogues):
        (folder / "motions").mkdir()
    for number, (index, kind, asked) in enumerate(CHANGES):
        scene, motion = make_scene(sources, 21, index, kind)
        while str(scene.script.get(next(iter(asked)))) == next(iter(asked.values())):  # it is so already
            index += 10
            scene, motion = make_scene(sources, 21, index, kind)
        before[scene.id] = replace(scene, split="test")
        write_motion(corpus, scene.id, motion)
        name, value = next(iter(asked.items()))
        value = {"A": "B", "B": "A"}.get(str(scene.script["actor"]), value) if value == "other" else value
        changes = {} if name == "kind" else {name: value}
        made, edited = remake_scene(
            sources, 21, index, scene.script["sizes"], value if name == "kind" else kind, changes
        )
        made = replace(made, id=f"edited-{number}", split="test")
        write_motion(dialogues, made.id, edited)
        after.append(made)
        true[f"change {number}"] = edited
        turns.append(
            Turn(task="edit", words=f"change {number}", source=scene.id, target=made.id, changes={name: value})
        )
    write_index(corpus, before.values())
    write_index(dialogues, after)
    write_dialogues(dialogues, [Dialogue(id=turn.words, split="test", turns=(turn,)) for turn in turns])
    return corpus, dialogues, true


def quiet(done: float, stage: str) -> None:
    assert 0 <= done <= 1
    assert stage


def test_true_edits_score_all_and_unedited_scenes_nothing(folders):
    corpus, dialogues, true = folders
    edits = held_out_edits(dialogues, corpus, KINDS, 9)
    found = editing(Told(true, {}), edits, quiet)
    assert found["edits"] == 5
    assert found["unmeasured"] == {"mood": 1}
    assert found["generated"] == found["truth"] == {"changed": 1.0, "kept": 1.0, "both": 1.0}
    assert found["unedited"]["changed"] == 0.0
    nothing = editing(Told({}, {}), edits, quiet)
    assert nothing["generated"]["both"] == 0.0
    assert set(found["by_property"]) == {"speed", "hand", "count", "actor", "kind"}
    table = card_tables({"edit": found})
    assert "| the true edited scene | 100 % | 100 % | 100 % |" in table
    assert "1 more edits were left out" in table


def test_an_edit_that_does_something_else_as_well_does_not_keep_the_rest(folders):
    corpus, dialogues, true = folders
    edits = [edit for edit in held_out_edits(dialogues, corpus, KINDS, 9) if edit.name == "hand"]
    words = edits[0].turn.words
    away = true[words]
    moved = replace(
        away, root=away.root + np.linspace(0, 3, away.frames)[:, None, None] * np.array([1, 0, 0], np.float32)
    )
    found = editing(Told({words: moved}, {}), edits, quiet)
    assert found["generated"]["kept"] == 0.0
    assert distances(away, away) == (0.0, 0.0)


def test_the_engine_prefers_a_true_edit_to_what_was_there_and_to_anything_else(folders):
    corpus, dialogues, _ = folders
    for edit in held_out_edits(dialogues, corpus, KINDS, 9):
        before, true = (read_scene_motion(*where) for where in (edit.before, edit.after))
        old, new = (
            {**{name: value_text(value) for name, value in scene.script.items()}, "kind": scene.kind}
            for _, scene in (edit.before, edit.after)
        )
        usual = Manner.of(true, str(edit.after[1].script["actor"]))
        judge = EditJudge(before, old, new, usual.haste, usual.right_handed)
        lost = replace(true, root=true.root + np.linspace(0, 3, true.frames)[:, None, None].astype(np.float32))
        # How far a true edit to another kind goes from where they were is a matter of that kind.
        assert judge.score(true) == 1.0 or (edit.name == "kind" and judge.score(true) > 0.6)
        assert judge.score(lost) < 1.0
        if edit.name != "mood":
            assert judge.score(before) < 1.0, edit.name


def test_exchanged_persons_and_mirrored_motions_are_exact_edits(folders):
    corpus, dialogues, _ = folders
    exact = set()
    for edit in held_out_edits(dialogues, corpus, KINDS, 9):
        before = read_scene_motion(*edit.before)
        old = {name: value_text(value) for name, value in edit.before[1].script.items()}
        new = {**old, edit.name: value_text(edit.after[1].script[edit.name])}
        judge = EditJudge(before, old, new, 1.0, 0.0)
        if judge.symmetry is not None:
            exact.add(edit.name)
            assert judge.score(judge.symmetry(before)) == 1.0
        more = EditJudge(before, old, {**new, "mood": "sad"}, 1.0, 0.0)
        assert more.symmetry is None, "more than one thing changes"
    assert exact == {"actor", "hand"}


def test_no_more_edits_of_a_property_than_wanted_and_none_of_other_kinds(folders):
    corpus, dialogues, _ = folders
    assert [edit.name for edit in held_out_edits(dialogues, corpus, ("bow",), 9)] == ["count"]
    assert len(held_out_edits(dialogues, corpus, KINDS, 1)) == 6
    with pytest.raises(DuologueError, match="no edits for tests"):
        held_out_edits(dialogues, corpus, ("salsa",), 9)


def test_what_is_counted_is_what_was_done(sources):  # noqa: F811
    for index, kind in ((5, "bow"), (6, "kick_dodge"), (7, "fist_bump")):
        scene, motion = make_scene(sources, 3, index, kind)
        assert Manner.of(motion, str(scene.script["actor"])).count(kind) == scene.script["count"]
    assert Manner.of(motion, "both").count("handshake") is None


def test_right_answers_score_all_and_no_constant_answer_does(folders):
    corpus = Corpus.read(folders[0], KINDS)
    questions = held_out_questions(corpus, 6)

    class Knowing(Told):
        def __init__(self) -> None:
            super().__init__({}, {})
            self.left = [asked.answer for asked in questions]

        def ask(self, motion: Motion, question: str, *, seed: int = 0) -> Iterator[str]:
            yield self.left.pop(0)

    assert isinstance(Knowing(), Conversant)
    found = reasoning(Knowing(), corpus, questions, quiet)
    assert found["accuracy"] == 1.0
    assert found["constant"] < 0.8
    for kind in ("touch", "friendly"):
        assert found["by_kind"][kind]["constant"] <= 0.5
    assert reasoning(Told({}, {}), corpus, questions, quiet)["accuracy"] == 0.0
    assert "best constant answer" in card_tables({"ask": found})


def test_another_kind_is_held_to_the_pace_and_the_hands_that_are_usual_for_it(folders):
    corpus, dialogues, _ = folders
    for edit in held_out_edits(dialogues, corpus, KINDS, 9):
        if edit.name != "kind":
            continue
        before, true = (read_scene_motion(*where) for where in (edit.before, edit.after))
        old, new = (
            {**{name: value_text(value) for name, value in scene.script.items()}, "kind": scene.kind}
            for _, scene in (edit.before, edit.after)
        )
        usual = Manner.of(true, str(edit.after[1].script["actor"]))
        score = EditJudge(before, old, new, usual.haste, usual.right_handed).score(true)
        assert EditJudge(before, old, new, 2 * usual.haste, usual.right_handed).score(true) < score
        assert EditJudge(before, old, new, usual.haste, usual.right_handed + 1).score(true) < score
