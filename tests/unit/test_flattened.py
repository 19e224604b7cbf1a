"""The baseline with codes flattened into the vocabulary: what it reads, says, learns and makes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.corpus.scene import Scene
from backend.evaluate.card import card_tables
from backend.evaluate.flattened import (
    FlattenedConfig,
    FlattenedModel,
    entries_of,
    flattened_llama,
    generated_codes,
    prompt_reader,
)
from backend.train.codes import STEPS_MAX, VARIANTS, EncodedCorpus
from backend.train.flattened import FlattenedRecipe, batched, code_loss, fit_flattened
from backend.train.language import LanguageRecipe, ModelSizes
from backend.train.run import Run
from backend.train.stepping import Stepping
from protocol.errors import DuologueError
from tests.unit.tiny import tiny_checkpoint, tiny_tokenizer

CONFIG = FlattenedConfig(codes=16, levels=3, steps_max=20, entries=("actor=A", "actor=B", "kind=hug", "kind=push"))
SIZES = ModelSizes(width=32, layers=1, heads=2, feed_forward=48, head_width=8)


def corpus() -> EncodedCorpus:
    """Eight scenes of two kinds; each kind has one code for every level, whoever and whenever."""
    scenes, codes = [], []
    for number in range(8):
        kind = ("hug", "push")[number % 2]
        script = {"kind": kind, "actor": "A", "hand": "none", "metres": 1.5}
        scenes.append(Scene(f"scene-{number}", kind, "train", "choreographed", (), {}, script, frames=20))
        codes.append(np.full((len(VARIANTS) * 5, 2, 3), 3 + 8 * (number % 2), np.int16))
    starts = np.arange(len(VARIANTS) * len(scenes) + 1) * 5
    sizes, manners = np.ones((len(VARIANTS) * len(scenes), 2), np.float32), np.zeros((len(scenes), 2))
    return EncodedCorpus(scenes, np.concatenate(codes), starts, sizes, manners)


def test_codes_are_said_in_turns_level_by_level_and_come_back() -> None:
    codes = np.arange(2 * 4 * 3).reshape(2, 4, 3) % 16
    tokens = CONFIG.flattened(codes)
    assert tokens[:6].tolist() == [0, 1 + 16, 2 + 32, 12, 13 + 16, 14 + 32]  # A's first step, then B's
    assert np.array_equal(CONFIG.stacked(tokens), codes)


def test_an_opening_tells_entries_length_and_bodies_apart() -> None:
    script = {"kind": "push", "actor": "B", "mood": "unknown", "metres": 2.0}
    assert entries_of(script) == ["actor=B", "kind=push", "mood=unknown"]
    openings = {
        tuple(CONFIG.opening(asked, steps, np.array(scales)))
        for asked in (script, {**script, "actor": "A"}, {"kind": "hug"})
        for steps in (1, 20, 400)
        for scales in ((1.0, 1.0), (0.7, 1.3), (1.3, 0.7), (9.0, 1.0))
    }
    assert len(openings) == 3 * 2 * 4  # 400 steps are held at the longest
    spoken = CONFIG.codes * CONFIG.levels
    assert all(spoken <= token < CONFIG.vocabulary for opening in openings for token in opening)


def test_what_is_generated_is_legal_at_every_level_and_follows_the_seed() -> None:
    torch.manual_seed(0)
    model = flattened_llama(SIZES, CONFIG.vocabulary).eval()
    opening = CONFIG.opening({"kind": "hug"}, 5, np.ones(2))
    state = torch.random.get_rng_state()
    made = [generated_codes(model, CONFIG, opening, 5, 1, seed) for seed in (1, 1, 2)]
    assert torch.equal(torch.random.get_rng_state(), state)
    assert made[0].shape == (2, 5, 3)
    assert made[0].min() >= 0
    assert made[0].max() < 16
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_only_codes_are_learned_each_level_with_its_weight() -> None:
    ids, labels = batched(CONFIG, [corpus().example(0), corpus().example(1)], np.random.default_rng(0))
    assert ids.shape == labels.shape
    learned = labels >= 0
    assert torch.equal(ids[learned], labels[learned])
    assert learned.sum(1).tolist() == [5 * 2 * 3] * 2
    logits = torch.zeros(*ids.shape, CONFIG.vocabulary)
    logits[..., :16] = 5.0  # right about the first level, where it is certain that the second never comes
    first, second = (
        float(code_loss(logits, labels, torch.tensor(weights), CONFIG))
        for weights in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    )
    assert first < 3 < 5 < second


def test_the_baseline_learns_what_a_kind_looks_like_and_is_judged_like_the_product(tmp_path: Path) -> None:
    stepping = Stepping((1.0, 1.0, 1.0), batch=8, learning_rate=0.01, warmup=2)
    language = LanguageRecipe((1,), stepping, SIZES)
    run = Run(tmp_path, FlattenedRecipe(language, 40), False)
    tokenizer = tiny_tokenizer()
    model, config = fit_flattened(run, FlattenedRecipe(language, 40), corpus(), tokenizer)
    log = run.read_log()
    assert log[-1]["motion"] < 0.2 * log[0]["motion"]
    assert config.steps_max == STEPS_MAX
    for kind, code in (("hug", 3), ("push", 11)):
        opening = config.opening({"kind": kind, "actor": "A"}, 5, np.ones(2))
        assert (generated_codes(model, config, opening, 5, 1, 0) == code).mean() > 0.8

    model.save_pretrained(tmp_path)
    config.save(tmp_path)
    read = prompt_reader(tiny_checkpoint(tmp_path / "tiny"))
    assert read("two people hugs")["kind"] in ("hug", "push")
    baseline = FlattenedModel.load(tmp_path, tokenizer, read)
    pieces = list(baseline.generate("two people hugs", 0.5, seed=1))
    assert [piece.motion.frames for piece in pieces] == [piece.raw.frames for piece in pieces] == [15]
    assert pieces[0].motion.persons == 2


def test_a_baseline_that_was_not_trained_says_how_to(tmp_path: Path) -> None:
    with pytest.raises(DuologueError, match="no baseline") as error:
        FlattenedConfig.load(tmp_path)
    assert "duologue train flattened" in error.value.hint


def test_the_card_tells_what_the_baseline_finds() -> None:
    assert "25 % of the 96" in card_tables({"flattened": {"found": 0.25, "found_kind": 0.5, "prompts": 96}})
