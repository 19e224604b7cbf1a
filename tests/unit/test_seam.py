"""Seams between kept and new motion: no jump at the border, and no trace of it a moment later."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.retarget.seam import SECONDS, led_rotations, led_values
from protocol import rotations as rot

FPS = 30.0
FADED = round(SECONDS * FPS)
Y = np.array([0.0, 1.0, 0.0])


def test_both_ends_are_led_to_where_the_kept_motion_is_heading():
    values = np.linspace(0, 1, 60)[:, None] * [1.0, -2.0]
    before, after = np.array([[0.4, 0.0], [0.5, 0.1]]), np.array([[3.0, 0.0], [3.1, 0.0]])
    led = led_values(values, before, after, FPS)
    np.testing.assert_allclose(led[0], [0.6, 0.2])
    np.testing.assert_allclose(led[-1], [2.9, 0.0])
    np.testing.assert_allclose(led[FADED:-FADED], values[FADED:-FADED])
    assert np.abs(np.diff(led[:, 0])).max() < 0.35


def test_what_fits_already_stays_as_it_is():
    values = np.linspace(1, 2, 30)[:, None]
    step = values[1] - values[0]
    before = np.stack([values[0] - 2 * step, values[0] - step])
    np.testing.assert_allclose(led_values(values, before, None, FPS), values)
    np.testing.assert_allclose(led_values(values, None, None, FPS), values)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_stretch_shorter_than_the_fading_still_meets_a_seam(count: int):
    led = led_values(np.zeros((count, 1)), np.array([[1.0], [1.0]]), None, FPS)
    assert led[0, 0] == pytest.approx(1.0)


def test_rotations_are_led_the_short_way_round():
    new = rot.from_axis_angle(Y, np.full(60, 0.2))
    before = -rot.from_axis_angle(Y, np.array([0.5, 0.6]))
    after = rot.from_axis_angle(Y, np.array([-0.3, -0.4]))
    led = led_rotations(new, before, after, FPS)
    angles = 2 * np.arctan2(led[:, 2], led[:, 0])
    assert abs(np.sin((angles[0] - 0.7) / 2)) < 1e-6
    assert abs(np.sin((angles[-1] + 0.2) / 2)) < 1e-6
    np.testing.assert_allclose(angles[FADED:-FADED], 0.2, atol=1e-6)
    assert np.abs(np.linalg.norm(led, axis=-1) - 1).max() < 1e-6
