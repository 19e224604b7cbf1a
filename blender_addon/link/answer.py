"""What a question's answer becomes: a turn of the conversation."""

from __future__ import annotations

import bpy
from bpy.types import Scene

from protocol.errors import DuologueError
from protocol.messages import ASK, MotionPart, Result

from .. import conversation
from ..characters import pair_of_key


class AnswerOutcome:
    """Words for the person who asked; nothing in the scene moves."""

    on_rigs = False

    def __init__(self, scene: Scene, pair: int, question: str) -> None:
        """Remember who asked: the key of a pair."""
        self._scene, self._pair, self._question = scene.name, pair, question
        self._text = ""

    def motion(self, part: MotionPart) -> None:
        """Answers come without motion."""

    def text(self, piece: str) -> None:
        """Nothing is shown before the answer is whole."""

    def work(self) -> bool:
        """There is nothing to do before the end."""
        return False

    def finish(self, result: Result) -> None:
        """Take the answer."""
        self._text = " ".join(result.text.split())
        if not self._text:
            raise DuologueError(
                "no_answer", "The backend had no answer to this question.", "Ask in other words, or about less motion."
            )

    def keep(self) -> str:
        """Add the turn."""
        scene = bpy.data.scenes.get(self._scene)
        pair = pair_of_key(scene, self._pair) if scene is not None else None
        if self._text and pair is not None:
            conversation.add_answer(pair, ASK, self._question, self._text)
        return self._text

    def discard(self) -> None:
        """Nothing was changed yet."""

    def renew(self) -> None:
        """Forget the words."""
        self._text = ""
