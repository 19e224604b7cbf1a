"""What a question's answer becomes: a turn of the conversation."""

from __future__ import annotations

import bpy
from bpy.types import Scene

from protocol.errors import DuologueError
from protocol.messages import ASK

from .. import conversation
from ..characters import pair_of_key
from .said import TextOutcome


class AnswerOutcome(TextOutcome):
    """Words for the person who asked."""

    def __init__(self, scene: Scene, pair: int, question: str) -> None:
        """Remember who asked: the key of a pair."""
        super().__init__(
            DuologueError(
                "no_answer", "The backend had no answer to this question.", "Ask in other words, or about less motion."
            )
        )
        self._scene, self._pair, self._question = scene.name, pair, question

    def keep(self) -> str:
        """Add the turn."""
        scene = bpy.data.scenes.get(self._scene)
        pair = pair_of_key(scene, self._pair) if scene is not None else None
        if self.said and pair is not None:
            conversation.add_answer(pair, ASK, self._question, self.said)
        return self.said
