"""Drawing from logits: what each setting keeps and what it leaves out."""

import pytest
import torch

from backend.language.sampling import Sampling, draw, guided

LOGITS = torch.tensor([0.0, 3.0, 1.0, 2.0])


def drawn(sampling: Sampling, count: int = 300) -> list[int]:
    generator = torch.Generator().manual_seed(5)
    return draw(LOGITS.expand(count, -1), sampling, generator).tolist()


def test_zero_temperature_takes_the_most_likely() -> None:
    assert set(drawn(Sampling(temperature=0))) == {1}


def test_the_same_seed_draws_the_same() -> None:
    assert drawn(Sampling()) == drawn(Sampling())


def test_without_limits_everything_can_come_and_the_likely_comes_more_often() -> None:
    counts = [drawn(Sampling(), count=1000).count(choice) for choice in range(4)]
    shares = torch.softmax(LOGITS, 0)
    assert counts == pytest.approx((1000 * shares).tolist(), abs=50)


def test_top_k_leaves_only_the_k_most_likely() -> None:
    assert set(drawn(Sampling(temperature=5, top_k=2))) == {1, 3}


def test_top_p_leaves_the_fewest_that_hold_the_share() -> None:
    assert set(drawn(Sampling(top_p=0.7))) == {1, 3}
    assert set(drawn(Sampling(top_p=0.5))) == {1}


def test_a_high_temperature_flattens() -> None:
    assert drawn(Sampling(temperature=50)).count(0) > drawn(Sampling()).count(0)


def test_finer_levels_are_drawn_colder() -> None:
    warm = Sampling(temperature=1.0, cooling=0.5)
    assert [warm.at_depth(depth, of_place=False).temperature for depth in range(3)] == [1.0, 0.5, 0.25]


def test_the_place_is_drawn_colder_than_the_pose() -> None:
    steady = Sampling(temperature=1.0, cooling=0.5, steadiness=2.0)
    assert [steady.at_depth(1, of_place=of_place).temperature for of_place in (False, True)] == [0.5, 0.25]


def test_guidance_goes_from_unprompted_towards_prompted_and_beyond() -> None:
    prompted, unprompted = torch.tensor([2.0, 0.0]), torch.tensor([1.0, 1.0])
    both = torch.stack((prompted, unprompted))
    assert guided(both, 1.0, 1).tolist() == [prompted.tolist()]
    assert guided(both, 0.0, 1).tolist() == [unprompted.tolist()]
    assert guided(both, 2.0, 1).tolist() == [[3.0, -1.0]]
    assert guided(prompted[None], 2.0, 1).tolist() == [prompted.tolist()]
    assert guided(both[[0, 0, 1, 1]], 2.0, 2).tolist() == [[3.0, -1.0]] * 2
