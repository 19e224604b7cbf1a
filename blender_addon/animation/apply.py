"""`PairWriter`: motion that arrives in stretches becomes keys on rigs, on one Action with a slot for each."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import bpy
import numpy as np
from bpy.types import Action, Scene

from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time

from .. import compat
from ..retarget.euler import AXIS_ANGLE, QUATERNION, channel_values
from ..retarget.mapping import Switch
from ..retarget.pair import Stage
from ..retarget.residuals import Residuals
from ..retarget.rest_pose import Calibration, calibrate
from ..retarget.timing import Resampler
from ..retarget.transfer import Drive, to_channels
from ..stubs import ArmatureObject, Context
from .condition import check_keyable, check_present
from .keys import add_curves, set_constant, write_keys
from .previous import Previous
from .rig import bone_map_of, measured_drive, read_rig

_MODES = {QUATERNION: ("rotation_quaternion", 4), AXIS_ANGLE: ("rotation_axis_angle", 4)}
_EULER = ("rotation_euler", 3)


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
        beside: Motion | None = None,
        measured: Sequence[Measured] | None = None,
        play: bool = True,
    ) -> None:
        """Get ready; nothing has changed before the first `write`.

        Args:
            scene: gives the frame rate; it is not changed.
            targets: an armature object per person, in the order of the motion's persons.
            total: frames that the whole motion will have, at its own frame rate.
            start_frame: scene frame of the motion's first frame.
            title: name of the Action.
            beside: where only one person's motion is written, what its partner does meanwhile, from the same frame on
                and as `capture` read it: hands that meet the partner's are led there.
            measured: what `measure` says about each target, where that was done just now.
            play: whether the targets play the Action at once; else they keep what they have.

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
        known = measured if measured is not None else [measure(target) for target in targets]
        self._tracks = [_Track(target, rig) for target, rig in zip(targets, known, strict=True)]
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
            self._stage = Stage(self._stretches[0], known, self._beside)
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
        return self.action

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


@dataclass(frozen=True, eq=False)
class Measured:
    """A rig as it is built, which takes a while to find out. Holds names and numbers, so it may wait for some ticks.

    Attributes:
        calibration: its T-pose.
        switches: what must be set for its mapped bones to drive it.
        drive: how these follow their channels.
        modes: rotation mode of each of the calibration's bones.
    """

    calibration: Calibration
    switches: tuple[Switch, ...]
    drive: Drive
    modes: tuple[str, ...]


def measure(target: ArmatureObject) -> Measured:
    """Find out how a rig is built.

    Raises:
        DuologueError: what `check_present`, `bone_map_of` and `check_keyable` raise.
    """
    check_present(target)
    bones = bone_map_of(target)
    check_keyable(target, bones)
    calibration = calibrate(read_rig(target), bones.bones)
    switches = tuple(one for one in bones.switches if one.property in target.pose.bones[one.bone])
    drive = measured_drive(target, calibration, switches)
    modes = tuple(target.pose.bones[bone].rotation_mode for bone in calibration.bones)
    return Measured(calibration, switches, drive, modes)


class _Track:
    """One rig, and its slot of the Action."""

    def __init__(self, target: ArmatureObject, rig: Measured) -> None:
        self.rig = rig
        self.previous = Previous(target, rig.calibration.bones, rig.switches)
        self._last: list[np.ndarray | None] = [None] * len(rig.modes)
        self.slot = 0

    def begin(self, action: Action, frame: int, play: bool) -> None:
        """Add a slot to the action, with empty curves for the rig's mapped bones, and let the rig ``play`` it."""
        target = self.previous.find()
        slot = action.slots.new(id_type="OBJECT", name=target.name)
        self.slot = slot.handle
        if play:
            data = target.animation_data or target.animation_data_create()
            data.action, data.action_slot = action, slot
        for bone, path, count in self._paths():
            add_curves(action, slot, path, bone, count)
        for one in self.rig.switches:
            path = f'{_pose_bone(one.bone)}["{bpy.utils.escape_identifier(one.property)}"]'
            add_curves(action, slot, path, one.bone, 1)
            set_constant(compat.channelbag(action, slot).fcurves.find(path), frame, one.value)

    def key(self, action: Action | None, motion: Motion, frames: np.ndarray, *, anew: bool) -> None:
        """Key a one-person motion on the rig's own body at scene frames (T,), after what is keyed or ``anew``."""
        target = self.previous.find()
        slot = next((one for one in action.slots if one.handle == self.slot), None) if action is not None else None
        if action is None or slot is None:
            raise DuologueError(
                "action_gone",
                f"The Action of “{target.name}” was removed while its motion was being made.",
                "Undo that and try again.",
            )
        curves = compat.channelbag(action, slot).fcurves
        channels = to_channels(motion, self.rig.calibration, self.rig.drive)
        values = []
        if anew:
            self._last = [None] * len(self.rig.modes)
        for number, mode in enumerate(self.rig.modes):
            values.append(channel_values(channels.rotations[:, number], mode, self._last[number]))
            self._last[number] = values[-1][-1]
        values.append(channels.location)
        for (_, path, count), numbers in zip(self._paths(), values, strict=True):
            write_keys([curves.find(path, index=index) for index in range(count)], frames, numbers, anew=anew)
        target.update_tag(refresh={"TIME"})

    def _paths(self) -> list[tuple[str, str, int]]:
        """Bone, data path and number of components of everything that is keyed; the location last."""
        bones = self.rig.calibration.bones
        paths = []
        for bone, mode in zip(bones, self.rig.modes, strict=True):
            name, count = _MODES.get(mode, _EULER)
            paths.append((bone, f"{_pose_bone(bone)}.{name}", count))
        carrier = bones[self.rig.calibration.location]
        return [*paths, (carrier, f"{_pose_bone(carrier)}.location", 3)]


def _pose_bone(bone: str) -> str:
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"]'


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
