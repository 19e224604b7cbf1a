"""CIDEr-D, how much a caption agrees with what several people would say (Vedantam et al. 2015, arXiv 1411.5726).

Written out here because the libraries that have it drag in Java or a speech model. It is the variant D that caption
benchmarks call CIDEr: words are not stemmed, counts are clipped, and captions of another length are worth less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import exp, log, sqrt

LONGEST = 4
"""Words of the longest n-gram."""
BEST = 10.0
"""The figure of a caption that is its only reference word for word."""

_LENGTH_SPREAD = 6.0

_Counts = Counter[tuple[str, ...]]


def cider(captions: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> float:
    """Mean over captions, in 0..10. What is said of every motion counts for nothing, so there have to be several.

    Args:
        captions: the words of one caption for each motion.
        references: for each motion, the words of what is true of it.
    """
    counted = [[_ngrams(words) for words in several] for several in references]
    commonness: _Counts = Counter()
    for several in counted:
        commonness.update({gram for counts in several for gram in counts})
    total = log(len(references))
    rarity = {gram: total - log(count) for gram, count in commonness.items()}
    scores = []
    for words, several, told in zip(captions, counted, references, strict=True):
        own = _ngrams(words)
        agreed = [
            exp(-((len(words) - len(other)) ** 2) / (2 * _LENGTH_SPREAD**2)) * _agreement(own, counts, rarity, total)
            for counts, other in zip(several, told, strict=True)
        ]
        scores.append(BEST * sum(agreed) / len(agreed))
    return sum(scores) / len(scores)


def _ngrams(words: Sequence[str]) -> _Counts:
    return Counter(
        tuple(words[start : start + size]) for size in range(1, LONGEST + 1) for start in range(len(words) - size + 1)
    )


def _agreement(a: _Counts, b: _Counts, rarity: dict[tuple[str, ...], float], unseen: float) -> float:
    """Mean over n of the cosine of two captions' n-grams, weighted by rarity, a's counts clipped to b's."""
    total = 0.0
    for size in range(1, LONGEST + 1):
        one, other = (
            {gram: count * rarity.get(gram, unseen) for gram, count in counts.items() if len(gram) == size}
            for counts in (a, b)
        )
        norms = sqrt(sum(value**2 for value in one.values()) * sum(value**2 for value in other.values()))
        if norms:
            total += sum(min(value, other.get(gram, 0.0)) * other.get(gram, 0.0) for gram, value in one.items()) / norms
    return total / LONGEST
