"""Checks of signs of affection: a kissed hand, held hands, a stroked cheek, a blown kiss."""

import numpy as np

from .result import CheckResult, decide, strongest
from .view import FPS, OTHER, View, longest_run, rate, seconds_of, smoothed, swings

NAMES = "AB"


def kiss_hand(view: View) -> CheckResult:
    """A person who bends down has the other's hand, held in one's own, at the lips."""
    found = [_kiss(view, p, a, b) for p in range(2) for a in range(2) for b in range(2)]
    return strongest(found, by="seconds")


def _kiss(view: View, person: int, a: int, b: int) -> CheckResult:
    other = OTHER[person]
    mine, theirs = view.palms[:, person, a], view.palms[:, other, b]
    held = np.linalg.norm(mine - theirs, axis=-1) < 0.17
    to_lips = np.linalg.norm(theirs - view.mouth[:, person], axis=-1) / view.size[person]
    bent = view.pitch[:, person] - np.percentile(view.pitch[:, person], 10)
    run = longest_run(held & (to_lips < 0.3) & (bent > 20) & (view.pitch[:, other] < 25), 0.15)
    return decide(
        "kiss_hand",
        seconds_of(run) >= 0.3 and view.distance[run].min() > 0.55,
        NAMES[person],
        seconds=seconds_of(run),
        to_lips_m=np.where(held, to_lips, 9.0).min(),
        bent_deg=bent.max(),
    )


def hold_hands(view: View) -> CheckResult:
    """Both hands of each in the other's, face to face and on the spot."""
    crossed = np.maximum(view.palm_gap[:, 0, 1], view.palm_gap[:, 1, 0])
    level = view.palm_at[..., 1].mean((1, 2))
    run = longest_run((crossed < 0.2) & (level < 0) & (level > -0.6) & (view.faces_other.min(-1) > 0.5), 0.1)
    inside = run if run.stop > run.start else slice(0, 1)
    gone = np.linalg.norm(np.ptp(view.ground[inside], axis=0), axis=-1).max()
    turned = np.degrees(np.ptp(view.heading[inside], axis=0).max())
    height = np.ptp(smoothed(level[inside], 0.2))
    return decide(
        "hold_hands",
        # Who pulls on the other's hands moves, who dances turns, who plays with the hands lifts them.
        seconds_of(run) >= 1.0 and gone < 0.3 and turned < 35 and height < 0.14 and view.distance[inside].min() > 0.45,
        seconds=seconds_of(run),
        gap_m=crossed.min(),
        travel_m=gone,
        turned_deg=turned,
        height_m=height,
    )


def caress_cheek(view: View) -> CheckResult:
    """A palm rests at the side of the other's face, slowly moving, at arm's length or less."""
    return strongest([_caress(view, p, side) for p in range(2) for side in range(2)], by="seconds")


def _caress(view: View, person: int, side: int) -> CheckResult:
    other = OTHER[person]
    face = view.joint("head")[:, other] + np.array([0, 0.05, 0]) * view.size[other]
    gap = np.linalg.norm(view.palms[:, person, side] - face, axis=-1) / view.size[other]
    speed = np.linalg.norm(rate(smoothed(view.palms[:, person, side] - face, 0.1)), axis=-1)
    low = view.palm_at[:, person, 1 - side, 1] < -0.2
    run = longest_run((gap < 0.22) & (speed < 0.6) & low & (view.faces_other.min(-1) > 0.4))
    inside = run if run.stop > run.start else slice(0, 1)
    return decide(
        "caress_cheek",
        seconds_of(run) >= 0.6 and view.sunk[inside].max() < 0.15 and view.pitch[inside, other].max() < 35,
        NAMES[person],
        seconds=seconds_of(run),
        gap_m=gap.min(),
    )


def blow_kiss(view: View) -> CheckResult:
    """A hand goes to one's own lips and from there out towards the other, who stands off."""
    return strongest([_blow(view, p, side) for p in range(2) for side in range(2)], by="thrown_m")


def _blow(view: View, person: int, side: int) -> CheckResult:
    to_lips = smoothed(np.linalg.norm(view.palms[:, person, side] - view.mouth[:, person], axis=-1), 0.1)
    to_lips = smoothed(to_lips / view.size[person], 0.4)
    at = smoothed(view.palm_at[:, person, side], 0.1)
    nearest = int(np.argmin(to_lips))
    after = slice(nearest, min(nearest + int(1.8 * FPS), view.frames))
    out = (at[after, 2] - at[nearest, 2]) * (at[after, 1] > -0.2)
    other_low = view.palm_at[nearest, person, 1 - side, 1] < -0.2
    over = (view.palms[nearest, person, side, 1] - view.mouth[nearest, person, 1]) / view.size[person]
    return decide(
        "blow_kiss",
        to_lips[nearest] < 0.13
        and abs(over) < 0.06
        and out.max() > 0.16
        and at[after, 2].max() > 0.42
        and other_low
        and view.distance.min() > 0.9
        and swings(at[:, 0], 0.08) < 5
        and view.pitch[nearest, person] < 30,
        NAMES[person],
        thrown_m=out.max(),
        to_lips_m=to_lips[nearest],
        over_lips_m=over,
    )
