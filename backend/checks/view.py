"""What a check looks at: measured quantities of a motion of two persons, from positions and rotations alone."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backend.corpus.choreographer.body import palms
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets, rest_height

FPS = 30.0
OTHER = (1, 0)
_NEUTRAL_HEIGHT = float(rest_height(neutral_offsets()))
_SHOULDERS = [JOINT["left_shoulder"], JOINT["right_shoulder"]]
_FORWARD = np.array([0.0, 0.0, 1.0], np.float32)
_GROUND = [0, 2]


@dataclass(frozen=True)
class View:
    """A motion of two persons at 30 fps, seen through the quantities that checks are made of.

    T frames, 2 persons, metres, seconds; ``_ground`` quantities hold x and z only. A person's "other" is the partner.
    """

    motion: Motion

    @classmethod
    def of(cls, motion: Motion) -> "View":
        """The view of a motion at any frame rate.

        Raises:
            DuologueError: ``two_persons_needed`` if it is not a pair.
        """
        if motion.persons != 2:
            raise DuologueError(
                "two_persons_needed",
                f"A check of an interaction needs two persons, and this motion has {motion.persons}.",
                "Give a motion of a pair.",
            )
        return cls(motion.resampled(FPS))

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return self.motion.frames

    @cached_property
    def _pose(self) -> tuple[np.ndarray, np.ndarray]:
        return self.motion.forward_kinematics()

    @cached_property
    def size(self) -> np.ndarray:
        """Body size (2,), 1 for the neutral body: lengths of a body are compared after division by it."""
        return rest_height(self.motion.offsets) / _NEUTRAL_HEIGHT

    @property
    def positions(self) -> np.ndarray:
        """World joint positions (T, 2, 22, 3)."""
        return self._pose[0]

    def joint(self, name: str) -> np.ndarray:
        """World positions of one joint (T, 2, 3)."""
        return self.positions[:, :, JOINT[name]]

    @cached_property
    def jerk(self) -> float:
        """Mean size of the third derivative of the joints' positions, m/s^3; 0 where there are too few frames."""
        return (
            float(np.linalg.norm(np.diff(self.positions, n=3, axis=0), axis=-1).mean() * FPS**3)
            if self.frames > 3
            else 0.0
        )

    @cached_property
    def fastest(self) -> float:
        """Metres a second of the fastest joint from any frame to the next; 0 where there is only one."""
        steps = np.linalg.norm(np.diff(self.positions, axis=0), axis=-1)
        return float(steps.max() * FPS) if self.frames > 1 else 0.0

    @cached_property
    def palms(self) -> np.ndarray:
        """World palm points (T, 2, 2, 3): frame, person, left or right."""
        return palms(self.motion)

    @cached_property
    def chest(self) -> np.ndarray:
        """World positions of the chest's middle, half way between spine and neck (T, 2, 3)."""
        return (self.joint("spine3") + self.joint("neck")) / 2

    @cached_property
    def shoulder_height(self) -> np.ndarray:
        """Mean height of a person's shoulders (T, 2)."""
        return self.positions[:, :, _SHOULDERS, 1].mean(-1)

    @cached_property
    def facing(self) -> np.ndarray:
        """Unit ground direction in which the pelvis faces (T, 2, 2)."""
        forward = rot.rotate(self._pose[1][:, :, JOINT["pelvis"]], _FORWARD)[..., _GROUND]
        return _unit(smoothed(forward, 0.2))

    @cached_property
    def pitch(self) -> np.ndarray:
        """How far the torso leans in the direction it faces, in degrees; negative backwards (T, 2)."""
        torso = self.joint("neck") - self.joint("pelvis")
        lean = np.sum(torso[..., _GROUND] * self.facing, axis=-1)
        return np.degrees(np.arctan2(lean, torso[..., 1]))

    @cached_property
    def ground(self) -> np.ndarray:
        """Root on the ground (T, 2, 2), smoothed over 0.3 s so that the sway of a step does not count as travel."""
        return smoothed(self.motion.root[..., _GROUND], 0.3)

    @cached_property
    def feet(self) -> np.ndarray:
        """The middle between a person's ankles on the ground (T, 2, 2)."""
        return ((self.joint("left_ankle") + self.joint("right_ankle")) / 2)[..., _GROUND]

    @cached_property
    def to_other(self) -> np.ndarray:
        """Unit ground direction from each person to the other (T, 2, 2)."""
        towards_b = _unit(self.ground[:, 1] - self.ground[:, 0])
        return np.stack((towards_b, -towards_b), axis=1)

    @cached_property
    def distance(self) -> np.ndarray:
        """Between the two roots on the ground (T,)."""
        return np.linalg.norm(self.ground[:, 1] - self.ground[:, 0], axis=-1)

    @cached_property
    def faces_other(self) -> np.ndarray:
        """Cosine of the angle between where a person faces and where the other is (T, 2)."""
        return np.sum(self.facing * self.to_other, axis=-1)

    @cached_property
    def root_speed(self) -> np.ndarray:
        """Speed of each root over the ground, m/s (T, 2)."""
        return np.linalg.norm(rate(self.ground), axis=-1)

    @cached_property
    def heading(self) -> np.ndarray:
        """Unwrapped angle in which each pelvis faces, radians (T, 2)."""
        return np.unwrap(np.arctan2(self.facing[..., 0], self.facing[..., 1]), axis=0)

    @cached_property
    def palm_gap(self) -> np.ndarray:
        """Between every palm of A and every palm of B (T, 2, 2): frame, side of A, side of B."""
        return np.linalg.norm(self.palms[:, 0, :, None] - self.palms[:, 1, None], axis=-1)

    @cached_property
    def palm_at(self) -> np.ndarray:
        """Where palms are on their own body (T, 2, 2, 3): outwards to their side, up from the shoulders, ahead.

        Metres of the neutral body; the body is where its pelvis is, and faces where that faces.
        """
        from_hips = (self.palms - self.joint("pelvis")[:, :, None]) / self.size[:, None, None]
        ahead = np.einsum("tpsg,tpg->tps", from_hips[..., _GROUND], self.facing)
        left = np.stack((self.facing[..., 1], -self.facing[..., 0]), axis=-1)
        outwards = np.einsum("tpsg,tpg->tps", from_hips[..., _GROUND], left) * np.array([1, -1])
        up = (self.palms[..., 1] - self.shoulder_height[..., None]) / self.size[:, None]
        return np.stack((outwards, up, ahead), axis=-1)

    @cached_property
    def face(self) -> np.ndarray:
        """Unit direction in which each head looks (T, 2, 3)."""
        return rot.rotate(self._pose[1][:, :, JOINT["head"]], _FORWARD)

    @cached_property
    def mouth(self) -> np.ndarray:
        """World positions of the lips (T, 2, 3), on the head of the neutral body's proportions."""
        point = np.array([0.0, 0.03, 0.12], np.float32) * self.size[:, None].astype(np.float32)
        return self.joint("head") + rot.rotate(
            self._pose[1][:, :, JOINT["head"]], np.broadcast_to(point, self.face.shape)
        )

    @cached_property
    def sunk(self) -> np.ndarray:
        """How far each pelvis is under where it mostly is, in metres of the neutral body (T, 2)."""
        height = self.joint("pelvis")[..., 1]
        return (np.percentile(height, 85, axis=0) - height) / self.size

    @cached_property
    def rose(self) -> np.ndarray:
        """Height of each person's lowest toe over where it mostly is, in metres of the neutral body (T, 2)."""
        lowest = np.minimum(self.joint("left_foot")[..., 1], self.joint("right_foot")[..., 1])
        return (lowest - np.median(lowest, axis=0)) / self.size

    def palm_to(self, person: int, point: np.ndarray) -> np.ndarray:
        """Distance of a person's palms (T, 2) to a point (T, 3)."""
        return np.linalg.norm(self.palms[:, person] - point[:, None], axis=-1)

    def palm_to_segment(self, person: int, start: str, end: str) -> np.ndarray:
        """Distance of a person's palms to a segment between two joints of the other (T, 2)."""
        a, b = self.joint(start)[:, OTHER[person], None], self.joint(end)[:, OTHER[person], None]
        along = b - a
        share = np.sum((self.palms[:, person] - a) * along, axis=-1) / np.maximum(np.sum(along**2, axis=-1), 1e-9)
        return np.linalg.norm(self.palms[:, person] - a - np.clip(share, 0, 1)[..., None] * along, axis=-1)


