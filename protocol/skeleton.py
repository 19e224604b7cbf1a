"""The SMPL-22 skeleton: joint names, parents, mirror pairs and a neutral body.

Joint order is SMPL's first 22 joints. The axes are right-handed, Y up; a person in rest pose (a T-pose)
faces +Z and has the left side at +X.
"""

import numpy as np

JOINT_NAMES = (
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
)
JOINT_COUNT = len(JOINT_NAMES)
JOINT = {name: index for index, name in enumerate(JOINT_NAMES)}
"""Joint index by name."""

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
"""Index of each joint's parent; -1 for the pelvis. A parent always comes before its children."""


def _generations() -> tuple[tuple[list[int], list[int]], ...]:
    found, parents = [], [0]
    while joints := [joint for joint, parent in enumerate(PARENTS) if parent in parents]:
        found.append((joints, [PARENTS[joint] for joint in joints]))
        parents = joints
    return tuple(found)


GENERATIONS = _generations()
"""The joints below the pelvis, those equally far from it together, and the parent of each."""


def _mirrored(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return name


MIRROR = tuple(JOINT[_mirrored(name)] for name in JOINT_NAMES)
"""Index of each joint's left-right counterpart; a joint on the midline is its own."""

# A neutral adult of 1.72 m, from the segment proportions of Winter, Biomechanics and Motor Control of Human
# Movement (4th ed., fig. 4.1): thigh and shank 0.245 H, hip height 0.53 H, shoulder height 0.82 H.
_LEFT_AND_MIDLINE = {
    "pelvis": (0.0, 0.0, 0.0),
    "left_hip": (0.09, -0.07, 0.0),
    "left_knee": (0.0, -0.42, 0.0),
    "left_ankle": (0.0, -0.42, 0.0),
    "left_foot": (0.0, -0.06, 0.13),
    "spine1": (0.0, 0.11, -0.01),
    "spine2": (0.0, 0.13, 0.0),
    "spine3": (0.0, 0.06, 0.0),
    "neck": (0.0, 0.21, -0.02),
    "head": (0.0, 0.09, 0.03),
    "left_collar": (0.07, 0.11, -0.01),
    "left_shoulder": (0.11, 0.02, 0.0),
    "left_elbow": (0.28, 0.0, 0.0),
    "left_wrist": (0.26, 0.0, 0.0),
}


def neutral_offsets(scale: float = 1.0) -> np.ndarray:
    """Rest offsets of the neutral body.

    Args:
        scale: size of the body as a factor of the neutral one (1.0 stands 1.72 m tall).

    Returns:
        (22, 3) float32, metres: each joint relative to its parent in the T-pose.
    """
    offsets = np.zeros((JOINT_COUNT, 3), np.float32)
    for name, offset in _LEFT_AND_MIDLINE.items():
        offsets[JOINT[name]] = offset
        if MIRROR[JOINT[name]] != JOINT[name]:
            offsets[MIRROR[JOINT[name]]] = (-offset[0], offset[1], offset[2])
    return offsets * np.float32(scale)


def rest_height(offsets: np.ndarray) -> np.ndarray:
    """Height of the pelvis over the toe joints in the T-pose: the size of a body, as retargeting sees it.

    Args:
        offsets: (..., 22, 3) rest offsets, metres.

    Returns:
        (...,) metres.
    """
    left_leg = [JOINT[name] for name in ("left_hip", "left_knee", "left_ankle", "left_foot")]
    right_leg = [MIRROR[joint] for joint in left_leg]
    return -(offsets[..., left_leg, 1].sum(-1) + offsets[..., right_leg, 1].sum(-1)) / 2
