"""A motion of SMPL bodies put onto the bodies of rigs, together: one ground, feet held, hands that met meet again.

`Stage` conducts the passes; each has a file of its own, and README.md has the maths:
`ground` places hips and ankles, `feet` holds what stands, `overlap` parts the bodies, `approach` leans where arms are
too short, `contact` leads the hands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from protocol.motion import Motion

from .approach import approach
from .body import EVERY, LOWER
from .contact import find, lead_hands
from .easing import Easing, as_needed, in_time
from .feet import FootLock, Stance, plant
from .ground import Ground
from .limbs import Slack, settle
from .options import Options
from .overlap import part_bodies
from .pose import Pose
from .residuals import Residuals, measure
from .rest_pose import Calibration

NUDGE = 0.06
"""Metres that two persons step apart at most for arms that find no room between them."""


@dataclass(frozen=True)
class Partner:
    """Whom a lone person moves with: a motion that stays as it is.

    Attributes:
        motion: of one person, as `transfer.to_motion` reads it, the toes on the floor at 0.
        clearance: metres from the floor up to the toe joints of the partner's rig: it stands so much higher.
    """

    motion: Motion
    clearance: float

    def resampled(self, fps: float) -> Partner:
        """The partner at another frame rate."""
        return Partner(self.motion.resampled(fps), self.clearance)


class Stage:
    """Where the persons of one motion stand; fixed at its first frame, so that later parts of it fit on."""

    def __init__(
        self,
        first: Motion,
        bodies: Sequence[Calibration],
        beside: Partner | None = None,
        options: Options | None = None,
    ) -> None:
        """Take the scales from the bodies and the common midpoint from the first frame of ``first``.

        Args:
            first: the beginning of the motion.
            bodies: a calibrated rig per person.
            beside: the partner of a lone person, at the same frame rate.
            options: what the animator chose; None for the usual.
        """
        self._options = options or Options()
        self._ground = Ground(first.root[0], first.offsets, bodies, self._options)
        self._beside = beside if first.persons == 1 else None
        self._start = first.slice(0, 1)
        self._fresh(first)

    def _fresh(self, motion: Motion) -> None:
        self._stance = Stance(motion.fps, motion.offsets)
        self._lock = FootLock(motion.fps, motion.persons)
        self._before: Pose | None = None

    def on_bodies(self, motion: Motion, start: int = 0) -> Motion:
        """The motion, from its frame ``start`` on, on the rigs' own bodies, in the world of the rigs, metres.

        Stretches must come one after the other; what a later one brings changes nothing in an earlier one. Where
        all of the motion is there, `settled` makes more of it.
        """
        return self._retargeted(motion, start, as_needed)[0]

    def settled(self, motion: Motion) -> tuple[Motion, Residuals]:
        """The whole motion on the rigs' own bodies, corrections beginning before they are needed, and what is left.

        Args:
            motion: from its first frame to its last.
        """
        self._fresh(motion)
        moved, source, pose, pivots = self._retargeted(motion, 0, in_time(motion.fps))
        return moved, measure(source, pose, pivots, motion.fps)

    def _retargeted(self, motion: Motion, start: int, ease: Easing) -> tuple[Motion, Pose, Pose, np.ndarray]:
        source = Pose.of(motion)
        pivots = self._stance.push(source)
        ankles = self._lock.push(self._ground.ankles(source), pivots, source, self._ground.offsets)
        pose = self._ground.posed(source)
        movable = np.array([True] * motion.persons)
        if self._beside is not None:
            source = self._with_partner(source, self._beside.motion, start, 0.0)
            pose = self._with_partner(pose, self._beside.motion, start, self._beside.clearance)
            movable = np.array([True, False])
        contacts = None
        if len(movable) == 2:
            contacts = find(source, self._before, motion.fps, self._options.contact, ease)
            self._before = source.frames(slice(-1, None))
            part_bodies(source, pose, LOWER, movable, ease)
        plant(pose, source, ankles, ease)
        if contacts is not None:
            touching = contacts.any()
            if touching:
                approach(pose, contacts, movable, ease)
                plant(pose, source, ankles, ease)
            slack = Slack.of(pose, contacts)
            if touching:
                lead_hands(pose, contacts, movable)
            settle(source, pose, contacts, slack, movable, ease)
            if part_bodies(source, pose, EVERY, movable, ease, NUDGE).any():
                plant(pose, source, ankles, ease)
                settle(source, pose, contacts, slack, movable, ease)
        moved = pose.motion(motion.fps, motion.persons)
        return self._in_place(moved), source, pose, pivots

    @staticmethod
    def _with_partner(pose: Pose, beside: Motion, start: int, higher: float) -> Pose:
        """The pose with the partner for a second person, so many metres higher."""
        frames = np.minimum(np.arange(start, start + len(pose.root)), beside.frames - 1)
        partner = Pose.of(Motion(beside.fps, beside.root[frames], beside.rotations[frames], beside.offsets))
        return Pose(
            np.concatenate((pose.root, partner.root + np.array([0, higher, 0], np.float32)), axis=1),
            np.concatenate((pose.world, partner.world), axis=1),
            np.concatenate((pose.offsets, partner.offsets)),
        )

    def _in_place(self, motion: Motion) -> Motion:
        if not self._options.in_place:
            return motion
        at_first = self._ground.posed(Pose.of(self._start)).root[0].mean(0)
        strayed = (motion.root.mean(1, keepdims=True) - at_first) * [1, 0, 1]
        return Motion(motion.fps, motion.root - strayed, motion.rotations, motion.offsets)
