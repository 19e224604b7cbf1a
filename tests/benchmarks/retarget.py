"""How well pairs keep hands, feet and distance on bodies of other sizes: one table, and pictures of the passes.

    python -m tests.benchmarks.retarget                      the table
    python -m tests.benchmarks.retarget --pictures FOLDER    the pictures of retarget/README.md

Needs the generated corpus in ``data/corpus``; with the CMU takes (``DUOLOGUE_CMU``) real pairs are measured as well.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from backend.corpus.cmu import cmu_folder, load_takes
from backend.corpus.preview import contact_sheet
from backend.corpus.scene import read_scene_motion, read_scenes
from blender_addon.retarget.body import leg_height
from blender_addon.retarget.contact import find
from blender_addon.retarget.easing import as_needed
from blender_addon.retarget.feet import Stance
from blender_addon.retarget.options import Options
from blender_addon.retarget.overlap import added
from blender_addon.retarget.pair import Stage
from blender_addon.retarget.pose import Pose
from blender_addon.retarget.residuals import hand_errors, planted_speeds
from blender_addon.retarget.rest_pose import Calibration
from protocol.errors import DuologueError
from protocol.motion import Motion
from tests.unit.cmu_sample import sample_folder
from tests.unit.synthetic_rigs import humanoid
from tests.unit.test_retarget import calibrated

CORPUS = Path(__file__).parents[2] / "data" / "corpus"
RATIOS = (0.6, 0.8, 1.0, 1.25, 1.6)
KINDS = ("handshake", "high_five", "pull", "push", "hug")
SCENES = 6
"""Scenes of each kind."""
REAL_TAKES = {"CMU handshake": ("18_01", "19_01"), "CMU salsa": ("60_05", "61_05", "60_15", "61_15")}
"""The only real handshake, and the takes that no model was trained on."""
LONGEST = 300
"""Frames of a take."""
HEAD = (
    "ratio  motions        hands cm: plain med/max   kept med/max   reached med/max   too far"
    "   feet m/s: plain  held med/p95   into each other cm: p95/max   s/300 frames"
)


@dataclass(frozen=True)
class Measured:
    """Figures of one motion on its targets, metres and seconds.

    Attributes:
        off: (N,) how far touching hands are off.
        reached: (N,) which of these are not for want of a longer arm.
        skate: (M,) speeds of what feet stand on.
        inside: (T,) how much deeper bodies are in each other than in the source.
        seconds: processor time.
        frames: length.
    """

    off: np.ndarray
    reached: np.ndarray
    skate: np.ndarray
    inside: np.ndarray
    seconds: float
    frames: int


def main() -> None:
    """Print the table, or paint the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="paint the pictures of the README into this folder instead")
    parser.add_argument("--scenes", type=int, default=SCENES, help="scenes of each kind")
    chosen = parser.parse_args()
    if chosen.pictures is not None:
        paint(chosen.pictures)
        return
    print(HEAD, flush=True)
    motions = dict(sources(chosen.scenes))
    for ratio in RATIOS:
        for name, found in motions.items():
            bodies = [body(1.0), body(ratio)]
            plain = [measure(one, bodies, scaled(one, bodies)) for one in found]
            kept = [measure(one, bodies) for one in found]
            print(row(ratio, name, plain, kept), flush=True)


def sources(scenes: int) -> Iterator[tuple[str, list[Motion]]]:
    """Motions to retarget, by what people call them."""
    every = read_scenes(CORPUS)
    for kind in KINDS:
        chosen = [scene for scene in every if scene.kind == kind][:scenes]
        yield kind, [read_scene_motion(CORPUS, scene) for scene in chosen]
    try:
        whole = cmu_folder()
    except DuologueError as missing:
        print(f"Real takes are left out: {missing.message}")
        return
    for name, trials in REAL_TAKES.items():
        with tempfile.TemporaryDirectory() as folder:
            found = [take.motion for take in load_takes(sample_folder(whole, trials, Path(folder)))]
        yield name, [motion.slice(0, min(LONGEST, motion.frames)) for motion in found]


def body(scale: float) -> Calibration:
    """A rig of ``scale`` times the neutral size, resting in an A-pose."""
    return calibrated(humanoid(scale=scale, arms_down=45))


def scaled(motion: Motion, bodies: Sequence[Calibration]) -> Motion:
    """Plain retargeting of each character on its own: its joints' rotations, its root scaled by its legs."""
    offsets = np.stack([one.offsets for one in bodies])
    own = leg_height(offsets) / leg_height(motion.offsets)
    return Motion(motion.fps, motion.root * own[:, None], motion.rotations, offsets)


def measure(motion: Motion, bodies: Sequence[Calibration], moved: Motion | None = None) -> Measured:
    """Figures of a motion on bodies: of ``moved``, or of what the passes make of it."""
    start = time.process_time()
    if moved is None:
        moved, _ = Stage(motion, bodies).settled(motion)
    seconds = time.process_time() - start
    source, pose = Pose.of(motion), Pose.of(moved)
    errors = hand_errors(pose, find(source, None, motion.fps, 1.0, as_needed))
    skate = planted_speeds(pose, Stance(motion.fps, motion.offsets).push(source), motion.fps)
    return Measured(errors.off, errors.reached, skate, added(source, pose), seconds, motion.frames)


def row(ratio: float, name: str, plain: Sequence[Measured], kept: Sequence[Measured]) -> str:
    """One line of the table."""
    off, reached, skate, inside = (
        np.concatenate([getattr(one, field) for one in kept]) for field in ("off", "reached", "skate", "inside")
    )
    before = np.concatenate([one.off for one in plain])
    slid = np.concatenate([one.skate for one in plain])
    seconds = 300 * sum(one.seconds for one in kept) / sum(one.frames for one in kept)
    return (
        f"{ratio:<6} {name:<14} {pair(before):>24} {pair(off):>14} {pair(off[reached]):>17} {np.mean(~reached):>9.0%}"
        f" {np.median(slid):>17.3f} {np.median(skate):>8.3f}/{np.percentile(skate, 95):.3f}"
        f" {100 * np.percentile(inside, 95):>20.1f}/{100 * inside.max():.1f} {seconds:>18.2f}"
    )


def pair(metres: np.ndarray) -> str:
    """Median and maximum in centimetres."""
    return f"{100 * np.median(metres):.1f}/{100 * metres.max():.1f}" if len(metres) else "-"


def paint(folder: Path) -> None:
    """Paint what the passes do with a handshake and a high five of bodies 1 : 0.6 and with a hug of bodies 1 : 1.6."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, ratio in (("handshake", 0.6), ("high_five", 0.6), ("hug", 1.6)):
        bodies = [body(1.0), body(ratio)]
        scene = [scene for scene in read_scenes(CORPUS) if scene.kind == kind][1]
        motion = read_scene_motion(CORPUS, scene)
        middle = scene.contacts[0].frames(motion.fps, motion.frames)
        shown = slice(max(0, middle.start - 10), min(middle.stop + 6, motion.frames))
        free = Stage(motion, bodies, options=Options(contact=0.0)).settled(motion)[0]
        rows = (
            ("source", motion),
            ("each scaled by its own legs", scaled(motion, bodies)),
            ("one ground, feet held", free),
            ("hands led, trunks lean", Stage(motion, bodies).settled(motion)[0]),
        )
        cut = [(title, replace(one, root=one.root[shown], rotations=one.rotations[shown])) for title, one in rows]
        path = contact_sheet(cut, folder / f"{kind}.png", poses=4)
        Image.open(path).quantize(64).save(path, optimize=True)


if __name__ == "__main__":
    main()
