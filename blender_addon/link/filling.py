"""Motion that becomes a stretch of what the characters play already: a gap that is filled, or what comes after."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
from bpy.types import Action, Object, Scene

from ..animation.previous import Previous
from ..animation.splice import Splice
from ..results import Asked
from .outcomes import MotionOutcome


class FillingOutcome(MotionOutcome):
    """A stretch of motion: while it arrives the characters play it alone, then within everything around it."""

    def __init__(self, scene: Scene, targets: Sequence[Object], caption: str, asked: Asked, *, again: bool) -> None:
        """Remember where the motion goes: from ``asked.frame_start`` to ``asked.frame_end``.

        Raises:
            DuologueError: what `MotionOutcome` has against one of the targets.
        """
        super().__init__(scene, targets, caption, asked, again=again)
        self._last = asked.frame_end
        self._said = asked.prompt or f"Frames {asked.frame_start} to {asked.frame_end}"

    def round_off(self, action: Action, slots: Sequence[int], before: Sequence[Previous]) -> None:
        """Add what the characters played outside of the stretch."""
        render = bpy.data.scenes[self._scene].render
        for handle, previous in zip(slots, before, strict=True):
            played = previous.action
            old = next((one for one in played.slots if one.handle == previous.slot), None) if played else None
            new = next(one for one in action.slots if one.handle == handle)
            if played is not None and old is not None:
                splice = Splice(previous.find(), previous.pose, (played, old), self._asked.frame_start, self._last)
                splice.into(action, new, render.fps / render.fps_base)
