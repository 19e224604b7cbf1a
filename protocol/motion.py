"""`Motion`: the one value that travels everywhere, the motion of one or more persons on SMPL-22 skeletons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import rotations as rot
from .errors import DuologueError
from .skeleton import GENERATIONS, JOINT_COUNT, MIRROR


@dataclass(frozen=True, eq=False)
class Motion:
    """The motion of P persons over T frames.

    Right-handed, Y up; in rest pose a person faces +Z with the left side at +X.

    Attributes:
        fps: frames a second.
        root: (T, P, 3) float32, metres: world position of each pelvis.
        rotations: (T, P, 22, 4) float32 unit quaternions w, x, y, z: local, relative to the SMPL T-pose; joint 0 holds
            the global orientation.
        offsets: (P, 22, 3) float32, metres: rest offsets from the parent joint.
    """

    fps: float
    root: np.ndarray
    rotations: np.ndarray
    offsets: np.ndarray

    def __post_init__(self) -> None:
        for name in ("root", "rotations", "offsets"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), np.float32))
        object.__setattr__(self, "fps", float(self.fps))
        frames, persons = self.root.shape[:2] if self.root.ndim == 3 else (0, 0)
        expected = {
            "root": (frames, persons, 3),
            "rotations": (frames, persons, JOINT_COUNT, 4),
            "offsets": (persons, JOINT_COUNT, 3),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape or 0 in shape:
                raise DuologueError(
                    "motion_shape",
                    f"The motion's {name} has shape {getattr(self, name).shape}, which is not that of a motion of "
                    f"at least one frame and one person on {JOINT_COUNT} joints.",
                    "Check the program that wrote it: protocol/README.md describes the arrays.",
                )
            if not np.isfinite(getattr(self, name)).all():
                raise DuologueError(
                    "motion_not_finite",
                    f"The motion's {name} holds NaN or infinite numbers.",
                    "Repair or re-export the animation, then try again.",
                )
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise DuologueError("motion_fps", f"{self.fps} is not a frame rate.", "Give frames a second, such as 30.")
        if np.abs(np.linalg.norm(self.rotations, axis=-1) - 1).max() > 1e-2:
            raise DuologueError(
                "motion_rotations",
                "The motion's rotations are not unit quaternions.",
                "Check that they are quaternions in the order w, x, y, z.",
            )

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return self.root.shape[0]

    @property
    def persons(self) -> int:
        """Number of persons P."""
        return self.root.shape[1]

    @property
    def seconds(self) -> float:
        """Duration: every frame lasts 1 / fps."""
        return self.frames / self.fps

    def positions(self) -> np.ndarray:
        """World joint positions by forward kinematics: (T, P, 22, 3) float32, metres."""
        return self.forward_kinematics()[0]

    def forward_kinematics(self) -> tuple[np.ndarray, np.ndarray]:
        """World positions (T, P, 22, 3) in metres and world rotations (T, P, 22, 4) of all joints."""
        positions = np.empty((*self.rotations.shape[:3], 3), np.float32)
        world = np.empty_like(self.rotations)
        positions[:, :, 0], world[:, :, 0] = self.root, self.rotations[:, :, 0]
        for joints, parents in GENERATIONS:
            above = world[:, :, parents]
            world[:, :, joints] = rot.multiply(above, self.rotations[:, :, joints])
            positions[:, :, joints] = positions[:, :, parents] + rot.rotate(above, self.offsets[:, joints])
        return positions, world

    def person(self, index: int) -> Motion:
        """The motion of one person alone (P = 1), in the same world frame."""
        keep = [index]
        return replace(self, root=self.root[:, keep], rotations=self.rotations[:, keep], offsets=self.offsets[keep])

    def slice(self, start: int, stop: int) -> Motion:
        """Frames ``start`` up to, not including, ``stop``."""
        return replace(self, root=self.root[start:stop], rotations=self.rotations[start:stop])

    def swapped(self) -> Motion:
        """The same motion with the persons in reverse order."""
        return replace(self, root=self.root[:, ::-1], rotations=self.rotations[:, ::-1], offsets=self.offsets[::-1])

    def mirrored(self) -> Motion:
        """The motion seen in a mirror across the plane X = 0: left and right change places."""
        flip = np.array([-1, 1, 1], np.float32)
        mirror = list(MIRROR)
        return replace(
            self,
            root=self.root * flip,
            rotations=self.rotations[:, :, mirror] * np.array([1, 1, -1, -1], np.float32),
            offsets=self.offsets[:, mirror] * flip,
        )

    def moved(self, rotation: np.ndarray, translation: np.ndarray) -> Motion:
        """All persons moved rigidly: turned about the world origin, then shifted.

        Args:
            rotation: (4,) unit quaternion.
            translation: (3,) metres.
        """
        turned = self.rotations.copy()
        turned[:, :, 0] = rot.multiply(rotation.astype(np.float32), turned[:, :, 0])
        return replace(self, root=rot.rotate(rotation, self.root) + translation, rotations=turned)

    def resampled(self, fps: float) -> Motion:
        """The same motion at another frame rate: linear for the root, spherical for rotations; the end pose is held."""
        if fps == self.fps:
            return self
        count = max(1, round(self.frames * fps / self.fps))
        times = np.minimum(np.arange(count) * (self.fps / fps), self.frames - 1)
        low = np.minimum(times.astype(int), self.frames - 1)
        high = np.minimum(low + 1, self.frames - 1)
        t = (times - low).astype(np.float32)[:, None]
        return replace(
            self,
            fps=fps,
            root=self.root[low] * (1 - t[..., None]) + self.root[high] * t[..., None],
            rotations=rot.slerp(self.rotations[low], self.rotations[high], t[..., None]),
        )


def joined_in_time(parts: Sequence[Motion]) -> Motion:
    """One motion that plays ``parts`` one after the other; persons, offsets and fps are those of the first.

    Raises:
        DuologueError: ``motion_mismatch`` if the parts differ in persons or frame rate.
    """
    _require_same(parts, [(part.persons, part.fps) for part in parts], "persons or frame rate")
    return replace(
        parts[0],
        root=np.concatenate([part.root for part in parts]),
        rotations=np.concatenate([part.rotations for part in parts]),
    )


def joined_as_persons(parts: Sequence[Motion]) -> Motion:
    """One motion in which all persons of ``parts`` act at once, in the order given.

    Raises:
        DuologueError: ``motion_mismatch`` if the parts differ in length or frame rate.
    """
    _require_same(parts, [(part.frames, part.fps) for part in parts], "length or frame rate")
    return Motion(
        fps=parts[0].fps,
        root=np.concatenate([part.root for part in parts], axis=1),
        rotations=np.concatenate([part.rotations for part in parts], axis=1),
        offsets=np.concatenate([part.offsets for part in parts]),
    )


def _require_same(parts: Sequence[Motion], keys: list[tuple[int, float]], what: str) -> None:
    if len(set(keys)) != 1:
        raise DuologueError(
            "motion_mismatch",
            f"{len(parts)} motions that differ in {what} cannot be joined.",
            "Resample or cut them to match first.",
        )
