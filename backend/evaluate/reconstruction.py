"""How much a motion loses by going through the tokenizer's codes and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, PARENTS

from ..features import CONTACT_JOINTS, CONTACTS, body_scale, canonicalized, features
from ..tokenizer.config import STRIDE
from ..tokenizer.model import MotionTokenizer

_LONGEST = 300
_SHORTEST = 16
_PALM_REACH = 0.09
_CONTACT_DISTANCE = 0.12
_PLANTED_SPEED = 0.1


def reconstruction(tokenizer: MotionTokenizer, takes: Sequence[Motion]) -> dict[str, float]:
    """Encode and decode motions, cut to the lengths that the model takes, and measure what changed.

    Each cut is encoded in its own canonical frame and decoded on the persons' own bodies, with all residual levels.

    Returns:
        ``pose_mm``: mean joint error, the roots laid over each other; ``pose_p95_mm``: its 95th percentile over joints
        and frames; ``root_mm``: mean error of the root's position; ``pair_root_mm``: mean error of the vector from A's
        root to B's; ``palm_mm``: mean error of the vector between two palms that are within 12 cm of each other (NaN if
        none ever are); ``skate``: mean horizontal speed, m/s, of ankles and toes while the truth has them planted (in
        contact, slower than 0.1 m/s), and ``skate_truth``: the truth's own; ``bone_length_mm``: largest change of any
        bone's length.
    """
    collected: dict[str, list[np.ndarray]] = {}
    for cut in _cuts(takes):
        for name, values in _errors(cut, reconstructed(tokenizer, cut)).items():
            collected.setdefault(name, []).append(np.asarray(values, np.float64).ravel())
    errors = {name: np.concatenate(values) for name, values in collected.items()}
    figures = {name: float(values.mean()) if values.size else float("nan") for name, values in errors.items()}
    figures["pose_p95_mm"] = float(np.percentile(errors["pose_mm"], 95))
    figures["bone_length_mm"] = float(errors["bone_length_mm"].max())
    return figures


def reconstructed(tokenizer: MotionTokenizer, motion: Motion) -> Motion:
    """A motion at 30 fps after encoding and decoding, in its canonical frame, on its own bodies."""
    canonical, _ = canonicalized(motion)
    x = torch.from_numpy(features(canonical).swapaxes(0, 1).copy())
    codes = tokenizer.encode(x, torch.from_numpy(body_scale(canonical.offsets)))
    root, rotations = tokenizer.decode(codes, torch.from_numpy(canonical.offsets))
    return Motion(motion.fps, root.transpose(0, 1).numpy(), rotations.transpose(0, 1).numpy(), motion.offsets)


def _cuts(takes: Sequence[Motion]) -> Iterator[Motion]:
    for take in takes:
        for start in range(0, take.frames, _LONGEST):
            stop = min(start + _LONGEST, take.frames)
            if stop - start >= _SHORTEST:
                yield take.slice(start, start + (stop - start) // STRIDE * STRIDE)


def _errors(take: Motion, decoded: Motion) -> dict[str, np.ndarray]:
    truth, _ = canonicalized(take)
    before, after = truth.positions(), decoded.positions()
    move = after - before
    true_speed, speed = (truth.fps * _ground_speed(positions) for positions in (before, after))
    planted = (features(truth)[:-1, ..., CONTACTS] > 0) & (true_speed < _PLANTED_SPEED)
    close, palm_change = _palms(truth, decoded)
    return {
        "pose_mm": 1000 * np.linalg.norm(move - move[:, :, :1], axis=-1),
        "root_mm": 1000 * np.linalg.norm(move[:, :, 0], axis=-1),
        "pair_root_mm": 1000 * np.linalg.norm(move[:, 1:, 0] - move[:, :1, 0], axis=-1),
        "palm_mm": 1000 * palm_change[close],
        "skate": speed[planted],
        "skate_truth": true_speed[planted],
        "bone_length_mm": 1000 * np.abs(_bone_lengths(after) - np.linalg.norm(truth.offsets, axis=-1)[:, 1:]),
    }


def _ground_speed(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.diff(positions[:, :, list(CONTACT_JOINTS)][..., [0, 2]], axis=0), axis=-1)


def _bone_lengths(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[:, :, 1:] - positions[:, :, list(PARENTS[1:])], axis=-1)


def _palms(truth: Motion, decoded: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Whether A's and B's palms are close (T, 2, 2), and how far the vector between them moved (T, 2, 2), metres."""
    if truth.persons < 2:
        return np.zeros((truth.frames, 2, 2), bool), np.zeros((truth.frames, 2, 2))
    before, after = (_palm_points(motion) for motion in (truth, decoded))
    apart = before[:, 0, :, None] - before[:, 1, None]
    apart_after = after[:, 0, :, None] - after[:, 1, None]
    close = np.linalg.norm(apart, axis=-1) < _CONTACT_DISTANCE
    return close, np.linalg.norm(apart_after - apart, axis=-1)


def _palm_points(motion: Motion) -> np.ndarray:
    """A point in each hand (T, P, 2, 3): beyond the wrist, along the forearm as the wrist turns it."""
    positions, world = motion.forward_kinematics()
    wrists = [JOINT["left_wrist"], JOINT["right_wrist"]]
    forearm = motion.offsets[:, wrists]
    reach = _PALM_REACH * body_scale(motion.offsets)[:, None, None]
    along = reach * forearm / np.linalg.norm(forearm, axis=-1, keepdims=True)
    return positions[:, :, wrists] + rot.rotate(world[:, :, wrists], along[None])
