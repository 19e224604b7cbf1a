"""Every measure against cases worked out by hand."""

from math import exp, sqrt

import numpy as np
import pytest

from backend.evaluate import contacts, metrics, react
from backend.evaluate.captions import caption_scores
from backend.evaluate.cider import cider
from protocol import rotations as rot
from protocol.motion import Motion, joined_as_persons, joined_in_time
from protocol.skeleton import neutral_offsets


def column(*values: float) -> np.ndarray:
    return np.array(values, float)[:, None]


def test_r_precision_counts_whose_own_motion_is_among_the_nearest():
    texts, motions = column(0, 10, 20, 30), column(1, 26, 2, 3)
    # Text 0: its own at 1 is nearest. 10: nearer than its own (16 away) are those at 3, 2 and 1. 20: nearer than its
    # own (18) are 26 and 3. 30: nearer than its own (27) is 26.
    assert metrics.r_precision(texts, motions, 4) == pytest.approx([1 / 4, 2 / 4, 3 / 4])


def test_r_precision_takes_full_pools_alone():
    texts = column(0, 1, 2, 3, 4)
    motions = column(1, 0, 2, 3, 99)  # the fifth fills no pool
    assert metrics.r_precision(texts, motions, 2) == pytest.approx([1 / 2, 1, 1])
    assert np.isnan(metrics.r_precision(texts, motions, 6)).all()


def test_a_model_that_always_makes_the_same_motion_hits_by_chance():
    assert metrics.r_precision(column(*range(4)), column(7, 7, 7, 7), 4) == pytest.approx([1 / 4, 2 / 4, 3 / 4])


def test_mm_dist_is_the_mean_distance_of_text_and_motion():
    assert metrics.multimodal_distance(np.array([[0, 0], [1, 1]]), np.array([[3, 4], [1, 2]])) == pytest.approx(3)


def test_fid_of_normal_distributions():
    # Times 6: means 6 and 12, variances 36 * 2 and 36 * 18, whose geometric mean is 216.
    expected = (12 - 6) ** 2 + 72 + 648 - 2 * 216
    assert metrics.frechet_distance(column(0, 2), column(-1, 5)) == pytest.approx(expected)
    few = np.random.default_rng(0).normal(size=(5, 16))
    assert metrics.frechet_distance(few, few) == pytest.approx(0, abs=1e-3)
    assert metrics.frechet_distance(few, few + 1) == pytest.approx(36 * 16, rel=1e-3)
    assert np.isnan(metrics.frechet_distance(few[:1], few))
    many, others = np.random.default_rng(1).normal(size=(2, 40, 3))
    a, b = 36 * np.cov(many, rowvar=False), 36 * np.cov(others, rowvar=False)
    roots = np.sqrt(np.linalg.eigvals(a @ b).real)  # the definition: the trace of the root of the product
    apart = 36 * np.square(many.mean(0) - others.mean(0)).sum()
    expected = apart + np.trace(a) + np.trace(b) - 2 * roots.sum()
    assert metrics.frechet_distance(many, others) == pytest.approx(expected)


def test_fid_knows_which_features_vary_together():
    along = np.array([[-1.0, -1], [1, 1], [-1, -1], [1, 1]])
    across = along * [1, -1]
    # Both covariances have trace 36 * 8 / 3, and nothing in common.
    assert metrics.frechet_distance(along, across) == pytest.approx(2 * 36 * 8 / 3)


def test_diversity_is_half_the_distance_times_six():
    drawn = {metrics.diversity(column(0, 1), np.random.default_rng(seed)) for seed in range(20)}
    assert drawn == {0.0, 3.0}  # both pairs are of the same motion, or both of different ones


def test_multimodality_looks_at_motions_of_the_same_text():
    motions = np.array([[[0.0], [4]], [[100], [100]]])
    drawn = {metrics.multimodality(motions, np.random.default_rng(seed)) for seed in range(20)}
    assert drawn == {0.0, 2.0}
    assert np.isnan(metrics.multimodality(motions[:, :1], np.random.default_rng(0)))


def test_an_estimate_has_the_interval_of_its_mean():
    assert metrics.estimate([1, 3]) == pytest.approx((2, 1.96 / sqrt(2)))
    assert metrics.estimate([5]) == (5, 0)
    assert np.isnan(metrics.estimate([]).mean)


def words(text: str) -> list[str]:
    return text.split()


