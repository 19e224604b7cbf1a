"""Reads BVH files: any joint names, any channel order; errors that say what is wrong with the file."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from protocol import rotations as rot
from protocol.errors import DuologueError

END = "_end"
"""An End Site becomes a joint with no channels, named after its parent with this ending."""

_CHANNELS = {f"{axis}{kind}" for axis in "XYZ" for kind in ("position", "rotation")}
_HINT = "Export the animation again as BVH, with its hierarchy and its motion."


@dataclass(frozen=True, eq=False)
class BvhClip:
    """One BVH file: a hierarchy of J joints (End Sites among them) and T frames of channel values.

    Attributes:
        names: J joint names.
        parents: J parent indices; -1 for the root, which comes first. A parent comes before its children.
        offsets: (J, 3) float64 from the parent, in the file's own unit.
        channels: for each joint the names of its channels, in the file's order.
        frame_time: seconds a frame.
        values: (T, C) float64: one column a channel, joint by joint; rotations in degrees.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    channels: tuple[tuple[str, ...], ...]
    frame_time: float
    values: np.ndarray

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return self.values.shape[0]

    @property
    def fps(self) -> float:
        """Frames a second; rates within 0.1 % of a whole number are that number, for files round the frame time."""
        rate = 1 / self.frame_time
        return float(round(rate)) if abs(rate - round(rate)) < 1e-3 * rate else rate

    def joint(self, name: str) -> int:
        """Index of a joint by name."""
        return self.names.index(name)

    def rest_positions(self) -> np.ndarray:
        """Joint positions (J, 3) with all rotations zero and the root's channels zero, in the file's unit."""
        positions = np.zeros_like(self.offsets)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                positions[joint] = positions[parent] + self.offsets[joint]
        return positions

    def forward_kinematics(self, only: Iterable[str] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """World positions (T, J, 3) in the file's unit and world rotations (T, J, 4), quaternions w first.

        Args:
            only: names of the joints that are wanted; the rest is left zero, which saves time on fingers and eyes.
        """
        wanted = self._with_ancestors(only)
        positions = np.zeros((self.frames, len(self.names), 3))
        world = np.zeros((self.frames, len(self.names), 4))
        column = 0
        for joint, (parent, channels) in enumerate(zip(self.parents, self.channels, strict=True)):
            values = self.values[:, column : column + len(channels)]
            column += len(channels)
            if joint not in wanted:
                continue
            shift, turn = self._local(joint, channels, values)
            if parent < 0:
                positions[:, joint], world[:, joint] = shift, turn
            else:
                positions[:, joint] = positions[:, parent] + rot.rotate(world[:, parent], shift)
                world[:, joint] = rot.multiply(world[:, parent], turn)
        return positions, world

    def _with_ancestors(self, only: Iterable[str] | None) -> set[int]:
        if only is None:
            return set(range(len(self.names)))
        wanted: set[int] = set()
        for name in only:
            joint = self.joint(name)
            while joint >= 0 and joint not in wanted:
                wanted.add(joint)
                joint = self.parents[joint]
        return wanted

    def _local(self, joint: int, channels: tuple[str, ...], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shift = np.broadcast_to(self.offsets[joint], (self.frames, 3)).copy()
        turn = np.broadcast_to(rot.IDENTITY.astype(float), (self.frames, 4))
        for name, value in zip(channels, values.T, strict=True):
            axis = "XYZ".index(name[0])
            if name.endswith("position"):
                shift[:, axis] = value
            else:
                turn = rot.multiply(turn, rot.from_axis_angle(np.eye(3)[axis], np.radians(value)))
        return shift, turn


def read_bvh(path: Path) -> BvhClip:
    """Read a BVH file.

    Raises:
        DuologueError: ``file_missing``, or ``bvh_*`` when the file is not a whole and sound BVH file.
    """
    if not path.is_file():
        raise DuologueError("file_missing", f"There is no file {path}.", "Check the path.")
    return parse_bvh(path.read_text(encoding="utf-8", errors="replace"), path.name)


def parse_bvh(text: str, name: str = "the file") -> BvhClip:
    """Parse the text of a BVH file.

    Args:
        text: the whole file.
        name: what error messages call it.

    Raises:
        DuologueError: ``bvh_hierarchy``, ``bvh_no_motion``, ``bvh_truncated``, ``bvh_channels`` or ``bvh_not_finite``.
    """
    head, found, tail = text.partition("\nMOTION")
    if not head.lstrip().upper().startswith("HIERARCHY"):
        raise DuologueError("bvh_hierarchy", f"{name} is not a BVH file: it does not start with HIERARCHY.", _HINT)
    if not found:
        raise DuologueError("bvh_no_motion", f"{name} holds a skeleton but no MOTION section.", _HINT)
    names, parents, offsets, channels = _hierarchy(head, name)
    frames, frame_time, numbers = _motion_head(tail, name)
    values = _numbers(numbers, name)
    columns = sum(map(len, channels))
    if values.size != frames * columns:
        _refuse_size(values.size, frames, columns, numbers, name)
    if not np.isfinite(values).all():
        raise DuologueError("bvh_not_finite", f"{name} holds NaN or infinite numbers in its motion.", _HINT)
    return BvhClip(
        names=tuple(names),
        parents=tuple(parents),
        offsets=np.array(offsets, float),
        channels=tuple(channels),
        frame_time=frame_time,
        values=values.reshape(frames, columns),
    )


def _hierarchy(head: str, name: str) -> tuple[list[str], list[int], list[list[float]], list[tuple[str, ...]]]:
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[str, ...]] = []
    open_joints: list[int] = []
    try:
        for line in head.splitlines()[1:]:
            words = line.split()
            if not words or words[0] == "{":
                continue
            keyword = words[0].upper()
            if keyword in ("ROOT", "JOINT", "END"):
                parent = open_joints[-1] if open_joints else -1
                if (parent < 0) != (keyword == "ROOT") or (keyword == "ROOT" and names):
                    raise ValueError("it must have exactly one ROOT that holds all other joints")
                names.append(names[parent] + END if keyword == "END" else " ".join(words[1:]))
                parents.append(parent)
                offsets.append([0.0, 0.0, 0.0])
                channels.append(())
                open_joints.append(len(names) - 1)
            elif keyword == "OFFSET":
                offsets[open_joints[-1]] = [float(word) for word in words[1:4]]
                if len(words) != 4 or not np.isfinite(offsets[open_joints[-1]]).all():
                    raise ValueError(f"{names[open_joints[-1]]} needs an OFFSET of three numbers")
            elif keyword == "CHANNELS":
                channels[open_joints[-1]] = tuple(words[2:])
                if len(words) != 2 + int(words[1]) or not set(words[2:]) <= _CHANNELS:
                    raise ValueError(f"{names[open_joints[-1]]} has channels that are not understood: {line.strip()}")
            elif keyword == "}":
                open_joints.pop()
            else:
                raise ValueError(f"the line '{line.strip()[:60]}' is not understood")
        if open_joints or not names:
            raise ValueError("its braces do not match")
    except (ValueError, IndexError) as error:
        reason = str(error) if isinstance(error, ValueError) else "its lines are out of order"
        raise DuologueError("bvh_hierarchy", f"The skeleton in {name} cannot be read: {reason}.", _HINT) from None
    return names, parents, offsets, channels


def _motion_head(tail: str, name: str) -> tuple[int, float, str]:
    lines = tail.lstrip().split("\n", 2)
    try:
        frames = int(lines[0].split(":")[1])
        frame_time = float(lines[1].split(":")[1])
    except (IndexError, ValueError):
        raise DuologueError(
            "bvh_truncated", f"The MOTION section of {name} lacks its number of frames or its frame time.", _HINT
        ) from None
    if frames < 1 or not (0 < frame_time < 10):
        raise DuologueError("bvh_no_motion", f"{name} says that it has {frames} frames of {frame_time} s each.", _HINT)
    return frames, frame_time, lines[2] if len(lines) > 2 else ""


def _numbers(text: str, name: str) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.fromstring(text, sep=" ") if text.strip() else np.zeros(0)
        except (DeprecationWarning, ValueError):
            raise DuologueError(
                "bvh_channels", f"The motion of {name} holds something that is not a number.", _HINT
            ) from None


def _refuse_size(size: int, frames: int, columns: int, numbers: str, name: str) -> None:
    first = len(numbers.lstrip().split("\n", 1)[0].split())
    if first != columns:
        raise DuologueError(
            "bvh_channels", f"A frame of {name} has {first} numbers, but its skeleton has {columns} channels.", _HINT
        )
    raise DuologueError(
        "bvh_truncated",
        f"{name} says that it has {frames} frames, but its numbers make {size / columns:g}.",
        "The file seems cut off or altered: copy or export it again.",
    )
