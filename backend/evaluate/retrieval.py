"""Text to motion as papers measure it: R-precision, MM-Dist, FID, Diversity and MultiModality by a trained evaluator.

Ground truth and the training motion with the nearest caption stand in the same table, judged in the same pools.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine import LIMITS
from ..tokenizer.stream import FPS
from .held_out import Corpus, Embed, Judge, Model, Progress, whole
from .metrics import TOP, diversity, estimate, frechet_distance, multimodal_distance, multimodality, r_precision
from .t2m import retrieved

POOLS = (32, 96)
"""Motions that each text is compared with: as Guo et al. have it for one person, and as InterGen has it for two."""


def retrieval(
    model: Model, corpus: Corpus, judge: Judge, embed: Embed, per_kind: int, repeats: int, progress: Progress
) -> dict[str, Any]:
    """Generate a motion for a caption of every test scene, as long as the scene, and judge it among others.

    Every repeat generates anew and draws other pools. The motions that all repeats made from one text are also those
    of MultiModality: 100 texts and 30 repeats are the protocol of the papers.

    Args:
        model: what is evaluated.
        corpus: its test scenes are the truth, its training scenes what the baseline looks up.
        judge: a trained evaluator.
        embed: sentence vectors for the baseline.
        per_kind: test scenes of each kind.
        repeats: how often all is generated.
        progress: told how far it is.

    Returns:
        ``texts``, ``repeats``, ``r3_of_truth`` (R-precision, best 3 of 32, as a share of ground truth's), and for
        ``truth``, ``retrieval`` and ``generated`` each measure as (mean, half width of the 95 % interval): ``r1_32`` to
        ``r3_32``, ``r1_96`` to ``r3_96`` (NaN with fewer texts than 96), ``mm_dist``, ``fid`` (against all test scenes,
        of which ground truth is a part), ``diversity``, ``multimodality`` (of ``generated``, with 2 repeats or more).
    """
    scenes = corpus.held_out(per_kind)
    prompts = [scene.captions[index % len(scene.captions)] for index, scene in enumerate(scenes)]
    progress(0.0, "Embedding held-out scenes")
    texts = judge.embed_texts(prompts)
    reference = judge.embed_motions([corpus.motion(scene) for scene in corpus.scenes if scene.split == "test"])
    truth = judge.embed_motions([corpus.motion(scene) for scene in scenes])
    looked_up = judge.embed_motions(retrieved(prompts, corpus, embed))
    made = np.empty((repeats, *truth.shape))
    for repeat in range(repeats):
        for index, (scene, prompt) in enumerate(zip(scenes, prompts, strict=True)):
            progress((repeat + index / len(scenes)) / repeats, "Generating for retrieval")
            seconds = float(np.clip(scene.frames / FPS, LIMITS.seconds_min, LIMITS.seconds_max))
            motion = whole(model.generate(prompt, seconds, seed=repeat * len(scenes) + index))
            made[repeat, index] = judge.embed_motions([motion])[0]
    sources = {"truth": truth[None], "retrieval": looked_up[None], "generated": made}
    rows = {name: _row(texts, motions, reference, repeats) for name, motions in sources.items()}
    best = f"r{TOP}_{POOLS[0]}"
    reached, possible = (rows[name][best][0] for name in ("generated", "truth"))
    of_truth = reached / possible if possible else float("nan")
    return {"texts": len(texts), "repeats": repeats, "r3_of_truth": of_truth, **rows}


def _row(texts: np.ndarray, motions: np.ndarray, reference: np.ndarray, repeats: int) -> dict[str, tuple[float, float]]:
    """All measures of one source's motions (1 or repeats, N, E), over repeats that draw pools and pairs anew."""
    found: dict[str, list[float]] = {}
    for repeat in range(repeats):
        rng = np.random.default_rng(repeat)  # the same pools for every source
        order = rng.permutation(len(texts))
        own = motions[repeat % len(motions)]
        values = {
            f"r{place + 1}_{pool}": value
            for pool in POOLS
            for place, value in enumerate(r_precision(texts[order], own[order], pool))
        }
        values["mm_dist"] = multimodal_distance(texts, own)
        values["fid"] = frechet_distance(own, reference)
        values["diversity"] = diversity(own, rng)
        values["multimodality"] = multimodality(motions.swapaxes(0, 1), rng)
        for name, value in values.items():
            found.setdefault(name, []).append(float(value))
    return {name: tuple(estimate(values)) for name, values in found.items()}  # type: ignore[misc]
