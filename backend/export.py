"""Motion to and from files: NPZ with everything, and BVH with one file a person.

The NPZ holds ``fps``, ``root``, ``rotations``, ``offsets`` as `Motion` describes them, ``positions`` (T, P, 22, 3),
world metres, and ``joint_names``. A BVH holds one person in the world frame of all, in metres, Y up, with SMPL's joint
names and the T-pose as its zero pose.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion, joined_as_persons
from protocol.skeleton import JOINT_NAMES, PARENTS

from .corpus.bvh import read_bvh
from .corpus.conventions import detect, to_motion

_REQUIRED = ("fps", "root", "rotations", "offsets")

END_SITES = {
    "head": (0.0, 0.19, 0.02),
    "left_foot": (0.0, 0.0, 0.07),
    "right_foot": (0.0, 0.0, 0.07),
    "left_wrist": (0.17, 0.0, 0.0),
    "right_wrist": (-0.17, 0.0, 0.0),
}
"""Where the last bones of a BVH end: crown, toe tips, finger tips of the neutral body; metres from the last joint."""


def write_npz(motion: Motion, path: Path) -> Path:
    """Write a motion with its world positions to ``path``, whose folder is made if need be; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            fps=np.float64(motion.fps),
            root=motion.root,
            rotations=motion.rotations,
            offsets=motion.offsets,
            positions=motion.positions(),
            joint_names=np.array(JOINT_NAMES),
        )
    return path


def read_npz(path: Path) -> Motion:
    """Read a motion from an NPZ such as `write_npz` writes.

    Raises:
        DuologueError: ``file_missing``; ``npz_broken`` for a file that is cut off, not an NPZ or holds objects;
            ``npz_keys`` for missing arrays; ``npz_joints`` for another skeleton; ``motion_*`` as `Motion` does.
    """
    arrays = _load(path)
    missing = [key for key in _REQUIRED if key not in arrays]
    if missing:
        raise DuologueError(
            "npz_keys",
            f"{path.name} lacks {', '.join(missing)}.",
            f"A motion file holds {', '.join(_REQUIRED)}; export it with Duologue.",
        )
    if "joint_names" in arrays and tuple(map(str, arrays["joint_names"].ravel())) != JOINT_NAMES:
        raise DuologueError(
            "npz_joints", f"The joints of {path.name} are not the 22 of SMPL, in its order.", "Export it with Duologue."
        )
    if any(arrays[key].dtype.kind not in "fiu" for key in _REQUIRED) or arrays["fps"].size != 1:
        raise DuologueError(
            "npz_broken", f"The arrays in {path.name} are not numbers of a motion.", "Export it with Duologue."
        )
    return Motion(float(arrays["fps"].item()), arrays["root"], arrays["rotations"], arrays["offsets"])


def write_bvh(motion: Motion, stem: Path) -> list[Path]:
    """Write one BVH file a person: ``STEM_a.bvh``, ``STEM_b.bvh`` …, or ``STEM.bvh`` for a lone person.

    Args:
        motion: any number of persons; every file is in the one world frame, in metres.
        stem: the path without its ending; ``.bvh`` at its end is ignored. Its folder is made if need be.

    Returns:
        The paths, person A first.
    """
    if stem.suffix.lower() == ".bvh":
        stem = stem.with_suffix("")
    stem.parent.mkdir(parents=True, exist_ok=True)
    letters = [""] if motion.persons == 1 else [f"_{chr(ord('a') + index)}" for index in range(motion.persons)]
    paths = [stem.with_name(f"{stem.name}{letter}.bvh") for letter in letters]
    for index, path in enumerate(paths):
        path.write_text(_bvh(motion, index), encoding="utf-8")
    return paths


def read_motion(source: Path | Sequence[Path]) -> Motion:
    """Read a motion from an NPZ, a BVH (one person), or several BVH files (a person each, in one world frame).

    A BVH may be one of ours or of the two CMU conversions; its joint names say which. The partner's file beside a BVH
    is read only when it is named.

    Raises:
        DuologueError: ``file_type`` for another ending; ``motion_mismatch`` for files of unequal length or frame rate;
            and what `read_npz`, `read_bvh` and `detect` raise.
    """
    if not isinstance(source, Path):
        motions = [read_motion(path) for path in source]
        return motions[0] if len(motions) == 1 else joined_as_persons(motions)
    ending = source.suffix.lower()
    if ending == ".npz":
        return read_npz(source)
    if ending == ".bvh":
        clip = read_bvh(source)
        return to_motion(clip, detect(clip.names, source.name))
    raise DuologueError("file_type", f"{source.name} is neither .npz nor .bvh.", "Export the motion as one of these.")


