"""Where persons go: coming together, stepping, turning, and free tracks over the floor."""

from __future__ import annotations

import numpy as np

from ..blend import FPS, ease, smooth
from ..path import direction, heading_of, leftward
from .score import Persons, Score

Floor = np.ndarray


def place(score: Score, gap: float, askew: float = 6.0) -> None:
    """Set B in front of A at ``gap`` metres (of the mean body), both a little off the line and the exact facing."""
    stage = score.stage
    for person in range(2):
        score.xz[person][:] = (stage.uniform(-0.03, 0.03), person * gap * stage.size)
        score.heading[person] += np.radians(stage.uniform(-askew, askew))


def step(score: Score, who: int, start: float, forward: float, left: float = 0.0, speed: float = 0.9) -> float:
    """Walk some metres (of one's own body) ahead and to the left, as faced at ``start``; returns when it is done."""
    size, ahead = score.stage.bodies[who].scale, score.direction(who, start)
    way = size * (forward * ahead[0] + left * ahead[1])
    seconds = float(np.hypot(*way)) / (speed * score.stage.pace)
    end = start + max(seconds, 0.25)
    score.xz[who] += np.clip((score.t - start) / (end - start), 0, 1)[:, None] * way
    score.note(
        "step back" if forward < -abs(left) else "step", who, start, end, metres=round(abs(forward) + abs(left), 2)
    )
    return end


def turn(score: Score, who: int, start: float, degrees: float, seconds: float = 0.8) -> float:
    """Turn on the spot to the left; returns when it is done."""
    end = start + seconds / score.stage.pace
    score.heading[who] += np.radians(degrees) * ease(score.t, start, end)
    score.note("turn", who, start, end, degrees=round(degrees))
    return end


def meet(
    score: Score, gap: float, needed: float, most: float = 1.8, likely: float = 0.5, who: Persons = (0, 1)
) -> float:
    """Come together to ``gap`` metres (of the mean body), if the scene has the time and the dice say so.

    Args:
        score: nothing may have been placed yet.
        gap: distance at which both stand in the end.
        needed: seconds that what follows takes.
        most: metres walked at most.
        likely: probability of walking at all.
        who: who walks.

    Returns:
        when both stand, in seconds; a moment after the start where nobody walks.
    """
    stage = score.stage
    place(score, gap)
    idle, speed = stage.uniform(0.1, 0.4), 1.05 * stage.pace
    far = min(most, (stage.seconds - needed - idle) * 0.9 * speed)
    walks = stage.chance(likely)
    metres = stage.uniform(0.6, max(far, 0.61))
    if not walks or far < 0.7:
        return idle
    movers = (who,) if isinstance(who, int) else who
    share = stage.uniform(0.35, 0.65) if len(movers) == 2 else 1.0
    shares = (share, 1 - share) if len(movers) == 2 else tuple(float(person in movers) for person in range(2))
    arrive = idle + max(shares) * metres / speed
    for person in movers:
        way = metres * shares[person] * (1 if person == 0 else -1)
        begin = arrive - abs(way) / speed
        score.xz[person][:, 1] -= way * (1 - np.clip((score.t - begin) / (arrive - begin), 0, 1))
        score.note("walk up", person, begin, arrive, metres=round(abs(way), 2))
    return arrive + 0.15


def track(score: Score, who: int, xz: Floor, heading: np.ndarray | None = None) -> None:
    """Follow points (T, 2) over the floor, metres, facing (T,) radians, or where one goes if None."""
    score.xz[who][:] = xz
    if heading is None:
        velocity = np.gradient(xz, axis=0)
        slow = np.hypot(*velocity.T) < 1e-4
        heading = heading_of(np.where(slow[:, None], velocity[np.argmin(slow)], velocity))
    score.heading[who][:] = np.unwrap(heading)


def abreast(
    score: Score, gap: float, speed: float, side: str, begin: float = -10.0, end: float = 1e3, bend: float = 0.0
) -> np.ndarray:
    """Walk side by side from ``begin`` to ``end`` seconds: B on A's ``side``, ``gap`` metres of the mean body apart.

    Args:
        score: nothing may have been placed yet.
        gap: between the two.
        speed: metres a second.
        side: "left" or "right".
        begin: seconds; before the scene for who walks already.
        end: seconds.
        bend: radians by which the way turns to the left.

    Returns:
        (T,) metres walked.
    """
    stage = score.stage
    going = smooth(((score.t > begin) & (score.t < end)).astype(np.float64), 7)
    gone = np.cumsum(going * speed * stage.size) / FPS
    heading = bend * gone / max(gone[-1], 1e-6) * min(1.0, stage.seconds / 3)
    centre = np.cumsum(direction(heading) * (going * speed * stage.size)[:, None], axis=0) / FPS
    across = leftward(heading) * (gap * stage.size / 2 * (1 if side == "left" else -1))
    for who, sign in ((0, -1), (1, 1)):
        track(score, who, centre + sign * across, heading)
    score.note("walk", (0, 1), max(begin, 0.0), end, metres=round(float(gone[-1]), 2))
    return gone