def smoothed(values: np.ndarray, seconds: float) -> np.ndarray:
    """A moving mean along the first axis over a window of ``seconds``; the ends see a shorter window."""
    half = max(int(seconds * FPS) // 2, 0)
    total = np.concatenate((np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0, dtype=np.float64)))
    index = np.arange(len(values))
    low, high = np.maximum(index - half, 0), np.minimum(index + half + 1, len(values))
    return (total[high] - total[low]) / (high - low).reshape(-1, *(1,) * (values.ndim - 1))


def rate(values: np.ndarray) -> np.ndarray:
    """Change a second along the first axis, the same shape; zero for a single frame."""
    return np.gradient(values, axis=0) * FPS if len(values) > 1 else np.zeros_like(values)


def longest_run(mask: np.ndarray, bridge: float = 0.1) -> slice:
    """The longest stretch of true frames in ``mask`` (T,), with holes of up to ``bridge`` seconds; may be empty."""
    frames = np.flatnonzero(mask)
    if frames.size == 0:
        return slice(0, 0)
    cuts = np.flatnonzero(np.diff(frames) > bridge * FPS + 1)
    starts, ends = frames[np.r_[0, cuts + 1]], frames[np.r_[cuts, frames.size - 1]]
    best = int(np.argmax(ends - starts))
    return slice(int(starts[best]), int(ends[best]) + 1)


def swings(values: np.ndarray, least: float) -> int:
    """How many turning points ``values`` (T,) have that are more than ``least`` from the one before."""
    if len(values) < 3:
        return 0
    turns = [0, *np.flatnonzero(np.diff(np.sign(rate(values))) != 0), len(values) - 1]
    kept = [float(values[0])]
    for value in values[turns]:
        if len(kept) > 1 and (kept[-1] - kept[-2]) * (value - kept[-1]) > 0:
            kept[-1] = float(value)
        elif abs(value - kept[-1]) > least:
            kept.append(float(value))
    return max(len(kept) - 2, 0)


def seconds_of(run: slice) -> float:
    """How long a run of frames lasts."""
    return (run.stop - run.start) / FPS


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
