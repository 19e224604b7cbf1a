"""What pip says while it downloads, as figures: how much of what has arrived, and how long the rest will take."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable

_PROGRESS = re.compile(r"^Progress (\d+) of (\d+)")
_BEGINS = re.compile(r"^\s*(Downloading|Using cached) (\S+) \(([\d.]+) (bytes|kB|MB|GB)\)")
_INSTALLS = re.compile(r"^\s*Installing collected packages: (.+)")
_UNITS = {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
_RATE_SECONDS = 20.0
"""The speed is that of so long ago until now."""


class Download:
    """Follows the lines of one ``pip install --progress-bar raw``.

    Attributes:
        installing: everything has arrived and is being unpacked.
    """

    def __init__(self, expected: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin at nothing.

        Args:
            expected: bytes in all, as far as that is known; 0 if it is not.
            clock: seconds.
        """
        self.installing = False
        self._expected = expected
        self._clock = clock
        self._finished = 0
        self._name, self._done, self._size = "", 0, 0
        self._heard: deque[tuple[float, int]] = deque()

    @property
    def received(self) -> int:
        """Bytes that are here, those that an earlier attempt had fetched included."""
        return self._finished + self._done

    @property
    def fraction(self) -> float:
        """0 to 1, of all if that is known, else of the file that is being fetched."""
        if self.installing:
            return 1.0
        total = self._total()
        done = self.received if self._expected else self._done
        return min(done / total, 1.0) if total else 0.0

    def feed(self, line: str) -> bool:
        """Take one line of pip's; returns whether it was about progress alone, which no log needs."""
        if found := _PROGRESS.match(line):
            self._done, self._size = int(found[1]), int(found[2])
            now = self._clock()
            self._heard.append((now, self.received))
            while now - self._heard[0][0] > _RATE_SECONDS:
                self._heard.popleft()
            return True
        if found := _BEGINS.match(line):
            self._finished += self._done
            self.installing = False
            self._name, self._size = found[2], int(float(found[3]) * _UNITS[found[4]])
            self._done = self._size if found[1] == "Using cached" else 0
        elif _INSTALLS.match(line):
            self._finished, self._done, self.installing = self.received, 0, True
        return False

    def seconds_left(self) -> float | None:
        """How long the rest will take at the speed of late; None if nothing can be said."""
        if len(self._heard) < 2:
            return None
        (begun, had), (now, has) = self._heard[0], self._heard[-1]
        if now - begun < 1 or has <= had:
            return None
        done = self.received if self._expected else self._done
        return max(self._total() - done, 0) * (now - begun) / (has - had)

    def said(self) -> str:
        """The state for people, such as ``torch: 83 of 190 MB, about 2 min left``."""
        if self.installing:
            return "Unpacking what has arrived"
        if not self._name:
            return "Looking up what is needed"
        package = self._name.split("-")[0]
        text = f"{package}: {self._done / 1e6:.0f} of {self._size / 1e6:.0f} MB"
        left = self.seconds_left()
        if left is None:
            return text
        of = "" if self._expected else " for this file"
        return f"{text}, {spoken(left)} left{of}"

    def _total(self) -> int:
        """Bytes of what `fraction` speaks of; more than was expected if more comes."""
        return max(self._expected, self._finished + self._size) if self._expected else self._size


def spoken(seconds: float) -> str:
    """A length of time in words: ``40 s``, ``about 3 min``."""
    return f"{max(5, 5 * round(seconds / 5))} s" if seconds < 90 else f"about {round(seconds / 60)} min"
