"""What characters play, moved onto strips of the Nonlinear Animation editor, aligned so that a pair stays in step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..stubs import ArmatureObject


def push_down(characters: Sequence[ArmatureObject], name: str) -> tuple[int, int]:
    """Move each character's action onto a strip of a track of its own, all strips over the same frames.

    Outside its keys an action holds its first and last pose, so that a strip may be longer than the action in it.

    Args:
        characters: with an action and a slot each.
        name: of the tracks and strips.

    Returns:
        First and last frame of the strips.
    """
    ranges = [character.animation_data.action.frame_range for character in characters]
    first, last = math.floor(min(one[0] for one in ranges)), math.ceil(max(one[1] for one in ranges))
    last = max(last, first + 1)
    for character in characters:
        data: Any = character.animation_data
        action, slot = data.action, data.action_slot
        track = data.nla_tracks.new()
        track.name = name
        strip = track.strips.new(name, first, action)
        strip.action_slot = slot
        strip.use_sync_length = False
        # A new strip does not know its slot and takes its action for frames 0 to 1. Its start may not pass its end, nor
        # its end fall behind its start, wherever these are: hence the end comes first, and once more.
        strip.action_frame_end = last
        strip.action_frame_start = first
        strip.action_frame_end = last
        strip.frame_start, strip.frame_end = first, last
        strip.scale = strip.repeat = 1.0
        # Blender 5 may make strips that have no influence.
        strip.use_animated_influence, strip.influence = False, 1.0
        data.action = None
    return first, last
