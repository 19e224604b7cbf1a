"""Checks of what two persons do to greet each other: handshake, high five, hug, bow, wave."""

import numpy as np

from backend.corpus.choreographer.body import SIDES

from .result import CheckResult, by_whom, decide, strongest
from .view import OTHER, View, longest_run, rate, seconds_of, smoothed

PALMS_MEET = 0.16
"""Metres between palm points that count as touching: hands are 8-10 cm wide, mocap and decoding miss by a few more."""


def handshake(view: View) -> CheckResult:
    """One palm of each meets for a while between hip and chest, in front of persons who face each other and stay."""
    return strongest([_one_handshake(view, a, b) for a in range(2) for b in range(2)], by="seconds")


def _one_handshake(view: View, a: int, b: int) -> CheckResult:
    hands = np.stack((view.palms[:, 0, a], view.palms[:, 1, b]), axis=1)
    level = _level(view, hands[..., 1].mean(-1))
    # An arm that hangs or is crossed has its palm less than 0.2 m in front of the pelvis.
    reach = np.sum((hands - view.joint("pelvis"))[..., [0, 2]] * view.to_other, axis=-1) / view.size
    gap = view.palm_gap[:, a, b]
    in_place = (level > 0.5) & (level < 0.92) & (reach.mean(-1) > 0.2) & (view.faces_other.min(-1) > 0.3)
    run = longest_run((gap < PALMS_MEET) & in_place, 0.2)
    inside = run if run.stop > run.start else slice(0, 1)
    others_gap = np.median(view.palm_gap[inside, 1 - a, 1 - b])
    turned = np.degrees(np.ptp(view.heading[inside], axis=0).max())
    held = longest_run(gap < PALMS_MEET, 0.2)
    walked = (
        np.ptp(np.linalg.norm(view.ground[held] - view.ground[held.start], axis=-1), axis=0) if held.stop else [0.0]
    )
    bent = (view.pitch[inside] - np.percentile(view.pitch, 10, axis=0)).max()
    return decide(
        "handshake",
        # The corpus's shortest handshake lasts 1 s, the real one 1.3 s. Dancers hold both hands or turn, who is pulled
        # walks while the hands hold, and who kisses a hand bends over it; who shakes hands does none of these.
        seconds_of(run) >= 0.6
        and others_gap > 0.25
        and turned < 50
        and np.max(walked) < 0.4
        and bent < 30
        and view.sunk[inside].max() < 0.2,
        seconds=seconds_of(run),
        gap_m=gap.min(),
        other_hands_gap_m=others_gap,
        turned_deg=turned,
        walked_m=np.max(walked),
        bent_deg=bent,
    )


def _level(view: View, height: np.ndarray) -> np.ndarray:
    """A height (T,) over the floor in shoulder heights of the shorter person, whose reach decides where hands meet."""
    return height / view.shoulder_height.max(0).min()


def high_five(view: View) -> CheckResult:
    """Two palms meet for a moment at shoulder height or above, half way between two persons who face each other."""
    found = [_one_high_five(view, a, b) for a in range(2) for b in range(2)]
    return strongest(found, by="level")


def _one_high_five(view: View, a: int, b: int) -> CheckResult:
    hands = (view.palms[:, 0, a] + view.palms[:, 1, b]) / 2
    level = _level(view, hands[:, 1])
    # 0 at A, 1 at B: a fist that flies into the other's guard ends near the other.
    share = np.sum((hands[:, [0, 2]] - view.ground[:, 0]) * view.to_other[:, 0], axis=-1) / np.maximum(
        view.distance, 0.1
    )
    apart = view.distance > 0.55 * view.size.mean()
    met = (view.palm_gap[:, a, b] < PALMS_MEET) & (level > 0.92) & (np.abs(share - 0.5) < 0.2) & apart
    run = longest_run(met & (view.faces_other.min(-1) > 0.3))
    before = max(run.start - 6, 0)
    palms = np.stack((view.palms[:, 0, a], view.palms[:, 1, b]), axis=1)[..., [0, 2]] - view.ground
    came = np.sum((palms[run.start] - palms[before]) * view.to_other[run.start], axis=-1).min()
    return decide(
        "high_five",
        # A fist that brushes a guard is there for 0.07 s, palms that slap for 0.27 s or more; hands that stay together
        # for 1.5 s are holding, not clapping.
        # Both palms come to the meeting: a guard that catches a fist waits for it.
        0.12 <= seconds_of(run) <= 1.5 and came > 0.1,
        seconds=seconds_of(run),
        gap_m=view.palm_gap[:, a, b].min(),
        level=level.max(),
        both_came_m=came,
    )


