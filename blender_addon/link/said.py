"""What words that were asked for become: see `caption` and `answer`."""

from __future__ import annotations

from protocol.errors import DuologueError
from protocol.messages import MotionPart, Result


class TextOutcome:
    """Words that are shown once they are whole; nothing in the scene moves.

    Attributes:
        said: the words, empty until they are whole.
    """

    on_rigs = False

    def __init__(self, missing: DuologueError) -> None:
        """Remember what to say where the backend says nothing."""
        self._missing = missing
        self.said = ""

    def motion(self, part: MotionPart) -> None:
        """Words come without motion."""

    def text(self, piece: str) -> None:
        """Nothing is shown before the whole has come."""

    def work(self) -> bool:
        """There is nothing to do before the end."""
        return False

    def finish(self, result: Result) -> None:
        """Take the words.

        Raises:
            DuologueError: the one given, if there are none.
        """
        self.said = " ".join(result.text.split())
        if not self.said:
            raise self._missing

    def discard(self) -> None:
        """Nothing was changed yet."""

    def renew(self) -> None:
        """Forget the words."""
        self.said = ""