def _load(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise DuologueError("file_missing", f"There is no file {path}.", "Check the path.")
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("not an NPZ")
        with np.load(path, allow_pickle=False) as archive:
            wanted = set(archive.files) & {*_REQUIRED, "joint_names"}
            return {key: archive[key] for key in wanted}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        raise DuologueError(
            "npz_broken",
            f"{path.name} cannot be read: it is cut off, altered or not a plain NPZ file.",
            "Copy or export it again.",
        ) from None


def _bvh(motion: Motion, person: int) -> str:
    angles = np.degrees(_euler_zxy(motion.rotations[:, person].astype(float)))
    order = _depth_first(0)
    columns = [motion.root[:, person].astype(float), *(angles[:, joint] for joint in order)]
    rows = np.concatenate(columns, axis=1)
    lines = ["HIERARCHY", *_joint_lines(motion.offsets[person], 0, 0)]
    lines += ["MOTION", f"Frames: {motion.frames}", f"Frame Time: {1 / motion.fps:.8f}"]
    lines += [" ".join(f"{value:.6f}" for value in row) for row in rows]
    return "\n".join(lines) + "\n"


def _depth_first(joint: int) -> list[int]:
    children = [child for child, parent in enumerate(PARENTS) if parent == joint]
    return [joint, *(deeper for child in children for deeper in _depth_first(child))]


def _joint_lines(offsets: np.ndarray, joint: int, depth: int) -> list[str]:
    pad, name = "  " * depth, JOINT_NAMES[joint]
    place = np.zeros(3) if joint == 0 else offsets[joint]
    lines = [f"{pad}{'ROOT' if joint == 0 else 'JOINT'} {name}", f"{pad}{{", f"{pad}  OFFSET {_three(place)}"]
    moves = "6 Xposition Yposition Zposition" if joint == 0 else "3"
    lines.append(f"{pad}  CHANNELS {moves} Zrotation Xrotation Yrotation")
    for child, parent in enumerate(PARENTS):
        if parent == joint:
            lines += _joint_lines(offsets, child, depth + 1)
    if name in END_SITES:
        lines += [f"{pad}  End Site", f"{pad}  {{", f"{pad}    OFFSET {_three(END_SITES[name])}", f"{pad}  }}"]
    return [*lines, f"{pad}}}"]


def _three(vector: Sequence[float] | np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in vector)


def _euler_zxy(q: np.ndarray) -> np.ndarray:
    """Angles (T, J, 3) in radians, in the order Z, X, Y, of rotations (T, J, 4) = Rz Rx Ry, without jumps in time."""
    m = rot.to_matrix(q)
    x = np.arcsin(np.clip(m[..., 2, 1], -1, 1))
    z = np.arctan2(-m[..., 0, 1], m[..., 1, 1])
    y = np.arctan2(-m[..., 2, 0], m[..., 2, 2])
    # Looking straight along the middle axis (gimbal lock) only the sum of the other two counts: leave Y at zero.
    locked = np.abs(m[..., 2, 1]) > 1 - 1e-9
    z = np.where(locked, np.arctan2(m[..., 1, 0], m[..., 0, 0]), z)
    y = np.where(locked, 0.0, y)
    angles = np.stack((z, x, y), axis=-1)
    # (z, x, y) and (z + pi, pi - x, y + pi) are the same rotation: keep whichever is nearer to the frame before.
    for frame in range(1, len(angles)):
        before, one = angles[frame - 1], angles[frame]
        other = one * [1, -1, 1] + np.pi
        one, other = (a + 2 * np.pi * np.round((before - a) / (2 * np.pi)) for a in (one, other))
        nearer = np.abs(other - before).sum(-1, keepdims=True) < np.abs(one - before).sum(-1, keepdims=True)
        angles[frame] = np.where(nearer, other, one)
    return angles
