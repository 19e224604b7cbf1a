"""Checks of locomotion together: following, leading by the hand, walking hand in hand, back to back, a chase."""

from typing import NamedTuple

import numpy as np

from .result import CheckResult, decide, strongest
from .view import OTHER, View, longest_run, seconds_of

NAMES = "AB"


class _Row(NamedTuple):
    """Two who go one behind the other: frames in which they do (T,), of these the median speed, and the way."""

    going: np.ndarray
    speed: float
    way: float


def _row(view: View, behind: int) -> _Row:
    ahead = OTHER[behind]
    heading = view.facing[:, behind]
    between = view.ground[:, ahead] - view.ground[:, behind]
    along = np.sum(between * heading, axis=-1)
    across = np.abs(between[:, 0] * heading[:, 1] - between[:, 1] * heading[:, 0])
    same = np.sum(view.facing[:, 0] * view.facing[:, 1], axis=-1)
    going = (along > 0.4) & (along > 1.3 * across) & (same > 0.5) & (view.root_speed.min(-1) > 0.25)
    way = np.linalg.norm(view.ground[-1] - view.ground[0], axis=-1).min()
    return _Row(going, float(np.median(view.root_speed[going])) if going.any() else 0.0, float(way))


def follow(view: View) -> CheckResult:
    """One walks behind the other the same way, hands apart."""
    found = []
    for person in range(2):
        row = _row(view, person)
        run = longest_run(row.going, 0.3)
        hands = view.palm_gap.min()
        passed = (
            seconds_of(run) >= 1.0
            and row.way > 0.6
            and row.speed < 1.9
            and hands > 0.17
            and not _reaching(view, person)
        )
        found.append(
            decide("follow", passed, NAMES[person], seconds=seconds_of(run), way_m=row.way, speed_mps=row.speed)
        )
    return strongest(found, by="seconds")


def _reaching(view: View, person: int) -> bool:
    at = view.palm_at[:, person]
    return bool(np.median((at[..., 2].min(-1) > 0.3) & (at[..., 1].min(-1) > -0.35)) > 0.5)


def lead_by_hand(view: View) -> CheckResult:
    """One goes ahead and has the other, who walks behind, by the hand."""
    found = []
    for person in range(2):
        row = _row(view, OTHER[person])
        held = view.palm_gap.min((1, 2)) < 0.17
        run = longest_run(row.going & held, 0.3)
        found.append(
            decide(
                "lead_by_hand",
                seconds_of(run) >= 0.8 and row.way > 0.4,
                NAMES[person],
                seconds=seconds_of(run),
                way_m=row.way,
                gap_m=view.palm_gap.min(),
            )
        )
    return strongest(found, by="seconds")


def hold_hands_walk(view: View) -> CheckResult:
    """Both walk abreast the same way with a hand of one in a hand of the other."""
    heading = view.facing.sum(1) / np.maximum(np.linalg.norm(view.facing.sum(1), axis=-1, keepdims=True), 1e-9)
    between = view.ground[:, 1] - view.ground[:, 0]
    along = np.abs(np.sum(between * heading, axis=-1))
    across = np.abs(between[:, 0] * heading[:, 1] - between[:, 1] * heading[:, 0])
    abreast = (across > 1.3 * along) & (np.sum(view.facing[:, 0] * view.facing[:, 1], axis=-1) > 0.6)
    held = (view.palm_gap.min((1, 2)) < 0.17) & (view.palm_at[..., 1].mean((1, 2)) < -0.3)
    run = longest_run(abreast & held, 0.3)
    inside = run if run.stop > run.start else slice(0, 1)
    way = np.linalg.norm(view.ground[inside][-1] - view.ground[inside][0], axis=-1).min()
    return decide("hold_hands_walk", seconds_of(run) >= 1.0 and way > 0.4, seconds=seconds_of(run), way_m=way)


def back_to_back(view: View) -> CheckResult:
    """Both face away from each other, so near that the backs touch, and stay."""
    away = view.faces_other.max(-1) < -0.7
    run = longest_run(away & (view.distance < 0.5 * view.size.mean()) & (view.root_speed.max(-1) < 0.4), 0.2)
    return decide("back_to_back", seconds_of(run) >= 0.35, seconds=seconds_of(run), distance_m=view.distance.min())


def chase(view: View) -> CheckResult:
    """One runs behind the other with both arms stretched out ahead."""
    found = []
    for person in range(2):
        row = _row(view, person)
        run = longest_run(row.going & (view.root_speed.min(-1) > 0.8), 0.3)
        passed = seconds_of(run) >= 0.8 and row.speed > 1.05 and _reaching(view, person)
        found.append(decide("chase", passed, NAMES[person], seconds=seconds_of(run), speed_mps=row.speed))
    return strongest(found, by="seconds")
