"""Checks of how two persons move over the ground: side by side, to and fro, around each other, and in a dance."""

import numpy as np

from .result import CheckResult, decide
from .view import FPS, View, rate, smoothed


def walk_together(view: View) -> CheckResult:
    """Both travel the same way, looking where they go, one beside the other."""
    travel = view.ground[-1] - view.ground[0]
    way = np.linalg.norm(travel, axis=-1)
    heading = travel.sum(0) / max(np.linalg.norm(travel.sum(0)), 1e-9)
    same = np.dot(*travel) / max(way.prod(), 1e-9)
    moving = view.root_speed.min(-1) > 0.25
    looking = float(np.min((view.facing[moving] @ heading).mean(0))) if moving.any() else -1.0
    between = view.ground[:, 1] - view.ground[:, 0]
    ahead = np.abs(between @ heading)
    beside = np.abs(between @ np.array([heading[1], -heading[0]]))
    return decide(
        "walk_together",
        # Half a metre each; a way that is mostly shared; shoulders rarely let two persons closer than 0.3 m abreast.
        way.min() > 0.5
        and same > 0.8
        and looking > 0.7
        and 0.25 < np.median(beside) < 2.0
        and np.median(ahead) < np.median(beside),
        way_m=way.min(),
        same_way=same,
        looking_ahead=looking,
        beside_m=np.median(beside),
        ahead_m=np.median(ahead),
    )


def approach_retreat(view: View) -> CheckResult:
    """The distance falls and grows again because the same person came and went, still facing the other, hands apart."""
    distance = view.distance
    nearest = int(np.argmin(distance))
    inward = np.sum(rate(view.ground) * view.to_other, axis=-1) / FPS
    came = np.maximum(inward[: nearest + 1].sum(0), 0)
    went = np.maximum(-inward[nearest:].sum(0), 0)
    both_ways = np.minimum(came, went)
    share = both_ways / max(both_ways.sum(), 1e-9)
    who = "both" if share.min() > 0.25 else "AB"[int(np.argmax(share))]
    fell, grew = distance[: nearest + 1].max() - distance[nearest], distance[nearest:].max() - distance[nearest]
    facing = view.faces_other.mean(0).min()
    hands = view.palm_gap.min()
    return decide(
        "approach_retreat",
        fell > 0.5 and grew > 0.4 and both_ways.max() > 0.3 and facing > 0.6 and hands > 0.16 and distance.min() > 0.4,
        who,
        fell_m=fell,
        grew_m=grew,
        nearest_m=distance.min(),
        facing=facing,
        hands_m=hands,
    )


def circle(view: View) -> CheckResult:
    """The line between the two turns far about their middle while they face each other at a distance."""
    between = view.ground[:, 1] - view.ground[:, 0]
    angle = np.unwrap(np.arctan2(between[:, 0], between[:, 1]))
    swept = np.degrees(abs(angle[-1] - angle[0]))
    way = np.linalg.norm(np.diff(view.ground, axis=0), axis=-1).sum(0)
    middle = np.linalg.norm(view.ground.mean(1)[-1] - view.ground.mean(1)[0])
    facing = view.faces_other.mean(0).min()
    return decide(
        "circle",
        # 60 degrees is a sixth of the circle, which no other kind sweeps but the dance, and dancers are closer. Who
        # walks around the circle looks ahead, not away from the middle.
        swept > 60 and way.min() > 0.4 and facing > -0.1 and np.median(view.distance) > 0.85,
        swept_deg=swept,
        way_m=way.min(),
        middle_m=float(middle),
        facing=facing,
        distance_m=float(np.median(view.distance)),
    )


def salsa(view: View) -> CheckResult:
    """A close couple, time and again in hand or arm contact, stepping and turning all the while but going nowhere."""
    close = view.distance < 1.15 * view.size.mean()
    together = close.sum() / FPS
    held = (_hold(view) & close).sum() / FPS
    steps = min(_steps(view, person, close) for person in range(2))
    turning = np.degrees(np.abs(rate(view.heading[close])).mean(0)).min() if close.sum() > 1 else 0.0
    middle = view.ground.mean(1)
    travel = np.linalg.norm(middle[-1] - middle[0]) / (view.frames / FPS)
    return decide(
        "salsa",
        # Greetings bring two persons as close, but they stand then; who walks side by side gets somewhere.
        together > 2.0 and held > max(0.15 * together, 0.5) and steps > 1.0 and turning > 15 and travel < 0.4,
        together_s=together,
        held_s=held,
        steps_a_second=steps,
        turning_dps=turning,
        travel_mps=float(travel),
    )


def _hold(view: View) -> np.ndarray:
    """The frames (T,) in which a palm of one is at a palm or the torso of the other."""
    # The dancers' skeletons are of one size for all, so hands that met in the capture are up to 18 cm apart.
    near = view.palm_gap.min((1, 2)) < 0.3
    for person in range(2):
        near |= view.palm_to_segment(person, "spine1", "neck").min(-1) < 0.3
    return near


def _steps(view: View, person: int, during: np.ndarray) -> float:
    """Times a second that a person's feet set out to move, in the frames ``during`` (T,)."""
    count = 0
    for name in ("left_ankle", "right_ankle"):
        moving = np.linalg.norm(rate(smoothed(view.joint(name)[:, person], 0.1)), axis=-1) > 0.4
        count += int(np.sum(moving[1:] & ~moving[:-1] & during[1:]))
    return count * FPS / max(int(during.sum()), 1)
