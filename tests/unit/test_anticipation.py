"""Where a partner is expected from what a lone person does, and how what is drawn leans towards it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.language.anticipation import Anticipation, Whereabouts, step_means, watched
from backend.language.between import READ_JOINTS
from backend.language.leading import Leading
from backend.language.slots import numbers
from backend.train.anticipation import AnticipationRecipe, fit_anticipation, sight, train_anticipation
from backend.train.run import Run
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion, joined_as_persons
from protocol.skeleton import neutral_offsets
from tests.unit.test_train_instruct import written_corpus
from tests.unit.tiny import TINY_SLOTS, tiny_anticipation, tiny_model, tiny_tokenizer, tiny_words

HUG = {"kind": "hug"}
SCRIPT = numbers(TINY_SLOTS, HUG)
TURNED = rot.about_y(2.0).astype(np.float32), np.array([5.0, 0.0, -3.0], np.float32)


def stander(x: float, z: float, frames: int = 30, heading: float = 0.0) -> Motion:
    """One person who stands at a place in metres, facing +Z turned by so many radians."""
    rotations = np.zeros((frames, 1, 22, 4), np.float32)
    rotations[..., 0] = 1
    rotations[:, :, 0] = rot.about_y(heading)
    root = np.full((frames, 1, 3), (x, 0.9, z), np.float32)
    return Motion(30.0, root, rotations, neutral_offsets()[None])


def facing(distance: float, frames: int = 30) -> Motion:
    """Two who face each other so many metres apart; the first one leans the more, the nearer the other is."""
    a = stander(0, 0, frames)
    rotations = a.rotations.copy()
    rotations[:, :, 3] = rot.from_axis_angle(np.array([1.0, 0, 0], np.float32), 1 - distance)
    return joined_as_persons([replace(a, rotations=rotations), stander(0, distance, frames, np.pi)])


def test_a_view_is_the_same_wherever_the_person_is_and_goes_there_and_back() -> None:
    motion = facing(0.8).person(0)
    here, there = watched(motion), watched(motion.moved(*TURNED))
    np.testing.assert_allclose(here.seen, there.seen, atol=1e-4)
    places = np.random.default_rng(0).normal(size=(len(here.seen), 5, 3)).astype(np.float32)
    np.testing.assert_allclose(there.in_world(there.of_world(places)), places, atol=1e-5)


def test_who_stands_before_somebody_is_before_them_in_their_view() -> None:
    pair = facing(0.8).moved(*TURNED)
    seen = sight(pair, 0, SCRIPT)
    np.testing.assert_allclose(seen.places[:, -1], np.tile([0, 0.9, 0.8], (len(seen.seen), 1)), atol=1e-4)
    assert seen.scales == pytest.approx((1, 1))


def test_a_latent_step_is_the_mean_of_its_frames_and_the_last_frame_is_held() -> None:
    np.testing.assert_allclose(step_means(np.arange(6.0)), [1.5, (4 + 5 + 5 + 5) / 4])


def test_what_is_expected_moves_with_the_person() -> None:
    network, motion = tiny_anticipation(), facing(0.8).person(0)
    here = network.partner_of(motion, HUG, 1.1)
    there = network.partner_of(motion.moved(*TURNED), HUG, 1.1)
    moved = rot.rotate(TURNED[0], here.places) + TURNED[1]
    np.testing.assert_allclose(there.places, moved, atol=1e-3)
    np.testing.assert_allclose(there.spreads, here.spreads, rtol=1e-3)
    assert here.places.shape == (8, len(READ_JOINTS), 3)


@pytest.mark.parametrize("told", [({"kind": "push"}, 1.0), ({}, 1.0), (HUG, 1.3)])
def test_script_and_size_count(told: tuple[dict[str, str], float]) -> None:
    network, motion = tiny_anticipation(), facing(0.8).person(0)
    assert not np.allclose(network.partner_of(motion, *told).places, network.partner_of(motion, HUG, 1.0).places)


def test_what_is_saved_expects_the_same(tmp_path: Path) -> None:
    network, motion = tiny_anticipation(), facing(0.8).person(0)
    network.save(tmp_path)
    read = Anticipation.load(tmp_path)
    for one, other in zip(network.partner_of(motion, HUG, 1.0), read.partner_of(motion, HUG, 1.0), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-2)


@pytest.mark.parametrize("damage", [lambda f: (f / "anticipation.json").write_text("{"), lambda f: None])
def test_one_that_cannot_be_read_says_so(tmp_path: Path, damage) -> None:
    damage(tmp_path)
    with pytest.raises(DuologueError) as caught:
        Anticipation.load(tmp_path)
    assert caught.value.code == "checkpoint_unreadable"


def test_it_learns_how_far_the_other_stands_from_how_far_one_leans(tmp_path: Path) -> None:
    sights = [sight(facing(distance), 0, SCRIPT) for distance in np.linspace(0.4, 1.4, 24)]
    recipe = AnticipationRecipe(steps=150, batch=12, width=16, unsaid=0.0, noise=1e-3, learning_rate=1e-2, warmup=10)
    network = fit_anticipation(Run(tmp_path, recipe, False), recipe, sights, TINY_SLOTS)
    for distance in (0.55, 1.25):
        found = network.partner_of(facing(distance).person(0), HUG, 1.0)
        assert np.abs(found.places[:, -1, 2] - distance).max() < 0.15


def test_a_run_on_a_corpus_leaves_what_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.train.run.draw_curves", lambda _log, _path: None)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("{steps: 3, batch: 2, width: 8, warmup: 1}")
    corpus = written_corpus(tmp_path / "corpus")
    train_anticipation(corpus, recipe, tmp_path / "run", resume=False)
    assert Anticipation.load(tmp_path / "run").config.slots


def test_what_is_drawn_leans_to_the_code_that_brings_the_joints_where_they_are_expected() -> None:
    model = tiny_model(tiny_words(), tiny_tokenizer())
    codes = torch.randint(model.config.codes, (1, model.config.levels), generator=torch.Generator().manual_seed(4))
    places = model.between.joints(model.latents(codes)).numpy()
    lean = Leading(model, Whereabouts(places, np.full((1, len(READ_JOINTS)), 0.01, np.float32))).at(0)
    last = model.config.levels - 1
    before = model.latents(codes[:, :last])
    assert lean(last, before)[0].argmax() == codes[0, last]


def test_who_may_be_anywhere_is_led_nowhere() -> None:
    model = tiny_model(tiny_words(), tiny_tokenizer())
    anywhere = Whereabouts(np.zeros((1, 5, 3), np.float32), np.full((1, 5), 1e4, np.float32))
    lean = Leading(model, anywhere).at(0)
    assert lean(0, torch.zeros(1, model.config.latent_width)).abs().max() < 1e-3
