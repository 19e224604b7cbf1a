"""Two-bone inverse kinematics: reaches what can be reached, keeps the bones' lengths, bends the right way."""

import numpy as np
import pytest

from backend.corpus.choreographer.body import ARMS, LEGS, Body
from backend.corpus.choreographer.ik import two_bone
from protocol import rotations as rot

X, Y, Z = np.eye(3)
COUNT = 200


def solved(upper, lower, hinge, start, target, pole):
    """Where hinge and end come to lie."""
    first, second = two_bone(start, target, pole, upper, lower, hinge)
    elbow = start + rot.rotate(first, np.broadcast_to(upper, start.shape))
    return elbow, elbow + rot.rotate(second, np.broadcast_to(lower, start.shape)), first, second


def limb(chains, side):
    body = Body(1.0)
    chain = chains[side]
    return body.offsets[chain.hinge], body.offsets[chain.end]


@pytest.fixture
def reachable():
    rng = np.random.default_rng(1)
    way = rng.normal(size=(COUNT, 3))
    way /= np.linalg.norm(way, axis=-1, keepdims=True)
    start = rng.normal(size=(COUNT, 3))
    return start, start + way * rng.uniform(0.1, 0.5, (COUNT, 1)), rng.normal(size=(COUNT, 3))


def test_reaches_reachable_targets_to_a_tenth_of_a_millimetre(reachable):
    start, target, pole = reachable
    _, end, _, _ = solved(*limb(ARMS, "left"), -Y, start, target, pole)
    assert np.linalg.norm(end - target, axis=-1).max() < 1e-4


def test_keeps_bone_lengths(reachable):
    start, target, pole = reachable
    upper, lower = limb(ARMS, "right")
    elbow, end, _, _ = solved(upper, lower, Y, start, target * 3, pole)
    np.testing.assert_allclose(np.linalg.norm(elbow - start, axis=-1), np.linalg.norm(upper), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(end - elbow, axis=-1), np.linalg.norm(lower), atol=1e-6)


def test_a_target_out_of_reach_is_pointed_at_with_a_nearly_straight_limb():
    upper, lower = limb(ARMS, "left")
    start, target = np.zeros((1, 3)), np.array([[2.0, 1.0, 0.5]])
    _, end, _, _ = solved(upper, lower, -Y, start, target, -Y)
    assert np.linalg.norm(end) == pytest.approx(np.linalg.norm(upper) + np.linalg.norm(lower), rel=1e-3)
    assert (end[0] @ target[0]) / np.linalg.norm(end) / np.linalg.norm(target) > 0.9999


def test_the_hinge_bulges_towards_the_pole(reachable):
    start, target, pole = reachable
    elbow, _, _, _ = solved(*limb(ARMS, "left"), -Y, start, target, pole)
    along = (target - start) / np.linalg.norm(target - start, axis=-1, keepdims=True)
    across = pole - np.sum(pole * along, -1, keepdims=True) * along
    assert (np.sum((elbow - start) * across, axis=-1) > 0).all()


@pytest.mark.parametrize("side", ["left", "right"])
def test_knees_bend_forward_and_only_about_their_hinge(side):
    upper, lower = limb(LEGS, side)
    knee, _, thigh, shank = solved(upper, lower, X, np.zeros((1, 3)), np.array([[0.0, -0.7, 0.0]]), Z)
    assert knee[0, 2] > 0.1
    flexion = rot.multiply(rot.inverse(thigh), shank)[0]
    assert flexion[1] / flexion[0] > 0.1
    np.testing.assert_allclose(flexion[2:], 0, atol=1e-9)


@pytest.mark.parametrize(("side", "hinge"), [("left", -Y), ("right", Y)])
def test_a_hand_held_out_in_front_with_the_elbow_down_has_its_thumb_up(side, hinge):
    """In the T-pose the thumb points forward (+Z) and the palm down."""
    target = np.array([[0.0, -0.1, 0.4]])
    _, _, _, forearm = solved(*limb(ARMS, side), hinge, np.zeros((1, 3)), target, -Y)
    assert rot.rotate(forearm[0], Z)[1] > 0.8
