"""Segments of the real takes that the choreographer builds with: stands, walks, starts, stops, turns and gestures.

Every function takes the takes of `backend.corpus.cmu.load_takes` and returns clips of ONE person at 30 fps, sorted by
name. Only takes of the training split are cut. In each clip the floor is y = 0 and the first frame's root is over the
origin. Walks, starts and stops travel along +Z; in all others the person faces +Z in the first frame.

    stands(takes)            both feet planted, upright, arms low, nothing moves fast: idles of 1.5 s and more
    walks(takes)             straight forward walking, nothing else, from one foot strike to a later one. ``strikes``
                             says when each foot lands (first and last frame are strikes): cut at two strikes of the
                             SAME foot and the piece loops; the frames just after a strike are double stance
    starts(takes)            from standing into a straight walk
    stops(takes)             from a straight walk to standing
    turns(takes)             turning by more than 40 degrees while stepping; ``turn`` is the signed angle
    punches(takes)           one punch each, with the other hand on guard; ``events`` holds the frame of full reach
    gestures(takes, "wave")  stretches on the spot from the trials whose description has the word: "wave", "laugh",
                             "drink", "bend", "box", "punch", "wash" ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT

from .cmu import Take

Side = Literal["left", "right"]
Kind = Literal["stand", "walk", "start", "stop", "turn", "punch", "gesture"]

SIDES: tuple[Side, Side] = ("left", "right")
ANKLES = [JOINT["left_ankle"], JOINT["right_ankle"]]
TOES = [JOINT["left_foot"], JOINT["right_foot"]]
WRISTS = [JOINT["left_wrist"], JOINT["right_wrist"]]
SHOULDERS = [JOINT["left_shoulder"], JOINT["right_shoulder"]]
UP = np.array([0.0, 1.0, 0.0], np.float32)

TOE_HEIGHT, ANKLE_HEIGHT = 0.06, 0.13
"""Metres: a foot in contact has its toe or ankle joint below that …"""
CONTACT_SPEED = 0.45
"""… and moving slower than that, metres a second. The conversion lets planted feet creep, hence so much."""

STANDING, WALKING, RUNNING = 0.2, 0.5, 2.2
"""Metres a second: smoothed speed of the root under which a person stands, above which they walk, and run."""
STRIDE = 31
"""Frames of about one stride."""
GROUNDED = 0.7
"""Share of a walk's frames with a foot in contact: a person with less hovers, or runs."""
CHANGING = 30
"""Frames: standing and walking that far apart belong together."""
LONGEST = 300
"""Frames: longer stretches of a gesture are cut here."""


@dataclass(frozen=True)
class Clip:
    """One segment of real motion.

    Attributes:
        name: take and frames, such as ``07_01:12-58``.
        kind: what it was cut as.
        motion: one person, 30 fps, placed as the module's docstring says.
        contacts: (T, 2) bool: left and right foot on the floor.
        speed: metres a second: net horizontal distance of the root over the duration.
        turn: radians by which the facing changes from first to last frame; positive to the person's left.
        strikes: (frame, side) of every foot strike, in order; empty unless the person walks.
        events: (frame, side): the farthest reach of a punch.
        description: CMU's words for the trial.
    """

    name: str
    kind: Kind
    motion: Motion
    contacts: np.ndarray
    speed: float
    turn: float
    strikes: tuple[tuple[int, Side], ...]
    events: tuple[tuple[int, Side], ...]
    description: str

    def cut(self, start: int, stop: int) -> Clip:
        """Frames ``start`` to ``stop``, placed over the origin again with the heading kept."""
        motion = self.motion.slice(start, stop)
        shift = motion.root[0, 0] * np.array([1.0, 0.0, 1.0], np.float32)
        motion = replace(motion, root=motion.root - shift)
        return replace(
            self,
            name=f"{self.name}[{start}-{stop}]",
            motion=motion,
            contacts=self.contacts[start:stop],
            speed=net_speed(motion),
            turn=net_turn(motion),
            strikes=tuple((frame - start, side) for frame, side in self.strikes if start <= frame < stop),
            events=tuple((frame - start, side) for frame, side in self.events if start <= frame < stop),
        )


