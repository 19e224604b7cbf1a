"""Checks of cooperation: a thing handed over, a load carried by two, a toast."""

import numpy as np

from .result import CheckResult, decide, strongest
from .view import FPS, OTHER, View, longest_run, seconds_of, smoothed

NAMES = "AB"


def hand_over(view: View) -> CheckResult:
    """A hand that was held out before the body meets the other's; afterwards that one is held before the body."""
    return strongest([_give(view, p, a, b) for p in range(2) for a in range(2) for b in range(2)], by="before_m")


def _give(view: View, person: int, a: int, b: int) -> CheckResult:
    other = OTHER[person]
    gap = np.linalg.norm(view.palms[:, person, a] - view.palms[:, other, b], axis=-1)
    mine, theirs = view.palm_at[:, person, a], view.palm_at[:, other, b]
    run = longest_run(
        (gap < 0.27)
        & (mine[:, 2] > 0.25)
        & (theirs[:, 2] > 0.25)
        & (mine[:, 1] > -0.65)
        & (mine[:, 1] < 0.0)
        & (view.faces_other.min(-1) > 0.4),
        0.15,
    )
    start, stop = run.start, max(run.stop, run.start + 1)
    before = slice(max(start - int(1.6 * FPS), 0), max(start - int(0.4 * FPS), 1))
    after = slice(min(stop + int(0.6 * FPS), view.frames - 3), view.frames)
    held_before = np.percentile(mine[before, 2] - np.maximum(theirs[before, 2], 0.0), 30)
    held_after = np.median(theirs[after, 2] - np.maximum(mine[after, 2], 0.0))
    bent = np.median(theirs[after, 1])
    return decide(
        "hand_over",
        0.1 <= seconds_of(run) < 2.4 and held_before > 0.07 and held_after > 0.04 and bent > -0.5,
        NAMES[person],
        before_m=held_before,
        after_m=held_after,
        seconds=seconds_of(run),
    )


def carry_together(view: View) -> CheckResult:
    """Four hands low before the bodies, as far from each other as a load is wide, go along with both persons."""
    ends = np.stack((view.palm_gap[:, 0, 1], view.palm_gap[:, 1, 0]), axis=-1)
    at = view.palm_at
    held = (
        (ends.min(-1) > 0.17)
        & (ends.max(-1) < 0.65)
        & (at[..., 1].max((1, 2)) < -0.25)
        & (at[..., 2].min((1, 2)) > 0.15)
        & (view.faces_other.min(-1) > 0.4)
    )
    run = longest_run(held, 0.2)
    inside = run if run.stop > run.start else slice(0, 1)
    way = np.linalg.norm(view.ground[inside][-1] - view.ground[inside][0], axis=-1).min()
    spread = np.ptp(smoothed(ends[inside].mean(-1), 0.2))
    return decide(
        "carry_together",
        seconds_of(run) >= 1.0 and way > 0.2 and spread < 0.33 and np.ptp(view.distance[inside]) < 0.6,
        seconds=seconds_of(run),
        way_m=way,
        width_changes_m=spread,
    )


def toast(view: View) -> CheckResult:
    """Two hands meet between both at the shoulders' height, and each then goes to its own mouth."""
    return strongest([_toast(view, a, b) for a in range(2) for b in range(2)], by="level_m")


def _toast(view: View, a: int, b: int) -> CheckResult:
    gap = view.palm_gap[:, a, b]
    up = np.minimum(view.palm_at[:, 0, a, 1], view.palm_at[:, 1, b, 1])
    run = longest_run((gap < 0.27) & (up > -0.25) & (view.faces_other.min(-1) > 0.4))
    after = slice(run.stop, min(run.stop + int(3.0 * FPS), view.frames))
    drinking = [
        np.linalg.norm(view.palms[:, person, side] - view.mouth[:, person], axis=-1) / view.size[person]
        for person, side in ((0, a), (1, b))
    ]
    sip = longest_run(np.max(drinking, axis=0)[after] < 0.2)
    alone = max(view.palm_at[after, 0, 1 - a, 1].max(initial=-9.0), view.palm_at[after, 1, 1 - b, 1].max(initial=-9.0))
    return decide(
        "toast",
        0.06 <= seconds_of(run) < 1.6 and seconds_of(sip) > 0.25 and alone < -0.15,
        level_m=up[run].max() if run.stop else -9.0,
        seconds=seconds_of(run),
        sips_s=seconds_of(sip),
    )
