"""Checks of threat and retreat: a raised fist and who cowers, hands up, a fright."""

import numpy as np

from .result import CheckResult, decide, strongest
from .view import FPS, OTHER, View, longest_run, rate, seconds_of, smoothed

NAMES = "AB"


def threaten(view: View) -> CheckResult:
    """A hand is raised over the shoulder by one while the other cowers: lower, both hands before the face."""
    return strongest([_threaten(view, p, side) for p in range(2) for side in range(2)], by="seconds")


def _threaten(view: View, person: int, side: int) -> CheckResult:
    other = OTHER[person]
    raised = (view.palm_at[:, person, side, 1] > 0.1) & (view.palm_at[:, person, 1 - side, 1] < -0.2)
    shielded = view.palm_to(other, view.mouth[:, other]).max(-1) / view.size[other] < 0.36
    run = longest_run(raised & shielded & (view.sunk[:, other] > 0.06) & (view.faces_other.min(-1) > 0.3), 0.15)
    return decide(
        "threaten",
        seconds_of(run) >= 0.5 and view.distance[run].min() > 0.6,
        NAMES[person],
        seconds=seconds_of(run),
        sunk_m=view.sunk[:, other].max(),
    )


def surrender(view: View) -> CheckResult:
    """Both hands are held up beside the head, still, before a person whose stretched arm aims."""
    return strongest([_surrender(view, person) for person in range(2)], by="seconds")


def _surrender(view: View, person: int) -> CheckResult:
    other = OTHER[person]
    at = view.palm_at[:, person]
    up = (at[..., 1].min(-1) > 0.05) & (at[..., 0].min(-1) > 0.12)
    theirs = view.palm_at[:, other]
    aims = ((theirs[..., 2] > 0.4) & (theirs[..., 1] > -0.4) & (theirs[..., 1] < 0.2)).any(-1)
    run = longest_run(up & aims & (view.distance > 1.0), 0.1)
    inside = run if run.stop > run.start else slice(0, 1)
    moved = np.ptp(smoothed(at[inside], 0.2), axis=0).max()
    return decide(
        "surrender", seconds_of(run) >= 0.6 and moved < 0.3, NAMES[person], seconds=seconds_of(run), moved_m=moved
    )


def scare(view: View) -> CheckResult:
    """Both arms fly up with a step forward; at once the other goes back with the hands flung up."""
    return strongest([_scare(view, person) for person in range(2)], by="speed_mps")


def _scare(view: View, person: int) -> CheckResult:
    other = OTHER[person]
    rising = rate(smoothed(view.palm_at[..., 1], 0.1))
    mine, theirs = rising[:, person].min(-1), rising[:, other].min(-1)
    sets_on = int(np.argmax(mine))
    until = slice(sets_on, min(sets_on + int(1.0 * FPS), view.frames))
    high = view.palm_at[until, person, :, 1].min(-1).max()
    back = np.sum((view.feet[until, other] - view.feet[sets_on, other]) * -view.to_other[sets_on, other], axis=-1).max()
    came = np.sum(
        (view.ground[until, person] - view.ground[max(sets_on - 8, 0), person]) * view.to_other[sets_on, person],
        axis=-1,
    )
    first = int(np.argmax(theirs[until]))
    return decide(
        "scare",
        mine[sets_on] > 1.2
        and high > 0.02
        and theirs[until].max() > 1.2
        and first > 0
        and back > 0.15
        and came.max() > 0.1
        and view.palm_gap.min() > 0.15,
        NAMES[person],
        speed_mps=mine[sets_on],
        starts_mps=theirs[until].max(),
        back_m=back,
        came_m=came.max(),
    )
