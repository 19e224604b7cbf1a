"""Contact sheets: motions as rows of posed figures, to judge at a glance.

A small painter in Pillow: limbs are shaded capsules, drawn back to front over a floor grid of half-metre squares. A row
has one 3/4 view and one scale; the camera follows the persons sideways, and the grid, fixed in the world, shows where
they go. Person A is blue, B orange; the left side is darker than the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT

CELL_WIDTH, CELL_HEIGHT, TITLE = 300, 300, 22
"""Pixels of one pose, and of the line of text over a row."""
OVERSAMPLING = 2
ELEVATION = np.radians(14)
"""Radians by which the camera looks down."""
COLOURS = ((62, 120, 196), (226, 128, 44), (92, 158, 84))
"""Of persons A, B, C."""
PAPER, GRID, INK = (246, 246, 244), (206, 206, 202), (50, 50, 50)
LEFT_SHADE = 0.62
"""Brightness of the left side against the right."""

LIMBS = (
    ("pelvis", "spine1", 0.105),
    ("spine1", "spine2", 0.105),
    ("spine2", "spine3", 0.11),
    ("spine3", "neck", 0.095),
    ("neck", "head", 0.055),
    *(
        (f"{side}_{start}", f"{side}_{end}", radius)
        for side in ("left", "right")
        for start, end, radius in (
            ("collar", "shoulder", 0.055),
            ("shoulder", "elbow", 0.048),
            ("elbow", "wrist", 0.038),
            ("hip", "knee", 0.075),
            ("knee", "ankle", 0.052),
            ("ankle", "foot", 0.038),
        )
    ),
)
"""From joint, to joint, radius in metres."""

TIPS = (
    ("head", (0.0, 0.06, 0.02), (0.0, 0.11, 0.03), 0.095),
    ("left_wrist", (0.0, 0.0, 0.0), (0.13, 0.0, 0.0), 0.03),
    ("right_wrist", (0.0, 0.0, 0.0), (-0.13, 0.0, 0.0), 0.03),
    ("left_foot", (0.0, 0.0, 0.0), (0.0, 0.0, 0.06), 0.032),
    ("right_foot", (0.0, 0.0, 0.0), (0.0, 0.0, 0.06), 0.032),
    ("head", (0.0, 0.07, 0.13), (0.0, 0.07, 0.13), 0.022),
)
"""Joint, from where to where in the joint's own frame, radius: skull, hands, toes and nose."""


@dataclass(frozen=True)
class _View:
    """An orthographic camera for a row of T poses.

    Rows of ``axes`` are right, up and towards the viewer; ``centres`` (T, 3) in these axes are in mid-picture.
    """

    axes: np.ndarray
    centres: np.ndarray
    pixels_per_metre: float

    def project(self, points: np.ndarray, pose: int) -> np.ndarray:
        """Pixels x, y and depth (towards the viewer, metres) of world points (..., 3) in the picture of one pose."""
        seen = points @ self.axes.T - self.centres[pose]
        width, height = CELL_WIDTH * OVERSAMPLING, CELL_HEIGHT * OVERSAMPLING
        x = width / 2 + seen[..., 0] * self.pixels_per_metre
        y = height / 2 - seen[..., 1] * self.pixels_per_metre
        return np.stack((x, y, seen[..., 2]), axis=-1)


def contact_sheet(motions: Sequence[tuple[str, Motion]], path: Path, poses: int = 6) -> Path:
    """Paint a PNG with one row per motion and ``poses`` moments per row, evenly spread from first to last frame.

    Args:
        motions: a title and a motion (metres, floor at y = 0) for every row.
        path: the PNG; its folder is made if need be.
        poses: moments a row.
    """
    sheet = Image.new("RGB", (CELL_WIDTH * poses, (CELL_HEIGHT + TITLE) * max(1, len(motions))), PAPER)
    for row, (title, motion) in enumerate(motions):
        frames = np.unique(np.linspace(0, motion.frames - 1, poses).round().astype(int))
        painted = paint_row(motion, [int(frame) for frame in frames])
        top = row * (CELL_HEIGHT + TITLE)
        sheet.paste(painted, (0, top + TITLE))
        write = ImageDraw.Draw(sheet)
        write.rectangle((0, top, sheet.width, top + TITLE - 1), fill=(228, 228, 224))
        write.text((6, top + 4), f"{title}   ({motion.seconds:.1f} s)", fill=INK, font=ImageFont.load_default(13))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
    return path


def paint_row(motion: Motion, frames: Sequence[int]) -> Image.Image:
    """Paint the given frames of a motion side by side from one view; each cell is labelled with its time."""
    chosen = Motion(motion.fps, motion.root[frames], motion.rotations[frames], motion.offsets)
    capsules = _capsules(chosen)
    view = _view(chosen, capsules)
    row = Image.new("RGB", (CELL_WIDTH * len(frames), CELL_HEIGHT), PAPER)
    for index, frame in enumerate(frames):
        cell = _paint(capsules[index], view, index)
        ImageDraw.Draw(cell).text(
            (6, CELL_HEIGHT - 18), f"{frame / motion.fps:.2f} s", fill=INK, font=ImageFont.load_default(12)
        )
        row.paste(cell, (index * CELL_WIDTH, 0))
    return row


