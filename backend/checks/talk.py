"""Checks of conversation and quarrel: arguing, scolding, whispering, beckoning, pointing out, a hand refused."""

import numpy as np

from .result import CheckResult, decide, strongest
from .view import FPS, OTHER, View, longest_run, seconds_of, smoothed, swings

NAMES = "AB"


def _gesturing(view: View, person: int) -> np.ndarray:
    """Frames (T,) in which a hand is held out at the other, between belly and shoulders, and touches nobody."""
    at = view.palm_at[:, person]
    out = ((at[:, :, 2] > 0.34) & (at[:, :, 1] > -0.36) & (at[:, :, 1] < 0.12)).any(-1)
    return out & (view.palm_gap.min((1, 2)) > 0.2)


def argue(view: View) -> CheckResult:
    """They take turns in thrusting their hands at each other, standing face to face and touching nobody."""
    turns = [_gesturing(view, person) for person in range(2)]
    apart = float(np.mean(turns[0] & turns[1])) < 0.4 * min(turn.mean() for turn in turns)
    shaken = min(_head_swings(view, person) for person in range(2))
    gone = np.linalg.norm(np.ptp(view.ground, axis=0), axis=-1).max()
    touching = view.palm_gap.min((1, 2)) < 0.16
    return decide(
        "argue",
        min(turn.sum() for turn in turns) > 0.2 * FPS
        and apart
        and shaken >= 1
        and gone < 0.5
        and view.faces_other.min(-1).mean() > 0.7
        and not touching.any()
        and 0.6 < np.median(view.distance) < 1.8,
        least_s=min(turn.sum() for turn in turns) / FPS,
        both_s=float(np.sum(turns[0] & turns[1])) / FPS,
        travel_m=gone,
        head_swings=shaken,
    )


def _head_swings(view: View, person: int, degrees: float = 7.0, during: slice = slice(None)) -> int:
    """How often a head turns to and fro against the body."""
    face = np.unwrap(np.arctan2(view.face[:, person, 0], view.face[:, person, 2]))
    return swings(np.degrees(smoothed((face - view.heading[:, person])[during], 0.1)), degrees)


def scold(view: View) -> CheckResult:
    """A raised hand wags from side to side before who scolds, while the other looks down, bent."""
    return strongest([_scold(view, p, side) for p in range(2) for side in range(2)], by="wags")


def _scold(view: View, person: int, side: int) -> CheckResult:
    other = OTHER[person]
    at = view.palm_at[:, person, side]
    run = longest_run((at[:, 1] > -0.26) & (at[:, 2] > 0.2) & (at[:, 1] < 0.3), 0.15)
    inside = run if run.stop > run.start else slice(0, 1)
    wags = swings(smoothed(at[inside, 0], 0.06), 0.05)
    down = -view.face[:, other, 1]
    return decide(
        "scold",
        wags >= 3
        and seconds_of(run) > 0.7
        and np.percentile(down[inside], 70) > 0.3
        and view.palm_at[inside, other, :, 1].max() < -0.3
        and 0.6 < view.distance[inside].min() < 1.6,
        NAMES[person],
        wags=wags,
        seconds=seconds_of(run),
        looks_down=float(np.percentile(down[inside], 70)),
    )


def whisper(view: View) -> CheckResult:
    """A head comes to the side of the other's head, a hand beside the mouth, and stays for a while."""
    return strongest([_whisper(view, p, side) for p in range(2) for side in range(2)], by="seconds")


def _whisper(view: View, person: int, side: int) -> CheckResult:
    other = OTHER[person]
    heads = np.linalg.norm(view.mouth[:, person] - view.joint("head")[:, other], axis=-1) / view.size.mean()
    hand = view.palm_to(person, view.mouth[:, person])[:, side] / view.size[person]
    run = longest_run((heads < 0.42) & (hand < 0.24) & (view.palm_at[:, person, 1 - side, 1] < -0.2), 0.15)
    return decide(
        "whisper",
        seconds_of(run) >= 0.6,
        NAMES[person],
        seconds=seconds_of(run),
        heads_m=heads.min(),
        hand_to_mouth_m=hand.min(),
    )


def beckon(view: View) -> CheckResult:
    """A hand held out before the body is drawn in again and again, with nothing in reach."""
    return strongest([_beckon(view, p, side) for p in range(2) for side in range(2)], by="draws")