def foot_contacts(motion: Motion) -> np.ndarray:
    """Which feet are on the floor: (T, P, 2) bool, left and right; gaps and blips of up to two frames are removed."""
    positions = motion.positions()
    on = np.zeros((motion.frames, motion.persons, 2), bool)
    for joints, height in ((TOES, TOE_HEIGHT), (ANKLES, ANKLE_HEIGHT)):
        places = positions[:, :, joints]
        on |= (places[..., 1] < height) & (_speed(places, motion.fps) < CONTACT_SPEED)
    padded = np.pad(on, ((2, 2), (0, 0), (0, 0)), mode="edge")
    return np.stack([padded[k : k + len(on)] for k in range(5)]).sum(0) >= 3


def facing(motion: Motion) -> np.ndarray:
    """Heading of each person, (T, P) radians about +Y from +Z, from the line across hips and shoulders."""
    p = motion.positions()
    across = p[:, :, SHOULDERS[0]] - p[:, :, SHOULDERS[1]] + p[:, :, JOINT["left_hip"]] - p[:, :, JOINT["right_hip"]]
    return np.arctan2(-across[..., 2], across[..., 0])


def net_speed(motion: Motion) -> float:
    """Net horizontal distance that the first person's root travels, over the duration: metres a second."""
    step = (motion.root[-1, 0] - motion.root[0, 0])[[0, 2]]
    return float(np.linalg.norm(step) / motion.seconds)


def net_turn(motion: Motion) -> float:
    """Change of the first person's facing from first to last frame, radians, more than a half turn included."""
    heading = np.unwrap(facing(motion)[:, 0])
    return float(heading[-1] - heading[0])


def stands(takes: Iterable[Take]) -> list[Clip]:
    """Idles: both feet planted, upright, hands under the shoulders, no joint faster than 0.8 m/s; at least 1.5 s."""

    def still(motion: Motion) -> np.ndarray:
        p = motion.positions()[:, 0]
        upright = rot.rotate(motion.rotations[:, 0, 0], UP)[:, 1] > np.cos(np.radians(15))
        low_hands = (p[:, WRISTS, 1] < p[:, SHOULDERS, 1] - 0.15).all(-1)
        calm = _speed(p, motion.fps).max(-1) < 0.8
        near = np.linalg.norm(p[:, ANKLES[0]] - p[:, ANKLES[1]], axis=-1) < 0.45
        straight = p[:, 0, 1] > 0.93 * np.percentile(p[:, 0, 1], 95)
        return foot_contacts(motion)[:, 0].all(-1) & upright & low_hands & calm & near & straight

    return _clips("stand", ((t, s, e) for t in _persons(takes) for s, e in _runs(still(t.motion), 45)))


def walks(takes: Iterable[Take]) -> list[Clip]:
    """Straight forward walks that begin and end at a foot strike and hold at least two steps."""
    clips = []
    for take in _walking_trials(takes):
        for start, stop in _runs(_straight(take.motion), 24):
            strikes = foot_strikes(take.motion.slice(start, stop))
            if len(strikes) >= 3:
                first, last = strikes[0][0], strikes[-1][0]
                placed = tuple((frame - first, side) for frame, side in strikes)
                walk = _clips("walk", [(take, start + first, start + last + 1)])
                clips += [replace(clip, strikes=placed) for clip in walk if clip.contacts.any(-1).mean() > GROUNDED]
    return clips


def starts(takes: Iterable[Take]) -> list[Clip]:
    """From standing into a straight walk, until the take stops being that."""
    return _clips("start", ((take, s, e) for take, s, e, where in _half_walks(takes) if where == "start"))


def stops(takes: Iterable[Take]) -> list[Clip]:
    """From a straight walk to standing."""
    return _clips("stop", ((take, s, e) for take, s, e, where in _half_walks(takes) if where == "stop"))