def _capsules(motion: Motion) -> np.ndarray:
    """(T, P, N, 2, 3) world end points of all limbs and tips."""
    positions, world = motion.forward_kinematics()
    limbs = [(positions[:, :, JOINT[start]], positions[:, :, JOINT[end]]) for start, end, _ in LIMBS]
    for name, start, end, _ in TIPS:
        joint = JOINT[name]
        ends = (rot.rotate(world[:, :, joint], np.array(point, np.float32)) for point in (start, end))
        limbs.append(tuple(positions[:, :, joint] + end for end in ends))
    return np.stack([np.stack(limb, axis=-2) for limb in limbs], axis=2)


def _view(motion: Motion, capsules: np.ndarray) -> _View:
    """Look across the line between the persons (or at a lone person from the front), 35 degrees off to one side."""
    if motion.persons > 1:
        between = (motion.root[:, 1] - motion.root[:, 0]).mean(0)
        azimuth = np.arctan2(between[0], between[2]) - np.pi / 2 + np.radians(25)
    else:
        azimuth = float(rot.yaw(motion.rotations[0, 0, 0])) + np.radians(40)
    right = np.array([np.cos(azimuth), 0.0, -np.sin(azimuth)])
    back = np.array([np.sin(azimuth) * np.cos(ELEVATION), np.sin(ELEVATION), np.cos(azimuth) * np.cos(ELEVATION)])
    axes = np.stack((right, np.cross(back, right), back))
    seen = capsules.reshape(motion.frames, -1, 3) @ axes.T
    low, high = seen.min(1) - 0.14, seen.max(1) + 0.14
    centres = (low + high) / 2
    centres[:, 1] = (low[:, 1].min() + high[:, 1].max()) / 2
    width, height = (high - low)[:, 0].max(), high[:, 1].max() - low[:, 1].min()
    scale = min(CELL_WIDTH / width, (CELL_HEIGHT - 20) / height) * OVERSAMPLING
    return _View(axes, centres, float(scale))


def _paint(capsules: np.ndarray, view: _View, pose: int) -> Image.Image:
    """One cell: the floor, shadows, then the limbs of all persons from the farthest to the nearest."""
    image = Image.new("RGB", (CELL_WIDTH * OVERSAMPLING, CELL_HEIGHT * OVERSAMPLING), PAPER)
    draw = ImageDraw.Draw(image)
    _paint_floor(draw, capsules, view, pose)
    names = [start for start, _, _ in LIMBS] + [tip[0] for tip in TIPS]
    radii = [radius for _, _, radius in LIMBS] + [tip[-1] for tip in TIPS]
    strokes = []
    for person, limbs in enumerate(view.project(capsules, pose)):
        for name, radius, (start, end) in zip(names, radii, limbs, strict=True):
            shade = LEFT_SHADE if name.startswith("left") else 1.0
            colour = tuple(int(value * shade) for value in COLOURS[person % len(COLOURS)])
            strokes.append(((start[2] + end[2]) / 2, start, end, radius * view.pixels_per_metre, colour))
    for _, start, end, radius, colour in sorted(strokes, key=lambda stroke: stroke[0]):
        dark = tuple(int(value * 0.55) for value in colour)
        light = tuple(int(value + (255 - value) * 0.28) for value in colour)
        _stroke(draw, start, end, radius + OVERSAMPLING, dark)
        _stroke(draw, start, end, radius, colour)
        nudge = np.array([-0.3 * radius, -0.3 * radius, 0.0])
        _stroke(draw, start + nudge, end + nudge, radius * 0.4, light)
    return image.resize((CELL_WIDTH, CELL_HEIGHT), Image.Resampling.BOX)


def _paint_floor(draw: ImageDraw.ImageDraw, capsules: np.ndarray, view: _View, pose: int) -> None:
    ground = capsules.reshape(-1, 3)
    low, high = np.floor(ground.min(0) * 2 - 2) / 2, np.ceil(ground.max(0) * 2 + 2) / 2
    for axis in (0, 2):
        other = 2 - axis
        for value in np.arange(low[axis], high[axis] + 0.01, 0.5):
            ends = np.zeros((2, 3))
            ends[:, axis], ends[:, other] = value, (low[other], high[other])
            first, last = view.project(ends, pose)[:, :2]
            draw.line((*first, *last), fill=GRID, width=OVERSAMPLING)
    for person in capsules:
        shadow = person * np.array([1.0, 0.0, 1.0])
        for start, end in view.project(shadow, pose):
            _stroke(draw, start, end, 0.04 * view.pixels_per_metre, (222, 222, 219))


def _stroke(
    draw: ImageDraw.ImageDraw, start: np.ndarray, end: np.ndarray, radius: float, colour: tuple[int, ...]
) -> None:
    draw.line((start[0], start[1], end[0], end[1]), fill=colour, width=max(1, round(2 * radius)))
    for x, y in (start[:2], end[:2]):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
