"""From the last frame of one scene to the first of the next: where that is put, and how both get there on foot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time
from protocol.skeleton import JOINT, rest_height

from ..choreographer import quality
from ..choreographer.blend import FPS
from ..choreographer.body import NEUTRAL_HEIGHT, Body
from ..choreographer.feet import Gait
from ..choreographer.library import Library
from ..choreographer.path import Path
from ..choreographer.performer import Performer
from .fading import fading, fading_turns, turned_by
from .footfalls import Feet, feet_of, footfalls, steps_needed

SHORTEST, LONGEST = 0.8, 2.5
"""Seconds."""
STEP_SECONDS = 0.44
"""Of one step and the moment before the next."""
TURNING, WALKING = 2.2, 0.95
"""Radians and metres a second that the place of the next scene is chosen by."""
BLENDING = 0.55
"""Seconds in which what was done fades, and what will be done is taken up."""
HEADINGS = 72
"""Directions in which the next scene is tried."""


@dataclass(frozen=True, eq=False)
class _End:
    """A person at the first or last frame of a scene, with the changes a frame."""

    xz: np.ndarray
    step: np.ndarray
    heading: float
    turning: float
    feet: Feet


def bridged(before: Motion, after: Motion, library: Library, rng: np.random.Generator) -> tuple[Motion, Motion]:
    """Put one scene behind another, and have both persons walk, step and turn from that one's end to its beginning.

    The movement is continuous in place and speed at both ends; feet step from where they stand to where they shall.

    Args:
        before: of a pair at 30 frames a second.
        after: of the same bodies.
        library: real standing and walking for the bodies between.
        rng: draws from it.

    Returns:
        the bridge, 0.8 to 2.5 s, and the scene behind it, both where ``before`` is.

    Raises:
        DuologueError: ``bridge_unmade`` if it is too far, or the way does not meet the bars of the choreographer.
    """
    ends = [_end(before, person, -1) for person in range(2)]
    after = _near(after, ends)
    begins = [_end(after, person, 0) for person in range(2)]
    bodies = [Body(float(scale)) for scale in rest_height(before.offsets) / NEUTRAL_HEIGHT]
    if any(end.feet.airborne.all() for end in (*ends, *begins)):
        raise DuologueError("bridge_unmade", "Somebody has both feet in the air.", "")
    counts = [
        steps_needed(_path(ends[p], begins[p], 30), ends[p].feet, begins[p].feet, bodies[p].scale) for p in range(2)
    ]
    far = max(float(np.hypot(*(begins[p].xz - ends[p].xz))) for p in range(2))
    seconds = max(SHORTEST, max(counts) * STEP_SECONDS + 0.1, far / 1.25 + 0.3)
    if seconds > LONGEST:
        raise DuologueError("bridge_unmade", f"Getting to the next scene would take {seconds:.1f} s.", "")
    frames = round(seconds * FPS) + 2
    played = [
        _performed(before, after, p, bodies[p], ends[p], begins[p], counts[p], frames, library, rng) for p in (0, 1)
    ]
    bridge = Motion(
        FPS,
        np.stack([root for root, _, _ in played], axis=1)[1:-1],
        np.stack([rotations for _, rotations, _ in played], axis=1)[1:-1],
        before.offsets,
    )
    _approve(before, bridge, after, np.stack([planted for _, _, planted in played], axis=1)[1:-1])
    return bridge, after


def _end(motion: Motion, person: int, at: int) -> _End:
    span = slice(0, 3) if at == 0 else slice(motion.frames - 3, motion.frames)
    alone = motion.slice(span.start, span.stop).person(person)
    positions, world = alone.forward_kinematics()
    yaw = np.unwrap(rot.yaw(alone.rotations[:, 0, 0].astype(np.float64)))
    xz = alone.root[:, 0, [0, 2]].astype(np.float64)
    pair = (0, 1) if at == 0 else (1, 2)
    foot = float(motion.offsets[person, JOINT["left_foot"], 2])
    return _End(
        xz[at],
        xz[pair[1]] - xz[pair[0]],
        float(yaw[at]),
        float(yaw[pair[1]] - yaw[pair[0]]),
        feet_of(positions[:, 0], world[:, 0], foot, at),
    )


def _near(after: Motion, ends: list[_End]) -> Motion:
    """The next scene moved over the floor to where both get soonest, looking as they do if that makes no difference."""
    here = np.stack([end.xz + 10 * end.step for end in ends])
    heading = np.array([end.heading for end in ends])
    starts = [_end(after, person, 0) for person in range(2)]
    there = np.stack([start.xz - 10 * start.step for start in starts])
    facing = np.array([start.heading for start in starts])
    best: tuple[float, float, np.ndarray] | None = None
    for angle in np.linspace(-np.pi, np.pi, HEADINGS, endpoint=False):
        turned = _turned(there, angle)
        offset = (here - turned).mean(0)
        far = np.linalg.norm(turned + offset - here, axis=-1)
        turn = np.abs((facing + angle - heading + np.pi) % (2 * np.pi) - np.pi)
        seconds = np.maximum(far / WALKING, turn / TURNING) + 0.3 * turn
        cost = float(seconds.max() + 0.2 * seconds.sum())
        if best is None or cost < best[0]:
            best = (cost, float(angle), offset)
    assert best is not None
    return after.moved(rot.about_y(best[1]), np.array([best[2][0], 0.0, best[2][1]]))


def _turned(xz: np.ndarray, angle: float) -> np.ndarray:
    points = np.stack((xz[:, 0], np.zeros(len(xz)), xz[:, 1]), axis=-1)
    return rot.rotate(rot.about_y(np.full(len(xz), angle)), points)[:, [0, 2]]


def _path(end: _End, begin: _End, frames: int) -> Path:
    """A way with the speeds of both ends: cubic Hermite curves of place and heading."""
    u = np.linspace(0, 1, frames)[:, None]
    turn = (begin.heading - end.heading + np.pi) % (2 * np.pi) - np.pi

    def curve(a: np.ndarray, b: np.ndarray, leaving: np.ndarray, arriving: np.ndarray) -> np.ndarray:
        h = (2 * u**3 - 3 * u**2 + 1, 3 * u**2 - 2 * u**3, u**3 - 2 * u**2 + u, u**3 - u**2)
        return h[0] * a + h[1] * b + (frames - 1) * (h[2] * leaving + h[3] * arriving)

    heading = curve(
        np.array([end.heading]), np.array([end.heading + turn]), np.array([end.turning]), np.array([begin.turning])
    )
    return Path(curve(end.xz, begin.xz, end.step, begin.step), heading[:, 0])


def _performed(
    before: Motion,
    after: Motion,
    person: int,
    body: Body,
    end: _End,
    begin: _End,
    count: int,
    frames: int,
    library: Library,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Root (T, 3), rotations (T, 22, 4) and bearing feet (T, 2), both boundary frames included."""
    path = _path(end, begin, frames)
    gait = Gait(width=0.1, toe_out=0.15)
    steps = footfalls(path, end.feet, begin.feet, count, body.scale, gait)
    stand = library.stands[int(rng.integers(len(library.stands)))].lasting(frames, float(rng.uniform(0, 60)))
    walk = library.walks[int(rng.integers(len(library.walks)))]
    last, first = before.slice(before.frames - 2, before.frames).person(person), after.slice(0, 2).person(person)

    def finish(root: np.ndarray, rotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (
            root + fading(root, last.root[:, 0], first.root[:, 0], BLENDING),
            turned_by(rotations, fading_turns(rotations, last.rotations[:, 0], first.rotations[:, 0], BLENDING)),
        )

    performer = Performer(body, path, stand, walk, gait, steps=steps, finish=finish)
    root, rotations, _ = performer.perform()
    return root, rotations, steps.planted


def _approve(before: Motion, bridge: Motion, after: Motion, planted: np.ndarray) -> None:
    """Hold the bridge, and the moments around it, against the bars of the choreographer.

    Raises:
        DuologueError: ``bridge_unmade`` if it misses one.
    """
    around = 6
    before, after = before.slice(before.frames - around, before.frames), after.slice(0, around)
    whole = joined_in_time([before, bridge, after])
    unknown = np.zeros((around, *planted.shape[1:]), bool)
    # Who was in the other's arms leaves them, so no further apart than scenes that bring bodies close.
    problems = quality.problems("hug", whole, (), np.concatenate((unknown, planted, unknown)))
    torsos = quality.measure(bridge, (), planted).apart
    edges = min(quality.measure(end, (), unknown).apart for end in (before, after))
    if torsos < min(quality.APART, edges - 0.02):
        problems.append(f"torsos come within {torsos:.2f} m")
    if problems:
        raise DuologueError("bridge_unmade", f"The way is not good enough: {', '.join(problems)}.", "")
