"""Shapes in time: eases, pulses, smooth envelopes, and clips sampled at any time without a jump."""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot

FPS = 30.0


def ease(t: np.ndarray | float, start: float, end: float) -> np.ndarray:
    """0 before ``start``, 1 after ``end``, a minimum-jerk curve in between (Flash and Hogan 1985)."""
    u = np.clip((np.asarray(t, np.float64) - start) / max(end - start, 1e-6), 0, 1)
    return u**3 * (10 + u * (6 * u - 15))


def pulse(t: np.ndarray, start: float, attack: float, release: float, end: float) -> np.ndarray:
    """Rises from ``start`` to ``attack``, holds 1 until ``release``, falls until ``end``; all in seconds."""
    return ease(t, start, attack) * (1 - ease(t, release, end))


def through(t: np.ndarray, times: list[float], values: list[np.ndarray] | list[float]) -> np.ndarray:
    """A curve that rests at each of ``values`` (K, ...) at ``times`` (K), easing from one to the next: (T, ...)."""
    stacked = np.asarray(values, np.float64)
    curve = np.broadcast_to(stacked[0], (len(t), *stacked.shape[1:])).copy()
    for k in range(1, len(times)):
        share = ease(t, times[k - 1], times[k]).reshape(-1, *([1] * (stacked.ndim - 1)))
        curve += share * (stacked[k] - stacked[k - 1])
    return curve


def smooth(x: np.ndarray, radius: int) -> np.ndarray:
    """Weighted moving average (Hann window of ``radius`` frames) along the first axis, ends held."""
    window = np.hanning(2 * radius + 3)[1:-1]
    window /= window.sum()
    padded = np.concatenate((np.repeat(x[:1], radius, 0), x, np.repeat(x[-1:], radius, 0)))
    views = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=0)
    return views @ window


def envelope(x: np.ndarray, radius: int) -> np.ndarray:
    """A smooth curve that is nowhere below ``x`` (T,): sliding maximum, then ``smooth`` of the same radius."""
    padded = np.concatenate((np.repeat(x[:1], radius, 0), x, np.repeat(x[-1:], radius, 0)))
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=0).max(-1)
    return smooth(highest, radius)


def sampled(rotations: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Rotations (N, ..., 4) at fractional frames ``at`` (T,), spherically interpolated: (T, ..., 4)."""
    low = np.clip(np.floor(at).astype(int), 0, len(rotations) - 1)
    high = np.minimum(low + 1, len(rotations) - 1)
    share = np.broadcast_to((at - low).reshape(-1, *([1] * (rotations.ndim - 2))), (len(at), *rotations.shape[1:-1]))
    return rot.slerp(rotations[low], rotations[high], share)


def sampled_linear(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values (N, K) at fractional frames ``at`` (T,), linearly interpolated: (T, K)."""
    frames = np.arange(len(values))
    return np.stack([np.interp(at, frames, column) for column in values.T], axis=-1)


def to_and_fro(length: int, frames: int, start: float) -> np.ndarray:
    """Fractional clip frames (frames,) that play a clip of ``length`` frames forth and back, turning softly."""
    span = max(length - 1, 1)
    phase = (start + np.arange(-8, frames + 8)) % (2 * span)
    return smooth(np.where(phase > span, 2 * span - phase, phase).astype(np.float64), 7)[8 : frames + 8]


def mixed(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Rotations ``a`` and ``b`` (T, ..., 4) mixed by ``weight`` (T,): 0 gives ``a``, 1 gives ``b``."""
    share = weight.reshape(-1, *([1] * (a.ndim - 2)))
    return rot.slerp(a, b, np.broadcast_to(share, a.shape[:-1]))
