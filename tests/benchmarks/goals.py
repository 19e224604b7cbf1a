"""What retargeting must measure up to, measured: a row for each goal, with what was wanted and whether it is met.

    python -m tests.benchmarks.goals            every row but the time in Blender
    python -m tests.benchmarks.goals --rigify   that one as well: two generated Rigify rigs, all passes and keys

Needs what `tests.benchmarks.retarget` needs, and bpy for the last row.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from blender_addon.retarget import mapping, structure
from blender_addon.retarget.body import leg_height
from blender_addon.retarget.detect import best_map
from blender_addon.retarget.pair import Stage
from blender_addon.retarget.rest_pose import calibrate
from blender_addon.retarget.transfer import to_motion
from protocol.errors import DuologueError
from protocol.motion import Motion
from tests.benchmarks.retarget import Measured, body, measure, scaled, sources
from tests.unit.hierarchies import HIERARCHIES
from tests.unit.rigs import Make, build
from tests.unit.test_retarget import degrees, played
from tests.unit.test_structure import HUMANOIDS, sample

RATIOS = (0.6, 0.8, 1.25, 1.6)
HEIGHT_OF_LEG = 1.95
"""A person's height over the height of the hips over the toes."""
SCENES = 3
"""Scenes of each kind."""
ROUND_TRIP = 60
"""Frames that go onto every rig and back."""


class Goal(NamedTuple):
    """One row.

    Attributes:
        what: is measured.
        wanted, measured: as people read them.
        met: whether it is enough.
    """

    what: str
    wanted: str
    measured: str
    met: bool


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=SCENES, help="scenes of each kind")
    parser.add_argument("--rigify", action="store_true", help="time two Rigify rigs in Blender too")
    chosen = parser.parse_args()
    motions = dict(sources(chosen.scenes))
    some = [found[0].slice(0, min(ROUND_TRIP, found[0].frames)) for found in motions.values()]
    rows = [mapped(), there_and_back([some[0], some[-1]]), pairs(motions)]
    if chosen.rigify:
        rows.append(iter([rigify_time(motions["hug"][0])]))
    for row in chain(*rows):
        print(f"{'met ' if row.met else 'MISS'}  {row.what:<58} {row.wanted:>22}   {row.measured}", flush=True)
    if chosen.rigify:
        # bpy 4.5 can hang for ever in its own exit.
        os._exit(0)


def mapped() -> Iterator[Goal]:
    """Rigs that are understood without help."""
    found = {one.name: _rows(build(one, Make(twists="beside", fingers=5)).rig) for one in mapping.bone_maps()}
    # MakeHuman's default skeleton has five toes each and no bone for all of them.
    full = sum(count == (20 if name == "MPFB default" else 22) for name, count in found.items())
    yield Goal("families by name, 22 of 22", "all", f"{full} of {len(found)}", full == len(found))
    real = [_rows(one.rig(name)) for name, one in HIERARCHIES.items()]
    yield Goal("skeletons of real exports, 22 of 22", "all", f"{real.count(22)} of {len(real)}", set(real) == {22})
    right = 0
    for number in range(len(HUMANOIDS)):
        made = sample(number)
        try:
            right += mapping.rows_of(structure.find(made.rig)) == made.rows
        except DuologueError:
            continue
    yield Goal("humanoids with shuffled names", "18 of 20", f"{right} of {len(HUMANOIDS)}", right >= 18)


def _rows(rig: Any) -> int:
    try:
        rows = mapping.rows_of(best_map(rig))
    except DuologueError:
        return 0
    return sum(bool(rows[row]) for row in mapping.ROWS)


