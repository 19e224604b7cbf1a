"""Steps that begin where the feet are and end where they shall be: for the way from one scene to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from protocol import rotations as rot
from protocol.skeleton import JOINT

from ..choreographer.blend import FPS, ease
from ..choreographer.body import SIDES
from ..choreographer.feet import Footsteps, Gait
from ..choreographer.path import Path, direction, leftward

AIRBORNE, LANDING = 0.008, 0.006
"""Metres from which on a toe is off the floor; metres a frame from which on one near the floor does not stand yet."""
LIFTING, EARLIER = 5, 1.7
"""Frames in which a foot that shall be in the air is lifted, and how many of its present changes it was back then."""
AMISS = 0.012
"""Metres by which a foot may be off before it takes a step; radians are counted at 0.15 m each."""


ON_FLOOR = np.array([1.0, 1.0, 1.0, 0.0, 0.0])
"""What remains of ankle x and z, yaw, lift and pitch of a foot that stands."""


@dataclass(frozen=True, eq=False)
class Feet:
    """Both feet at one moment, left first, and their changes a frame.

    Attributes:
        ankle: (2, 2) floor position of each ankle as it would be with the foot flat, metres.
        yaw: (2,) radians.
        lift: (2,) metres of the toe over the floor.
        pitch: (2,) radians by which the heel is raised.
        change: the same four as rows (2, 5) by frame: ankle x and z, yaw, lift, pitch.
    """

    ankle: np.ndarray
    yaw: np.ndarray
    lift: np.ndarray
    pitch: np.ndarray
    change: np.ndarray

    @property
    def airborne(self) -> np.ndarray:
        """(2,) whether each foot is off the floor, or about to come down or to leave."""
        return (self.lift > AIRBORNE) | (np.linalg.norm(self.change[:, :2], axis=-1) > LANDING)

    @property
    def state(self) -> np.ndarray:
        """(2, 5) ankle x and z, yaw, lift, pitch."""
        return np.concatenate((self.ankle, np.stack((self.yaw, self.lift, self.pitch), axis=-1)), axis=-1)


def feet_of(positions: np.ndarray, world: np.ndarray, foot_length: float, at: int) -> Feet:
    """The feet of one person at a frame.

    Args:
        positions: (T, 22, 3) joints, metres.
        world: (T, 22, 4) their rotations.
        foot_length: metres by which the toe is ahead of the ankle.
        at: frame, 0 or the last one; the change is taken from the frame beside it.
    """
    beside = 1 if at == 0 else -2
    here, there = (_state(positions[frame], world[frame], foot_length) for frame in (at, beside))
    change = (there - here) * (1 if at == 0 else -1)
    change[:, 2] = (change[:, 2] + np.pi) % (2 * np.pi) - np.pi
    feet = Feet(here[:, :2], here[:, 2], here[:, 3], here[:, 4], change)
    return replace(feet, change=change * feet.airborne[:, None])


def steps_needed(path: Path, first: Feet, last: Feet, scale: float) -> int:
    """How many steps it takes from one to the other: as many as the way is long, each foot at least once if amiss."""
    moved = np.linalg.norm(last.ankle - first.ankle, axis=-1) + 0.15 * np.abs(_turn(first.yaw, last.yaw))
    if (moved < AMISS).all() and not first.airborne.any() and not last.airborne.any():
        return 0
    far = float(np.hypot(*(path.xz[-1] - path.xz[0])))
    turned = abs(float(path.heading[-1] - path.heading[0]))
    count = max(2, int(np.ceil(far / (0.33 * scale) + 0.3)), int(np.ceil(turned / 0.55 + 0.4)))
    if first.airborne.any() and last.airborne.any():
        # The foot in the air comes down first, the one that shall be lifted stands before the other one, and they
        # alternate.
        same = first.airborne.argmax() == last.airborne.argmax()
        count += count % 2 if same else 1 - count % 2
    return count


def footfalls(path: Path, first: Feet, last: Feet, count: int, scale: float, gait: Gait) -> Footsteps:
    """Steps, one foot after the other, evenly in time.

    Args:
        path: of the pelvis, from the frame of ``first`` to that of ``last``.
        first: where the feet are; one of them may be in the air.
        last: where they shall be.
        count: how many steps.
        scale: of the body.
        gait: how they are taken.
    """
    frames = path.frames
    start, goals = first.state, last.state - EARLIER * last.change
    start[:, 2] = last.yaw - _turn(first.yaw, last.yaw)
    curves = np.repeat((start * ON_FLOOR)[None], frames, axis=0)
    planted = np.ones((frames, 2), bool)
    landings: list[tuple[int, int]] = []
    foot, here = _leading(path, first, last, count), start * ON_FLOOR
    walked = frames - 1 - (LIFTING + 1) * bool(last.airborne.any())
    slot = walked / max(count, 1)
    swing = max(7, min(round(gait.swing * FPS), round(slot * 0.85)))
    for k in range(count):
        comes_down = k == 0 and bool(first.airborne[foot])
        leave = 0 if comes_down else round(k * slot + (slot - swing) / 2)
        land = min(leave + (round(swing * 0.7) if comes_down else swing), walked)
        goal = goals[foot] if k >= count - 2 else _foothold(path, foot, (k + 1.5) * slot, scale, gait, here[foot])
        goal = goal * ON_FLOOR
        begin, speed = (start[foot], first.change[foot]) if comes_down else (here[foot], np.zeros(5))
        curves[leave : land + 1, foot] = _between(land - leave, begin, goal, speed, np.zeros(5))
        if comes_down:
            # What is low already would slide over the floor.
            size = min(float(np.hypot(*(goal - begin)[:2])) / 0.3, 1.0)
            bow = np.sin(np.pi * np.linspace(0, 1, land - leave + 1))
            curves[leave : land + 1, foot, 3] += scale * gait.lift * size * bow
        else:
            _raise(curves, foot, leave, land, path, gait, scale)
        curves[land + 1 :, foot] = goal
        planted[leave + (not comes_down) : land, foot] = False
        here[foot] = goal
        landings.append((land, foot))
        foot = 1 - foot
    for foot in np.flatnonzero(last.airborne):
        curves[-LIFTING - 1 :, foot] = _between(LIFTING, here[foot], last.state[foot], np.zeros(5), last.change[foot])
        planted[-LIFTING:, foot] = False
    np.maximum(curves[..., 3], 0.0, out=curves[..., 3])
    _hold_heels(curves, first, last)
    return Footsteps(curves[..., :2], curves[..., 2], curves[..., 3], curves[..., 4], planted, _phase(landings, frames))


def _state(positions: np.ndarray, world: np.ndarray, foot_length: float) -> np.ndarray:
    toes = positions[[JOINT[f"{side}_foot"] for side in SIDES]]
    turned = world[[JOINT[f"{side}_ankle"] for side in SIDES]]
    ahead = rot.rotate(turned, np.broadcast_to(np.array([0.0, 0.0, 1.0]), (2, 3)))
    yaw = np.arctan2(ahead[:, 0], ahead[:, 2])
    pitch = np.arcsin(np.clip(-ahead[:, 1], -1, 1))
    ankle = toes[:, [0, 2]] - foot_length * direction(yaw)
    return np.concatenate((ankle, np.stack((yaw, toes[:, 1], pitch), axis=-1)), axis=-1).astype(np.float64)


def _turn(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (after - before + np.pi) % (2 * np.pi) - np.pi


def _leading(path: Path, first: Feet, last: Feet, count: int) -> int:
    """The foot that steps first: the one in the air, or what makes the one that ends in the air the last one."""
    if first.airborne.any():
        return int(first.airborne.argmax())
    if last.airborne.any():
        return int((last.airborne.argmax() + count) % 2)
    way = path.xz[-1] - path.xz[0]
    aside = float(way @ leftward(path.heading[0]))
    if abs(aside) > 0.5 * np.hypot(*way) and abs(aside) > 0.05:
        return 0 if aside > 0 else 1
    if abs(turned := path.heading[-1] - path.heading[0]) > 0.3:
        return 0 if turned > 0 else 1
    return int(np.argmax(np.linalg.norm(last.ankle - first.ankle, axis=-1)))


def _foothold(path: Path, foot: int, at: float, scale: float, gait: Gait, here: np.ndarray) -> np.ndarray:
    """Where a foot best stands while the body passes over it at frame ``at``: (5,)."""
    frame = int(np.clip(round(at), 0, path.frames - 1))
    side = 1.0 if foot == 0 else -1.0
    spot = path.xz[frame] + scale * side * gait.width * leftward(path.heading[frame])
    yaw = path.heading[frame] + side * gait.toe_out
    return np.array([*spot, here[2] + _turn(here[2], yaw), 0.0, 0.0])


def _between(count: int, begin: np.ndarray, end: np.ndarray, leaving: np.ndarray, arriving: np.ndarray) -> np.ndarray:
    """A cubic Hermite curve (count + 1, K) with given changes a frame at both ends."""
    u = (np.arange(count + 1) / max(count, 1))[:, None]
    return (
        begin * (2 * u**3 - 3 * u**2 + 1)
        + end * (3 * u**2 - 2 * u**3)
        + leaving * count * (u**3 - 2 * u**2 + u)
        + arriving * count * (u**3 - u**2)
    )


def _raise(curves: np.ndarray, foot: int, leave: int, land: int, path: Path, gait: Gait, scale: float) -> None:
    """Lift a foot over its way, and push off with the heel before."""
    stride = curves[land, foot, :2] - curves[leave, foot, :2]
    size = min(float(np.hypot(*stride)) / 0.5, 1.0)
    onward = float(stride @ direction(path.heading[leave]))
    u = np.arange(land - leave + 1) / max(land - leave, 1)
    curves[leave : land + 1, foot, 3] += scale * gait.lift * (0.4 + 0.6 * size) * np.sin(np.pi * u) ** 1.5
    peak = 0.7 * float(np.clip(onward / 0.8, 0, 1)) + 0.08 * size
    early = max(leave - 6, 0)
    curves[early:leave, foot, 4] += peak * ease(np.arange(early, leave), early - 1, leave + 2)
    reached = curves[leave - 1, foot, 4] if leave > early else 0.0
    curves[leave : land + 1, foot, 4] += reached * (1 - ease(u, 0.05, 0.75))


def _hold_heels(curves: np.ndarray, first: Feet, last: Feet) -> None:
    """Let raised heels of standing feet come down from where they are, and rise to where they shall be."""
    frames = np.arange(len(curves))
    for foot in range(2):
        for feet, share in ((first, 1 - ease(frames, 0, 8)), (last, ease(frames, frames[-1] - 8, frames[-1]))):
            if not feet.airborne[foot]:
                curves[:, foot, 4] += feet.pitch[foot] * share
                curves[:, foot, 3] += feet.lift[foot] * share


def _phase(landings: list[tuple[int, int]], frames: int) -> np.ndarray:
    """The walking phase (T,): whole where the left foot lands, half where the right one does."""
    if not landings:
        return np.zeros(frames)
    times = [land for land, _ in landings]
    phases = [0.5 * landings[0][1] + 0.5 * k for k in range(len(landings))]
    rate = 0.5 / max(8.0, (times[-1] - times[0]) / max(len(times) - 1, 1))
    at = np.arange(frames)
    outside = np.minimum(at - times[0], 0) * rate + np.maximum(at - times[-1], 0) * rate
    return np.interp(at, times, phases) + outside