def turns(takes: Iterable[Take]) -> list[Clip]:
    """Turns of 40 degrees and more on foot, a facing rate over 45 degrees a second throughout."""
    found = []
    for take in _walking_trials(takes):
        heading = _smooth(np.unwrap(facing(take.motion)[:, 0]), 15)
        rate = np.gradient(heading) * take.motion.fps
        for sign in (1, -1):
            for start, stop in _runs(rate * sign > np.radians(45), 10):
                start, stop = max(0, start - 6), min(take.motion.frames, stop + 6)
                if abs(heading[stop - 1] - heading[start]) > np.radians(40):
                    found.append((take, start, stop))
    return _clips("turn", found)


def punches(takes: Iterable[Take]) -> list[Clip]:
    """Single punches from the boxing and punching trials: from 0.5 s before the farthest reach to 0.6 s after."""
    clips = []
    for take in _persons(takes):
        if not {"punch", "box"} & _stems(take.description):
            continue
        motion = take.motion
        p = motion.positions()[:, 0]
        reach = np.linalg.norm(p[:, WRISTS] - p[:, SHOULDERS], axis=-1)
        length = np.linalg.norm(motion.offsets[0, [JOINT["left_elbow"], JOINT["left_wrist"]]], axis=-1).sum()
        speed = _speed(p[:, WRISTS] - p[:, :1], motion.fps)
        for side, name in enumerate(SIDES):
            for peak in _peaks(reach[:, side], 12):
                start, stop = peak - 15, peak + 19
                fast = speed[max(0, peak - 6) : peak + 1, side].max() > 2.5
                raised = p[peak, WRISTS[side], 1] > p[peak, JOINT["spine3"], 1]
                if start >= 0 and stop <= motion.frames and reach[peak, side] > 0.85 * length and fast and raised:
                    clips += [replace(c, events=((15, name),)) for c in _clips("punch", [(take, start, stop)])]
    return sorted(clips, key=lambda clip: clip.name)


def gestures(takes: Iterable[Take], word: str) -> list[Clip]:
    """Stretches on the spot, 1.5 to 10 s, from the trials whose description has a word that starts with ``word``."""

    def on_the_spot(motion: Motion) -> np.ndarray:
        return _root_speed(motion) < 0.4

    chosen = (take for take in _persons(takes) if any(stem.startswith(word) for stem in _stems(take.description)))
    return _clips(
        "gesture",
        ((t, s, min(e, s + LONGEST)) for t in chosen for s, e in _runs(on_the_spot(t.motion), 45)),
    )


def foot_strikes(motion: Motion) -> list[tuple[int, Side]]:
    """When each foot of a person who walks straight lands, in order of time.

    A foot lands where its ankle is farthest ahead of the pelvis (Zeni et al. 2008, Gait & Posture 27, 710-714), which
    holds even where the capture lets feet creep.
    """
    p = motion.positions()[:, 0]
    travel = (p[-1, 0] - p[0, 0]) * np.array([1.0, 0.0, 1.0], np.float32)
    ahead = (p[:, ANKLES] - p[:, :1]) @ (travel / max(float(np.linalg.norm(travel)), 1e-6))
    found: list[tuple[int, Side]] = []
    for side, name in enumerate(SIDES):
        found.extend((peak, name) for peak in _peaks(ahead[:, side], 8) if ahead[peak, side] > 0.08)
    return sorted(found)


def _clips(kind: Kind, segments: Iterable[tuple[Take, int, int]]) -> list[Clip]:
    clips = []
    for take, start, stop in segments:
        motion = take.motion.slice(start, stop)
        walking = kind in ("walk", "start", "stop")
        heading = _travel(motion) if walking else float(facing(motion)[0, 0])
        origin = motion.root[0, 0] * np.array([1.0, 0.0, 1.0], np.float32)
        turn = rot.about_y(-heading)
        motion = replace(motion, root=motion.root - origin).moved(turn, np.zeros(3, np.float32))
        clips.append(
            Clip(
                name=f"{take.name}:{start}-{stop}",
                kind=kind,
                motion=motion,
                contacts=foot_contacts(motion)[:, 0],
                speed=net_speed(motion),
                turn=net_turn(motion),
                strikes=tuple(foot_strikes(motion)) if walking else (),
                events=(),
                description=take.description,
            )
        )
    return clips


