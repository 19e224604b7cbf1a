"""Quaternion arithmetic holds for every batch shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from protocol import rotations as rot


def random_rotations(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return rot.normalize(np.random.default_rng(seed).normal(size=(*shape, 4)))


shapes = array_shapes(min_dims=0, max_dims=3, max_side=4)
seeds = st.integers(0, 2**32 - 1)


@given(shapes, seeds)
def test_product_is_closed_associative_and_undone_by_the_inverse(shape: tuple[int, ...], seed: int) -> None:
    a, b, c = (random_rotations(shape, seed + i) for i in range(3))
    product = rot.multiply(a, rot.multiply(b, c))
    np.testing.assert_allclose(np.linalg.norm(product, axis=-1), 1, atol=1e-9)
    np.testing.assert_allclose(product, rot.multiply(rot.multiply(a, b), c), atol=1e-9)
    np.testing.assert_allclose(rot.multiply(a, rot.inverse(a)), np.broadcast_to(rot.IDENTITY, a.shape), atol=1e-9)


@given(shapes, seeds)
def test_product_rotates_as_one_after_the_other(shape: tuple[int, ...], seed: int) -> None:
    a, b = random_rotations(shape, seed), random_rotations(shape, seed + 1)
    v = np.random.default_rng(seed).normal(size=(*shape, 3))
    np.testing.assert_allclose(rot.rotate(rot.multiply(a, b), v), rot.rotate(a, rot.rotate(b, v)), atol=1e-9)


@given(shapes, seeds)
def test_matrix_round_trip_keeps_the_rotation(shape: tuple[int, ...], seed: int) -> None:
    q = random_rotations(shape, seed)
    back = rot.from_matrix(rot.to_matrix(q))
    np.testing.assert_allclose(np.abs(np.sum(q * back, axis=-1)), 1, atol=1e-9)
    assert (back[..., 0] >= 0).all()


@given(seeds)
def test_between_turns_one_direction_into_the_other(seed: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, 5, 3))
    turned = rot.rotate(rot.between(a, b), a / np.linalg.norm(a, axis=-1, keepdims=True))
    np.testing.assert_allclose(turned, b / np.linalg.norm(b, axis=-1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("axis", np.eye(3))
def test_between_opposite_directions_is_half_a_turn(axis: np.ndarray) -> None:
    np.testing.assert_allclose(rot.rotate(rot.between(axis, -axis), axis), -axis, atol=1e-9)


def test_about_y_turns_forward_to_the_left_hand_side() -> None:
    np.testing.assert_allclose(rot.rotate(rot.about_y(np.pi / 2), np.array([0.0, 0.0, 1.0])), [1, 0, 0], atol=1e-6)


@given(st.floats(-3.1, 3.1))
def test_yaw_reads_the_angle_back(angle: float) -> None:
    assert rot.yaw(rot.about_y(angle)) == pytest.approx(angle, abs=1e-5)


@given(seeds)
def test_slerp_moves_at_constant_speed_along_the_shorter_arc(seed: int) -> None:
    a, b = random_rotations((2,), seed)
    quarter, half = rot.slerp(a, b, 0.25), rot.slerp(a, b, 0.5)

    def angle(p: np.ndarray, q: np.ndarray) -> float:
        return 2 * np.arccos(min(1.0, abs(float(p @ q))))

    assert angle(a, half) == pytest.approx(angle(a, b) / 2, abs=1e-6)
    assert angle(a, quarter) == pytest.approx(angle(a, b) / 4, abs=1e-6)


def test_continuous_flips_signs_and_nothing_else() -> None:
    q = random_rotations((6, 3), 1)
    flipped = q * np.where(np.arange(6) % 2, -1, 1)[:, None, None]
    smooth = rot.continuous(flipped)
    assert (np.sum(smooth[1:] * smooth[:-1], axis=-1) >= 0).all()
    np.testing.assert_allclose(np.abs(np.sum(smooth * q, axis=-1)), 1, atol=1e-9)
