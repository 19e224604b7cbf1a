"""Beats: reusable moves on a time line, of which the kinds of interaction are composed as short scripts."""

from . import gestures, hands, legs, moves, trunk
from .score import Score, Span

__all__ = ["Score", "Span", "gestures", "hands", "legs", "moves", "trunk"]