def _persons(takes: Iterable[Take]) -> Iterator[Take]:
    """The training takes with one person each; the persons of a pair one after the other."""
    for take in takes:
        if take.split == "train":
            for index in range(take.motion.persons):
                name = take.name if take.motion.persons == 1 else f"{take.name}/{'AB'[index]}"
                yield replace(take, name=name, motion=take.motion.person(index))


def _walking_trials(takes: Iterable[Take]) -> Iterator[Take]:
    for take in _persons(takes):
        stems = _stems(take.description)
        if "walk" in stems and not stems & {"uneven", "exaggerat", "stride"}:
            yield take


def _half_walks(takes: Iterable[Take]) -> Iterator[tuple[Take, int, int, str]]:
    """Straight walks with standing before or after them: (take, start, stop, "start" or "stop")."""
    for take in _walking_trials(takes):
        speed = _root_speed(take.motion)
        standing = np.flatnonzero(speed < STANDING)
        for first, last in _runs(_straight(take.motion), 12):
            before, after = standing[standing < first + 8], standing[standing > last - 9]
            if before.size and first - before[-1] < CHANGING:
                yield take, max(0, int(before[-1]) - 10), last, "start"
            if after.size and after[0] - last < CHANGING:
                yield take, first, min(len(speed), int(after[0]) + 11), "stop"


def _straight(motion: Motion) -> np.ndarray:
    """(T,) bool: frames of straight forward walking, swaying averaged out over a stride."""
    velocity = _smooth(np.gradient(motion.root[:, 0], axis=0) * motion.fps, STRIDE)
    speed = np.hypot(velocity[:, 0], velocity[:, 2])
    course = np.unwrap(np.arctan2(velocity[:, 0], velocity[:, 2]))
    side_step = _smooth(np.unwrap(facing(motion)[:, 0]), STRIDE) - course
    side_step = np.abs((side_step + np.pi) % (2 * np.pi) - np.pi)
    bend = np.abs(np.gradient(course)) * motion.fps
    return (speed > WALKING) & (speed < RUNNING) & (side_step < np.radians(25)) & (bend < np.radians(25))


def _travel(motion: Motion) -> float:
    step = motion.root[-1, 0] - motion.root[0, 0]
    return float(np.arctan2(step[0], step[2]))


def _root_speed(motion: Motion) -> np.ndarray:
    velocity = _smooth(np.gradient(motion.root[:, 0], axis=0) * motion.fps, 11)
    return np.hypot(velocity[:, 0], velocity[:, 2])


def _speed(places: np.ndarray, fps: float) -> np.ndarray:
    return np.linalg.norm(np.gradient(places, axis=0), axis=-1) * fps


def _smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Moving average over frames, with the ends held."""
    half = min(width // 2, (len(values) - 1) // 2)
    padded = np.pad(values, [(half, half)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    return np.mean([padded[k : k + len(values)] for k in range(2 * half + 1)], axis=0)


def _runs(flags: np.ndarray, shortest: int) -> list[tuple[int, int]]:
    """Stretches (start, stop) of true frames that last at least ``shortest`` frames."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(int)))
    return [(int(s), int(e)) for s, e in zip(edges[::2], edges[1::2], strict=True) if e - s >= shortest]


def _peaks(values: np.ndarray, reach: int) -> list[int]:
    """Frames where a value is the largest within ``reach`` frames to both sides, ends of the array excluded."""
    return [
        k
        for k in range(1, len(values) - 1)
        if values[k] == values[max(0, k - reach) : k + reach + 1].max() and values[k] > values[k - 1]
    ]


def _stems(description: str) -> set[str]:
    """Lower-case words of a description without the endings -ing, -ed and -s."""
    words: Sequence[str] = "".join(c if c.isalpha() else " " for c in description.lower()).split()
    return {word.removesuffix("ing").removesuffix("ed").removesuffix("s") for word in words}
