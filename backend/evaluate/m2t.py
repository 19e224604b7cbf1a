"""Motion to text: does the caption of a held-out motion name the right interaction, and who does it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..corpus.choreographer.captions import KINDS
from .held_out import WITH_ACTOR, Corpus, Model, Progress, share
from .words import caption_actor, caption_kind


def motion_to_text(model: Model, corpus: Corpus, per_kind: int, progress: Progress) -> dict[str, Any]:
    """Describe test scenes and read the captions by keyword rules.

    Returns:
        ``kind`` (share of captions that name the right kind), ``kind_choreographed`` and ``kind_real`` (the same on
        either source), ``actor`` (share that name the right person, of those that name the right kind where it
        matters), ``scenes``, ``by_kind`` and every caption under ``items``.
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
    return {
        "kind": _right(items),
        "kind_choreographed": _right([item for item in items if item["source"] == "choreographed"]),
        "kind_real": _right([item for item in items if item["source"] == "cmu"]),
        "actor": share(item["read_actor"] == item["actor"] for item in told),
        "scenes": len(items),
        "by_kind": {kind: _right([item for item in items if item["kind"] == kind]) for kind in KINDS},
        "items": items,
    }


def _right(items: Sequence[dict[str, Any]]) -> float:
    return share(item["read_kind"] == item["kind"] for item in items)