def there_and_back(motions: Sequence[Motion]) -> Iterator[Goal]:
    """Motion to rig to Motion: errors over all families, in a T-pose, and in an A-pose with bones rolled at random."""
    for pose, arms_down, wanted in (("T-pose", 0.0, 0.5), ("A-pose, random rolls", 45.0, 1.0)):
        angles, places = [], []
        for number, family in enumerate(mapping.bone_maps()):
            made = build(family, Make(arms_down=arms_down, twists="beside", seed=number))
            calibration = calibrate(made.rig, made.bones)
            height = HEIGHT_OF_LEG * leg_height(calibration.offsets)
            for motion in motions:
                alone = motion.person(0)
                moved = Stage(alone, [calibration]).settled(alone)[0]
                read = to_motion(moved.fps, played(made.rig, calibration, moved), calibration)
                apart = np.add(read.positions(), [0, calibration.clearance, 0]) - moved.positions()
                angles.append(degrees(moved, read).mean())
                places.append(np.linalg.norm(apart, axis=-1).mean() / height)
        angle, place = float(np.mean(angles)), float(np.mean(places))
        figures = f"{angle:.2f} deg (worst family {max(angles):.2f}), {place:.2%} of the height"
        yield Goal(
            f"Motion -> rig -> Motion, {pose}", f"{wanted} deg, 0.5 %", figures, angle < wanted and place < 0.005
        )


def pairs(motions: dict[str, list[Motion]]) -> Iterator[Goal]:
    """Two persons of other heights: hands, feet, bodies, time."""
    seconds = 0.0
    for ratio in RATIOS:
        bodies = [body(1.0), body(ratio)]
        kept: list[Measured] = []
        plain: list[Measured] = []
        for name, found in motions.items():
            now = [measure(one, bodies) for one in found]
            before = [measure(one, bodies, scaled(one, bodies)) for one in found]
            seconds = max(seconds, *(300 * one.seconds / one.frames for one in now))
            kept, plain = kept + now, plain + before
            off, was = (np.concatenate([one.off for one in some]) for some in (now, before))
            reached = np.concatenate([one.reached for one in now])
            hands = 100 * off[reached]
            figures = f"{np.median(hands):.1f} / {hands.max():.1f} cm; each scaled alone: "
            figures += f"{100 * np.median(was):.1f} / {100 * was.max():.1f}; out of reach {np.mean(~reached):.0%}"
            met = bool(np.median(hands) < 2 and hands.max() < 5)
            yield Goal(f"hands, heights 1 : {ratio}, {name}", "< 2 / 5 cm", figures, met)
        skate, slid = (np.concatenate([one.skate for one in some]) for some in (kept, plain))
        figures = f"{np.median(skate):.3f} (95 %: {np.percentile(skate, 95):.3f}; alone {np.percentile(slid, 95):.3f})"
        yield Goal(
            f"feet that stand, heights 1 : {ratio}", "< 0.03 m/s", figures, bool(np.percentile(skate, 95) < 0.03)
        )
        inside, alone = (100 * np.concatenate([one.inside for one in some]) for some in (kept, plain))
        figures = f"{inside.max():.1f} cm, over 1 cm in {np.mean(inside > 1):.2%} of frames"
        figures += f"; each scaled alone: {alone.max():.1f} cm, {np.mean(alone > 1):.0%}"
        yield Goal(f"overlap added, heights 1 : {ratio}", "<= 1 cm", figures, bool(inside.max() <= 1))
    yield Goal("all passes, 300 frames, slowest motion", "< 0.5 s with keys", f"{seconds:.2f} s of CPU", seconds < 0.5)


def rigify_time(motion: Motion) -> Goal:
    """The time that two generated Rigify rigs take: a motion of 300 frames, all passes and keys."""
    import bpy

    from blender_addon.animation.apply import PairWriter
    from tests.e2e import characters

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene: Any = bpy.context.scene
    scene.render.fps = 30
    rigs = [characters.build_rigify(name, height) for name, height in (("Rita", 1.62), ("Rosa", 1.8))]
    frames = np.linspace(0, motion.frames - 1, 300).round().astype(int)
    long = Motion(motion.fps, motion.root[frames], motion.rotations[frames], motion.offsets)
    writer = PairWriter(scene, rigs, long.frames, 1, "benchmark")
    start = time.process_time()
    writer.write(long, 0)
    writer.finish()
    seconds = time.process_time() - start
    return Goal("300 frames, two Rigify rigs, all passes and keys", "< 0.5 s", f"{seconds:.2f} s of CPU", seconds < 0.5)


if __name__ == "__main__":
    main()
