"""The shape of a motion language model, as stored in a checkpoint's ``language.json``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from ..tasks import COMPLETE, DESCRIBE, GENERATE, REACT
from .slots import Slot

ALIGNED = (GENERATE.name, REACT.name, COMPLETE.name, DESCRIBE.name)
"""The tasks of stage two, which need nothing but scenes and their captions."""


@dataclass(frozen=True)
class LanguageConfig:
    """Sizes of the transformer and of what goes into and comes out of it."""

    width: int
    """Features of a hidden state."""
    layers: int
    heads: int
    feed_forward: int
    """Inner width of the gated feed-forward blocks."""
    head_width: int
    """Inner width of the residual motion head, for each level."""
    word_width: int
    """Features of a frozen word vector."""
    latent_width: int
    """Features of the motion tokenizer's code vectors."""
    codes: int
    """Entries K of the tokenizer's codebook."""
    levels: int
    """Residual levels D of the tokenizer."""
    place_levels: int
    """How many of these, the first ones, are residual levels of the place; those of the pose follow."""
    steps_max: int
    """Longest motion in latent steps that training has seen; a longer countdown is held at this number."""
    spoken: tuple[int, ...]
    """Ids of the words that training captions use, the only ones that the model may say; ascending."""
    slots: tuple[Slot, ...]
    """The entries of a script that motion follows; the model reads a prompt into them before it moves anybody."""
    dropout: float = 0.1
    tasks: tuple[str, ...] = ALIGNED
    """What the model has learned, by the names in `backend.tasks`."""

    def depth(self, level: int) -> int:
        """How many coarser levels of the same quantizer come before a level: 0 for the first of place and of pose."""
        return level if level < self.place_levels else level - self.place_levels

    def to_json(self) -> dict[str, Any]:
        """The config as plain JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LanguageConfig:
        """The config that `to_json` wrote.

        Raises:
            KeyError: if a field without default is missing.
            ValueError: if there is a field that this version does not know.
        """
        known = {field.name for field in fields(cls)}
        if unknown := set(data) - known:
            raise ValueError(f"unknown fields in the language model's config: {', '.join(sorted(unknown))}")
        slots = tuple(Slot(slot["name"], tuple(slot["values"])) for slot in data["slots"])
        return cls(**{**data, "spoken": tuple(data["spoken"]), "slots": slots, "tasks": tuple(data["tasks"])})
