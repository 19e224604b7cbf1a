"""Pictures of what the demo did: a contact sheet and a movie, rendered with Workbench, which needs no GPU."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import imageio_ffmpeg
from mathutils import Vector
from PIL import Image, ImageDraw, ImageFont

SIZE = (640, 360)
FRAME_STEP = 5
"""Every fifth frame is rendered: 6 pictures for a second of motion at 30 frames a second."""
POSES = 6
CAPTION_HEIGHT = 34
BACKGROUND, INK = (250, 250, 248), (40, 40, 46)


@dataclass(frozen=True)
class Shot:
    """A rendered stretch of the timeline and what is to be seen in it."""

    title: str
    frames: Sequence[Path]


def render(scene: Any, folder: Path, cast: Sequence[Any], last: int) -> list[Path]:
    """Render the timeline from frame 1 to ``last`` with a camera that keeps the cast in view; returns the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.image_settings.file_format = "PNG"
    numbers = range(1, last + 1, FRAME_STEP)
    _aim(scene, cast, numbers)
    pictures = []
    for number in numbers:
        scene.frame_set(number)
        scene.render.filepath = str(folder / f"{number:04d}.png")
        bpy.ops.render.render(write_still=True)
        pictures.append(Path(scene.render.filepath))
    return pictures


def contact_sheet(shots: Sequence[Shot], path: Path) -> None:
    """A PNG with one row a shot, its poses spread evenly over time."""
    width, height = SIZE[0] * 3 // 4, SIZE[1] * 3 // 4
    row = height * 2 + CAPTION_HEIGHT
    sheet = Image.new("RGB", (width * (POSES // 2), row * len(shots)), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for index, shot in enumerate(shots):
        top = index * row
        title = textwrap.shorten(shot.title, width=sheet.width // 9, placeholder=" …")
        draw.text((12, top + 7), title, INK, font=ImageFont.load_default(17))
        for pose in range(POSES):
            picture = Image.open(shot.frames[round(pose * (len(shot.frames) - 1) / (POSES - 1))]).resize(
                (width, height)
            )
            line, column = divmod(pose, POSES // 2)
            sheet.paste(picture, (column * width, top + CAPTION_HEIGHT + line * height))
    sheet.save(path)


def movie(shots: Sequence[Shot], path: Path, fps: float) -> None:
    """An MP4 of all shots, one after the other, in real time."""
    listing = path.with_suffix(".txt")
    seconds = FRAME_STEP / fps
    listing.write_text("".join(f"file '{frame}'\nduration {seconds}\n" for shot in shots for frame in shot.frames))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-f", "concat", "-safe", "0"]
    command += ["-i", listing, "-vf", f"fps={fps}", "-c:v", "libx264", "-pix_fmt", "yuv420p", path]
    subprocess.run([str(part) for part in command], check=True)
    listing.unlink()


def _aim(scene: Any, cast: Sequence[Any], numbers: range) -> None:
    """Put the camera where it sees the whole cast at every frame, at right angles to the line between them."""
    hips = []
    for number in numbers:
        scene.frame_set(number)
        hips.append([_middle(one) for one in cast])
    points = [point for pair in hips for point in pair]
    low = Vector([min(point[axis] for point in points) for axis in range(3)])
    high = Vector([max(point[axis] for point in points) for axis in range(3)])
    centre = (low + high) / 2
    centre.z = 0.95
    across = max(hips, key=lambda pair: (pair[-1] - pair[0]).length)
    line = (across[-1] - across[0]).to_2d()
    side = Vector((line.y, -line.x, 0)).normalized() if line.length > 0.1 else Vector((0, -1, 0))
    # Somewhat from the front of one of them: a view straight from the side hides one behind the other.
    side = (side + Vector((line.x, line.y, 0)).normalized() * 0.35).normalized()
    distance = 3.2 + (high - low).length * 1.1
    camera = scene.camera
    camera.location = centre + side * distance + Vector((0, 0, 0.7))
    camera.rotation_euler = (centre - camera.location).to_track_quat("-Z", "Y").to_euler()
    camera.data.lens = 38


def _middle(armature: Any) -> Vector:
    """Where a character is: the middle of its deforming bones' heads."""
    heads = [armature.matrix_world @ bone.head for bone in armature.pose.bones if bone.bone.use_deform]
    return sum(heads, Vector()) / len(heads)
