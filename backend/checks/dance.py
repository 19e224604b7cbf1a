"""Checks of dances beside the salsa: waltz, slow dance, mirror dance."""

import numpy as np

from .result import CheckResult, decide, strongest
from .view import OTHER, View, longest_run, seconds_of, smoothed


def waltz(view: View) -> CheckResult:
    """A closed hold, one pair of hands out to the side, the others on back and shoulder, that turns as a whole."""
    return strongest([_waltz(view, lead) for lead in range(2)], by="seconds")


def _waltz(view: View, lead: int) -> CheckResult:
    other = OTHER[lead]
    hands = np.linalg.norm(view.palms[:, lead, 0] - view.palms[:, other, 1], axis=-1)
    out = np.minimum(view.palm_at[:, lead, 0, 0], view.palm_at[:, other, 1, 0])
    back = view.palm_to(lead, view.joint("spine3")[:, other])[:, 1] / view.size[other]
    shoulder = view.palm_to(other, view.joint("right_shoulder")[:, lead])[:, 0] / view.size[lead]
    held = (hands < 0.22) & (out > 0.2) & (back < 0.36) & (shoulder < 0.32) & (view.distance < 0.8)
    run = longest_run(held, 0.3)
    inside = run if run.stop > run.start else slice(0, 1)
    between = view.ground[inside, 1] - view.ground[inside, 0]
    angle = np.unwrap(np.arctan2(between[:, 0], between[:, 1]))
    turned = np.degrees(np.ptp(angle))
    return decide(
        "waltz", seconds_of(run) >= 1.2 and turned > 40, seconds=seconds_of(run), turned_deg=turned, gap_m=hands.min()
    )


def slow_dance(view: View) -> CheckResult:
    """Close together, both hands of one at the other's waist, both of the other's on the shoulders."""
    return strongest([_slow(view, lead) for lead in range(2)], by="seconds")


def _slow(view: View, lead: int) -> CheckResult:
    other = OTHER[lead]
    waist = view.palm_to(lead, view.joint("spine1")[:, other]).max(-1) / view.size[other]
    crossed = np.stack(
        [
            view.palm_to(other, view.joint(name)[:, lead])[:, side]
            for side, name in ((0, "right_shoulder"), (1, "left_shoulder"))
        ]
    )
    on_shoulders = crossed.max(0) / view.size[lead]
    # In a hug the hands are higher up the back, and those who wrestle bend forward.
    low = view.palm_at[:, lead, :, 1].max(-1) < -0.24
    upright = view.pitch.max(-1) < 25
    run = longest_run((waist < 0.36) & low & (on_shoulders < 0.3) & (view.distance < 0.8) & upright, 0.3)
    return decide(
        "slow_dance",
        seconds_of(run) >= 1.6,
        seconds=seconds_of(run),
        waist_m=waist.min(),
        shoulders_m=on_shoulders.min(),
    )


def mirror_dance(view: View) -> CheckResult:
    """The left hand of each goes where the other's right hand goes on the body, and all four go far."""
    at = smoothed(view.palm_at, 0.2)
    likeness, way = [], []
    for side in range(2):
        mine, theirs = at[:, 0, side], at[:, 1, 1 - side]
        mine, theirs = mine - mine.mean(0), theirs - theirs.mean(0)
        power = np.sqrt((mine**2).sum() * (theirs**2).sum())
        likeness.append(float((mine * theirs).sum() / max(power, 1e-9)))
        way.append(min(float(np.sqrt((one**2).sum(-1).mean())) for one in (mine, theirs)))
    raised = np.percentile(at[..., 1], 70, axis=0).min()
    return decide(
        "mirror_dance",
        min(likeness) > 0.75
        and min(way) > 0.16
        and raised > -0.35
        and view.distance.min() > 0.8
        and view.palm_gap.min() > 0.16
        and view.rose.max() < 0.06
        and view.faces_other.min(-1).mean() > 0.7,
        likeness=min(likeness),
        way_m=min(way),
        raised_m=raised,
    )
