"""Motion to bone channels, and world rotations of bones to Motion."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, JOINT_COUNT, JOINT_NAMES, PARENTS

from .rest_pose import SPINE, Calibration
from .rig import Rig, orthonormal


@dataclass(frozen=True, eq=False)
class Drive:
    """How a rig's mapped bones follow their own channels and each other.

    Attributes:
        parents: (M,) index of the mapped bone whose rotation a bone inherits; -1 if it inherits from none of them.
        frames: (M, 4) rotation, with channels at zero, relative to that bone, or in the world where there is none.
        origin: (3,) where the head of the bone with the location keys is when its location is zero, metres.
        axes: (3, 3) how its location moves it: columns are world metres per unit of its three channels.
    """

    parents: np.ndarray
    frames: np.ndarray
    origin: np.ndarray
    axes: np.ndarray


@dataclass(frozen=True, eq=False)
class Channels:
    """What goes into a rig's keys.

    Attributes:
        rotations: (T, M, 4) quaternions, one per mapped bone of the calibration.
        location: (T, 3) of the calibration's location bone, in its own units.
    """

    rotations: np.ndarray
    location: np.ndarray


def plain_drive(rig: Rig, calibration: Calibration) -> Drive:
    """The drive of a rig without constraints: bones inherit from their parents, through those that are not mapped."""
    rest = rig.rest_rotations().astype(np.float32)
    indices = [rig.index(bone) for bone in calibration.bones]
    parents, frames = [], []
    for index in indices:
        above = rig.parents[index]
        while above >= 0 and above not in indices:
            above = rig.parents[above]
        parents.append(indices.index(above) if above >= 0 else -1)
        frames.append(rot.multiply(rot.inverse(rest[above]), rest[index]) if above >= 0 else rest[index])
    carrier = indices[calibration.location]
    return Drive(
        np.array(parents), np.array(frames), rig.heads()[carrier], rig.world[:3, :3] @ rig.rest[carrier, :3, :3]
    )


def to_channels(motion: Motion, calibration: Calibration, drive: Drive) -> Channels:
    """Bone channels that make a rig move like a one-person motion on the rig's own body.

    Args:
        motion: P = 1, with the calibration's ``offsets``, as `pair.on_bodies` makes it.
        calibration: the rig's T-pose.
        drive: how its bones follow.
    """
    world = motion.forward_kinematics()[1][:, 0]
    bones = _bone_rotations(world, calibration)
    above = np.where((drive.parents >= 0)[:, None], bones[:, drive.parents], np.broadcast_to(rot.IDENTITY, bones.shape))
    own = rot.multiply(rot.inverse(rot.multiply(above, np.broadcast_to(drive.frames, bones.shape))), bones)
    head = _carrier_head(motion.root[:, 0], world, calibration, drive)
    location = (head - drive.origin) @ np.linalg.inv(drive.axes).T
    return Channels(rot.normalize(own).astype(np.float32), location.astype(np.float32))


def to_motion(fps: float, matrices: np.ndarray, calibration: Calibration) -> Motion:
    """The one-person motion of a rig that was read frame by frame.

    Args:
        fps: frames a second.
        matrices: (T, M, 4, 4) world matrices of the calibration's bones, metres, Y up; scale does not matter.
        calibration: the rig's T-pose.

    Returns:
        The motion on the rig's own body (``calibration.offsets``), lowered so that its toe joints stand on Y = 0.
    """
    bones = rot.from_matrix(orthonormal(matrices[..., :3, :3])).astype(np.float32)
    deltas = rot.multiply(bones, np.broadcast_to(rot.inverse(calibration.rest), bones.shape))
    world = _joint_rotations(deltas, calibration)
    local = localized(world)
    # The hips carry the body: their heads fix the root better than a hip bone that floats somewhere between them.
    hips = [JOINT["left_hip"], JOINT["right_hip"]]
    thighs = [bone for name in ("left_hip", "right_hip") if (bone := calibration.bone(name)) is not None]
    heads = matrices[:, thighs][..., :3, 3].mean(1)
    root = heads - rot.rotate(world[:, 0], calibration.offsets[hips].mean(0))
    root[:, 1] -= calibration.clearance
    return Motion(fps, root[:, None], rot.normalize(local)[:, None], calibration.offsets[None])


def localized(world: np.ndarray) -> np.ndarray:
    """World rotations (..., 22, 4) of the joints as rotations relative to their parents."""
    parents = np.array(PARENTS)
    local = rot.multiply(rot.inverse(world[..., np.maximum(parents, 0), :]), world)
    local[..., 0, :] = world[..., 0, :]
    return local


def _bone_rotations(world: np.ndarray, calibration: Calibration) -> np.ndarray:
    """(T, M, 4) world rotations of the bones for world rotations (T, 22, 4) of the joints."""
    turned = rot.slerp(world[:, calibration.low], world[:, calibration.high], calibration.blend)
    return rot.multiply(turned, np.broadcast_to(calibration.rest, turned.shape))


def _carrier_head(root: np.ndarray, world: np.ndarray, calibration: Calibration, drive: Drive) -> np.ndarray:
    """(T, 3) where the head of the location bone must be for the pelvis joint to be at ``root``.

    The pelvis hangs from that bone by a chain of mapped bones: one bone for most rigs, three for Rigify's spine.
    """
    turns = rot.slerp(world[:, calibration.low], world[:, calibration.high], calibration.blend)
    pelvis = calibration.bone("pelvis")
    assert pelvis is not None  # A mapping without a pelvis is refused.
    chain = [pelvis]
    while chain[-1] != calibration.location and drive.parents[chain[-1]] >= 0:
        chain.append(int(drive.parents[chain[-1]]))
    steps = [calibration.pelvis - calibration.heads[chain[0]]]
    steps += [calibration.heads[low] - calibration.heads[high] for low, high in pairwise(chain)]
    return root - sum(rot.rotate(turns[:, bone], step) for bone, step in zip(chain, steps, strict=True))


def _joint_rotations(deltas: np.ndarray, calibration: Calibration) -> np.ndarray:
    """(T, 22, 4) world rotations of the joints from the turns (T, M, 4) of the bones away from their T-pose."""
    world = np.zeros((len(deltas), JOINT_COUNT, 4), np.float32)
    bones = {name: calibration.bone(name) for name in JOINT_NAMES}
    for joint, name in enumerate(JOINT_NAMES):
        bone = bones[name]
        if bone is not None:
            world[:, joint] = deltas[:, bone]
        elif joint in SPINE:
            world[:, joint] = _along_spine(SPINE.index(joint), deltas, calibration)
        else:
            world[:, joint] = world[:, PARENTS[joint]]
    return world


def _along_spine(place: int, deltas: np.ndarray, calibration: Calibration) -> np.ndarray:
    """(T, 4) turn of the spine at a joint that no bone plays alone, between the bones below and above it."""
    knots = {}
    for bone, (low, high, blend) in enumerate(zip(calibration.low, calibration.high, calibration.blend, strict=True)):
        if low in SPINE and high in SPINE:
            knots[SPINE.index(low) + (blend if low != high else 0.0)] = bone
    below = max(knot for knot in knots if knot <= place)
    above = min(knot for knot in knots if knot >= place)
    return rot.slerp(deltas[:, knots[below]], deltas[:, knots[above]], (place - below) / (above - below))
