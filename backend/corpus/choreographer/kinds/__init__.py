"""The kinds of interaction, each a function from a Stage to a Performance."""

from collections.abc import Callable

from ..staging import Performance, Stage
from .affection import blow_kiss, caress_cheek, hold_hands, kiss_hand
from .embraces import hug
from .greetings import bow, handshake, high_five, wave
from .salutes import curtsy, fist_bump, salute, tip_hat
from .steps import approach_retreat, circle, walk_together
from .struggles import pull, punch_dodge, push
from .talk import argue, beckon, point_out, refuse_hand, scold, whisper

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
}
"""Every kind that is choreographed; salsa is cut from the real takes instead."""
