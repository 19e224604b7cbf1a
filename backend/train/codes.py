"""A corpus as the language model sees it: every scene in four variants, turned into codes once and kept in the run."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from safetensors import safe_open
from safetensors.numpy import save_file

from protocol.motion import Motion

from ..checks.manner import Manner
from ..corpus.choreographer.captions import mirrored, swapped
from ..corpus.scene import INDEX, Scene, read_scene_motion, read_scenes
from ..features import body_scale, canonicalized, features
from ..tokenizer.config import STRIDE
from ..tokenizer.model import WEIGHTS_FILE, MotionTokenizer
from .run import write_atomically

CACHE_FILE = "codes.safetensors"
_CACHED = ("codes", "starts", "scales", "manners")
VARIANTS = ((False, False), (True, False), (False, True), (True, True))
"""Whether the persons are swapped, and whether the scene is mirrored."""

_WORTH_PROCESSES = 200
"""Scenes from which on starting processes for the encoding pays."""

STEPS_MAX = 75
"""Latent steps of the longest motion, 10 s; what goes beyond is cut."""


@dataclass(frozen=True, eq=False)
class Example:
    """One variant of one scene.

    Attributes:
        kind: id of the interaction.
        script: what was drawn, true of this variant.
        codes: (2, L, D) int64.
        scales: (2,) body sizes.
    """

    kind: str
    script: Mapping[str, Any]
    codes: np.ndarray
    scales: np.ndarray


class EncodedCorpus:
    """All scenes of a corpus as codes.

    Args:
        scenes: the scenes.
        codes: (sum of L, 2, D) int16, the scenes one after the other, each with its four variants.
        starts: (4 scenes + 1,) where in ``codes`` each variant begins.
        scales: (4 scenes, 2) body sizes.
        manners: (scenes, 2) haste, m/s^2, and right-handedness of who acts in the first variant.
    """

    def __init__(
        self, scenes: list[Scene], codes: np.ndarray, starts: np.ndarray, scales: np.ndarray, manners: np.ndarray
    ) -> None:
        self.scenes, self._codes, self._starts, self._scales = scenes, codes, starts, scales
        self._manners = manners

    def of_split(self, split: str) -> np.ndarray:
        """Numbers of the scenes of a split, ascending."""
        return np.flatnonzero([scene.split == split for scene in self.scenes])

    def steps(self, scene: int) -> int:
        """Latent steps of a scene."""
        return int(self._starts[len(VARIANTS) * scene + 1] - self._starts[len(VARIANTS) * scene])

    def script(self, scene: int, variant: int) -> dict[str, Any]:
        """The script that is true of a variant of a scene."""
        return script_in(self.scenes[scene], variant)

    def manner(self, scene: int, variant: int) -> tuple[float, float]:
        """Haste, m/s^2, and right-handedness of who acts, as `backend.checks.manner` measures them."""
        haste, right_handed = self._manners[scene].tolist()
        return haste, -right_handed if VARIANTS[variant][1] else right_handed

    def example(self, scene: int, variant: int = 0) -> Example:
        """One variant of one scene."""
        item = len(VARIANTS) * scene + variant
        codes = self._codes[self._starts[item] : self._starts[item + 1]].transpose(1, 0, 2).astype(np.int64)
        return Example(self.scenes[scene].kind, self.script(scene, variant), codes, self._scales[item])


def script_in(scene: Scene, variant: int) -> dict[str, Any]:
    """The script that is true of a variant of a scene."""
    swap, mirror = VARIANTS[variant]
    script = swapped(scene.script) if swap else scene.script
    return mirrored(script) if mirror else script


def encoded_corpus(corpus: Path, tokenizer: Path, cache: Path) -> EncodedCorpus:
    """Encode a corpus, or read what was encoded before from the same scenes by the same tokenizer.

    Args:
        corpus: folder with ``scenes.jsonl`` and ``motions/``.
        tokenizer: folder of the trained tokenizer.
        cache: file to keep the codes in.

    Raises:
        DuologueError: ``corpus_missing``, ``corpus_broken``, or what `MotionTokenizer.load` raises.
    """
    scenes = read_scenes(corpus)
    motion_tokenizer = MotionTokenizer.load(tokenizer)
    key = hashlib.sha256((corpus / INDEX).read_bytes() + (tokenizer / WEIGHTS_FILE).read_bytes()).hexdigest()
    stored = _read_cache(cache, key)
    if stored is None:
        tasks = [(corpus, scene) for scene in scenes]
        if len(scenes) < _WORTH_PROCESSES:
            stored = _joined([_encoded(motion_tokenizer, *task) for task in tasks])
        else:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(os.cpu_count(), context, _begin_worker, (tokenizer,)) as workers:
                work = workers.map(_encoded_by_worker, tasks, chunksize=16)
                stored = _joined(list(track(work, "Encoding the corpus", total=len(tasks))))
        waiting = cache.with_suffix(".tmp")
        save_file(stored, waiting, {"key": key})
        write_atomically(cache, waiting.read_bytes())
        waiting.unlink()
    return EncodedCorpus(scenes, stored["codes"], stored["starts"], stored["scales"], stored["manners"])


def _read_cache(cache: Path, key: str) -> dict[str, np.ndarray] | None:
    if not cache.is_file():
        return None
    with safe_open(cache, "np") as file:
        if file.metadata().get("key") != key or set(file.keys()) != set(_CACHED):
            return None
        return {name: file.get_tensor(name) for name in _CACHED}


def _encoded(tokenizer: MotionTokenizer, corpus: Path, scene: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A scene's four variants: codes (4, L, 2, D) int16 and body scales (4, 2); and how the first is done (2,)."""
    motion = read_scene_motion(corpus, scene)
    variants = [_variant(motion, *variant) for variant in VARIANTS]
    ready = np.concatenate([features(variant).swapaxes(0, 1) for variant in variants])  # (8, T, 268)
    sizes = np.concatenate([body_scale(variant.offsets) for variant in variants]).astype(np.float32)
    codes = tokenizer.encode(torch.from_numpy(ready), torch.from_numpy(sizes)).numpy().astype(np.int16)
    pairs = codes.reshape(len(variants), 2, *codes.shape[1:])
    manner = Manner.of(motion, str(scene.script["actor"]))
    done = np.array([manner.haste, manner.right_handed], np.float32)
    return np.ascontiguousarray(pairs.swapaxes(1, 2)), sizes.reshape(-1, 2), done


_worker_tokenizer: list[MotionTokenizer] = []


def _begin_worker(tokenizer: Path) -> None:
    torch.set_num_threads(1)
    _worker_tokenizer.append(MotionTokenizer.load(tokenizer))


def _encoded_by_worker(task: tuple[Path, Scene]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return _encoded(_worker_tokenizer[0], *task)


def _joined(scenes: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    lengths = [codes.shape[1] for codes, _, _ in scenes for _ in VARIANTS]
    return {
        "codes": np.concatenate([codes.reshape(-1, *codes.shape[2:]) for codes, _, _ in scenes]),
        "starts": np.cumsum([0, *lengths]),
        "scales": np.concatenate([scales for _, scales, _ in scenes]),
        "manners": np.stack([manner for _, _, manner in scenes]),
    }


def _variant(motion: Motion, swap: bool, mirror: bool) -> Motion:
    motion = motion.slice(0, min(motion.frames // STRIDE, STEPS_MAX) * STRIDE)
    motion = motion.swapped() if swap else motion
    return canonicalized(motion.mirrored() if mirror else motion)[0]