def hug(view: View) -> CheckResult:
    """Chest to chest for a while, with a palm of each behind the other's chest."""
    apart = view.chest[:, 1] - view.chest[:, 0]
    gap = np.linalg.norm(apart[:, [0, 2]], axis=-1) / view.size.mean()
    behind = []
    for person in range(2):
        other = OTHER[person]
        from_chest = view.palms[:, person] - view.chest[:, other, None]
        depth = np.einsum("tsg,tg->ts", from_chest[..., [0, 2]], view.facing[:, other])
        near = np.linalg.norm(from_chest, axis=-1) < 0.45
        behind.append(((depth < 0.0) & near).any(-1))
    around = behind[0] & behind[1]
    close = (gap < 0.5) & (view.faces_other.min(-1) > 0.3)
    run = longest_run(around & close, 0.2)
    inside = run if run.stop > run.start else slice(0, 1)
    turned = np.degrees(np.ptp(view.heading[inside], axis=0).max())
    return decide(
        "hug",
        # Dancers in closed hold turn and travel; a hug stays. 0.5 s is half of the corpus's shortest.
        seconds_of(run) >= 0.5 and turned < 75,
        seconds=seconds_of(run),
        chest_gap_m=gap.min(),
        turned_deg=turned,
    )


def bow(view: View) -> CheckResult:
    """The torso pitches forward and comes up again, at a distance, by a person who stays in place."""
    found = [_one_bow(view, person) for person in range(2)]
    return by_whom("bow", found, "pitch_deg")


def _one_bow(view: View, person: int) -> CheckResult:
    pitch = smoothed(view.pitch[:, person], 0.2)
    peak = int(np.argmax(pitch))
    rise = pitch[peak] - max(pitch[: peak + 1].min(), pitch[peak:].min())
    run = longest_run(pitch > pitch[peak] - rise / 2)
    apart = view.distance[run].min() if run.stop > run.start else 0.0
    speed = view.root_speed[run, person].mean() if run.stop > run.start else 0.0
    hips = view.joint("pelvis")[:, person, 1]
    hands = view.palm_gap[run].min() if run.stop > run.start else 0.0
    sunk = (np.percentile(hips, 90) - hips[peak]) / view.size[person]
    return decide(
        "bow",
        # 22 degrees is a slight bow and more than the lean of a walk or of a push; who ducks lowers the hips as well,
        # and who bends over the other's hand holds it.
        rise >= 22
        and pitch[peak] >= 22
        and seconds_of(run) >= 0.4
        and apart > 0.7
        and speed < 0.5
        and sunk < 0.17
        and hands > 0.17,
        pitch_deg=rise,
        seconds=seconds_of(run),
        distance_m=apart,
        speed_mps=speed,
        hips_sunk_m=sunk,
        hands_m=hands,
    )


def wave(view: View) -> CheckResult:
    """A hand above the shoulder swings from side to side several times and touches nobody."""
    found = [strongest([_one_wave(view, p, side) for side in range(2)], by="swings") for p in range(2)]
    return by_whom("wave", found, "swings")


def _one_wave(view: View, person: int, side: int) -> CheckResult:
    palm = view.palms[:, person, side]
    arm = [view.joint(f"{SIDES[side]}_{name}")[:, person] for name in ("shoulder", "elbow")]
    facing = view.facing[:, person]
    across = np.stack((facing[:, 1], -facing[:, 0]), axis=-1)
    # About the elbow, for the whole arm sways when only the body does.
    sideways = np.sum((palm - arm[1])[:, [0, 2]] * across, axis=-1)
    forward = np.sum((palm - arm[0])[:, [0, 2]] * facing, axis=-1)
    up = palm[:, 1] - arm[0][:, 1] > -0.05
    free = (view.palm_gap.min((1, 2)) > 0.25) & (view.distance > 0.6)
    run = longest_run(up & free, 0.2)
    swings, swing = _swings(smoothed(sideways[run], 0.1)) if run.stop - run.start > 3 else (0, 0.0)
    thrusts, _ = _swings(smoothed(forward[run], 0.1), 0.15) if run.stop - run.start > 3 else (0, 0.0)
    return decide(
        "wave",
        # Three turning points more than 4 cm apart are one and a half swings; raising and lowering an arm makes one. A
        # raised fist that shoots forward and comes back is boxing.
        swings >= 3 and swing > 0.15 and seconds_of(run) >= 0.5 and thrusts < swings / 2,
        swings=swings,
        swing_m=swing,
        seconds=seconds_of(run),
        thrusts=thrusts,
    )


def _swings(values: np.ndarray, least: float = 0.04) -> tuple[int, float]:
    """Turning points of ``values`` (T,) that are more than ``least`` metres from the last, and the mean way between."""
    moving = np.sign(rate(values))
    turns = [0, *np.flatnonzero(np.diff(moving) != 0), len(values) - 1]
    kept = [values[0]]
    for value in values[turns]:
        rising = len(kept) > 1 and (kept[-1] - kept[-2]) * (value - kept[-1]) > 0
        if rising:
            kept[-1] = value
        elif abs(value - kept[-1]) > least:
            kept.append(value)
    ways = np.abs(np.diff(kept))
    return max(len(kept) - 2, 0), float(ways.mean()) if ways.size else 0.0
