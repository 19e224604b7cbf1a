"""Random windows of single persons out of a set of motions, placed as the language model will see them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, JOINT_COUNT, MIRROR

_LONGEST_CLIP = 300
"""Frames of the longest motion that the model takes: windows of longer takes are placed as of a cut that long."""
_FLOOR_PERCENTILE = 5
_MIRROR_ROTATION = np.array([1, 1, -1, -1], np.float32)
_MIRROR_POINT = np.array([-1, 1, 1], np.float32)


class Windows:
    """The persons of many motions, end to end, from which batches of windows are drawn.

    A window is moved into the frame of A's or B's first frame, as the features' canonical frame has it, so that both
    roles are seen; half of the windows are mirrored.

    Args:
        motions: at 30 fps; those shorter than a window are left out.
        frames: length T of a window.
        mirror: share of windows that are mirrored.
    """

    def __init__(self, motions: Sequence[Motion], frames: int, mirror: float = 0.5) -> None:
        self.frames, self._mirror = frames, mirror
        motions = [motion for motion in motions if motion.frames >= frames]
        if not motions:
            raise ValueError(f"no motion has {frames} frames")
        self._root = np.concatenate([motion.root[:, p] for motion in motions for p in range(motion.persons)])
        self._rotations = np.concatenate([motion.rotations[:, p] for motion in motions for p in range(motion.persons)])
        self._offsets = np.concatenate([motion.offsets for motion in motions])
        tracks = [(index, p) for index, motion in enumerate(motions) for p in range(motion.persons)]
        self._lengths = np.array([motions[index].frames for index, _ in tracks])
        self._starts = np.concatenate(([0], np.cumsum(self._lengths)[:-1]))
        self._first_track = np.array([t - p for t, (_, p) in enumerate(tracks)])
        self._persons = np.array([motions[index].persons for index, _ in tracks])
        self._floor = np.array([_floor(motions[index]) for index, _ in tracks], np.float32)
        self._chance = self._lengths / self._lengths.sum()

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw windows, longer takes oftener.

        Returns:
            root (N, T, 3) metres, rotations (N, T, 22, 4) and offsets (N, 22, 3).
        """
        track = rng.choice(len(self._lengths), count, p=self._chance)
        first = rng.integers(0, self._lengths[track] - self.frames + 1)
        frames = (self._starts[track] + first)[:, None] + np.arange(self.frames)
        root, rotations, offsets = self._root[frames], self._rotations[frames].copy(), self._offsets[track]

        leader = self._first_track[track] + rng.integers(0, self._persons[track])
        earliest = np.maximum(0, first + self.frames - _LONGEST_CLIP)
        cut = np.where(self._lengths[track] > _LONGEST_CLIP, rng.integers(earliest, first + 1), 0)
        origin = self._starts[leader] + cut
        across = self._offsets[leader, JOINT["left_hip"]] - self._offsets[leader, JOINT["right_hip"]]
        left = rot.rotate(self._rotations[origin, 0], across)
        turn = rot.about_y(-np.arctan2(-left[:, 2], left[:, 0])).astype(np.float32)[:, None]
        ground = self._root[origin] * np.array([1, 0, 1], np.float32)
        ground[:, 1] = self._floor[track]
        root = rot.rotate(turn, root - ground[:, None])
        rotations[:, :, 0] = rot.multiply(turn, rotations[:, :, 0])

        flip = rng.random(count) < self._mirror
        swap = list(MIRROR)
        root[flip] *= _MIRROR_POINT
        rotations[flip] = rotations[flip][:, :, swap] * _MIRROR_ROTATION
        offsets[flip] = offsets[flip][:, swap] * _MIRROR_POINT
        assert rotations.shape[2] == JOINT_COUNT
        return torch.from_numpy(root), torch.from_numpy(rotations), torch.from_numpy(offsets)


def _floor(motion: Motion) -> float:
    return float(np.percentile(motion.positions()[..., 1].min(axis=(1, 2)), _FLOOR_PERCENTILE))
