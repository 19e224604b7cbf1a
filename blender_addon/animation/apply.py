"""`PairWriter`: motion that arrives in stretches becomes keys on rigs, on one Action with a slot for each."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

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
from .measured import USUAL, Measured, measure
from .previous import Previous
from .track import Track


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
        if len(set(targets)) != len(targets):
            raise DuologueError(
                "one_rig_for_both",
                f"“{targets[0].name}” was given for both persons.",
                "Pick two different armatures.",
            )
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
        self._settling: Future[tuple[Motion, Residuals]] | None = None

    def write(self, motion: Motion, start: int, *, settle_later: bool = False) -> None:
        """Key the next stretch of motion; with the last one, key all of it anew, as only the whole can be.

        Args:
            motion: as many persons as there are targets, at any frame rate.
            start: index of its first frame in the whole motion.
            settle_later: whether the whole is left to `settle`, because it takes longer than a window may stand still.

        Raises:
            DuologueError: ``persons_mismatch``, ``motion_gap``, or ``rig_gone`` if a rig was removed meanwhile.
        """
        if motion.persons != len(self._tracks):
            raise DuologueError(
                "persons_mismatch",
                f"There is motion of {motion.persons} persons for {len(self._tracks)} rigs.",
                "Give each person one rig.",
            )
        first, stretch = self._resampler.push(motion, start)
        whole = start + motion.frames == self._total and not settle_later
        if stretch is not None:
            self._stretches.append(stretch)
        if not self._stretches or (stretch is None and not whole):
            return
        if self._stage is None:
            known = [track.rig.calibration for track in self._tracks]
            self._stage = Stage(self._stretches[0], known, self._beside, self._options)
            self._begin()
        if whole:
            on_rigs, self.residuals = self._stage.settled(joined_in_time(self._stretches))
            self._key(on_rigs, 0, anew=True)
        else:
            self._key(self._stage.on_bodies(self._stretches[-1], first), first)

    def settle(self, seconds: float) -> bool:
        """Key the whole motion anew once it is worked out, in a thread that touches nothing of Blender's.

        Args:
            seconds: how long to wait for the thread.

        Returns:
            Whether it must be waited for longer.

        Raises:
            DuologueError: ``rig_gone`` or ``action_gone`` if one was removed meanwhile.
        """
        if self._stage is None or self.residuals is not None:
            return False
        if self._settling is None:
            pool = ThreadPoolExecutor(1, "duologue-retarget")
            self._settling = pool.submit(self._stage.settled, joined_in_time(self._stretches))
            pool.shutdown(wait=False)
        if not wait([self._settling], seconds).done:
            return True
        on_rigs, self.residuals = self._settling.result()
        self._key(on_rigs, 0, anew=True)
        return False

    def _key(self, on_rigs: Motion, first: int, *, anew: bool = False) -> None:
        frames = self._start_frame + np.arange(first, first + on_rigs.frames)
        for person, track in enumerate(self._tracks):
            track.key(self.action, on_rigs.person(person), frames, anew=anew)

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
