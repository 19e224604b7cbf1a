"""How well a motion fits the characters that play it: in plain words, kept on its Action."""

from __future__ import annotations

import json
from typing import NamedTuple

from bpy.types import Action

from .retarget.residuals import Residuals

_PROPERTY = "duologue_fit"
"""Custom property of an Action: JSON, a list of pairs of a sentence and whether it is good."""
_HANDS_CM, _SLIDE_CM_A_SECOND, _OVERLAP_CM = 5.0, 3.0, 1.0
"""What is still good."""


class Finding(NamedTuple):
    """A sentence about a motion, and whether what it says is good."""

    text: str
    good: bool


def findings(residuals: Residuals) -> list[Finding]:
    """What retargeting could not keep, in words."""
    found = []
    if residuals.touches:
        apart = residuals.hand_max_cm
        text = "Hands are where they touch" if apart < 0.05 else f"Hands miss what they touch by up to {apart:.1f} cm"
        found.append(Finding(text, apart <= _HANDS_CM))
    if residuals.out_of_reach >= 0.005:
        share = f"{100 * residuals.out_of_reach:.0f} % of the touches are out of reach: an arm is too short"
        found.append(Finding(share, False))
    slide = 100 * residuals.skate_mps
    text = "Standing feet do not slide" if slide < 0.05 else f"Standing feet slide {slide:.1f} cm a second"
    found.append(Finding(text, slide <= _SLIDE_CM_A_SECOND))
    overlap = residuals.penetration_cm
    if overlap >= 0.05:
        text = f"Bodies overlap by up to {overlap:.1f} cm more than in the source"
        found.append(Finding(text, overlap <= _OVERLAP_CM))
    return found


def attach(action: Action, residuals: Residuals) -> None:
    """Keep on an Action how well its motion fits."""
    action[_PROPERTY] = json.dumps(findings(residuals))


def of_action(action: Action | None) -> list[Finding]:
    """What is kept on an Action; empty where it holds nothing of the kind."""
    text = action.get(_PROPERTY) if action is not None else None
    return [Finding(str(words), bool(good)) for words, good in json.loads(text)] if text else []
