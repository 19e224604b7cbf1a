"""Checks of play and sport: throwing and catching, tug of war, a clapping game, jumping together."""

import numpy as np

from .result import CheckResult, decide, strongest
from .view import FPS, OTHER, View, longest_run, rate, seconds_of, smoothed


def throw_catch(view: View) -> CheckResult:
    """A hand flings forward over a distance; soon after both hands of the other come together in front."""
    return strongest([_throw(view, p, side) for p in range(2) for side in range(2)], by="thrown_mps")


def _throw(view: View, person: int, side: int) -> CheckResult:
    other = OTHER[person]
    at = smoothed(view.palm_at[:, person, side], 0.1)
    forth = np.where((at[:, 1] > -0.25) & (at[:, 2] > 0.15), rate(at[:, 2]), 0.0)
    thrown = int(np.argmax(forth))
    after = slice(min(thrown + 6, view.frames - 1), min(thrown + int(1.6 * FPS), view.frames))
    theirs = view.palm_at[after, other]
    own = np.linalg.norm(view.palms[after, other, 0] - view.palms[after, other, 1], axis=-1) / view.size[other]
    ready = (
        (own < 0.38)
        & (theirs[..., 2].min(-1) > 0.2)
        & (theirs[..., 1].min(-1) > -0.42)
        & (theirs[..., 1].max(-1) < 0.1)
    )
    caught = seconds_of(longest_run(ready))
    idle = view.palm_at[max(thrown - 6, 0) : thrown + 3, other, :, 1].max()
    return decide(
        "throw_catch",
        forth[thrown] > 1.4 and caught > 0.15 and view.distance.min() > 1.3 and idle < 0.0,
        "both",
        thrown_mps=forth[thrown],
        caught_s=caught,
        distance_m=view.distance.min(),
    )


def tug_of_war(view: View) -> CheckResult:
    """Both lean back from each other at a distance, both hands one behind the other in front of the body."""
    own = np.linalg.norm(view.palms[:, :, 0] - view.palms[:, :, 1], axis=-1) / view.size
    at = view.palm_at
    held = (own.max(-1) < 0.42) & (at[..., 2].min((1, 2)) > 0.12) & (np.abs(at[..., 1] + 0.35).max((1, 2)) < 0.35)
    run = longest_run(held & (view.pitch.max(-1) < -4) & (view.faces_other.min(-1) > 0.5) & (view.distance > 1.3), 0.2)
    return decide(
        "tug_of_war",
        seconds_of(run) >= 0.9,
        seconds=seconds_of(run),
        lean_deg=view.pitch.max(-1).min(),
        hands_m=own.max(-1).min(),
    )


def clap_game(view: View) -> CheckResult:
    """Time and again palms meet the other's in front of the shoulders, and one's own in between."""
    crossed = np.minimum(view.palm_gap[:, 0, 1], view.palm_gap[:, 1, 0])
    same = np.minimum(view.palm_gap[:, 0, 0], view.palm_gap[:, 1, 1])
    meets = (np.minimum(crossed, same) < 0.17) & (view.palm_at[..., 1].max((1, 2)) > -0.3)
    own = (np.linalg.norm(view.palms[:, :, 0] - view.palms[:, :, 1], axis=-1).max(-1) < 0.08) & (
        view.palm_at[..., 1].min((1, 2)) > -0.4
    )
    turns = np.where(own, -1, np.where(meets, 1, 0))
    turns = turns[turns != 0]
    changes = int(np.sum(turns[1:] != turns[:-1]))
    return decide(
        "clap_game",
        changes >= 3 and view.distance.min() > 0.45 and view.faces_other.min(-1).mean() > 0.6,
        changes=changes,
        gap_m=np.minimum(crossed, same).min(),
    )


def jump_together(view: View) -> CheckResult:
    """All four feet are off the floor at the same time, and the hips are up with them."""
    hips = view.joint("pelvis")[..., 1]
    height = np.minimum(view.rose, (hips - np.median(hips, axis=0)) / view.size).min(-1)
    run = longest_run(height > 0.04)
    return decide("jump_together", seconds_of(run) >= 0.1, seconds=seconds_of(run), height_m=height.max())
