"""Training the language model: from a corpus folder to a checkpoint that runs, and back to where it was stopped."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.checkpoint import package_checkpoint
from backend.corpus.choreographer.captions import KINDS, captions
from backend.corpus.scene import Scene, write_index, write_motion
from backend.engine import Engine
from backend.evaluate.words import caption_kind
from backend.language.layout import MOTION, UNREAD, MotionBlock, collate, row
from backend.language.slots import slots_of
from backend.language.words import Words, fetch_words
from backend.making import kept
from backend.tasks import COMPLETE, DESCRIBE, GENERATE, REACT
from backend.train import language as stage
from backend.train import stepping
from backend.train.codes import VARIANTS, EncodedCorpus, encoded_corpus
from backend.train.examples import Mixture, corrupted, draw_row, spoken_words
from backend.train.language import train_language
from backend.train.prompts import pair_caption, person_prompt, told_by
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.rotations import normalize
from protocol.skeleton import neutral_offsets
from tests.unit.tiny import tiny_anticipation_run, tiny_reader_run, tiny_tokenizer, tiny_words

RECIPE = """
cycles: [1, 1]
stepping: {level_weights: [1.0, 0.5, 0.5], batch: 4, warmup: 2}
model: {width: 16, layers: 1, heads: 2, feed_forward: 24, head_width: 16}
"""


def scene(number: int) -> tuple[Scene, Motion]:
    """A pair of which A stands and B walks away from it, both tumbling wildly."""
    kind = KINDS[number % 5]
    frames = 40 + 4 * number
    rotations = normalize(np.random.default_rng(number).normal(size=(frames, 2, 22, 4)).astype(np.float32))
    root = np.zeros((frames, 2, 3), np.float32)
    root[..., 1] = 0.96
    root[:, 1, 2] = 1 + np.arange(frames) / 30
    offsets = np.stack((neutral_offsets(1.0), neutral_offsets(1.1)))
    script = {"kind": kind, "actor": "A", "hand": "left", "speed": "normal"}
    split = "validation" if number % 6 == 5 else "train"
    made = Scene(f"scene-{number}", kind, split, "choreographed", (), {}, script, frames=frames)
    return made, Motion(30.0, root, rotations, offsets)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Runs are the same to the last bit only with one number of threads, and loading an engine changes that number."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "motions").mkdir()
    pairs = [scene(number) for number in range(12)]
    for made, motion in pairs:
        write_motion(folder, made.id, motion)
    write_index(folder, [made for made, _ in pairs])
    return folder


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    tiny_tokenizer().save(folder)
    (folder / "recipe.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def encoded(corpus: Path, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> EncodedCorpus:
    cache = tmp_path_factory.mktemp("cache") / "codes.safetensors"
    return encoded_corpus(corpus, tokenizer, cache)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    path.write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "fetch_words", lambda _cache: tiny_words())
        patch.setattr("backend.train.run.draw_curves", lambda _log, _path: None)
        yield path


@pytest.fixture(scope="module")
def finished(corpus: Path, tokenizer: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    train_language(corpus, tokenizer, recipe, run, resume=False)
    return run


def test_every_scene_is_encoded_in_four_variants(encoded: EncodedCorpus) -> None:
    plain, swapped, mirrored, both = (encoded.example(0, variant) for variant in range(len(VARIANTS)))
    assert plain.codes.shape == (2, 10, 3)
    assert plain.scales == pytest.approx([1.0, 1.1])
    assert swapped.scales == pytest.approx([1.1, 1.0])
    assert (plain.script["actor"], plain.script["hand"]) == ("A", "left")
    assert (swapped.script["actor"], swapped.script["hand"]) == ("B", "left")
    assert (mirrored.script["actor"], mirrored.script["hand"]) == ("A", "right")
    assert (both.script["actor"], both.script["hand"]) == ("B", "right")
    assert not np.array_equal(plain.codes, swapped.codes)


def test_a_corpus_is_encoded_only_once(corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    cache = tmp_path / "codes.safetensors"
    first = encoded_corpus(corpus, tokenizer, cache)
    written = cache.stat().st_mtime_ns
    again = encoded_corpus(corpus, tokenizer, cache)
    assert cache.stat().st_mtime_ns == written
    assert np.array_equal(first.example(3, 2).codes, again.example(3, 2).codes)


def test_a_cache_of_another_tokenizer_is_not_used(corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    cache, other = tmp_path / "codes.safetensors", tmp_path / "other"
    encoded_corpus(corpus, tokenizer, cache)
    written = cache.stat().st_mtime_ns
    trained_on = tiny_tokenizer()
    trained_on.mean.add_(0.1)
    trained_on.save(other)
    encoded_corpus(corpus, other, cache)
    assert cache.stat().st_mtime_ns > written


def test_tasks_are_drawn_by_their_shares_and_scripts_are_read_only_where_they_are_not_told(
    encoded: EncodedCorpus,
) -> None:
    words, rng = tiny_words(), np.random.default_rng(0)
    example = encoded.example(0)
    slots = slots_of([example.script])
    drawn = [draw_row(example, words, slots, Mixture(), rng) for _ in range(400)]
    for task, share in ((GENERATE, 0.5), (REACT, 0.22), (COMPLETE, 0.08), (DESCRIBE, 0.2)):
        count = sum(made.symbol[0] == task.marker for made in drawn)
        assert count / 400 == pytest.approx(share, abs=0.07)
    assert any(not made.slots[-1].any() for made in drawn if made.symbol[0] == GENERATE.marker), "for guidance"
    for made in drawn:
        assert not ((made.read[:, 0] != UNREAD) & made.slots.any(1)).any(), "what is told need not be read"
        if made.symbol[0] == DESCRIBE.marker:
            assert not made.slots.any()


@pytest.mark.parametrize("kind", range(12))
def test_captions_drawn_name_the_kind(encoded: EncodedCorpus, kind: int) -> None:
    example = encoded.example(kind)
    text, told = pair_caption(example.kind, example.script, np.random.default_rng(4))
    assert caption_kind(text) == example.kind
    assert "kind" in told


def test_a_prompt_tells_what_its_template_speaks_of() -> None:
    assert told_by("{they} shake {hand} hands {speed}") == {"kind", "actor", "hand", "speed"}
    assert told_by("a handshake") == {"kind"}
    script = {"actor": "B", "hand": "left", "speed": "slow"}
    rng = np.random.default_rng(0)
    drawn = [person_prompt("push", script, "B", rng) for _ in range(100)]
    assert all("actor" in told for _, told in drawn)
    assert all(("slow" in text or "gentl" in text) == ("speed" in told) for text, told in drawn)


def test_corruption_touches_only_codes_that_the_model_makes(encoded: EncodedCorpus) -> None:
    torch.manual_seed(0)
    rows = []
    for scene in range(8):
        codes = encoded.example(scene).codes
        block = MotionBlock(codes, np.zeros(2, int), REACT.learned_persons)
        rows.append(row(REACT, [MotionBlock(codes[:1], np.zeros(2, int)), block], [1, 1]))
    batch = collate(rows)
    hit = corrupted(batch, 0.5, codes=16)
    changed = (hit.codes != batch.codes).any(-1)
    assert changed.any()
    assert not changed[~((batch.kind == MOTION) & batch.learned)].any()
    assert torch.equal(hit.targets, batch.codes)
    by_level = (hit.codes != batch.codes).flatten(0, 1).float().mean(0)
    assert by_level[0] < by_level[-1] < 0.3


def test_all_words_of_training_captions_can_be_said() -> None:
    words = tiny_words()
    script: Mapping[str, object] = {"actor": "both", "hand": "right", "speed": "slow"}
    spoken = spoken_words([("handshake", script)], words)
    for caption in captions("handshake", script, "train"):
        assert set(words.encode(caption)) <= set(spoken)


def test_a_corpus_becomes_a_checkpoint_that_runs(tokenizer: Path, finished: Path, tmp_path: Path) -> None:
    log = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    assert {"motion", "text", "script", "loss"} <= set(log[0])
    assert {"validation_motion", "validation_motion_unprompted", "caption_kind_right"} <= set(log[-1])
    reader, anticipation = (
        tiny_reader_run(tmp_path / "reader", finished),
        tiny_anticipation_run(tmp_path / "anticipation"),
    )
    package_checkpoint(tokenizer, finished, reader, anticipation, tmp_path / "small")
    engine = Engine.load(tmp_path / "small", device="cpu")
    assert sum(piece.motion.frames for piece in kept(engine.generate("two people shake hands", 1.0))) == 30


def test_a_resumed_run_ends_where_an_unbroken_one_does(
    corpus: Path, tokenizer: Path, recipe: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = stepping.losses, 0

    def failing(*args: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise RuntimeError("the power went out")
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("backend.train.run._SAVE_SECONDS", 0.0)
    monkeypatch.setattr(stepping, "losses", failing)
    with pytest.raises(RuntimeError, match="power"):
        train_language(corpus, tokenizer, recipe, tmp_path / "broken", resume=False)
    monkeypatch.setattr(stepping, "losses", original)
    train_language(corpus, tokenizer, recipe, tmp_path / "broken", resume=True)
    ours, theirs = ((run / "language.safetensors").read_bytes() for run in (tmp_path / "broken", finished))
    assert ours == theirs


def test_level_weights_must_fit_the_tokenizer(corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.replace("[1.0, 0.5, 0.5]", "[1.0]"))
    with pytest.raises(DuologueError, match="3 levels") as caught:
        train_language(corpus, tokenizer, recipe, tmp_path / "run", resume=False)
    assert caught.value.code == "recipe_invalid"


def test_words_come_from_the_cache_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import save_file

    words = tiny_words()
    words.tokenizer.save(str(tmp_path / "text_tokenizer.json"))
    save_file({"embedding.weight": words.vectors}, tmp_path / "word_vectors.safetensors")
    monkeypatch.setattr("subprocess.run", lambda *_args, **_options: pytest.fail("the network was asked"))
    assert isinstance(fetch_words(tmp_path), Words)


def test_words_that_cannot_be_fetched_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.language.words._PACKAGE", "duologue-has-no-such-package")
    monkeypatch.setattr("sys.executable", "false")
    with pytest.raises(DuologueError) as caught:
        fetch_words(tmp_path / "words")
    assert caught.value.code == "words_missing"
