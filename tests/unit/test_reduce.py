"""Few keys with smooth curves between them, within a bound at every frame; and rotation channels read back."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.retarget.euler import channel_values, rotations_of
from blender_addon.retarget.reduce import reduced
from protocol import rotations as rot

FRAMES = 240
TIMES = np.arange(FRAMES, dtype=float) + 7


def curves(left, times=TIMES) -> np.ndarray:
    """Values at all frames of the Bezier curves that the keys stand for."""
    out = np.empty((len(times), left.values.shape[1]))
    for number, low in enumerate(left.frames[:-1]):
        high = left.frames[number + 1]
        span = times[high] - times[low]
        points = [
            left.values[number],
            left.values[number] + left.slopes[number] * span / 3,
            left.values[number + 1] - left.slopes[number + 1] * span / 3,
            left.values[number + 1],
        ]
        for frame in range(low, high + 1):
            t = (times[frame] - times[low]) / span
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            out[frame] = sum(weight * point for weight, point in zip(weights, points, strict=True))
    return out


def swaying() -> np.ndarray:
    draw = np.random.default_rng(2)
    phases, paces = draw.uniform(0, 6, (2, 3)), draw.uniform(0.02, 0.12, (2, 3))
    return np.sin(TIMES[:, None, None] * paces + phases).sum(1)


@pytest.mark.parametrize("bound", [0.2, 0.05, 0.01, 0.0005])
def test_every_frame_is_within_the_bound_and_a_wider_one_needs_fewer_keys(bound):
    values = swaying()

    def errors(other: np.ndarray) -> np.ndarray:
        return np.linalg.norm(other - values, axis=-1) / bound

    left = reduced(TIMES, values, errors)
    wider = reduced(TIMES, values, lambda other: errors(other) / 4)

    assert errors(curves(left)).max() <= 1 + 1e-9
    assert len(wider.frames) < len(left.frames) < FRAMES / 3
    np.testing.assert_array_equal(left.values, values[left.frames])
    assert (left.frames[0], left.frames[-1]) == (0, FRAMES - 1)


def test_what_does_not_move_keeps_one_key():
    values = np.full((FRAMES, 3), 0.25)

    left = reduced(TIMES, values, lambda other: np.abs(other - values).max(-1) / 0.001)

    assert left.frames.tolist() == [0]
    assert left.values.tolist() == [[0.25, 0.25, 0.25]]


def test_an_arc_needs_no_key_between_its_ends_and_a_wave_one_near_each_extreme():
    arc = ((TIMES - TIMES[0]) ** 2 / 1000)[:, None]
    wave = np.sin((TIMES - TIMES[0]) / 12)[:, None]

    on_arc = reduced(TIMES, arc, lambda other: np.abs(other - arc)[:, 0] / 0.01)
    on_wave = reduced(TIMES, wave, lambda other: np.abs(other - wave)[:, 0] / 0.05)

    assert on_arc.frames.tolist() == [0, FRAMES - 1]
    assert len(on_wave.frames) <= 12


def test_a_jump_stays_a_jump():
    values = np.where(TIMES < 100, 0.0, 3.0)[:, None]

    left = reduced(TIMES, values, lambda other: np.abs(other - values)[:, 0] / 0.01)

    assert {92, 93} <= set(left.frames.tolist())
    assert np.abs(curves(left) - values).max() <= 0.01 + 1e-9


def test_two_frames_stay_two():
    values = np.array([[0.0], [1.0]])

    assert reduced(TIMES[:2], values, lambda other: np.abs(other - values)[:, 0] / 0.1).frames.tolist() == [0, 1]


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_rotation_channels_of_every_mode_read_back_as_the_rotations(mode):
    turned = rot.normalize(np.random.default_rng(0).normal(size=(50, 4)))

    back = rotations_of(channel_values(turned, mode, None), mode)

    np.testing.assert_allclose(np.abs(np.sum(turned * back, axis=-1)), 1, atol=1e-6)
