"""Checks of comfort and help: consoling, supporting, helping up, a pat on the shoulder."""

import numpy as np

from .result import CheckResult, decide, strongest
from .view import OTHER, View, longest_run, seconds_of, swings

NAMES = "AB"


def console(view: View) -> CheckResult:
    """A palm lies on the back of a person who stands bowed with the hands before the face."""
    return strongest([_console(view, p, side) for p in range(2) for side in range(2)], by="seconds")


def _console(view: View, person: int, side: int) -> CheckResult:
    other = OTHER[person]
    from_chest = view.palms[:, person, side] - view.joint("spine3")[:, other]
    depth = np.sum(from_chest[:, [0, 2]] * view.facing[:, other], axis=-1)
    on_back = (np.linalg.norm(from_chest, axis=-1) / view.size[other] < 0.33) & (depth < 0.02)
    hidden = view.palm_to(other, view.mouth[:, other]).max(-1) / view.size[other] < 0.3
    run = longest_run(on_back & hidden & (view.pitch[:, other] > 5), 0.2)
    return decide(
        "console", seconds_of(run) >= 0.7, NAMES[person], seconds=seconds_of(run), pitch_deg=view.pitch[:, other].max()
    )


def support_walk(view: View) -> CheckResult:
    """Two walk close abreast, an arm of one over the other's shoulders and an arm of the other round the back."""
    return strongest([_support(view, person) for person in range(2)], by="seconds")


def _support(view: View, person: int) -> CheckResult:
    other = OTHER[person]
    round_back = view.palm_to(person, view.joint("spine1")[:, other]).min(-1) / view.size[other]
    over = (
        view.palm_to(other, (view.joint("spine3")[:, person] + view.joint("neck")[:, person]) / 2).min(-1)
        / view.size[person]
    )
    same = np.sum(view.facing[:, 0] * view.facing[:, 1], axis=-1) > 0.7
    run = longest_run((round_back < 0.32) & (over < 0.36) & same & (view.distance < 0.62), 0.2)
    inside = run if run.stop > run.start else slice(0, 1)
    way = np.linalg.norm(view.ground[inside][-1] - view.ground[inside][0], axis=-1).min()
    return decide(
        "support_walk",
        seconds_of(run) >= 0.8 and way > 0.3 and view.pitch[inside, other].mean() > view.pitch[inside, person].mean(),
        NAMES[person],
        seconds=seconds_of(run),
        way_m=way,
    )


def help_up(view: View) -> CheckResult:
    """A person low down rises to the feet with a hand in that of the other, who stands."""
    return strongest([_help(view, person) for person in range(2)], by="rose_m")


def _help(view: View, person: int) -> CheckResult:
    other = OTHER[person]
    height = view.joint("pelvis")[:, other, 1] / view.size[other]
    held = view.palm_gap.min((1, 2)) < 0.18
    run = longest_run(held, 0.2)
    inside = run if run.stop > run.start else slice(0, 1)
    rose = height[inside][-1] - height[inside][0] if run.stop > run.start else 0.0
    stands = view.joint("pelvis")[inside, person, 1].min() / view.size[person]
    return decide(
        "help_up",
        rose > 0.2 and height[: inside.start + 1].min() < 0.65 and stands > 0.72,
        NAMES[person],
        rose_m=rose,
        lowest_m=height.min(),
        seconds=seconds_of(run),
    )


def pat_shoulder(view: View) -> CheckResult:
    """A palm comes down on the other's shoulder again and again."""
    found = [_pat(view, p, side, name) for p in range(2) for side in range(2) for name in ("left", "right")]
    return strongest(found, by="pats")


def _pat(view: View, person: int, side: int, name: str) -> CheckResult:
    other = OTHER[person]
    gap = np.linalg.norm(view.palms[:, person, side] - view.joint(f"{name}_shoulder")[:, other], axis=-1)
    gap = gap / view.size[other]
    low = view.palms[:, person, side, 1] - view.joint(f"{name}_shoulder")[:, other, 1] < 0.2 * view.size[other]
    run = longest_run((gap < 0.26) & low & (view.palm_at[:, person, 1 - side, 1] < -0.25), 0.15)
    inside = run if run.stop > run.start else slice(0, 1)
    pats = swings(gap[inside], 0.03)
    free = view.palm_to(other, view.mouth[:, other]).min(-1)[inside].min() > 0.35
    return decide(
        "pat_shoulder",
        pats >= 2
        and gap[inside].min() < 0.16
        and seconds_of(run) > 0.5
        and free
        and view.pitch[inside, other].max() < 35,
        NAMES[person],
        pats=pats,
        gap_m=gap.min(),
        seconds=seconds_of(run),
    )
