"""Text to motion: does a motion generated from words that training never used show what they say?

Two lists, one fixed seed a prompt: eight held-out phrasings of every kind that the model knows, and nine blind ones, by
an author who had seen neither the captions nor the vocabulary of training. The same check judges held-out true scenes
(how strict the check is) and the training motion whose caption is nearest to the prompt (what looking up would give).

The engine judges its own attempts by these rules, as it understands the prompt, and draws others where one fails. So
the first attempt is judged as well, which no rule has chosen: what the model makes when it is asked once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from protocol.motion import Motion, joined_in_time

from ..checks import WITH_ACTOR, done_by, finds, judge
from ..corpus.choreographer.captions import Prompt
from ..making import kept
from .held_out import Corpus, Embed, Maker, Progress, first_attempt, nearest, share, whole
from .physics import physics

_BLIND = Path(__file__).parent / "blind_prompts.json"
SECONDS = 5.0
"""Length of every generated motion: the middle of what the corpus holds."""
SHARES = ("found", "found_kind", "first", "truth", "retrieval")
"""What is told of every prompt."""


def blind_prompts(kind: str) -> list[Prompt]:
    """Prompts for a kind by an author who had not seen what training says; none for a kind not asked of them."""
    listed = json.loads(_BLIND.read_text(encoding="utf-8"))
    return [Prompt(entry["text"], kind, entry["actor"]) for entry in listed.get(kind, ())]


def text_to_motion(
    model: Maker, corpus: Corpus, prompts: Sequence[Prompt], embed: Embed, progress: Progress
) -> dict[str, Any]:
    """Generate every prompt and judge what comes out.

    Args:
        model: what is evaluated.
        corpus: its test scenes are the truth, its training scenes what the baseline looks up.
        prompts: of kinds that the corpus has.
        embed: sentence vectors for the baseline.
        progress: told how far it is.

    Returns:
        shares in 0..1: ``found`` (kind seen, and done by whom the prompt says), ``found_kind`` (whoever does it),
        ``first`` (found in the first attempt), ``truth``, ``retrieval``; the same by kind under ``kinds``; every prompt
        under ``items``; and the `physics` of generated motions, cleaned and raw, and of true ones under ``physics``.
    """
    truths = [_truth(prompt, corpus, index) for index, prompt in enumerate(prompts)]
    looked_up = retrieved([prompt.text for prompt in prompts], corpus, embed)
    items: list[dict[str, Any]] = []
    moved: dict[str, list[Motion]] = {"generated": [], "generated_raw": [], "held_out_truth": []}
    for index, prompt in enumerate(prompts):
        progress(index / len(prompts), "Text to motion")
        came = list(model.generate(prompt.text, SECONDS, seed=index))
        pieces = kept(came)
        truth, made = truths[index], whole(pieces)
        moved["generated"].append(made)
        moved["generated_raw"].append(joined_in_time([piece.raw for piece in pieces]))
        moved["held_out_truth"].append(truth)
        generated = judge(made)
        items.append(
            {
                "text": prompt.text,
                "kind": prompt.kind,
                "actor": prompt.actor,
                "found": done_by(generated[prompt.kind], prompt.actor),
                "found_kind": generated[prompt.kind].passed,
                "first": shows(whole(first_attempt(came)), prompt),
                "seen": [kind for kind, result in generated.items() if result.passed],
                "truth": shows(truth, prompt),
                "retrieval": shows(looked_up[index], prompt),
            }
        )
    return summary(items) | {
        "prompts": len(items),
        "seconds": SECONDS,
        "kinds": {kind: summary(of_kind) for kind in corpus.kinds if (of_kind := _of(items, kind))},
        "items": items,
        "physics": {name: physics(motions) for name, motions in moved.items()},
    }


def _of(items: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [item for item in items if item["kind"] == kind]


def _truth(prompt: Prompt, corpus: Corpus, index: int) -> Motion:
    """A test scene of what a prompt says; one by the other person is taken with the persons swapped."""
    scenes = corpus.of("test", prompt.kind)
    if prompt.kind in WITH_ACTOR:
        wanted = (prompt.actor,) if prompt.actor == "both" else ("A", "B")
        scenes = [scene for scene in scenes if scene.script["actor"] in wanted] or scenes
        scene = scenes[index % len(scenes)]
        turned = {scene.script["actor"], prompt.actor} == {"A", "B"}
        return corpus.motion(scene).swapped() if turned else corpus.motion(scene)
    return corpus.motion(scenes[index % len(scenes)])


def shows(motion: Motion, prompt: Prompt) -> bool:
    """Whether a motion shows what a prompt says, done by whom it says where that matters."""
    return finds(motion, prompt.kind, prompt.actor)


def summary(items: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Mean of each share over some prompts."""
    return {name: share(item[name] for item in items) for name in SHARES}


def retrieved(texts: Sequence[str], corpus: Corpus, embed: Embed) -> list[Motion]:
    """For each text, the training motion whose caption is nearest to it by the cosine of sentence vectors."""
    captions = {caption: scene for scene in corpus.scenes if scene.split == "train" for caption in scene.captions}
    scenes = list(captions.values())
    return [corpus.motion(scenes[number]) for number in nearest(embed(texts), embed(list(captions)))]
