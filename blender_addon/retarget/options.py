"""What an animator may choose about a retargeted pair."""

from __future__ import annotations

from dataclasses import dataclass

ON_HIPS, ON_ROOT_BONE, ON_OBJECT = "HIPS", "ROOT_BONE", "OBJECT"
"""What carries a body through the world: its hips alone, a root bone under them, or the armature object."""


@dataclass(frozen=True)
class Options:
    """Choices for one motion.

    Attributes:
        in_place: the middle between the persons stays where it is at first; feet then slide, as on a treadmill.
        keep_heights: hips and feet keep their heights in metres instead of growing with the legs: for seats and steps.
        contact: 0 to 1, how strongly hands are led to what they touch.
        root: `ON_HIPS`, `ON_ROOT_BONE` or `ON_OBJECT`.
        ik: whether arms and legs are keyed on a control rig's IK controls instead of its FK controls.
    """

    in_place: bool = False
    keep_heights: bool = False
    contact: float = 1.0
    root: str = ON_HIPS
    ik: bool = False
