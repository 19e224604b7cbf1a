"""What an animator may choose about a retargeted pair."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Choices for one motion.

    Attributes:
        in_place: the middle between the persons stays where it is at first; feet then slide, as on a treadmill.
        keep_heights: hips and feet keep their heights in metres instead of growing with the legs: for seats and steps.
        contact: 0 to 1, how strongly hands are led to what they touch.
    """

    in_place: bool = False
    keep_heights: bool = False
    contact: float = 1.0
