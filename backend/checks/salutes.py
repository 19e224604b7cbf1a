"""Checks of more greetings: fist bump, salute, tipped hat, curtsy."""

import numpy as np

from .result import CheckResult, by_whom, decide, strongest
from .view import FPS, View, longest_run, rate, seconds_of, smoothed, swings

TOUCH = 0.16
"""Metres between palm points that count as touching."""


def fist_bump(view: View) -> CheckResult:
    """Two hands come forward from both sides, touch for a moment under the shoulders, and go back."""
    return strongest([_bump(view, a, b) for a in range(2) for b in range(2)], by="came_m")


def _bump(view: View, a: int, b: int) -> CheckResult:
    gap = view.palm_gap[:, a, b]
    ahead = np.stack((view.palm_at[:, 0, a, 2], view.palm_at[:, 1, b, 2]), axis=-1)
    up = np.stack((view.palm_at[:, 0, a, 1], view.palm_at[:, 1, b, 1]), axis=-1).mean(-1)
    apart = view.palm_gap[:, 1 - a, 1 - b] > 0.3
    met = (gap < TOUCH) & (up < -0.06) & (up > -0.5) & (view.faces_other.min(-1) > 0.5) & apart & (view.distance > 0.5)
    run = longest_run(met, 0.05)
    before = max(run.start - int(0.4 * FPS), 0)
    came = (ahead[run.start] - ahead[before]).min()
    # From when the hands are a hand's breadth nearer than an arm: who shakes hands holds them.
    near = longest_run(gap < 0.3)
    return decide(
        "fist_bump",
        0.06 <= seconds_of(run) <= 0.7 and seconds_of(near) < 1.5 and came > 0.03,
        seconds=seconds_of(run),
        gap_m=gap.min(),
        came_m=came,
        near_s=seconds_of(near),
    )


def salute(view: View) -> CheckResult:
    """A hand is held still at the side of one's own brow, the elbow out and up, by who stands."""
    found = [strongest([_salute(view, person, side) for side in range(2)], by="seconds") for person in range(2)]
    return by_whom("salute", found, "seconds")


def _salute(view: View, person: int, side: int) -> CheckResult:
    at = view.palm_at[:, person, side]
    name = ("left", "right")[side]
    head = view.joint("head")[:, person]
    near = np.linalg.norm(view.palms[:, person, side] - head, axis=-1) / view.size[person]
    elbow = view.joint(f"{name}_elbow")[:, person, 1] - view.joint(f"{name}_shoulder")[:, person, 1]
    speed = np.linalg.norm(rate(smoothed(view.palms[:, person, side] - head, 0.1)), axis=-1)
    held = (speed < 0.3) & (near < 0.32) & (at[:, 1] > 0.1) & (at[:, 0] > 0.09) & (elbow / view.size[person] > -0.12)
    run = longest_run(held & (view.root_speed[:, person] < 0.3))
    inside = run if run.stop > run.start else slice(0, 1)
    middle = at[inside][len(at[inside]) // 5 : -(len(at[inside]) // 5) or None]
    moved = np.ptp(smoothed(middle, 0.1), axis=0).max()
    other_low = view.palm_at[inside, person, 1 - side, 1].max() < -0.25
    # Who lifts a hat moves it; who cups an ear or a mouth stands close; who covers both ears raises both hands.
    return decide(
        "salute",
        seconds_of(run) >= 0.5 and moved < 0.16 and view.distance[inside].min() > 0.8 and other_low,
        seconds=seconds_of(run),
        moved_m=moved,
    )


def tip_hat(view: View) -> CheckResult:
    """A hand goes to the front of one's own head, then up or forward from there, and back or down."""
    found = [strongest([_tip(view, person, side) for side in range(2)], by="lifted_m") for person in range(2)]
    return by_whom("tip_hat", found, "lifted_m")


def _tip(view: View, person: int, side: int) -> CheckResult:
    at = smoothed(view.palm_at[:, person, side], 0.1)
    head = view.joint("head")[:, person] + np.array([0, 0.1, 0]) * view.size[person]
    near = smoothed(np.linalg.norm(view.palms[:, person, side] - head, axis=-1) / view.size[person], 0.3)
    high = longest_run(at[:, 1] > 0.16)
    inside = high if high.stop > high.start else slice(0, 1)
    closest = int(np.argmin(near[inside]))
    lifted = near[inside].max() - near[inside][closest]
    # Over the lips, unlike a kiss that is blown, and in the middle, unlike a salute.
    over = (view.palms[inside, person, side, 1] - view.mouth[inside, person, 1])[closest] / view.size[person]
    beside = at[inside, 0][closest]
    times = swings(at[inside, 0], 0.06)
    forth = (at[inside, 2] * (at[inside, 1] > 0.22)).max()
    return decide(
        "tip_hat",
        seconds_of(high) > 0.6
        and near[inside].min() < 0.28
        and lifted > 0.1
        and times < 5 * (1 + seconds_of(high) // 2)
        and over > 0.05
        and beside < 0.1
        and forth > 0.28
        and view.distance[inside].min() > 0.8
        and view.palm_at[inside, person, 1 - side, 1].max() < -0.2,
        lifted_m=lifted,
        nearest_m=near[inside].min(),
        seconds=seconds_of(high),
        over_lips_m=over,
        beside_m=beside,
        swings=times,
    )


def curtsy(view: View) -> CheckResult:
    """The knees bend and stretch again under an upright trunk, both hands spread low at the sides."""
    return by_whom("curtsy", [_curtsy(view, person) for person in range(2)], "sunk_m")


def _curtsy(view: View, person: int) -> CheckResult:
    sunk = smoothed(view.sunk[:, person], 0.1)
    at = view.palm_at[:, person]
    spread = (at[:, :, 0].min(-1) > 0.24) & (at[:, :, 1].max(-1) < -0.2)
    run = longest_run((sunk > 0.1) & (sunk < 0.36) & spread & (view.pitch[:, person] < 45))
    inside = run if run.stop > run.start else slice(0, 1)
    up_again = sunk[inside].max() - sunk[run.stop :].min() if 0 < run.stop < view.frames else 0.0
    return decide(
        "curtsy",
        seconds_of(run) >= 0.25
        and run.start > 0
        and view.palm_gap.min() > 0.18
        and up_again > 0.08
        and view.distance[inside].min() > 0.8
        and view.rose[:, person].max() < 0.06,
        sunk_m=sunk[inside].max(),
        seconds=seconds_of(run),
        pitch_deg=view.pitch[inside, person].max(),
    )
