"""Reaction: when B is made anew from A alone, does the pair still do the same, and how near is B to the true one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from protocol.motion import Motion, joined_as_persons

from ..checks import finds
from ..corpus.choreographer.captions import person_captions
from ..corpus.scene import Scene
from ..features import body_scale, canonicalized
from .contacts import Agreement, agreement
from .held_out import Corpus, Embed, Judge, Model, Progress, nearest, share, whole
from .metrics import frechet_distance

PARTNERS = ("with_prompt", "without_prompt", "truth", "retrieval", "still")
"""Where B comes from: generated from A, with a held-out prompt or without; the true B; the B of the training scene with
the nearest prompt for B; a B who stands in the true one's first pose, which is what a check grants to A alone."""


def reaction(
    model: Model, corpus: Corpus, per_kind: int, embed: Embed, judge: Judge | None, progress: Progress
) -> dict[str, Any]:
    """Let the model react to person A of test scenes, with B's held-out prompt and without one, on a body of B's size.

    Args:
        model: what is evaluated.
        corpus: its test scenes are reacted to, its training scenes are what the baseline looks up.
        per_kind: test scenes of each kind.
        embed: sentence vectors for the baseline.
        judge: embeds pairs for the FID; None leaves it NaN.
        progress: told how far it is.

    Returns:
        for each of `PARTNERS` the share of scenes that still show their kind, done by the same person; ``near``: for
        each of them ``joint_mm`` and ``pose_mm`` (mean distance of B's joints from the true ones, in the world and
        with the roots laid over each other), ``contact_f1`` (contacts between parts of the two bodies in all frames
        of all scenes), ``fid`` (against all test scenes); ``scenes``, ``by_kind`` and every scene under ``items``.
    """
    scenes = corpus.held_out(per_kind)
    prompts = [_prompt(scene, index) for index, scene in enumerate(scenes)]
    looked_up = _looked_up(prompts, corpus, embed)
    pairs: dict[str, list[Motion]] = {name: [] for name in PARTNERS}
    items = []
    for index, (scene, prompt) in enumerate(zip(scenes, prompts, strict=True)):
        progress(index / len(scenes), "Reaction")
        motion = corpus.motion(scene)
        a, b = motion.person(0), motion.person(1)
        scale = float(body_scale(b.offsets)[0])
        partners = {
            "with_prompt": whole(model.react(a, prompt, seed=index, scale=scale)),
            "without_prompt": whole(model.react(a, "", seed=index, scale=scale)),
            "truth": b,
            "retrieval": _put_beside(looked_up[index], motion),
            "still": _still(b),
        }
        item: dict[str, Any] = {"scene": scene.id, "kind": scene.kind}
        for name, partner in partners.items():
            pairs[name].append(_paired(a, partner))
            item[name] = _kept(pairs[name][-1], scene)
        items.append(item)
    true = pairs["truth"]
    near = {name: _nearness(found, true) for name, found in pairs.items()}
    if judge is not None:
        progress(1.0, "Embedding reactions")
        reference = judge.embed_motions([corpus.motion(s) for s in corpus.scenes if s.split == "test"])
        for name, found in pairs.items():
            near[name]["fid"] = frechet_distance(judge.embed_motions(found), reference)
    by_kind = {kind: _shares([item for item in items if item["kind"] == kind]) for kind in corpus.kinds}
    return _shares(items) | {"near": near, "scenes": len(items), "by_kind": by_kind, "items": items}


def joint_errors(found: Motion, true: Motion) -> tuple[float, float]:
    """Mean distance, mm, of one person's joints from the true ones, over the frames that both have.

    Returns:
        the distance in the world, and the distance with the roots laid over each other.
    """
    frames = min(found.frames, true.frames)
    apart = found.positions()[:frames] - true.positions()[:frames]
    aligned = apart - apart[:, :, :1]
    in_world, in_pose = (1000 * float(np.linalg.norm(error, axis=-1).mean()) for error in (apart, aligned))
    return in_world, in_pose


def _prompt(scene: Scene, index: int) -> str:
    prompts = person_captions(scene.kind, scene.script, "B", "held_out")
    return prompts[index % len(prompts)]


def _nearness(found: Sequence[Motion], true: Sequence[Motion]) -> dict[str, float]:
    errors = [joint_errors(a.person(1), b.person(1)) for a, b in zip(found, true, strict=True)]
    contacts = sum((agreement(a, b) for a, b in zip(found, true, strict=True)), Agreement(0, 0, 0))
    joint_mm, pose_mm = np.mean(errors, axis=0)
    return {
        "joint_mm": float(joint_mm),
        "pose_mm": float(pose_mm),
        "contact_f1": contacts.f1,
        "fid": float("nan"),
    }


def _looked_up(prompts: Sequence[str], corpus: Corpus, embed: Embed) -> list[Motion]:
    """For each prompt, the training scene that has the nearest prompt for B."""
    train = (scene for scene in corpus.scenes if scene.split == "train")
    known = {text: scene for scene in train for text in scene.reaction_prompts["B"]}
    scenes = list(known.values())
    return [corpus.motion(scenes[row]) for row in nearest(embed(prompts), embed(list(known)))]


def _put_beside(looked_up: Motion, motion: Motion) -> Motion:
    """B of a pair, placed to the A of another pair as to its own; the last pose is held if it ends too early."""
    canonical, _ = canonicalized(looked_up)
    _, placement = canonicalized(motion)
    frames = np.minimum(np.arange(motion.frames), canonical.frames - 1)
    return placement.undo(_at(canonical.person(1), frames))


def _paired(a: Motion, b: Motion) -> Motion:
    frames = min(a.frames, b.frames)
    return joined_as_persons([a.slice(0, frames), b.slice(0, frames)])


def _kept(pair: Motion, scene: Scene) -> bool:
    return finds(pair, scene.kind, str(scene.script["actor"]))


def _still(motion: Motion) -> Motion:
    return _at(motion, np.zeros(motion.frames, int))


def _at(motion: Motion, frames: np.ndarray) -> Motion:
    return replace(motion, root=motion.root[frames], rotations=motion.rotations[frames])


def _shares(items: Sequence[dict[str, Any]]) -> dict[str, float]:
    return {name: share(item[name] for item in items) for name in PARTNERS}
