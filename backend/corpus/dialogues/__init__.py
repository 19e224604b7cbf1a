"""Dialogues in the shape of Inter-MT2: edits of scenes, questions about them, and stories of several scenes."""

from .instructions import instruction
from .questions import Asked, question, right
from .schema import Dialogue, Turn, read_dialogues, write_dialogues

__all__ = ["Asked", "Dialogue", "Turn", "instruction", "question", "read_dialogues", "right", "write_dialogues"]
