"""How near captions are to true ones: BLEU, ROUGE-L and METEOR by the usual libraries, and CIDEr."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .cider import cider

_WORD = re.compile(r"[\w'-]+")


def caption_scores(captions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Scores of captions against true ones; case and punctuation do not matter.

    Args:
        captions: one for each motion.
        references: true captions of each motion, at least one.

    Returns:
        ``bleu1`` and ``bleu4`` of all captions together (sacrebleu), ``rouge_l`` (best F-measure over the references,
        rouge-score) and ``meteor`` (nltk, by exact words and stems: its synonyms need WordNet's data, which nothing
        installs), all in 0..1; ``cider`` in 0..10. NaN without captions.
    """
    if not captions:
        return dict.fromkeys(("bleu1", "bleu4", "rouge_l", "meteor", "cider"), float("nan"))
    from nltk.translate.meteor_score import meteor_score
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics.bleu import BLEU

    said = [_words(caption) for caption in captions]
    true = [[_words(reference) for reference in several] for several in references]
    lines = [" ".join(words) for words in said]
    true_lines = [[" ".join(words) for words in several] for several in true]
    most = max(len(several) for several in true_lines)
    # The library wants as many references for each; one that is there twice changes nothing.
    streams = [[several[n % len(several)] for several in true_lines] for n in range(most)]
    rouge = RougeScorer(["rougeL"], use_stemmer=False)
    found = [rouge.score_multi(*pair)["rougeL"].fmeasure for pair in zip(true_lines, lines, strict=True)]
    no_synonyms: Any = _NoSynonyms()
    meteor = [meteor_score(several, words, wordnet=no_synonyms) for several, words in zip(true, said, strict=True)]
    return {
        "bleu1": BLEU(max_ngram_order=1, tokenize="none").corpus_score(lines, streams).score / 100,
        "bleu4": BLEU(tokenize="none").corpus_score(lines, streams).score / 100,
        "rouge_l": sum(found) / len(found),
        "meteor": float(sum(meteor) / len(meteor)),
        "cider": cider(said, true),
    }


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


class _NoSynonyms:
    """Stands in for a WordNet reader."""

    def synsets(self, _word: str) -> list[Any]:
        return []
