"""Trains what expects a partner's place, on the true places in the scenes of a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from protocol.errors import DuologueError
from protocol.motion import Motion

from ..corpus.scene import read_scene_motion, read_scenes
from ..features import body_scale
from ..language.anticipation import Anticipation, AnticipationConfig, step_means, watched
from ..language.between import READ_JOINTS
from ..language.slots import UNSAID, Slot, numbers, slots_of
from . import processes
from .codes import VARIANTS, script_in
from .recipe import read_recipe
from .run import Run, fit, pick_device, step_seed

_SOFTENED = 0.01
"""Metres below which a distance counts as its square, so that its slope has no corner."""
_SEEN_BY = (VARIANTS.index((False, False)), VARIANTS.index((True, False)))
"""The variants of a scene's script in which the first person, and the second one, is A."""
_NORMALIZED_BY = 2_000
"""Persons whose views give mean and spread of what is seen."""


@dataclass(frozen=True)
class AnticipationRecipe:
    """How it is trained.

    Attributes:
        steps: optimizer steps.
        batch: persons a step.
        width: channels of the network.
        unsaid: share of the scripts' entries that are not told.
        noise: spread of what is added to the person's joints, metres: motion from elsewhere is not so exact.
        learning_rate: peak.
        warmup: steps to the peak.
        weight_decay: of AdamW.
        seed: of everything random.
    """

    steps: int
    batch: int = 48
    width: int = 128
    unsaid: float = 0.2
    noise: float = 0.01
    learning_rate: float = 2e-3
    warmup: int = 200
    weight_decay: float = 0.01
    seed: int = 0


class Sight(NamedTuple):
    """One person and where the partner is.

    Attributes:
        seen: (L, S) of the person, as `watched` gives it.
        places: (L, 5, 3) of the partner's `READ_JOINTS` in the person's view, metres.
        script: (S,) what the two do, the person being A, as numbers of slots.
        scales: body sizes of the person and the partner.
    """

    seen: np.ndarray
    places: np.ndarray
    script: np.ndarray
    scales: tuple[float, float]


def train_anticipation(corpus: Path, recipe: Path, out: Path, resume: bool) -> None:
    """Train what expects a partner's place by a recipe and write it into the run's folder.

    Args:
        corpus: folder of choreographed scenes (``scenes.jsonl`` and ``motions/``).
        recipe: YAML file of an `AnticipationRecipe`.
        out: the run's folder.
        resume: go on with the run that is there.

    Raises:
        DuologueError: ``corpus_missing``, ``recipe_invalid``, and what `Run` and `fit` raise.
    """
    settings = read_recipe(recipe, AnticipationRecipe)
    run = Run(out, settings, resume)
    scenes = [scene for scene in read_scenes(corpus) if scene.split == "train"]
    if not scenes:
        raise DuologueError("corpus_missing", "The corpus has no training scene.", "Make one with `duologue corpus`.")
    told = [[script_in(scene, variant) for variant in _SEEN_BY] for scene in scenes]
    slots = slots_of(script for both in told for script in both)
    sights = []
    for scene, both in zip(scenes, told, strict=True):
        motion = read_scene_motion(corpus, scene)
        sights += [sight(motion, person, numbers(slots, script)) for person, script in enumerate(both)]
    network = fit_anticipation(run, settings, sights, slots)
    if processes.is_main():
        network.save(out)


def sight(motion: Motion, person: int, script: np.ndarray) -> Sight:
    """What one person of a pair shows, and where the other one is."""
    alone, partner = motion.person(person), motion.person(1 - person)
    view = watched(alone)
    places = view.of_world(step_means(partner.positions()[:, 0, list(READ_JOINTS)]))
    scales = (float(body_scale(alone.offsets)[0]), float(body_scale(partner.offsets)[0]))
    return Sight(view.seen, places, script, scales)


def fit_anticipation(
    run: Run, recipe: AnticipationRecipe, sights: Sequence[Sight], slots: tuple[Slot, ...]
) -> Anticipation:
    """Train on what persons see; returns the network on the CPU."""
    device = pick_device()
    torch.manual_seed(recipe.seed)
    network = Anticipation(AnticipationConfig(slots, recipe.width))
    some = np.concatenate([one.seen for one in sights[:: max(1, len(sights) // _NORMALIZED_BY)]])
    network.mean.copy_(torch.from_numpy(some.mean(0)))
    network.std.copy_(torch.from_numpy(some.std(0) + recipe.noise))
    network.to(device)

    def losses(step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng(step_seed(recipe.seed, step))
        drawn = [sights[index] for index in rng.integers(len(sights), size=recipe.batch)]
        seen, true, there, scripts, scales = (part.to(device) for part in _batch(drawn))
        scripts = scripts.masked_fill(torch.from_numpy(rng.random(scripts.shape) < recipe.unsaid).to(device), UNSAID)
        places, spreads = network(seen + recipe.noise * torch.randn_like(seen), scripts, scales, there)
        far = ((places - true).square().sum(-1) + _SOFTENED**2).sqrt()
        # The likelihood of a distance that decays exponentially in all three directions.
        surprise = far * torch.exp(-spreads) + 3 * spreads
        return {"surprise": surprise[there].mean()}

    optimizer = torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    fit(run, network, optimizer, losses, cycles=[recipe.steps], warmup=recipe.warmup, seed=recipe.seed)
    return network.cpu().eval()


def _batch(sights: Sequence[Sight]) -> tuple[Tensor, ...]:
    """Seen (N, L, `SEEN`), places (N, L, 5, 3), there (N, L) bool, scripts (N, S) and scales (N, 2)."""
    seen = [torch.from_numpy(one.seen) for one in sights]
    places = [torch.from_numpy(one.places) for one in sights]
    there = [torch.ones(len(one.seen), dtype=torch.bool) for one in sights]
    padded = (nn.utils.rnn.pad_sequence(parts, batch_first=True) for parts in (seen, places, there))
    scripts = torch.from_numpy(np.stack([one.script for one in sights]))
    return *padded, scripts, torch.tensor([one.scales for one in sights])
