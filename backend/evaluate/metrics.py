"""The measures of text-to-motion papers on embeddings of an evaluator, each as a function of arrays.

The definitions are those of InterGen's protocol (Liang et al. 2023, arXiv 2304.05684), which takes them from Guo et
al. 2022 ("Generating Diverse and Natural 3D Human Motions from Text"): distances are Euclidean; FID and Diversity are
measured on embeddings times 6, Diversity with the distance halved; intervals are of 95 %, as if normally distributed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

EMBEDDING_FACTOR = 6.0
"""What embeddings are multiplied by for FID and Diversity."""
TOP = 3
"""R-precision is reported for the best 1, 2 and 3."""
DIVERSITY_PAIRS = 300
MULTIMODALITY_PAIRS = 10


class Estimate(NamedTuple):
    """A mean over repeats and the half width of its 95 % interval."""

    mean: float
    interval: float


def estimate(values: Sequence[float]) -> Estimate:
    """Mean of repeats and 1.96 standard deviations of them over the root of their number; both NaN of none."""
    if not len(values):
        return Estimate(float("nan"), float("nan"))
    return Estimate(float(np.mean(values)), float(1.96 * np.std(values) / np.sqrt(len(values))))


def r_precision(texts: np.ndarray, motions: np.ndarray, pool: int) -> np.ndarray:
    """Share of texts whose own motion is among the nearest 1, 2 and 3 of a pool.

    The pools are taken in the order given, and what does not fill the last one is left out: shuffle before.

    Args:
        texts: (N, E) embeddings.
        motions: (N, E) embeddings; row i belongs to text i.
        pool: motions that each text is compared with, its own among them.

    Returns:
        (3,) shares in 0..1, NaN if there are fewer than ``pool``.
    """
    if len(texts) < pool:
        return np.full(TOP, np.nan)
    hits = []
    for start in range(0, len(texts) // pool * pool, pool):
        one = slice(start, start + pool)
        distances = np.linalg.norm(texts[one, None] - motions[None, one], axis=-1)  # (pool, pool)
        order = distances.argsort(axis=1, kind="stable")  # of motions that are the same, the earlier one wins
        place = (order == np.arange(pool)[:, None]).argmax(1)
        hits.append(place[:, None] < np.arange(1, TOP + 1))
    return np.concatenate(hits).mean(0)


def multimodal_distance(texts: np.ndarray, motions: np.ndarray) -> float:
    """MM-Dist: mean distance of a text's embedding (N, E) from its own motion's (N, E)."""
    return float(np.linalg.norm(texts - motions, axis=-1).mean())


def frechet_distance(found: np.ndarray, true: np.ndarray) -> float:
    """FID: Fréchet distance of the normal distributions fitted to two sets of embeddings, times 6.

    Heusel et al. 2017, arXiv 1706.08500. With fewer samples than features it is too large, equally for all that have
    as many samples: compare it with the figure of ground truth.

    Args:
        found: (N, E) embeddings.
        true: (M, E) embeddings.

    Returns:
        the squared distance; NaN if either set has fewer than two.
    """
    if min(len(found), len(true)) < 2:
        return float("nan")
    a, b = EMBEDDING_FACTOR * found.astype(np.float64), EMBEDDING_FACTOR * true.astype(np.float64)
    apart = a.mean(0) - b.mean(0)
    # With covariances A = R'R and B = S'S, the trace of the root of AB is the sum of the singular values of RS'. Unlike
    # the root of the matrix itself, that is exact for covariances of few samples, which are singular.
    r, s = (np.asarray(np.linalg.qr((x - x.mean(0)) / np.sqrt(len(x) - 1), mode="r")) for x in (a, b))
    common = np.linalg.norm(r @ s.T, "nuc")
    return float(apart @ apart + np.square(r).sum() + np.square(s).sum() - 2 * common)


def diversity(motions: np.ndarray, rng: np.random.Generator, pairs: int = DIVERSITY_PAIRS) -> float:
    """Half the mean distance of random pairs of embeddings (N, E), times 6; as many pairs as there are if fewer."""
    pairs = min(pairs, len(motions))
    first, second = (rng.choice(len(motions), pairs, replace=False) for _ in range(2))
    apart = EMBEDDING_FACTOR * (motions[first] - motions[second])
    return float(np.linalg.norm(apart / 2, axis=-1).mean())


def multimodality(motions: np.ndarray, rng: np.random.Generator, pairs: int = MULTIMODALITY_PAIRS) -> float:
    """Mean distance of random pairs of motions made from the same text.

    Args:
        motions: (texts, S, E) embeddings of S motions for each text.
        rng: draws the pairs, the same for every text.
        pairs: as many as there are motions if fewer.

    Returns:
        the mean over texts and pairs; NaN with a single motion for each text.
    """
    samples = motions.shape[1]
    if samples < 2:
        return float("nan")
    first, second = (rng.choice(samples, min(pairs, samples), replace=False) for _ in range(2))
    return float(np.linalg.norm(motions[:, first] - motions[:, second], axis=-1).mean())
