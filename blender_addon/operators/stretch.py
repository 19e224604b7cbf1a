"""Which frames are made anew, and which around them the backend gets to see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bpy.types import Object, Scene

from protocol.errors import DuologueError

from .. import compat
from ..animation.capture import FPS
from ..animation.key_arrays import Keys
from . import checks

AROUND_SECONDS = 4.0
"""Most motion that is sent along from before a stretch, and from after it."""
_AROUND_LEAST = 1.0
"""Seconds of both together that there must be room for."""


@dataclass(frozen=True)
class Stretch:
    """Scene frames to be made, placed among frames that are read at 30 a second.

    Attributes:
        read_from: scene frame of the first frame that is read; with a fraction, so that one falls on ``first``.
        read_to: scene frame up to which is read.
        gap: index of the first read frame to be made, and of the one after the last; beyond the end, to continue.
    """

    read_from: float
    read_to: float
    gap: tuple[int, int]


def stretch_of(scene: Scene, cast: Sequence[Object], first: int, last: int) -> Stretch:
    """Place scene frames ``first`` to ``last``, both included, among what the characters do around them.

    Raises:
        DuologueError: ``no_action``, ``stretch_empty``, ``stretch_too_long`` or ``stretch_whole``.
    """
    step = scene.render.fps / scene.render.fps_base / FPS
    begin, end = keyed(cast)
    most = checks.limits().seconds_max
    made = math.ceil((last - first) / step - 1e-6) + 1
    if last <= first:
        raise DuologueError("stretch_empty", "There is no frame to be made.", "Choose at least two frames.")
    if made / FPS > most - _AROUND_LEAST:
        raise DuologueError(
            "stretch_too_long",
            f"{made / FPS:.1f} seconds are too many to be made at once: some of what is around them must be seen too.",
            f"Choose at most {most - _AROUND_LEAST:g} seconds.",
        )
    room = most - made / FPS
    around = min(AROUND_SECONDS, room / 2 if begin < first and end > last else room)
    before = min(math.floor((first - begin) / step + 1e-6), math.floor(around * FPS)) if begin < first else 0
    after = min(math.floor((end - first) / step + 1e-6) + 1 - made, math.floor(around * FPS))
    if before <= 0 and after <= 0:
        raise DuologueError(
            "stretch_whole",
            f"Frames {first} to {last} are all that the characters do.",
            "Choose fewer frames, so that something is kept, or press Generate.",
        )
    read_from = first - before * step
    # Where nothing is kept after it, what is there now need not be sent: the motion is continued.
    frames = before + made + after if after > 0 else before
    return Stretch(read_from, read_from + (frames - 1) * step, (before, before + made))


def ending(scene: Scene, cast: Sequence[Object], first: int | None = None) -> tuple[float, float, int]:
    """What a story goes on from: from which to which scene frame it is read, and the frame after it.

    Args:
        scene: gives the time.
        cast: the characters.
        first: where the story begins; None for right after what they play.

    Raises:
        DuologueError: ``no_action``.
    """
    step = scene.render.fps / scene.render.fps_base / FPS
    begin, end = keyed(cast)
    first = end + 1 if first is None else first
    frames = max(2, math.floor(min((first - begin) / step, AROUND_SECONDS * FPS)))
    return first - frames * step, first - step, first


def chosen(scene: Scene, cast: Sequence[Object]) -> tuple[int, int]:
    """First and last scene frame that were chosen: the preview range, else that of the selected keys.

    Raises:
        DuologueError: ``nothing_chosen``.
    """
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end
    every: list[float] = []
    selected: list[float] = []
    for one in cast:
        data = one.animation_data
        if data is None or data.action is None or data.action_slot is None:
            continue
        for curve in compat.fcurves_of(data.action, data.action_slot):
            keys = Keys.of(curve)
            every += [*keys.co[:1, 0], *keys.co[-1:, 0]]
            frames = keys.co[keys.select_control_point, 0]
            selected += [*frames[:1], *frames[-1:]]
    if not selected or (min(selected), max(selected)) == (min(every), max(every)):
        raise DuologueError(
            "nothing_chosen",
            "No frames were chosen that could be made anew.",
            "Set the timeline's preview range (P), or select keys of some frames, and try again.",
        )
    return round(min(selected)), round(max(selected))


def keyed(cast: Sequence[Object]) -> tuple[int, int]:
    """First and last keyed frame of what all characters play.

    Raises:
        DuologueError: ``no_action`` if one plays no action with keys.
    """
    found = [checks.keyed_range(one) for one in cast]
    for one, bounds in zip(cast, found, strict=True):
        if bounds is None:
            raise DuologueError(
                "no_action",
                f"“{one.name}” plays no Action with keys that could be continued or changed in part.",
                "Generate or animate something first; strips must be baked to an Action.",
            )
    known = [bounds for bounds in found if bounds is not None]
    return min(one[0] for one in known), max(one[1] for one in known)
