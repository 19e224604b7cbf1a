"""Checkpoint folders: made from two runs, checked whole before anything is loaded."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from backend.checkpoint import (
    ANTICIPATION_FILES,
    FORMAT_VERSION,
    LANGUAGE_FILES,
    MANIFEST_FILE,
    READER_FILES,
    TOKENIZER_FILES,
    WORD_FILES,
    package_checkpoint,
    seal,
    verify,
)
from backend.engine import Engine
from backend.language.model import MotionLanguageModel, code_vectors
from backend.language.words import Words
from backend.tokenizer.model import MotionTokenizer
from protocol.errors import DuologueError
from tests.unit.tiny import tiny_checkpoint, tiny_model, tiny_tokenizer, tiny_words


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tiny_checkpoint(tmp_path / "tiny")


def manifest(folder: Path) -> dict:
    return json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))


def rewrite(folder: Path, **changes: object) -> None:
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest(folder) | changes), encoding="utf-8")


def test_a_sealed_folder_verifies_and_lists_every_file(checkpoint: Path) -> None:
    assert verify(checkpoint).name == "tiny"
    listed = manifest(checkpoint)
    assert set(listed["files"]) == {*TOKENIZER_FILES, *LANGUAGE_FILES, *READER_FILES, *ANTICIPATION_FILES, *WORD_FILES}
    assert all(len(entry["sha256"]) == 64 for entry in listed["files"].values())
    assert "torch" in listed["made_with"]


def test_what_is_saved_is_what_is_loaded(checkpoint: Path) -> None:
    tokenizer, words = MotionTokenizer.load(checkpoint), Words.load(checkpoint)
    assert torch.allclose(words.vectors, tiny_words().vectors.float(), atol=0.02)
    loaded = MotionLanguageModel.load(checkpoint, code_vectors(tokenizer), words.vectors)
    for name, value in tiny_model(tiny_words(), tiny_tokenizer()).state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float()), name


def cut(folder: Path) -> None:
    file = folder / "language.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def flip(folder: Path) -> None:
    file = folder / "motion_tokenizer.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (lambda folder: (folder / MANIFEST_FILE).unlink(), "checkpoint_missing"),
    "a manifest that is no JSON": (lambda folder: (folder / MANIFEST_FILE).write_text("{"), "checkpoint_unreadable"),
    "a manifest without files": (lambda folder: rewrite(folder, files={}), "checkpoint_unreadable"),
    "a manifest that points elsewhere": (
        lambda folder: rewrite(folder, files=manifest(folder)["files"] | {"../secret": {"bytes": 0, "sha256": ""}}),
        "checkpoint_unreadable",
    ),
    "a newer format": (lambda folder: rewrite(folder, format=FORMAT_VERSION + 1), "checkpoint_version"),
    "a file gone": (lambda folder: (folder / "word_vectors.safetensors").unlink(), "checkpoint_truncated"),
    "a file cut short": (cut, "checkpoint_truncated"),
    "one bit changed": (flip, "checkpoint_altered"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_not_loaded_and_the_next_step_is_told(checkpoint: Path, damage: str) -> None:
    harm, code = DAMAGES[damage]
    harm(checkpoint)
    with pytest.raises(DuologueError) as caught:
        Engine.load(checkpoint, device="cpu")
    assert caught.value.code == code
    assert caught.value.hint


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DuologueError) as caught:
        verify(tmp_path / "nowhere")
    assert caught.value.code == "checkpoint_missing"


def test_parts_that_do_not_fit_together_are_told(checkpoint: Path) -> None:
    config = json.loads((checkpoint / "language.json").read_text())
    (checkpoint / "language.json").write_text(json.dumps(config | {"width": 48}))
    seal(checkpoint, {})
    with pytest.raises(DuologueError) as caught:
        Engine.load(checkpoint, device="cpu")
    assert caught.value.code == "checkpoint_unreadable"


def test_runs_are_packaged_with_their_recipes_and_the_model_card_is_kept(checkpoint: Path, tmp_path: Path) -> None:
    runs = {}
    files = {
        "tokenizer": TOKENIZER_FILES,
        "language": (*LANGUAGE_FILES, *WORD_FILES),
        "reader": READER_FILES,
        "anticipation": ANTICIPATION_FILES,
    }
    for stage, names in files.items():
        runs[stage] = tmp_path / stage
        runs[stage].mkdir()
        for name in names:
            (runs[stage] / name).write_bytes((checkpoint / name).read_bytes())
        (runs[stage] / "recipe.json").write_text(json.dumps({"stage": stage}))
    out = tmp_path / "duologue-test"
    out.mkdir()
    (out / "README.md").write_text("the card")
    package_checkpoint(runs["tokenizer"], runs["language"], runs["reader"], runs["anticipation"], out)
    assert (out / "README.md").read_text() == "the card"
    assert "README.md" in manifest(out)["files"]
    assert manifest(out)["recipe"] == {stage: {"stage": stage} for stage in files}
    assert Engine.load(out, device="cpu").name == "duologue-test"


def test_a_checkpoint_lends_what_needs_no_language_model_with_its_recipes(checkpoint: Path, tmp_path: Path) -> None:
    recipes = {
        "tokenizer": {"steps": 1},
        "language": {"steps": 2},
        "reader": {"steps": 3},
        "anticipation": {"steps": 5},
    }
    seal(checkpoint, recipes)
    run = tmp_path / "language"
    run.mkdir()
    for name in (*LANGUAGE_FILES, *WORD_FILES):
        (run / name).write_bytes((checkpoint / name).read_bytes())
    (run / "recipe.json").write_text('{"steps": 4}')
    out = tmp_path / "duologue-test"
    package_checkpoint(checkpoint, run, checkpoint, checkpoint, out)
    assert manifest(out)["recipe"] == recipes | {"language": {"steps": 4}}
    assert Engine.load(out, device="cpu").name == "duologue-test"


def test_an_unfinished_run_is_not_packaged(tmp_path: Path) -> None:
    with pytest.raises(DuologueError) as caught:
        package_checkpoint(tmp_path, tmp_path, tmp_path, tmp_path, tmp_path / "out")
    assert caught.value.code == "run_unfinished"
