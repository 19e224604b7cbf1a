"""The kinds of interaction, each a function from a Stage to a Performance."""

from collections.abc import Callable

from ..staging import Performance, Stage
from .affection import blow_kiss, caress_cheek, hold_hands, kiss_hand
from .combat import block_punch, grapple, kick_dodge, slap
from .comfort import console, help_up, pat_shoulder, support_walk
from .company import back_to_back, chase, follow, hold_hands_walk, lead_by_hand
from .dance import mirror_dance, slow_dance, waltz
from .embraces import hug
from .greetings import bow, handshake, high_five, wave
from .play import clap_game, jump_together, throw_catch, tug_of_war
from .salutes import curtsy, fist_bump, salute, tip_hat
from .steps import approach_retreat, circle, walk_together
from .struggles import pull, punch_dodge, push
from .talk import argue, beckon, point_out, refuse_hand, scold, whisper
from .threat import scare, surrender, threaten
from .together import carry_together, hand_over, toast

KINDS: dict[str, Callable[[Stage], Performance]] = {
    "handshake": handshake,
    "high_five": high_five,
    "hug": hug,
    "push": push,
    "pull": pull,
    "bow": bow,
    "wave": wave,
    "walk_together": walk_together,
    "approach_retreat": approach_retreat,
    "circle": circle,
    "punch_dodge": punch_dodge,
    "fist_bump": fist_bump,
    "salute": salute,
    "tip_hat": tip_hat,
    "curtsy": curtsy,
    "kiss_hand": kiss_hand,
    "hold_hands": hold_hands,
    "caress_cheek": caress_cheek,
    "blow_kiss": blow_kiss,
    "argue": argue,
    "scold": scold,
    "whisper": whisper,
    "beckon": beckon,
    "point_out": point_out,
    "refuse_hand": refuse_hand,
    "hand_over": hand_over,
    "carry_together": carry_together,
    "toast": toast,
    "slap": slap,
    "block_punch": block_punch,
    "kick_dodge": kick_dodge,
    "grapple": grapple,
    "console": console,
    "support_walk": support_walk,
    "help_up": help_up,
    "pat_shoulder": pat_shoulder,
    "threaten": threaten,
    "surrender": surrender,
    "scare": scare,
    "throw_catch": throw_catch,
    "tug_of_war": tug_of_war,
    "clap_game": clap_game,
    "jump_together": jump_together,
    "waltz": waltz,
    "slow_dance": slow_dance,
    "mirror_dance": mirror_dance,
    "follow": follow,
    "lead_by_hand": lead_by_hand,
    "hold_hands_walk": hold_hands_walk,
    "back_to_back": back_to_back,
    "chase": chase,
}
"""Every kind that is choreographed; salsa is cut from the real takes instead."""
