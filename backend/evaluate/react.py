"""Reaction: when B is made anew from A alone, does the pair still do the same thing?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from protocol.motion import Motion, joined_as_persons

from ..corpus.choreographer.captions import KINDS, person_captions
from .checks import judge
from .held_out import WITH_ACTOR, Corpus, Model, Progress, share, whole

MEASURES = ("with_prompt", "without_prompt", "truth", "still")


def reaction(model: Model, corpus: Corpus, per_kind: int, progress: Progress) -> dict[str, Any]:
    """Let the model react to person A of test scenes, with B's held-out prompt and without one.

    Returns:
        shares of scenes that still show their kind, done by the same person: ``with_prompt``, ``without_prompt``,
        ``truth`` (the true B) and ``still`` (a B who stands in the first pose: what a check grants to A alone);
        ``scenes``, ``by_kind`` and every scene under ``items``.
    """
    scenes = corpus.held_out(per_kind)
    items = []
    for index, scene in enumerate(scenes):
        progress(index / len(scenes), "Reaction")
        motion = corpus.motion(scene)
        a, b = motion.person(0), motion.person(1)
        prompts = person_captions(scene.kind, scene.script, "B", "held_out")
        partners = {
            "with_prompt": whole(model.react(a, prompts[index % len(prompts)], seed=index)),
            "without_prompt": whole(model.react(a, "", seed=index)),
            "truth": b,
            "still": _still(b),
        }
        kept = {name: _kept(a, partner, scene.kind, scene.script["actor"]) for name, partner in partners.items()}
        items.append({"scene": scene.id, "kind": scene.kind, **kept})
    by_kind = {kind: _shares([item for item in items if item["kind"] == kind]) for kind in KINDS}
    return _shares(items) | {"scenes": len(items), "by_kind": by_kind, "items": items}


def _kept(a: Motion, b: Motion, kind: str, actor: str) -> bool:
    frames = min(a.frames, b.frames)
    result = judge(joined_as_persons([a.slice(0, frames), b.slice(0, frames)]))[kind]
    return result.passed and (kind not in WITH_ACTOR or result.actor == actor)


def _still(motion: Motion) -> Motion:
    first = np.zeros(motion.frames, int)
    return replace(motion, root=motion.root[first], rotations=motion.rotations[first])


def _shares(items: Sequence[dict[str, Any]]) -> dict[str, float]:
    return {name: share(item[name] for item in items) for name in MEASURES}
