"""`PairWriter`: motion that arrives in stretches becomes keys on rigs, on one Action with a slot for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import chain

import bpy
import numpy as np
from bpy.types import Action, Scene

from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time

from .. import fit
from ..retarget.options import Options
from ..retarget.pair import Partner, Stage
from ..retarget.residuals import Residuals
from ..retarget.timing import Resampler
from ..stubs import ArmatureObject, Context
from .condition import check_present
from .measured import USUAL, Measured, check_keyed, measure
from .previous import Previous
from .track import Track

_WAIT_SECONDS = 0.005
"""How long a step waits for a whole motion that is being worked out."""


class PairWriter:
    """Writes the motion of one or two persons onto as many rigs while it arrives.

    Only mapped bones get keys, and only Actions change. Objects are kept by name, because undo replaces them.
    """

    def __init__(
        self,
        scene: Scene,
        targets: Sequence[ArmatureObject],
        total: int,
        start_frame: int,
        title: str,
        beside: Partner | None = None,
        measured: Sequence[Measured] | None = None,
        play: bool = True,
        options: Options = USUAL,
    ) -> None:
        """Get ready; nothing has changed before the first `write`.

        Args:
            scene: gives the frame rate; it is not changed.
            targets: an armature object per person, in the order of the motion's persons.
            total: frames that the whole motion will have, at its own frame rate.
            start_frame: scene frame of the motion's first frame.
            title: name of the Action.
            beside: where only one person's motion is written, what its partner does meanwhile, from the same frame on
                and as `Reading` read it: hands that meet the partner's are led there.
            measured: what `measure` says about each target with the same options, where that was done just now.
            play: whether the targets play the Action at once; else they keep what they have.
            options: what the animator chose.

        Raises:
            DuologueError: ``one_rig_for_both``, ``rig_linked``, ``rig_in_tweak_mode`` or what `measure` raises.
        """
        _check_distinct(targets)
        for target in targets:
            _check_writable(target)
        self._start_frame, self._title, self._play = start_frame, title, play
        rate = scene.render.fps / scene.render.fps_base
        self._resampler = Resampler(rate, total)
        self._beside = beside.resampled(rate) if beside is not None else None
        known = measured if measured is not None else [measure(target, options) for target in targets]
        self._options = options
        self._tracks = [Track(target, rig) for target, rig in zip(targets, known, strict=True)]
        self._total = total
        self._stretches: list[Motion] = []
        self._stage: Stage | None = None
        self._action = ""
        self.residuals: Residuals | None = None
        """What retargeting could not keep; None before the whole motion is written."""

    def write(self, motion: Motion, start: int) -> None:
        """Key the next stretch of motion, and after the last one all of it, as `writing` and `settling` do, at once.

        Raises:
            DuologueError: what they raise.
        """
        parts = self.writing(motion, start)
        if start + motion.frames == self._total:
            parts = chain(parts, self.settling())
        for _ in parts:
            pass

    def writing(self, motion: Motion, start: int) -> Iterator[None]:
        """Key the next stretch of motion, a little at every step, so that a window need not stand still meanwhile.

        Args:
            motion: as many persons as there are targets, at any frame rate.
            start: index of its first frame in the whole motion.

        Raises:
            DuologueError: ``persons_mismatch``, ``motion_gap``, or ``rig_gone``, ``action_gone`` or ``bone_gone`` if
                one was removed meanwhile; at a step.
        """
        if motion.persons != len(self._tracks):
            raise DuologueError(
                "persons_mismatch",
                f"There is motion of {motion.persons} persons for {len(self._tracks)} rigs.",
                "Give each person one rig.",
            )
        first, stretch = self._resampler.push(motion, start)
        if stretch is None:
            return
        self._stretches.append(stretch)
        if self._stage is None:
            known = [track.rig.calibration for track in self._tracks]
            self._stage = Stage(stretch, known, self._beside, self._options)
            self._begin()
        on_bodies = self._stage.on_bodies(stretch, first)
        yield
        yield from self._keying(on_bodies, first, anew=False)

    def settling(self) -> Iterator[None]:
        """Key the whole motion anew once it is worked out, in a thread that touches nothing of Blender's.

        Raises:
            DuologueError: ``rig_gone``, ``action_gone`` or ``bone_gone`` if one was removed meanwhile; at a step.
        """
        if self._stage is None:
            return
        pool = ThreadPoolExecutor(1, "duologue-retarget")
        work = pool.submit(self._stage.settled, joined_in_time(self._stretches))
        pool.shutdown(wait=False)
        while not wait([work], _WAIT_SECONDS).done:
            yield
        on_rigs, self.residuals = work.result()
        yield from self._keying(on_rigs, 0, anew=True)

    def _keying(self, on_rigs: Motion, first: int, *, anew: bool) -> Iterator[None]:
        frames = self._start_frame + np.arange(first, first + on_rigs.frames)
        for person, track in enumerate(self._tracks):
            yield from track.keying(self._action, on_rigs.person(person), frames, anew=anew)

    @property
    def action(self) -> Action | None:
        """The Action; None before anything was written, and where it was removed since."""
        return bpy.data.actions.get(self._action)

    @property
    def slots(self) -> list[int]:
        """The handle of each target's slot, once something was written."""
        return [track.slot for track in self._tracks]

    @property
    def previous(self) -> list[Previous]:
        """What each target was like before."""
        return [track.previous for track in self._tracks]

    def finish(self) -> Action | None:
        """End the motion and keep it; returns the Action, None if nothing was ever written.

        Actions that only these rigs used get a fake user, so that saving does not throw them away.
        """
        if self._play:
            for previous in self.previous:
                previous.keep()
        action = self.action
        if action is not None and self.residuals is not None:
            fit.attach(action, self.residuals)
        return action

    def discard(self) -> None:
        """Take the motion off the rigs again: actions, slots, switches and poses are as they were before."""
        if self._play:
            for previous in self.previous:
                previous.restore()
        action = self.action
        if action is not None:
            bpy.data.actions.remove(action)
        context: Context = bpy.context
        context.view_layer.update()

    def _begin(self) -> None:
        action = bpy.data.actions.new(self._title)
        self._action = action.name
        for track in self._tracks:
            track.begin(action, self._start_frame, self._play)


def check_targets(targets: Sequence[ArmatureObject], options: Options) -> None:
    """See that motion can be written onto rigs, as far as a glance tells: `measure` looks closer, and takes longer.

    Raises:
        DuologueError: ``one_rig_for_both``, ``rig_linked``, ``rig_in_tweak_mode``, or what `check_present` and
            `check_keyed` raise.
    """
    _check_distinct(targets)
    for target in targets:
        _check_writable(target)
        check_present(target)
        check_keyed(target, options)


def _check_distinct(targets: Sequence[ArmatureObject]) -> None:
    if len(set(targets)) != len(targets):
        raise DuologueError(
            "one_rig_for_both",
            f"“{targets[0].name}” was given for both persons.",
            "Pick two different armatures.",
        )


def _check_writable(target: ArmatureObject) -> None:
    if target.library is not None:
        raise DuologueError(
            "rig_linked",
            f"“{target.name}” is linked from another file and cannot be animated here.",
            "Make a library override of it (Object > Library Override > Make) and pick that.",
        )
    if target.animation_data is not None and target.animation_data.use_tweak_mode:
        raise DuologueError(
            "rig_in_tweak_mode",
            f"An NLA strip of “{target.name}” is being tweaked.",
            "Leave tweak mode in the Nonlinear Animation editor (Tab) and try again.",
        )
