"""`Stretches`: the frames of a motion as they arrive, handed on in pieces that take about equally long to write."""

from __future__ import annotations

from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time


class Stretches:
    """The frames of one motion: many small parts are joined, and one large part is cut.

    Attributes:
        total: frames that the whole will have.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._whole: Motion | None = None
        self._taken = 0

    @property
    def received(self) -> int:
        """How many frames have arrived."""
        return self._whole.frames if self._whole is not None else 0

    @property
    def waiting(self) -> int:
        """How many of them have not been handed on yet."""
        return self.received - self._taken

    @property
    def complete(self) -> bool:
        """Whether all of it has arrived."""
        return self.received == self.total

    @property
    def whole(self) -> Motion:
        """What has arrived so far; something must have."""
        assert self._whole is not None
        return self._whole

    def push(self, motion: Motion, start: int) -> None:
        """Take the next part, whose first frame is frame ``start`` of the whole.

        Raises:
            DuologueError: ``motion_gap`` if it does not follow the part before, or runs over the end.
        """
        if start != self.received or start + motion.frames > self.total:
            raise DuologueError(
                "motion_gap",
                f"Frames {start} to {start + motion.frames - 1} of {self.total} came after {self.received} frames.",
                "Restart the backend and try again.",
            )
        self._whole = motion if self._whole is None else joined_in_time([self._whole, motion])

    def take(self, most: int) -> tuple[int, Motion]:
        """The number of the next frame that is waiting, and up to ``most`` frames from it on; some must be waiting."""
        assert self._whole is not None
        start, self._taken = self._taken, min(self._taken + most, self.received)
        return start, self._whole.slice(start, self._taken)

    def cut(self, frames: int) -> None:
        """Keep the first frames alone; those that are kept are handed on once more."""
        self._whole = self.whole.slice(0, frames) if frames else None
        self.rewind()

    def rewind(self) -> None:
        """Hand on everything once more, from the beginning."""
        self._taken = 0
