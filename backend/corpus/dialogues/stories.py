"""Stories: two to four scenes with the same two persons, each of which goes on from where the last one ended."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time

from ..choreographer import quality
from ..choreographer.blend import FPS
from ..choreographer.body import Body
from ..choreographer.generate import Sources, described, performed, placed
from ..choreographer.kinds import KINDS
from ..choreographer.staging import Stage
from ..scene import Contact, Scene, Split
from .bridge import bridged
from .instructions import PHRASES

TRIES = 6
"""How often a scene of a story is drawn again before the story is given up."""
SECONDS = (2.6, 6.0)
"""Length of a scene, without the bridge before it."""
CONTEXT = 1.0
"""Seconds of the scenes before and after that a bridge's own scene shows."""


@dataclass(frozen=True, eq=False)
class Part:
    """A scene of a story.

    Attributes:
        scene: with its events and contacts later by ``lead``.
        motion: from where the part before it ended, in the same world.
        lead: seconds in which they get there.
        bridge: the end of the part before, the way, and the beginning of this one, as a scene; None in the first part.
    """

    scene: Scene
    motion: Motion
    lead: float = 0.0
    bridge: tuple[Scene, Motion] | None = None


@dataclass(frozen=True, eq=False)
class Story:
    """Parts that follow one another without a gap; all of one split."""

    split: Split
    parts: tuple[Part, ...]

    @property
    def motion(self) -> Motion:
        """The whole of it."""
        return joined_in_time([part.motion for part in self.parts])


def make_story(sources: Sources, seed: int, number: int) -> Story:
    """Story ``number`` of a seed; 90 % are for training, 5 % for validation, 5 % for tests.

    Raises:
        DuologueError: ``story_unmade`` if a part of it does not come out well however it is drawn.
    """
    rng = np.random.default_rng([seed, 3, number])
    split: Split = ("train", "validation", "test")[max(0, number % 20 - 17)]  # type: ignore[assignment]
    listed = _plots()
    plot = listed["plots"][int(rng.integers(len(listed["plots"])))]
    bodies = (Body(float(rng.uniform(0.88, 1.12))), Body(float(rng.uniform(0.88, 1.12))))
    parts: list[Part] = []
    for k, chapter in enumerate(plot):
        used = {part.scene.kind for part in parts}
        kinds = [kind for kind in listed["parts"][chapter] if kind not in used] or listed["parts"][chapter]
        name = f"story-{number:06d}{'abcd'[k]}"
        parts.append(_part(sources, (seed, number, k), bodies, kinds, name, split, parts[-1] if parts else None, rng))
    return Story(split, tuple(parts))


def _part(
    sources: Sources,
    dice: tuple[int, int, int],
    bodies: tuple[Body, Body],
    kinds: list[str],
    name: str,
    split: Split,
    before: Part | None,
    rng: np.random.Generator,
) -> Part:
    """A part that comes out well, of one of some kinds, put behind the one before."""
    problem = ""
    for _ in range(TRIES):
        kind = kinds[int(rng.integers(len(kinds)))]
        stage = Stage(np.random.default_rng([*dice, int(rng.integers(2**31))]), sources.library, rng.uniform(*SECONDS))
        stage.bodies = bodies
        performance = KINDS[kind](stage)
        motion, planted = performed(performance)
        missed = quality.problems(kind, motion, performance.contacts, planted)
        if missed:
            problem = missed[0]
            continue
        scene = described(f"{kind}-{name}", kind, split, stage, performance, int(rng.integers(2**31)), motion)
        if before is None:
            return Part(scene, placed(motion))
        try:
            bridge, motion = bridged(before.motion, motion, sources.library, rng)
        except DuologueError as error:
            if error.code != "bridge_unmade":
                raise
            problem = error.message
            continue
        return _behind(before, scene, bridge, motion)
    raise DuologueError("story_unmade", f"No draw of {name} is good enough: {problem}", "Leave this story out.")


def _behind(before: Part, scene: Scene, bridge: Motion, motion: Motion) -> Part:
    """The part that begins with the bridge, and the bridge's own scene."""
    lead = bridge.frames / FPS
    whole = joined_in_time([bridge, motion])
    script = dict(scene.script)
    if "events" in script:
        script["events"] = [_later(event, lead) for event in script["events"]]
    contacts = tuple(Contact(c.joint_a, c.joint_b, c.start + lead, c.end + lead) for c in scene.contacts)
    later = replace(scene, script=script | {"lead": round(lead, 3)}, contacts=contacts, frames=whole.frames)
    context = round(CONTEXT * FPS)
    tail, head = before.motion.slice(before.motion.frames - context, before.motion.frames), motion.slice(0, context)
    gap = joined_in_time([tail, bridge, head])
    said = tuple(_plots()["bridges"]["train" if scene.split != "test" else "held_out"])
    gap_frames = [context, context + bridge.frames]
    between = Scene(
        id=f"bridge-{scene.id}",
        kind=scene.kind,
        split=scene.split,
        source="choreographed",
        captions=said,
        reaction_prompts={"A": said, "B": said},
        script={"kind": scene.kind, "actor": "both", "after": before.scene.kind, "gap": gap_frames},
        frames=gap.frames,
    )
    return Part(later, whole, lead, (between, gap))


def _later(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    return event | {"start": round(event["start"] + seconds, 2), "end": round(event["end"] + seconds, 2)}


@cache
def _plots() -> dict[str, Any]:
    return json.loads((PHRASES / "plots.json").read_text(encoding="utf-8"))
