"""All stages of a checkpoint by one command, which goes on where it was stopped."""

from pathlib import Path

import pytest

from backend.checkpoint import seal
from backend.corpus.scene import read_scenes
from backend.engine import Engine
from backend.language.slots import slots_of
from backend.train import whole
from backend.train.codes import script_in
from backend.train.run import Interrupted
from backend.train.whole import Materials, train_whole
from protocol.errors import DuologueError
from tests.unit.test_base import llama, write_base
from tests.unit.test_engine import joined
from tests.unit.test_train_base import RECIPE as LANGUAGE
from tests.unit.test_train_instruct import written_corpus, written_dialogues
from tests.unit.tiny import tiny_anticipation, tiny_reader, tiny_tokenizer

INSTRUCT = """
steps: 4
base: {{name: "{base}", lora: {{rank: 4, alpha: 8}}}}
stepping: {{level_weights: [1.0, 0.5, 0.5], batch: 4, warmup: 2}}
"""


@pytest.fixture
def materials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Materials:
    """A corpus, dialogues, recipes called "tiny" and a checkpoint that lends all but its language model."""
    monkeypatch.setattr("backend.train.run.draw_curves", lambda _log, _path: None)
    monkeypatch.setattr("backend.train.recipe.RECIPES", tmp_path)
    corpus = written_corpus(tmp_path / "corpus")
    base = write_base(tmp_path / "base", llama())
    (tmp_path / "tiny.language.yaml").write_text(LANGUAGE.format(base=base, quantization="none"))
    (tmp_path / "tiny.instruct.yaml").write_text(INSTRUCT.format(base=base))
    for stage in ("tokenizer", "reader", "anticipation"):
        (tmp_path / f"duologue-small.{stage}.yaml").touch()
    lender = tmp_path / "lender"
    lender.mkdir()
    tiny_tokenizer().save(lender)
    scripts = [script_in(scene, n) for scene in read_scenes(corpus) if scene.split == "train" for n in range(4)]
    tiny_reader(slots_of(scripts)).save(lender)
    tiny_anticipation().save(lender)
    seal(lender, {"tokenizer": {"steps": 1}, "reader": {"steps": 2}, "anticipation": {"steps": 3}})
    return Materials(corpus, written_dialogues(tmp_path / "dialogues"), tmp_path / "runs", lender)


def test_a_whole_checkpoint_is_trained_by_one_call_and_the_next_goes_on_from_what_is_there(
    materials: Materials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_args: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(whole, "train_instruct", stopped)
        with pytest.raises(Interrupted):
            train_whole("tiny", materials, tmp_path / "tiny")
    language = materials.runs / "tiny.language" / "language.safetensors"
    trained = language.stat().st_mtime_ns
    made = train_whole("tiny", materials, tmp_path / "tiny")
    assert language.stat().st_mtime_ns == trained
    engine = Engine.load(made.folder, device="cpu")
    assert "edit" in engine.tasks
    assert joined(list(engine.generate("two people push", 1.0))).frames == 30
    # A third call finds everything and only packages.
    monkeypatch.setattr(whole, "train_language", stopped)
    monkeypatch.setattr(whole, "train_instruct", stopped)
    train_whole("tiny", materials, tmp_path / "again")


def test_a_name_without_recipes_is_refused_before_anything_trains(materials: Materials, tmp_path: Path) -> None:
    with pytest.raises(DuologueError) as caught:
        train_whole("large", materials, tmp_path / "large")
    assert caught.value.code == "recipe_missing"
    assert "tiny" in caught.value.hint
    assert not materials.runs.exists()


def test_a_reader_of_other_scripts_is_not_borrowed(materials: Materials, tmp_path: Path) -> None:
    assert materials.borrowed is not None
    tiny_reader().save(materials.borrowed)
    seal(materials.borrowed, {})
    with pytest.raises(DuologueError) as caught:
        train_whole("tiny", materials, tmp_path / "tiny")
    assert caught.value.code == "borrowed_unfit"
    assert not materials.runs.exists()
