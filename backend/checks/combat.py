"""Checks of combat and defence: a slap, a blocked punch, a dodged kick, a grapple."""

import numpy as np

from .result import CheckResult, decide, strongest
from .view import FPS, OTHER, View, longest_run, rate, seconds_of, smoothed

NAMES = "AB"
LIMBS = (("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"))


def slap(view: View) -> CheckResult:
    """A hand swings fast from the side onto the other's face, which turns away from it."""
    return strongest([_slap(view, p, side) for p in range(2) for side in range(2)], by="speed_mps")


def _slap(view: View, person: int, side: int) -> CheckResult:
    other = OTHER[person]
    face = view.joint("head")[:, other] + np.array([0, 0.05, 0]) * view.size[other]
    palm = view.palms[:, person, side]
    gap = np.linalg.norm(palm - face, axis=-1) / view.size[other]
    hit = int(np.argmin(gap))
    about = slice(max(hit - 8, 0), hit + 1)
    moving = rate(smoothed(palm, 0.1))[..., [0, 2]]
    across = np.abs(moving[:, 0] * view.to_other[:, person, 1] - moving[:, 1] * view.to_other[:, person, 0])
    yaw = np.unwrap(np.arctan2(view.face[:, other, 0], view.face[:, other, 2]))
    after = slice(hit, min(hit + int(0.6 * FPS), view.frames))
    turned = np.degrees(np.abs(yaw[after] - yaw[max(hit - 6, 0)]).max())
    speed = np.linalg.norm(moving, axis=-1)[about].max()
    rests = longest_run(gap < 0.24)
    heads = np.linalg.norm(view.joint("head")[hit, 0] - view.joint("head")[hit, 1])
    # Who whispers has the hand at the own mouth.
    from_own = np.linalg.norm(palm - view.mouth[:, person], axis=-1)[hit]
    return decide(
        "slap",
        gap[hit] < 0.24
        and across[about].max() > 0.9
        and turned > 12
        and seconds_of(rests) < 0.6
        and speed > 1.2
        and heads > 0.4
        and from_own > 0.28
        and view.faces_other[about].min() > 0.5
        and view.palm_at[hit, person, 1 - side, 1] < -0.2,
        NAMES[person],
        gap_m=gap[hit],
        speed_mps=across[about].max(),
        turned_deg=turned,
    )


def block_punch(view: View) -> CheckResult:
    """A fist flies at the other's head and ends at a raised forearm before it, while the head stays in its place."""
    return strongest([_block(view, p, side) for p in range(2) for side in range(2)], by="speed_mps")


def _block(view: View, person: int, side: int) -> CheckResult:
    other = OTHER[person]
    arms = np.stack([view.palm_to_segment(person, *limb)[:, side] for limb in LIMBS], axis=-1)
    raised = view.palm_at[:, other, :, 1] > 0.02
    gap = np.where(raised, arms, 9.0).min(-1)
    palm = view.palms[:, person, side]
    hips = view.joint("pelvis")
    speed = np.sum(rate(smoothed(palm - hips[:, person], 0.1))[:, [0, 2]] * view.to_other[:, person], axis=-1)
    level = palm[:, 1] - view.shoulder_height[:, other]
    met = longest_run((gap < 0.2) & (np.abs(level) < 0.3 * view.size[other]), 0.05)
    hit = met.start
    before = slice(max(hit - 9, 0), hit + 3)
    about = slice(max(hit - 12, 0), hit + 12)
    carried = view.joint("head")[:, other] - hips[:, other] * [1, 0, 1]
    evaded = np.linalg.norm(carried[about] - np.median(carried, axis=0), axis=-1).max()
    # A hand that comes to meet another, as in a high five, is open to it: this one is caught from the side.
    facing = view.palm_gap[met].min() if met.stop > met.start else 0.0
    return decide(
        "block_punch",
        met.stop > met.start
        and speed[before].max() > 1.1
        and evaded < 0.25
        and seconds_of(met) < 0.9
        and facing > 0.09
        and (view.palm_at[about, person, :, 1].min() > -0.45),
        NAMES[person],
        gap_m=gap.min(),
        speed_mps=speed[before].max(),
        evaded_m=evaded,
        hands_m=facing,
    )


def kick_dodge(view: View) -> CheckResult:
    """A foot is flung up at the other, who gives way and is not reached."""
    return strongest([_kick(view, p, name) for p in range(2) for name in ("left", "right")], by="height_m")


def _kick(view: View, person: int, name: str) -> CheckResult:
    other = OTHER[person]
    foot = view.joint(f"{name}_ankle")[:, person]
    height = (foot[:, 1] - np.percentile(foot[:, 1], 20)) / view.size[person]
    top = int(np.argmax(height))
    ahead = np.sum((foot - view.joint("pelvis")[:, person])[:, [0, 2]] * view.to_other[:, person], axis=-1)
    about = slice(max(top - int(0.6 * FPS), 0), min(top + int(0.6 * FPS), view.frames))
    back = np.sum(
        (view.feet[about, other] - view.feet[about.start, other]) * -view.to_other[about.start, other], axis=-1
    )
    gap = min(
        np.linalg.norm(foot - view.joint(joint)[:, other], axis=-1).min() for joint in ("pelvis", "spine1", "spine3")
    )
    return decide(
        "kick_dodge",
        height[top] > 0.35 and ahead[top] / view.size[person] > 0.4 and back.max() > 0.15 and gap > 0.15,
        NAMES[person],
        height_m=height[top],
        ahead_m=ahead[top],
        gave_way_m=back.max(),
        missed_by_m=gap,
    )


def grapple(view: View) -> CheckResult:
    """Both lean in, hands on the other's shoulders and upper arms, the chests apart, and sway to and fro."""
    near = []
    for person in range(2):
        hands = [
            np.min([view.palm_to(person, view.joint(name)[:, OTHER[person]])[:, side] for name in _SHOULDERS], axis=0)
            for side in range(2)
        ]
        near.append(np.max(hands, axis=0) / view.size[OTHER[person]])
    chests = np.linalg.norm((view.chest[:, 1] - view.chest[:, 0])[:, [0, 2]], axis=-1)
    held = (np.max(near, axis=0) < 0.3) & (view.pitch.min(-1) > 10) & (chests > 0.3)
    run = longest_run(held, 0.2)
    return decide(
        "grapple",
        seconds_of(run) >= 0.7,
        seconds=seconds_of(run),
        hands_to_shoulders_m=np.max(near, axis=0).min(),
        pitch_deg=view.pitch.min(-1).max(),
    )


_SHOULDERS = ("left_shoulder", "right_shoulder")