def test_cider_by_hand():
    references = [[words("a b c d")], [words("e f g h")]]

    def of_first(caption: str) -> float:
        return 2 * cider([words(caption), words("z")], references)  # the second caption earns nothing

    assert of_first("a b c d") == pytest.approx(10)
    shorter = 10 * (2 / sqrt(2 * 4) + 1 / sqrt(3)) / 4 * exp(-(2**2) / 72)
    assert of_first("a b") == pytest.approx(shorter)
    assert of_first("a a a a") == pytest.approx(10 * (1 / 8) / 4)  # four times a word counts once
    assert of_first("e f g h") == 0
    assert cider([words("x y"), words("x y")], [[words("x y")], [words("x y")]]) == 0  # said of everything


def test_cider_is_the_mean_over_references():
    told = [[words("a b c d"), words("i j k l")], [words("e f g h")]]
    assert cider([words("a b c d"), words("z")], told) == pytest.approx(10 / 2 / 2)


def test_caption_scores_of_true_captions_are_full():
    scores = caption_scores(["One person waves", "A pushes B."], [["one person waves!"], ["they fight", "A pushes B"]])
    assert scores["bleu1"] == pytest.approx(1)
    assert scores["rouge_l"] == pytest.approx(1)
    assert scores["meteor"] == pytest.approx(1 - 0.5 / 3**3)  # METEOR takes a little off for a single chunk of words


def test_caption_scores_by_hand():
    scores = caption_scores(["a b c"], [["a c d e"]])
    assert scores["rouge_l"] == pytest.approx(2 * (2 / 3) * (2 / 4) / (2 / 3 + 2 / 4))
    assert scores["bleu1"] == pytest.approx(2 / 3 * exp(1 - 4 / 3))
    assert scores["bleu4"] < scores["bleu1"]
    stems = caption_scores(["waving hands"], [["waves hand"]])
    assert stems["meteor"] > 0.9
    assert stems["rouge_l"] == 0
    assert np.isnan(caption_scores([], [])["cider"])


def standing(x: float, frames: int = 2) -> Motion:
    """A person in T-pose; the left hand is at +X."""
    rotations = np.tile(rot.IDENTITY, (frames, 1, 22, 1))
    return Motion(30.0, np.full((frames, 1, 3), (x, 0.95, 0.0)), rotations, neutral_offsets()[None])


def pair(gap: float, frames: int = 2) -> Motion:
    """B beside A, the palm of its right hand ``gap`` metres beyond that of A's left."""
    a = standing(0, frames)
    reach = contacts.palms(a)[0, 0, 0, 0]
    return joined_as_persons([a, standing(2 * reach + gap, frames)])


def test_hands_that_meet_touch_and_nothing_else_does():
    names = list(contacts.PARTS)
    touching = contacts.touching(pair(0.0))
    assert touching[:, names.index("left_hand"), names.index("right_hand")].all()
    assert touching.sum() == 2
    assert contacts.touching(pair(0.11)).any()  # two palms of 3.5 cm, and 5 cm that nobody sees
    assert not contacts.touching(pair(0.13)).any()


def test_contact_f1_by_hand():
    held, apart = pair(0.0, 10), pair(1.0, 10)
    half = joined_in_time([held.slice(0, 5), apart.slice(0, 5)])
    assert contacts.agreement(held, held).f1 == 1
    assert contacts.agreement(half, held) == (5, 0, 5)
    assert contacts.agreement(half, held).f1 == pytest.approx(2 / 3)  # precision 1, recall one half
    assert contacts.agreement(held, half) == (5, 5, 0)
    assert contacts.agreement(apart, held).f1 == 0
    assert np.isnan(contacts.agreement(apart, apart).f1)
    assert contacts.agreement(held.slice(0, 3), half) == (3, 0, 0)  # frames that only one has do not count
    assert contacts.Agreement(1, 2, 3) + contacts.Agreement(1, 1, 1) == (2, 3, 4)


def test_joint_errors_in_the_world_and_with_roots_laid_over_each_other():
    true = standing(0)
    assert react.joint_errors(standing(0.3), true) == pytest.approx((300, 0), abs=1e-2)
    turned = true.moved(rot.about_y(np.pi), np.zeros(3, np.float32))
    world, pose = react.joint_errors(turned, true)
    assert world == pose
    assert pose == pytest.approx(2000 * np.linalg.norm(true.positions()[0, 0][:, [0, 2]], axis=-1).mean(), rel=1e-3)
