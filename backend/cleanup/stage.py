"""Work on a stream: what becomes of a frame depends on those before it and on a bounded number of those after it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from .frames import Frames


class Stage(ABC):
    """Takes frames as they come and hands on those that nothing which still comes can change.

    What comes out is the same in however many pieces the frames come in.

    Attributes:
        behind: frames before a frame that its result depends on.
        ahead: frames after it; so many are held back until more arrive.
        first: number of the window's first frame in the whole motion.
    """

    behind: int = 0
    ahead: int = 0

    def __init__(self) -> None:
        self._window: Frames | None = None
        self.first = 0
        self._done = 0  # frames at the start of the window that have been handed on and only lend context

    def push(self, frames: Frames | None, last: bool) -> Frames | None:
        """Take the next frames, None for none; returns those finished by them, if any.

        Args:
            frames: any number of frames.
            last: no more come.
        """
        if frames is not None:
            self._window = frames if self._window is None else self._window.followed_by(frames)
        if self._window is None:
            return None
        ready = len(self._window) - (0 if last else self.ahead)
        if ready <= self._done:
            return None
        finished = self.work(self._window, self._done, ready)
        context = max(0, ready - self.behind)
        self._window = self._window.slice(context, len(self._window))
        self._done = ready - context
        self.first += context
        return finished

    @abstractmethod
    def work(self, window: Frames, start: int, stop: int) -> Frames:
        """The results of frames ``start`` up to ``stop`` of a window; called for every frame once, in order.

        The result of frame t may look at frames ``t - behind`` to ``t + ahead`` of the window as far as they exist:
        they lack only where the motion begins or ends.
        """
