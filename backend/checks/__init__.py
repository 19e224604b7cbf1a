"""Rule-based checks: does a motion of two persons show a handshake, a push …, judged from the bodies alone."""

from collections.abc import Callable

from protocol.motion import Motion

from ..corpus.choreographer.captions import phrases
from . import (
    affection,
    combat,
    comfort,
    company,
    dance,
    force,
    greetings,
    play,
    salutes,
    talk,
    threat,
    together,
    travel,
)
from .result import CheckResult
from .view import View

__all__ = ["CHECKS", "WITH_ACTOR", "CheckResult", "View", "done_by", "finds", "judge"]

CHECKS: dict[str, Callable[[View], CheckResult]] = {
    "handshake": greetings.handshake,
    "high_five": greetings.high_five,
    "hug": greetings.hug,
    "push": force.push,
    "pull": force.pull,
    "bow": greetings.bow,
    "wave": greetings.wave,
    "walk_together": travel.walk_together,
    "approach_retreat": travel.approach_retreat,
    "circle": travel.circle,
    "punch_dodge": force.punch_dodge,
    "salsa": travel.salsa,
    "fist_bump": salutes.fist_bump,
    "salute": salutes.salute,
    "tip_hat": salutes.tip_hat,
    "curtsy": salutes.curtsy,
    "kiss_hand": affection.kiss_hand,
    "hold_hands": affection.hold_hands,
    "caress_cheek": affection.caress_cheek,
    "blow_kiss": affection.blow_kiss,
    "argue": talk.argue,
    "scold": talk.scold,
    "whisper": talk.whisper,
    "beckon": talk.beckon,
    "point_out": talk.point_out,
    "refuse_hand": talk.refuse_hand,
    "hand_over": together.hand_over,
    "carry_together": together.carry_together,
    "toast": together.toast,
    "slap": combat.slap,
    "block_punch": combat.block_punch,
    "kick_dodge": combat.kick_dodge,
    "grapple": combat.grapple,
    "console": comfort.console,
    "support_walk": comfort.support_walk,
    "help_up": comfort.help_up,
    "pat_shoulder": comfort.pat_shoulder,
    "threaten": threat.threaten,
    "surrender": threat.surrender,
    "scare": threat.scare,
    "throw_catch": play.throw_catch,
    "tug_of_war": play.tug_of_war,
    "clap_game": play.clap_game,
    "jump_together": play.jump_together,
    "waltz": dance.waltz,
    "slow_dance": dance.slow_dance,
    "mirror_dance": dance.mirror_dance,
    "follow": company.follow,
    "lead_by_hand": company.lead_by_hand,
    "hold_hands_walk": company.hold_hands_walk,
    "back_to_back": company.back_to_back,
    "chase": company.chase,
}
"""The check of every kind."""

WITH_ACTOR = tuple(kind for kind in CHECKS if "actor" in phrases(kind))
"""Kinds in which it matters who does it: A, B, or both."""

SHAKING = 2500.0
"""Metres a second cubed: no body moves with more jerk on average (the dancers: 260), and in bodies that shake like that
a hand is anywhere at some time."""
TEARING = 12.0
"""Metres a second: no joint moves faster (who is scared: 9), unless a motion is torn between two frames."""


def judge(motion: Motion) -> dict[str, CheckResult]:
    """The result of every kind's check on a motion of two persons, at any frame rate.

    Raises:
        DuologueError: ``two_persons_needed``.
    """
    view = View.of(motion)
    return {kind: _check(view, kind) for kind in CHECKS}


def finds(motion: Motion, kind: str, actor: str | None = None) -> bool:
    """Whether a motion shows an interaction, and where it matters who does it, done by an actor: see `done_by`.

    Raises:
        DuologueError: ``two_persons_needed``.
        KeyError: if there is no such kind.
    """
    return done_by(_check(View.of(motion), kind), actor)


def done_by(result: CheckResult, actor: str | None) -> bool:
    """Whether a check has passed and seen ``actor`` act: "A", "B" or "both"; None is whoever it was.

    In kinds in which it does not matter who acts, it is not asked.
    """
    return result.passed and (actor is None or result.kind not in WITH_ACTOR or result.actor == actor)


def _check(view: View, kind: str) -> CheckResult:
    check = CHECKS[kind]
    if view.jerk < SHAKING and view.fastest < TEARING:
        return check(view)
    return CheckResult(kind, False, None, {"jerk_mps3": view.jerk, "fastest_mps": view.fastest})
