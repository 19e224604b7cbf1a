"""The kinds of interaction, each a function from a Stage to a Performance."""

from collections.abc import Callable

from ..staging import Performance, Stage
from .embraces import hug
from .greetings import bow, handshake, high_five, wave
from .steps import approach_retreat, circle, walk_together
from .struggles import pull, punch_dodge, push

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
}
"""Every kind that is choreographed; salsa is cut from the real takes instead."""
