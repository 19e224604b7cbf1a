import numpy as np
import pytest
import torch

from backend.features import (
    CONTACTS,
    POSITIONS,
    ROTATIONS,
    VELOCITIES,
    body_scale,
    canonicalized,
    features,
    interhuman_features,
)
from backend.kinematics import (
    forward_kinematics,
    matrix_from_quaternion,
    matrix_from_sixd,
    quaternion_from_matrix,
    sixd_from_matrix,
)
from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets

QUARTER_ABOUT_X = rot.from_axis_angle(np.array([1.0, 0.0, 0.0], np.float32), np.pi / 2).astype(np.float32)


@pytest.fixture
def pair() -> Motion:
    """Two persons of different size who turn and drift, somewhere off the origin, floor at 0.3 m."""
    rng = np.random.default_rng(0)
    frames = 40
    bends = 0.2 * rng.normal(size=(frames, 2, 22, 3))
    rotations = rot.normalize(np.concatenate((np.ones((frames, 2, 22, 1)), bends), -1))
    heading = rot.about_y(np.linspace(1.0, 2.0, frames))[:, None]
    rotations[:, :, 0] = rot.multiply(np.broadcast_to(heading, (frames, 2, 4)), rotations[:, :, 0])
    root = np.cumsum(0.02 * rng.normal(size=(frames, 2, 3)), axis=0) + np.array([[3.0, 1.3, -2.0], [3.5, 1.2, -1.0]])
    return Motion(30, root, rotations, np.stack((neutral_offsets(1.0), neutral_offsets(0.9))))


def test_canonical_frame_has_a_at_the_origin_facing_forward_on_the_floor(pair: Motion) -> None:
    canonical, _ = canonicalized(pair)
    positions = canonical.positions()
    across = positions[0, 0, JOINT["left_hip"]] - positions[0, 0, JOINT["right_hip"]]
    assert np.abs(canonical.root[0, 0, [0, 2]]).max() < 1e-5
    assert across[0] > 0.1
    assert abs(across[2]) < 1e-5
    assert abs(np.percentile(positions[..., 1].min(axis=(1, 2)), 5)) < 1e-5


def test_canonical_frame_moves_the_pair_rigidly_and_can_be_undone(pair: Motion) -> None:
    canonical, placement = canonicalized(pair)
    distance = np.linalg.norm(pair.root[:, 0] - pair.root[:, 1], axis=-1)
    assert np.allclose(np.linalg.norm(canonical.root[:, 0] - canonical.root[:, 1], axis=-1), distance, atol=1e-5)
    assert np.allclose(placement.undo(canonical).positions(), pair.positions(), atol=1e-5)
    assert np.allclose(placement.apply(pair).positions(), canonical.positions(), atol=1e-6)


def test_sixd_is_the_first_two_columns_of_the_matrix() -> None:
    matrix = torch.from_numpy(rot.to_matrix(QUARTER_ABOUT_X))  # columns x, z, -y: not symmetric
    assert torch.allclose(sixd_from_matrix(matrix), torch.tensor([1.0, 0, 0, 0, 0, 1]), atol=1e-6)
    assert torch.allclose(matrix_from_sixd(torch.tensor([2.0, 0, 0, 1, 0, 3])), matrix, atol=1e-6)


def test_torch_rotations_and_kinematics_agree_with_the_protocols(pair: Motion) -> None:
    q = torch.from_numpy(pair.rotations.swapaxes(0, 1).copy())
    matrices = matrix_from_quaternion(q)
    positions, world = forward_kinematics(
        torch.from_numpy(pair.root.swapaxes(0, 1).copy()), matrices, torch.from_numpy(pair.offsets)
    )
    expected_positions, expected_world = pair.forward_kinematics()
    assert np.allclose(positions.numpy().swapaxes(0, 1), expected_positions, atol=1e-5)
    assert np.allclose(world.numpy().swapaxes(0, 1), rot.to_matrix(expected_world), atol=1e-5)
    turns = rot.normalize(np.random.default_rng(1).normal(size=(500, 4)).astype(np.float32))
    again = quaternion_from_matrix(matrix_from_quaternion(torch.from_numpy(turns))).numpy()
    assert np.allclose(np.abs((again * turns).sum(-1)), 1, atol=1e-5)
    assert (again[:, 0] >= 0).all()


def test_features_hold_positions_velocities_rotations_and_contacts(pair: Motion) -> None:
    x = features(pair)
    positions = pair.positions()
    assert x.shape == (40, 2, 268)
    assert np.allclose(x[..., POSITIONS], positions.reshape(40, 2, 66), atol=1e-5)
    assert np.allclose(x[:-1, :, VELOCITIES], np.diff(positions, axis=0).reshape(39, 2, 66), atol=1e-5)
    columns = rot.to_matrix(pair.rotations)[..., :2].swapaxes(-1, -2)
    assert np.allclose(x[..., ROTATIONS].reshape(40, 2, 22, 2, 3), columns, atol=1e-5)


def test_contacts_come_in_interhumans_order_and_need_a_low_and_slow_foot() -> None:
    root = np.full((6, 1, 3), [0, 0.97, 0])
    rotations = np.broadcast_to(rot.IDENTITY, (6, 1, 22, 4)).copy()
    rotations[:, :, JOINT["right_hip"]] = rot.inverse(QUARTER_ABOUT_X)  # the right leg is lifted forward
    standing = Motion(30, root, rotations, neutral_offsets()[None])
    assert np.array_equal(features(standing)[0, 0, CONTACTS], [1, 1, 0, 0])
    moving = Motion(30, root + np.arange(6)[:, None, None] * np.array([0.04, 0, 0]), rotations, neutral_offsets()[None])
    assert np.array_equal(features(moving)[0, 0, CONTACTS], [0, 0, 0, 0])


def test_interhuman_features_leave_out_the_roots_rotation_and_stand_on_the_lowest_joint(pair: Motion) -> None:
    x = interhuman_features(pair)
    canonical, _ = canonicalized(pair)
    assert x.shape == (40, 2, 262)
    assert abs(x[..., 1:66:3].min()) < 1e-5
    first_two_columns = rot.to_matrix(canonical.rotations[:, :, 1:])[..., :2].swapaxes(-1, -2)
    assert np.allclose(x[..., 132:258].reshape(40, 2, 21, 2, 3), first_two_columns, atol=1e-5)
    assert np.array_equal(np.unique(x[..., 258:]), [0, 1]) or np.array_equal(np.unique(x[..., 258:]), [0])


def test_body_scale_is_one_for_the_neutral_body(pair: Motion) -> None:
    assert np.allclose(body_scale(pair.offsets), [1.0, 0.9], atol=1e-6)
