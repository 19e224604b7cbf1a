"""Checks of what one person does to the other: push, pull, punch (and the dodge that answers it)."""

import numpy as np

from .result import CheckResult, decide, strongest
from .view import FPS, OTHER, View, longest_run, rate, seconds_of, smoothed

NAMES = "AB"


def push(view: View) -> CheckResult:
    """A palm thrusts against the other's torso or arms; the other's feet then carry them away, and nobody follows."""
    return strongest([_push_by(view, person) for person in range(2)], by="moved_m")


def _push_by(view: View, person: int) -> CheckResult:
    other = OTHER[person]
    gap = _to_body(view, person)
    frame, side = np.unravel_index(int(np.argmin(gap)), gap.shape)
    touching = np.flatnonzero(gap.min(-1) < gap.min() + 0.05)
    away = view.to_other[:, person]
    thrust = np.sum(rate(smoothed(view.palms[:, person, side, :][:, [0, 2]], 0.1)) * away, axis=-1)
    before = slice(max(int(touching[0]) - 12, 0), int(touching[-1]) + 4)
    # Feet, for the hips of who only leans away from a punch move as well. A stagger is over after 1.5 s.
    start, stop = int(touching[0]), min(int(touching[-1]) + int(1.5 * FPS), view.frames)
    along = np.sum((view.feet[start:stop] - view.feet[start]) * away[start], axis=-1)
    moved, followed = along[:, other].max(), along[int(np.argmax(along[:, other])), person]
    return decide(
        "push",
        # Who parts after a hug moves away from someone who leaves as well; who is pushed does not.
        gap.min() < 0.25 and thrust[before].max() > 0.5 and moved > 0.3 and -0.2 < followed < moved - 0.2,
        NAMES[person],
        gap_m=gap.min(),
        thrust_mps=thrust[before].max(),
        moved_m=moved,
        followed_m=followed,
        at_s=frame / FPS,
    )


def _to_body(view: View, person: int) -> np.ndarray:
    """From a person's palms to the other's torso and upper arms, along which a push lands (T, 2)."""
    segments = (
        ("spine1", "neck"),
        ("left_shoulder", "right_shoulder"),
        ("left_shoulder", "left_elbow"),
        ("right_shoulder", "right_elbow"),
    )
    return np.min([view.palm_to_segment(person, *segment) for segment in segments], axis=0)


def pull(view: View) -> CheckResult:
    """A palm holds the other's hand or forearm, and the other comes towards a person who does not come to meet them."""
    return strongest([_pull_by(view, person) for person in range(2)], by="drawn_m")


def _pull_by(view: View, person: int) -> CheckResult:
    other = OTHER[person]
    forearms = [("left_elbow", "left_wrist"), ("right_elbow", "right_wrist")]
    to_arm = np.min([view.palm_to_segment(person, *segment) for segment in forearms], axis=0)
    gap = np.minimum(to_arm, view.palm_gap.min(2 if person == 0 else 1)).min(-1)
    run = longest_run(gap < 0.16, 0.2)
    if run.stop == run.start:
        return decide("pull", False, gap_m=gap.min(), seconds=0.0, drawn_m=0.0, met_m=0.0)
    stop = min(run.stop + int(0.5 * FPS), view.frames)
    towards = view.to_other[run.start, other]
    along = np.sum((view.ground[run.start : stop] - view.ground[run.start]) * towards, axis=-1)
    last = int(np.argmax(along[:, other]))
    drawn, met = along[last, other], -along[last, person]
    turned = np.degrees(np.ptp(view.heading[run], axis=0).max())
    left = view.distance[run.start + last] / view.size.mean()
    return decide(
        "pull",
        # Drawn by more than a shift of weight, while whoever pulls stays or gives way; who ends breast to breast hugs,
        # who turns dances, and who goes as far as the other leads.
        seconds_of(run) >= 0.6
        and drawn > 0.25
        and -0.7 < met / max(drawn, 0.01) < 0.35
        and left > 0.42
        and turned < 40
        # Who is helped up comes nearer as well.
        and view.sunk[run].max() < 0.25,
        NAMES[person],
        gap_m=gap.min(),
        seconds=seconds_of(run),
        drawn_m=drawn,
        met_m=met,
        left_m=left,
        turned_deg=turned,
    )


def punch_dodge(view: View) -> CheckResult:
    """A fist flies at the other's head, and the head leaves its place over the hips in time."""
    return strongest([_punch_by(view, person, side) for person in range(2) for side in range(2)], by="evaded_m")


def _punch_by(view: View, person: int, side: int) -> CheckResult:
    other = OTHER[person]
    fist, head = view.palms[:, person, side], view.joint("head")[:, other]
    hips = view.joint("pelvis")
    # Where the head would be had it not moved: as high over the floor and as far over the hips as it usually is.
    carried = head - hips[:, other] * [1, 0, 1]
    usual = np.median(carried, axis=0)
    aim = usual + hips[:, other] * [1, 0, 1] - fist
    way = view.to_other[:, person]
    short = np.sum(aim[:, [0, 2]] * way, axis=-1) / view.size[other]
    across = aim[:, 0] * way[:, 1] - aim[:, 2] * way[:, 0]
    off_line = np.hypot(across, aim[:, 1]) / view.size[other]
    # The frame in which the fist, on the head's line and at its height, is nearest to it.
    hit = int(np.argmin(np.where(off_line < 0.19, short, 9.0)))
    speed = np.sum(rate(smoothed(fist - hips[:, person], 0.1))[:, [0, 2]] * way, axis=-1)
    about = slice(max(hit - 12, 0), hit + 12)
    evaded = np.linalg.norm(carried[about] - usual, axis=-1).max()
    fastest = speed[about.start : hit + 1].max()
    return decide(
        "punch_dodge",
        # A push is as fast, but ends on the chest, 0.3 m under the head. Arms that are too short for the distance miss
        # by up to half a metre; a hand that is lifted in greeting stays farther away, or the head stays.
        fastest > 1.8 and evaded > 0.15 and off_line[hit] < 0.19 and short[hit] < 0.5,
        NAMES[person],
        fist_mps=fastest,
        evaded_m=evaded,
        off_line_m=off_line[hit],
        short_m=short[hit],
        at_s=hit / FPS,
    )
