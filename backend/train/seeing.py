"""Fits a motion language model's linear reading of where hands, heads and chests are, before it is trained."""

from __future__ import annotations

import numpy as np
import torch

from protocol.skeleton import neutral_offsets

from ..kinematics import forward_kinematics, matrix_from_quaternion
from ..language.between import READ_JOINTS
from ..language.model import MotionLanguageModel
from ..tokenizer.config import STRIDE
from ..tokenizer.model import MotionTokenizer
from .codes import VARIANTS, EncodedCorpus

_SCENES = 400


@torch.no_grad()
def see_each_other(model: MotionLanguageModel, corpus: EncodedCorpus, tokenizer: MotionTokenizer) -> None:
    """Fit the reading of a model on the CPU, in place, on some training scenes as their codes are decoded."""
    scenes = np.random.default_rng(0).permutation(corpus.of_split("train"))[:_SCENES]
    offsets = torch.from_numpy(np.stack([neutral_offsets()] * 2))
    latents, joints = [], []
    for number, scene in enumerate(scenes.tolist()):
        codes = torch.from_numpy(corpus.example(scene, number % len(VARIANTS)).codes)
        root, rotations = tokenizer.decode(codes, offsets)
        positions, _ = forward_kinematics(root, matrix_from_quaternion(rotations), offsets)
        seen = positions[:, :, list(READ_JOINTS)].unflatten(1, (-1, STRIDE)).mean(2)  # (2, L, 5, 3)
        joints.append(seen.flatten(0, 1))
        latents.append(model.latents(codes).flatten(0, 1))
    model.between.fit(torch.cat(latents), torch.cat(joints))
