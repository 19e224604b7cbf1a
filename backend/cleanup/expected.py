"""Who touches whom with what, in every kind of interaction whose hands touch: what the scenes of the corpus show.

From the contacts that the scenes list (`backend.corpus.scene.Contact`) and, where what is between two hands keeps them
apart, from their distance in true scenes.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Part = Literal["head", "torso", "shoulder"]


class Expected(NamedTuple):
    """What hands of a kind do.

    Attributes:
        same: whether palms of the same side meet, left to left and right to right.
        crossed: whether a left palm meets a right one.
        rest: metres that are left between two palms: a cup, or what is handed over.
        reach: metres between palms within which they are meant for each other.
        brief: whether palms come fast, touch for a moment and part.
        parts: of the other's body that palms are laid on.
    """

    same: bool = False
    crossed: bool = False
    rest: float = 0.0
    reach: float = 0.25
    brief: bool = False
    parts: tuple[Part, ...] = ()


_SAME, _CROSSED = Expected(same=True), Expected(crossed=True)

EXPECTED: dict[str, Expected] = {
    "handshake": _SAME,
    "fist_bump": Expected(same=True, reach=0.5, brief=True),
    "kiss_hand": _SAME,
    "pull": Expected(same=True, reach=0.4),
    "help_up": Expected(same=True, reach=0.4),
    "toast": Expected(same=True, rest=0.18),
    "hand_over": Expected(same=True, crossed=True, rest=0.18, reach=0.45),
    "high_five": Expected(same=True, crossed=True, reach=0.35, brief=True),
    "clap_game": Expected(same=True, crossed=True, reach=0.25, brief=True),
    "hold_hands": _CROSSED,
    "lead_by_hand": _CROSSED,
    "hold_hands_walk": _CROSSED,
    "waltz": Expected(crossed=True, parts=("torso", "shoulder")),
    "slow_dance": Expected(parts=("torso", "shoulder")),
    "console": Expected(parts=("torso",)),
    "push": Expected(parts=("torso",)),
    "grapple": Expected(parts=("shoulder",)),
    "pat_shoulder": Expected(parts=("shoulder",)),
    "caress_cheek": Expected(parts=("head",)),
    "slap": Expected(parts=("head",)),
}
"""The kinds whose hands are led; no hand of any other kind is. In a hug, and where one walks supported, arms lie on
arms: to lead palms onto the back took forearms 1 to 2 cm deeper into the other on average."""
