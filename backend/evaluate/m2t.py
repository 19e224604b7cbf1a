"""Motion to text: does the caption of a held-out motion name the right interaction and who does it, and how near is it
to what is true?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..checks import WITH_ACTOR
from ..corpus.choreographer.captions import some_captions
from ..corpus.scene import Scene
from .captions import caption_scores
from .held_out import Corpus, Judge, Model, Progress, nearest, share
from .words import caption_actor, caption_kind

_REFERENCES = 12
"""True captions of each scene, the one that stands for ground truth not counted."""


def motion_to_text(
    model: Model, corpus: Corpus, per_kind: int, judge: Judge | None, progress: Progress
) -> dict[str, Any]:
    """Describe test scenes, read the captions by keyword rules, and compare them with true ones.

    Args:
        model: what is evaluated.
        corpus: its test scenes are described, its training scenes are what the baseline looks up.
        per_kind: test scenes of each kind.
        judge: finds the training motion nearest to a test motion, whose caption is the baseline; None for no baseline.
        progress: told how far it is.

    Returns:
        ``kind`` (share of captions that name the right kind), ``kind_choreographed`` and ``kind_real`` (the same on
        either source), ``actor`` (share that name the right person, of those that name the right kind where it
        matters), ``scenes``, ``by_kind``, every caption under ``items``; and under ``captions`` the `caption_scores`
        of ``generated``, ``truth`` (one more true caption) and ``retrieval``, each against true captions in the
        phrasings of training (``train``) and in held-out ones (``held_out``).
    """
    scenes = corpus.held_out(per_kind)
    items = []
    for index, scene in enumerate(scenes):
        progress(index / len(scenes), "Motion to text")
        caption = "".join(model.describe(corpus.motion(scene), seed=index))
        items.append(
            {
                "scene": scene.id,
                "source": scene.source,
                "kind": scene.kind,
                "actor": scene.script["actor"],
                "caption": caption,
                "read_kind": caption_kind(caption),
                "read_actor": caption_actor(caption),
            }
        )
    told = [item for item in items if item["kind"] in WITH_ACTOR and item["read_kind"] == item["kind"]]
    captions = {"generated": [item["caption"] for item in items]}
    if judge is not None:
        progress(1.0, "Looking up the nearest motions")
        captions["retrieval"] = _looked_up(scenes, corpus, judge)
    return {
        "kind": _right(items),
        "kind_choreographed": _right([item for item in items if item["source"] == "choreographed"]),
        "kind_real": _right([item for item in items if item["source"] == "cmu"]),
        "actor": share(item["read_actor"] == item["actor"] for item in told),
        "scenes": len(items),
        "by_kind": {kind: _right([item for item in items if item["kind"] == kind]) for kind in corpus.kinds},
        "captions": _compared(scenes, captions),
        "items": items,
    }


def _right(items: Sequence[dict[str, Any]]) -> float:
    return share(item["read_kind"] == item["kind"] for item in items)


def _compared(scenes: Sequence[Scene], captions: dict[str, list[str]]) -> dict[str, dict[str, dict[str, float]]]:
    """Scores of each source of captions against either set of references."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for words in ("train", "held_out"):
        true = [
            some_captions(scene.kind, scene.script, words, _REFERENCES + 1, seed) for seed, scene in enumerate(scenes)
        ]
        held_back = {"truth": [several[0] for several in true]}
        # What comes out twice would let the one that stands for the truth be its own reference.
        references = [[text for text in several if text != several[0]] or several for several in true]
        for name, texts in (captions | held_back).items():
            found.setdefault(name, {})[words] = caption_scores(texts, references)
    return found


def _looked_up(scenes: Sequence[Scene], corpus: Corpus, judge: Judge) -> list[str]:
    """For each scene, a caption of the training scene whose motion is nearest to it."""
    known = [scene for scene in corpus.scenes if scene.split == "train"]
    asked = judge.embed_motions([corpus.motion(scene) for scene in scenes])
    rows = nearest(asked, judge.embed_motions([corpus.motion(scene) for scene in known]))
    return [known[row].captions[0] for row in rows]
