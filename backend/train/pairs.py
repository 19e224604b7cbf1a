"""Scenes as the evaluator sees them, and their variants: persons swapped, left and right mirrored.

The variants are made from the features themselves, because making them anew from the motion for every batch would take
longer than the training.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.progress import track

from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.skeleton import JOINT, JOINT_COUNT, MIRROR

from ..corpus.choreographer.captions import mirrored, some_captions, swapped
from ..corpus.scene import Scene, read_scene_motion, read_scenes
from ..evaluate.evaluator import PERSON_FEATURES, pair_features
from ..features import POSITIONS, VELOCITIES
from .wording import wording

_POINTS = slice(POSITIONS.start, VELOCITIES.stop)
_TURNED = slice(_POINTS.stop, PERSON_FEATURES)

_MIRROR_JOINTS = list(MIRROR)
_MIRROR_BELOW_ROOT = [joint - 1 for joint in MIRROR[1:]]
_MIRROR_POINT = np.array([-1, 1, 1], np.float32)
_MIRROR_SIXD = np.array([1, -1, -1, -1, 1, 1], np.float32)
"""M R M for M = diag(-1, 1, 1): what becomes of the first two columns of a rotation matrix."""


class Pairs:
    """Some scenes of a corpus, in memory.

    Args:
        folder: of the corpus.
        scenes: which of its scenes.
    """

    def __init__(self, folder: Path, scenes: list[Scene]) -> None:
        self._scenes = scenes
        work = track(scenes, f"Reading {len(scenes)} scenes")
        self._features = [pair_features(read_scene_motion(folder, scene)).astype(np.float16) for scene in work]

    def __len__(self) -> int:
        return len(self._scenes)

    def motion(self, scene: int, swap: bool, mirror: bool) -> np.ndarray:
        """Features (T, 516) float32 of a variant of a scene."""
        pair = self._features[scene].astype(np.float32).reshape(-1, 2, PERSON_FEATURES)
        pair = swapped_features(pair) if swap else pair
        pair = mirrored_features(pair) if mirror else pair
        return pair.reshape(len(pair), -1)

    def text(self, scene: int, swap: bool, mirror: bool, wording_share: float, rng: np.random.Generator) -> str:
        """A sentence that is true of a variant of a scene, from training captions or from the wider wording."""
        kind, script = self._scenes[scene].kind, self._scenes[scene].script
        script = swapped(script) if swap else script
        script = mirrored(script) if mirror else script
        if rng.random() < wording_share:
            return wording(kind, script, rng)[0]
        return some_captions(kind, script, "train", 1, int(rng.integers(2**31)))[0]


def read_pairs(folder: Path) -> tuple[Pairs, Pairs]:
    """The training and the validation scenes of a corpus folder.

    Raises:
        DuologueError: ``corpus_missing``, also if there is no training scene, or ``corpus_broken``.
    """
    scenes = read_scenes(folder)
    train, validation = ([scene for scene in scenes if scene.split == split] for split in ("train", "validation"))
    if not train:
        raise DuologueError(
            "corpus_missing",
            f"The corpus in {folder} has no training scene.",
            f"Make a larger one with: duologue corpus choreograph --out {folder} --count 3000",
        )
    return Pairs(folder, train), Pairs(folder, validation)


def mirrored_features(pair: np.ndarray) -> np.ndarray:
    """A pair's features (T, 2, 258) seen in a mirror, as those of `Motion.mirrored`."""
    points = pair[..., _POINTS].reshape(len(pair), 2, 2, JOINT_COUNT, 3)[..., _MIRROR_JOINTS, :] * _MIRROR_POINT
    turned = pair[..., _TURNED].reshape(len(pair), 2, JOINT_COUNT - 1, 6)[..., _MIRROR_BELOW_ROOT, :] * _MIRROR_SIXD
    return np.concatenate((points.reshape(len(pair), 2, -1), turned.reshape(len(pair), 2, -1)), -1)


def swapped_features(pair: np.ndarray) -> np.ndarray:
    """A pair's features (T, 2, 258) with the persons swapped, in the frame of who is first now."""
    pair = pair[:, ::-1]
    points = pair[..., _POINTS].reshape(len(pair), 2, 2, JOINT_COUNT, 3).copy()
    first = points[0, 0, 0]
    left = first[JOINT["left_hip"]] - first[JOINT["right_hip"]]
    turn = rot.about_y(-float(np.arctan2(-left[2], left[0]))).astype(np.float32)
    points[:, :, 0] -= first[0] * np.array([1, 0, 1], np.float32)
    points = rot.rotate(turn, points)
    return np.concatenate((points.reshape(len(pair), 2, -1), pair[..., _TURNED]), -1)
