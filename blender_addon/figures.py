"""Stick figures: a small picture of a motion, drawn without a viewport, for lists and the Asset Browser."""

from __future__ import annotations

import numpy as np

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, PARENTS

SIZE = 96
"""Width and height of a picture, pixels."""
_COLORS = np.array([[0.98, 0.62, 0.22], [0.35, 0.65, 1.0]])
"""A's and B's; later persons take them in turn."""
_THICKNESS, _HEAD, _OUTLINE = 0.045, 0.105, 0.03
"""Radii of limbs and heads, and the width of the dark rim around them, metres."""
_WIDE, _TALL, _BELOW = 2.1, 1.95, 0.1
"""Least width and height of what is seen, and how much of it is under the floor, metres."""
_FAR = 0.72
"""Brightness of the limbs on the far side."""
_TILT = 0.12
"""Metres that a metre of depth counts as height: the view is from slightly above."""
_TELLING = ("left_wrist", "right_wrist", "head")
_CLOSE = 1.0
"""How much a metre of distance between two persons counts against a metre of a hand's way."""
_ENDS = 0.1
"""Share of a motion at its beginning and its end of which no picture is drawn."""


def picture(motion: Motion) -> np.ndarray:
    """Draw the moment of a motion that tells most, seen from the side, A on the left.

    Returns:
        (SIZE, SIZE, 4) float32 RGBA, 0 to 1, the lowest row first, as Blender's images have it.
    """
    moment = telling_frame(motion)
    joints = motion.slice(moment, moment + 1).positions()[0].astype(float)
    points, depth = _seen(joints, motion.slice(moment, moment + 1))
    image = np.zeros((SIZE, SIZE, 4))
    scale, origin = _frame(points)
    for person in np.argsort(-depth[:, 0]):
        color = _COLORS[person % len(_COLORS)]
        _draw(image, (points[person] - origin) * scale, depth[person], color, scale)
    return image.astype(np.float32)


def telling_frame(motion: Motion) -> int:
    """The frame in which hands and heads are farthest from where they were at first, and two persons are close."""
    joints = motion.positions().astype(float)
    telling = joints[:, :, [JOINT[name] for name in _TELLING]] - joints[:, :, :1]
    turned = rot.about_y(rot.yaw(motion.rotations[:, :, 0].astype(float)))
    telling = rot.rotate(rot.inverse(turned)[:, :, None], telling)
    score = np.linalg.norm(telling - telling[0], axis=-1).sum((1, 2))
    score -= _CLOSE * np.linalg.norm(joints[:, 0, 0] - joints[:, -1, 0], axis=-1)
    start, stop = int(motion.frames * _ENDS), max(int(motion.frames * (1 - _ENDS)), 1)
    start = min(start, stop - 1)
    return start + int(score[start:stop].argmax())


def _seen(joints: np.ndarray, frame: Motion) -> tuple[np.ndarray, np.ndarray]:
    """(P, 22, 2) metres to the right and up, and (P, 22) metres away, as seen from the side of the pair."""
    across = joints[-1, 0] - joints[0, 0]
    if len(joints) == 1 or np.hypot(across[0], across[2]) < _THICKNESS:
        # A lone person is seen from three quarters.
        heading = np.arctan2(*_ahead(frame)) + np.pi / 4
        across = np.array([np.sin(heading), 0, np.cos(heading)])
    across = across * [1, 0, 1] / np.hypot(across[0], across[2])
    away = np.cross([0, 1, 0], across)
    depth = joints @ away
    return np.stack([joints @ across, joints[..., 1] + _TILT * (depth - depth.mean())], axis=-1), depth


def _ahead(frame: Motion) -> tuple[float, float]:
    hips = frame.positions()[0, 0, [JOINT["left_hip"], JOINT["right_hip"]]]
    left = hips[0] - hips[1]
    return float(-left[2]), float(left[0])


def _frame(points: np.ndarray) -> tuple[float, np.ndarray]:
    """Pixels per metre, and what is at the lower left corner."""
    low, high = points.min((0, 1)) - 2 * _HEAD, points.max((0, 1)) + 2 * _HEAD
    low[1] = min(low[1], -_BELOW)
    size = max(high[0] - low[0], high[1] - low[1], _WIDE, _TALL)
    return SIZE / size, np.array([(low[0] + high[0] - size) / 2, low[1]])


def _draw(image: np.ndarray, points: np.ndarray, depth: np.ndarray, color: np.ndarray, scale: float) -> None:
    """Draw one person, whose joints are given in pixels, over what is there; what is farther away first."""
    children = np.arange(1, len(PARENTS))
    parents = np.array(PARENTS)[children]
    up = points[JOINT["head"]] - points[JOINT["neck"]]
    skull = points[JOINT["head"]] + 0.5 * _HEAD * scale * up / max(float(np.linalg.norm(up)), 1e-6)
    starts, ends = np.vstack((points[parents], skull)), np.vstack((points[children], skull))
    radii = scale * np.append(np.full(len(children), _THICKNESS), _HEAD)
    away = np.append((depth[parents] + depth[children]) / 2 - depth[0], 0.0)
    rim = np.zeros(image.shape[:2])
    for part in range(len(starts)):
        box, cover = _limb(starts[part], ends[part], float(radii[part]) + _OUTLINE * scale)
        rim[box] = np.maximum(rim[box], cover)
    _blend(image, np.zeros(3), 0.6 * rim)
    for part in np.argsort(-away):
        box, cover = _limb(starts[part], ends[part], float(radii[part]))
        _blend(image[box], color * (1.0 if away[part] < _THICKNESS else _FAR), cover)


def _limb(start: np.ndarray, end: np.ndarray, radius: float) -> tuple[tuple[slice, slice], np.ndarray]:
    """The rows and columns that a rounded line touches, and how much of each pixel there it covers."""
    low = np.clip(np.floor(np.minimum(start, end) - radius - 1), 0, SIZE).astype(int)
    high = np.clip(np.ceil(np.maximum(start, end) + radius + 1), 0, SIZE).astype(int)
    box = slice(low[1], high[1]), slice(low[0], high[0])
    x, y = (np.arange(low[axis], high[axis]) + 0.5 - start[axis] for axis in (0, 1))
    x, y = x[None, :], y[:, None]
    along = end - start
    share = np.clip((x * along[0] + y * along[1]) / max(float(along @ along), 1e-9), 0, 1)
    distance = np.hypot(x - share * along[0], y - share * along[1])
    return box, np.clip(radius - distance + 0.5, 0, 1)


def _blend(image: np.ndarray, color: np.ndarray, cover: np.ndarray) -> None:
    """Lay a color over (H, W, 4) RGBA pixels, in place."""
    under = image[..., 3] * (1 - cover)
    alpha = cover + under
    mixed = color * cover[..., None] + image[..., :3] * under[..., None]
    image[..., :3] = mixed / np.maximum(alpha, 1e-6)[..., None]
    image[..., 3] = alpha
