"""Stage three: from an aligned model and dialogues to one that edits, answers and tells stories."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.checkpoint import package_checkpoint
from backend.corpus.dialogues.schema import Dialogue, Turn, write_dialogues
from backend.corpus.scene import Scene, write_index, write_motion
from backend.engine import Engine
from backend.language.config import ALIGNED
from backend.language.layout import UNREAD
from backend.language.model import MotionLanguageModel, code_vectors
from backend.language.script_book import ScriptBook
from backend.language.slots import numbers, slots_of
from backend.tasks import EDIT, PERSON_A, Marker
from backend.train.changes import Changes
from backend.train.codes import EncodedCorpus, encoded_corpus
from backend.train.conversations import asked_row, continued_scenes, conversations, edit_row, story_row
from backend.train.examples import spoken_words
from backend.train.instruct import instructed, train_instruct
from protocol.errors import DuologueError
from tests.unit.test_engine import joined, walker
from tests.unit.tiny import tiny_anticipation_run, tiny_model, tiny_reader_run, tiny_tokenizer, tiny_words

RECIPE = """
steps: 6
stepping: {level_weights: [1.0, 0.5, 0.5], batch: 4, warmup: 2}
"""
SCRIPT = {"kind": "push", "actor": "A", "hand": "left", "speed": "normal", "count": 1}


def scene(name: str, script: Mapping[str, Any], split: str = "train", frames: int = 60) -> Scene:
    return Scene(name, str(script["kind"]), split, "choreographed", (), {}, dict(script), frames=frames)  # type: ignore[arg-type]


def written(folder: Path, scenes: list[Scene]) -> Path:
    (folder / "motions").mkdir(parents=True)
    for made in scenes:
        write_motion(folder, made.id, walker(made.frames, persons=2))
    write_index(folder, scenes)
    return folder


def written_corpus(folder: Path) -> Path:
    values = [("left", "slow", 1), ("right", "fast", 2), ("both", "normal", 1), ("left", "fast", 2)]
    scenes = [
        scene(f"push-{n}", {**SCRIPT, "hand": hand, "speed": speed, "count": count})
        for n, (hand, speed, count) in enumerate(values)
    ]
    return written(folder, [*scenes, scene("push-9", SCRIPT, "validation")])


def written_dialogues(folder: Path) -> Path:
    changed = scene("push-0-slow", {**SCRIPT, "speed": "slow"}, frames=64)
    first, second = scene("story-a", SCRIPT), scene("story-b", {**SCRIPT, "actor": "B"}, frames=72)
    written(folder, [changed, first, second])
    edit = Turn(task="edit", words="slower", source="push-0", target=changed.id, changes={"speed": "slow"})
    told = (
        Turn(task="story", words="push", target="story-a"),
        Turn(task="story", words="now B", source="story-a", target="story-b"),
    )
    write_dialogues(
        folder, [Dialogue(id="e", split="train", turns=(edit,)), Dialogue(id="s", split="train", turns=told)]
    )
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_corpus(tmp_path_factory.mktemp("corpus") / "c")


@pytest.fixture(scope="module")
def dialogues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_dialogues(tmp_path_factory.mktemp("dialogues") / "d")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    tiny_tokenizer().save(folder)
    (folder / "recipe.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def encoded(corpus: Path, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> EncodedCorpus:
    return encoded_corpus(corpus, tokenizer, tmp_path_factory.mktemp("cache") / "codes.safetensors")


def aligned(encoded: EncodedCorpus) -> MotionLanguageModel:
    """A model of random weights that has finished stage two on the corpus."""
    words, motion_tokenizer = tiny_words(), tiny_tokenizer()
    small = tiny_model(words, motion_tokenizer)
    scripts = [encoded.script(n, v) for n in range(len(encoded.scenes)) for v in range(4)]
    spoken = spoken_words((("push", script) for script in scripts), words)
    config = replace(small.config, slots=slots_of(scripts), spoken=spoken, tasks=ALIGNED)
    return MotionLanguageModel(config, code_vectors(motion_tokenizer), words.vectors).eval()


def test_an_edit_gives_the_source_and_learns_the_target(encoded: EncodedCorpus) -> None:
    slots = slots_of([s.script for s in encoded.scenes])
    made = edit_row((encoded, 0), (encoded, 1), 0, slots)
    assert made.symbol[0] == EDIT.marker
    assert not made.learned[made.block == 0].any()
    assert made.learned[made.block == 1].sum() == 2 * encoded.steps(1)
    assert made.slots.tolist() == [numbers(slots, encoded.scenes[scene].script).tolist() for scene in (0, 1)]
    assert (made.read == UNREAD).all(), "what is given need not be read from the motion"


def test_a_story_begins_with_the_end_of_the_scene_before(
    corpus: Path, dialogues: Path, tokenizer: Path, encoded: EncodedCorpus, tmp_path: Path
) -> None:
    from backend.corpus.dialogues.schema import read_dialogues

    told = read_dialogues(dialogues)
    continued_scenes(told, dialogues, tmp_path / "stories")
    stories = encoded_corpus(tmp_path / "stories", tokenizer, tmp_path / "stories.codes")
    changed = encoded_corpus(dialogues, tokenizer, tmp_path / "dialogues.codes")
    found = conversations(told, (encoded, changed), stories, "train")
    assert len(found.edits) == 1
    assert [scene.id for scene in stories.scenes] == ["story-b"]
    assert stories.steps(0) == (72 + 12) // 4
    made = story_row(found.stories[0], 0, slots_of([SCRIPT]))
    assert made.learned.sum() == 2 * 72 // 4
    with pytest.raises(DuologueError) as caught:
        conversations(told, (changed,), stories, "train")
    assert caught.value.code == "dialogues_mismatch"


def test_questions_are_given_and_answers_learned(encoded: EncodedCorpus) -> None:
    words = tiny_words()
    slots = slots_of([SCRIPT])
    made = asked_row(encoded.example(0), words, slots, 0.0, np.random.default_rng(0))
    assert made.slots[0].tolist() == numbers(slots, encoded.scenes[0].script).tolist()
    asks = 1 + np.flatnonzero((made.symbol[1:] == Marker.ASK) & (made.kind[1:] == 0))
    answers = np.flatnonzero((made.symbol == Marker.ANSWER) & (made.kind == 0))
    assert 1 <= len(asks) == len(answers)
    for ask, answer in zip(asks, answers, strict=True):
        assert not made.learned[ask : answer + 1].any()
        assert made.learned[answer + 1]
    assert PERSON_A in made.person


def test_instructions_are_drawn_for_what_they_change() -> None:
    scripts = [
        ("push", {**SCRIPT, "speed": speed, "hand": hand}) for speed in ("slow", "fast") for hand in ("left", "right")
    ]
    changes = Changes(scripts)
    rng = np.random.default_rng(0)
    for _ in range(50):
        text, before, after, told = changes.draw(rng)
        assert text
        assert told in ({"speed"}, {"hand"})
        assert {name for name in before if before[name] != after[name]} == told


def test_a_corpus_in_which_nothing_varies_is_refused() -> None:
    with pytest.raises(DuologueError, match="can be changed"):
        Changes([("push", SCRIPT)])


def test_what_was_learned_is_kept_and_more_words_may_be_said(encoded: EncodedCorpus) -> None:
    words = tiny_words()
    before = aligned(encoded)
    torch.nn.init.normal_(before.spoken_bias)
    new = max(before.config.spoken) - 1
    spoken = tuple(word for word in before.config.spoken if word != new)
    before = MotionLanguageModel(replace(before.config, spoken=spoken), before.code_vectors, words.vectors)
    torch.nn.init.normal_(before.spoken_bias)
    after = instructed(before, words, {new})
    hidden = torch.randn(3, before.config.width)
    with torch.no_grad():
        old, wider = before.text_logits(hidden), after.text_logits(hidden)
    kept = [after.config.spoken.index(word) for word in spoken] + [-1]
    torch.testing.assert_close(wider[:, kept], old)
    assert "edit" in after.config.tasks


def test_an_aligned_model_and_dialogues_become_a_checkpoint_that_edits(
    corpus: Path,
    dialogues: Path,
    tokenizer: Path,
    encoded: EncodedCorpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("backend.train.run.draw_curves", lambda _log, _path: None)
    start, recipe, out = tmp_path / "start", tmp_path / "recipe.yaml", tmp_path / "run"
    start.mkdir()
    model = aligned(encoded)
    model.save(start)
    tiny_words().save(start)
    scripts = np.stack([numbers(model.config.slots, one.script) for one in encoded.scenes])
    count = len(scripts)
    book = ScriptBook.of(scripts, np.full(count, 2.0), np.zeros((count, 2, 3)), np.ones((count, 2)), [[]] * count)
    book.save(start)
    recipe.write_text(RECIPE)
    train_instruct(corpus, dialogues, tokenizer, start, recipe, out, resume=False)
    reader, anticipation = tiny_reader_run(tmp_path / "reader", out), tiny_anticipation_run(tmp_path / "anticipation")
    package_checkpoint(tokenizer, out, reader, anticipation, tmp_path / "small")
    engine = Engine.load(tmp_path / "small", device="cpu")
    assert {"edit", "ask", "story"} <= set(engine.tasks)
    assert "".join(engine.ask(walker(persons=2), "who leads?")).endswith(".")
    assert joined(list(engine.story(["two people push", "they push"], 2.0))).frames == 60


def test_a_start_without_a_model_is_refused(corpus: Path, dialogues: Path, tokenizer: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    with pytest.raises(DuologueError) as caught:
        train_instruct(corpus, dialogues, tokenizer, tmp_path / "no", tmp_path / "recipe.yaml", tmp_path / "out", False)
    assert caught.value.code == "run_unfinished"