def _beckon(view: View, person: int, side: int) -> CheckResult:
    at = view.palm_at[:, person, side]
    held = (at[:, 1] > -0.25) & (at[:, 1] < 0.3) & (at[:, 2] > 0.12) & (view.distance > 0.7)
    free = (view.palm_gap.min((1, 2)) > 0.25) & (view.palm_at[:, person, 1 - side, 1] < -0.2)
    run = longest_run(held & free, 0.15)
    inside = run if run.stop > run.start else slice(0, 1)
    draws = swings(smoothed(at[inside, 2], 0.06), 0.06)
    aside = swings(smoothed(at[inside, 0], 0.06), 0.06)
    lifts = np.ptp(at[inside, 1])
    return decide(
        "beckon",
        draws >= 3
        and aside < draws
        and lifts > 0.1
        and view.faces_other[inside].min() > 0.3
        and view.palm_at[:, OTHER[person], :, 1].max() < -0.1,
        NAMES[person],
        draws=draws,
        seconds=seconds_of(run),
        lifts_m=lifts,
    )


def point_out(view: View) -> CheckResult:
    """A stretched arm is held up to one side, not at the other, who turns the face that way."""
    return strongest([_point(view, p, side) for p in range(2) for side in range(2)], by="seconds")


def _point(view: View, person: int, side: int) -> CheckResult:
    other = OTHER[person]
    shoulder = view.joint(("left_shoulder", "right_shoulder")[side])[:, person]
    arm = view.palms[:, person, side] - shoulder
    length = np.linalg.norm(arm, axis=-1) / view.size[person]
    floor = arm[:, [0, 2]] / np.maximum(np.linalg.norm(arm[:, [0, 2]], axis=-1, keepdims=True), 1e-6)
    aside = np.degrees(np.arccos(np.clip(np.sum(floor * view.to_other[:, person], axis=-1), -1, 1)))
    raised = arm[:, 1] / view.size[person] > -0.2
    run = longest_run((length > 0.48) & raised & (aside > 30) & (aside < 120), 0.1)
    inside = run if run.stop > run.start else slice(0, 1)
    still = np.ptp(smoothed(view.palm_at[inside, person, side], 0.1), axis=0).max()
    looks = np.sum(view.face[:, other][:, [0, 2]] * floor, axis=-1)
    gain = looks[inside].max() - np.median(looks[: max(run.start, 1)])
    return decide(
        "point_out",
        seconds_of(run) >= 0.6
        and gain > 0.2
        and view.distance[inside].min() > 0.6
        and view.palm_at[inside, other, :, 1].max() < -0.2
        and np.linalg.norm(np.ptp(view.ground[inside], axis=0), axis=-1).max() < 0.4,
        NAMES[person],
        seconds=seconds_of(run),
        partner_turns=gain,
        moved_m=still,
    )


def refuse_hand(view: View) -> CheckResult:
    """A hand is held out to the other for a while, and the other shakes the head or turns away and does not take it."""
    return strongest([_refuse(view, p, side) for p in range(2) for side in range(2)], by="seconds")


def _refuse(view: View, person: int, side: int) -> CheckResult:
    other = OTHER[person]
    at = view.palm_at[:, person, side]
    offered = (at[:, 2] > 0.3) & (at[:, 1] < -0.12) & (at[:, 1] > -0.55) & (view.palm_at[:, person, 1 - side, 1] < -0.3)
    gap = (view.palm_gap if person == 0 else view.palm_gap.swapaxes(1, 2))[:, side].min(-1)
    run = longest_run(offered & (view.distance < 1.5) & (view.distance > 0.6), 0.1)
    inside = run if run.stop > run.start else slice(0, 1)
    moved = np.ptp(smoothed(at[inside], 0.1)[len(at[inside]) // 4 : -(len(at[inside]) // 4) or None], axis=0).max()
    until = slice(inside.start, min(inside.stop + int(FPS), view.frames))
    shakes = _head_swings(view, other, 9.0, until)
    away = np.degrees(np.arccos(np.clip(view.faces_other[until, other].min(), -1, 1)))
    return decide(
        "refuse_hand",
        seconds_of(run) >= 0.8
        and gap.min() > 0.17
        and moved < 0.12
        and (shakes >= 2 or away > 60)
        and view.sunk.max() < 0.15
        and np.linalg.norm(np.ptp(view.ground[inside, person], axis=0)) < 0.3
        and view.faces_other[inside, person].min() > 0.6,
        NAMES[person],
        seconds=seconds_of(run),
        gap_m=gap.min(),
        head_shakes=shakes,
        turned_away_deg=away,
        moved_m=moved,
    )
