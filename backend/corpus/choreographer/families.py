"""The kinds of interaction, by family. The order of ``KINDS`` is the order in which they take turns in a corpus."""

from __future__ import annotations

FIRST_TWELVE = (
    "handshake",
    "high_five",
    "hug",
    "push",
    "pull",
    "bow",
    "wave",
    "walk_together",
    "approach_retreat",
    "circle",
    "punch_dodge",
    "salsa",
)
"""The kinds that the first model was trained on."""

FAMILIES: dict[str, tuple[str, ...]] = {
    "greeting": ("handshake", "high_five", "bow", "wave", "fist_bump", "salute", "tip_hat", "curtsy"),
    "affection": ("hug", "kiss_hand", "hold_hands", "caress_cheek", "blow_kiss"),
    "conversation": ("argue", "scold", "whisper", "beckon", "point_out", "refuse_hand"),
    "cooperation": ("hand_over", "carry_together", "toast"),
    "combat": ("push", "pull", "punch_dodge", "slap", "block_punch", "kick_dodge", "grapple"),
    "play": ("throw_catch", "tug_of_war", "clap_game", "jump_together"),
    "dance": ("salsa", "waltz", "slow_dance", "mirror_dance"),
    "locomotion": (
        "walk_together",
        "approach_retreat",
        "circle",
        "follow",
        "lead_by_hand",
        "hold_hands_walk",
        "back_to_back",
    ),
    "comfort": ("console", "support_walk", "help_up", "pat_shoulder"),
    "threat": ("threaten", "surrender", "scare", "chase"),
}
"""The kinds of each family."""

KINDS = FIRST_TWELVE + tuple(kind for kinds in FAMILIES.values() for kind in kinds if kind not in FIRST_TWELVE)
"""All kinds, by their ids."""


def family_of(kind: str) -> str:
    """The family of a kind.

    Raises:
        KeyError: if there is no such kind.
    """
    for family, kinds in FAMILIES.items():
        if kind in kinds:
            return family
    raise KeyError(f"{kind!r} is none of the kinds {', '.join(KINDS)}")
