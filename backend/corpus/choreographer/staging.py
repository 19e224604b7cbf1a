"""A stage for two: the clock, the dice, the two bodies, and where both stand and walk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from protocol.errors import DuologueError

from ..scene import Contact
from .blend import FPS
from .body import SIDES, Body
from .feet import Gait
from .library import Library
from .path import Path, heading_of, moving
from .performer import Performer

PACE = {"slow": 0.75, "normal": 1.0, "fast": 1.35}


@dataclass(frozen=True, eq=False)
class Performance:
    """What a kind returns: both performers ready to perform, the script they follow, who touches whom, what happens."""

    performers: tuple[Performer, Performer]
    script: dict[str, object]
    contacts: tuple[Contact, ...] = ()
    events: tuple[dict[str, object], ...] = ()


@dataclass(eq=False)
class Stage:
    """The clock and the dice of one scene; A is performer 0 and stands at the origin, B faces A from +Z.

    Attributes:
        rng: every random draw of the scene comes from here.
        library: real motion to build on.
        seconds: length of the scene.
        changes: values to take instead of what is drawn, by name; all else stays as it was drawn.
    """

    rng: np.random.Generator
    library: Library
    seconds: float
    changes: Mapping[str, str] = field(default_factory=dict)
    bodies: tuple[Body, Body] = field(init=False)
    speed: str = field(init=False)

    def __post_init__(self) -> None:
        self.bodies = (Body(self.uniform(0.88, 1.12)), Body(self.uniform(0.88, 1.12)))
        self.speed = self.draw("speed", ("slow", "normal", "normal", "fast"))

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return round(self.seconds * FPS)

    @property
    def t(self) -> np.ndarray:
        """(T,) seconds."""
        return np.arange(self.frames) / FPS

    @property
    def pace(self) -> float:
        """How much faster than normal things are done."""
        return PACE[self.speed]

    @property
    def size(self) -> float:
        """Mean size of the two bodies."""
        return (self.bodies[0].scale + self.bodies[1].scale) / 2

    def uniform(self, low: float, high: float) -> float:
        """A number between ``low`` and ``high``."""
        return float(self.rng.uniform(low, high))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    def choose(self, options: Sequence[str]) -> str:
        """One of the options, all as likely; repeat an option to make it likelier."""
        return options[int(self.rng.integers(len(options)))]

    def draw(self, name: str, options: Sequence[str]) -> str:
        """One of the options, under a name by which a change may ask for another of them.

        Raises:
            DuologueError: ``change_impossible`` if the change asks for what is none of the options.
        """
        drawn = self.choose(options)
        wanted = self.changes.get(name, drawn)
        if wanted not in options:
            raise DuologueError(
                "change_impossible",
                f"{name} cannot be {wanted!r} here.",
                f"Ask for one of: {', '.join(dict.fromkeys(options))}.",
            )
        return wanted

    def times(self, drawn: int, possible: int) -> int:
        """How often something is done: as often as drawn, or as a change of the "count" asks for.

        Raises:
            DuologueError: ``change_impossible`` if there is no time for that.
        """
        wanted = int(self.changes.get("count", drawn))
        if wanted != drawn and not 1 <= wanted <= possible:
            raise DuologueError(
                "change_impossible", f"It cannot be done {wanted} times here.", f"Ask for 1 to {possible} times."
            )
        return wanted

    def performer(self, index: int, path: Path, **gait: float) -> Performer:
        """Person ``index`` on a path, on real standing and walking drawn from the library."""
        body = self.bodies[index]
        stand = self.library.stands[int(self.rng.integers(len(self.library.stands)))]
        walk = self.library.walks[int(self.rng.integers(len(self.library.walks)))]
        drawn = {
            "width": self.uniform(0.09, 0.13),
            "toe_out": self.uniform(0.08, 0.25),
            "stagger": self.uniform(-0.08, 0.08),
        }
        lasting = stand.lasting(self.frames, self.uniform(0, 2 * len(stand.sway)))
        return Performer(body, path, lasting, walk, Gait(**(drawn | gait)))

    def pair(self, paths: tuple[Path, Path], **gait: float) -> tuple[Performer, Performer]:
        """Both persons, looking at each other."""
        pair = (self.performer(0, paths[0], **gait), self.performer(1, paths[1], **gait))
        self.look_at_each_other(pair)
        return pair

    def look_at_each_other(self, pair: tuple[Performer, Performer], weight: np.ndarray | float = 1.0) -> None:
        """Let each of the pair look at where the other's head is."""
        for one, other in (pair, pair[::-1]):
            one.gaze = (other.head_point(), np.broadcast_to(np.asarray(weight, np.float64), (self.frames,)))

    def line(
        self, routes: tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]
    ) -> tuple[Path, Path]:
        """Paths along the line through both: A looks along +Z and B back; each route gives z over seconds, metres.

        Both are set a little off the line and off the exact facing.
        """
        paths = []
        for index, route in enumerate(routes):
            z = np.asarray(route(self.t), np.float64)
            heading = index * np.pi + np.radians(self.uniform(-6, 6))
            xz = np.stack((np.full_like(z, self.uniform(-0.04, 0.04)), z), axis=-1)
            paths.append(moving(xz, np.full(self.frames, heading), 7))
        return paths[0], paths[1]

    def meeting(self, gap: float, walk_in: float, start: float, speed: float) -> tuple[tuple[Path, Path], float]:
        """Both come together from ``gap + walk_in`` metres to ``gap``, leaving at ``start`` seconds at ``speed`` m/s.

        Returns:
            the two paths and the second at which both stand; ``start`` when nobody walks.
        """
        share = self.uniform(0.3, 0.7) if self.chance(0.6) else self.choose_end()
        lengths = (walk_in * share, walk_in * (1 - share))
        durations = [length / speed for length in lengths]
        arrive = start + max(durations)

        def from_a(t: np.ndarray) -> np.ndarray:
            return np.interp(t, [arrive - durations[0] - 1e-6, arrive], [-lengths[0], 0])

        def from_b(t: np.ndarray) -> np.ndarray:
            return np.interp(t, [arrive - durations[1] - 1e-6, arrive], [gap + lengths[1], gap])

        return self.line((from_a, from_b)), arrive + (0.2 if walk_in else 0.0)

    def choose_end(self) -> float:
        """0 or 1."""
        return float(self.rng.integers(2))


def midpoint(pair: tuple[Performer, Performer], height: float) -> np.ndarray:
    """(T, 3) the point half-way between both persons, at ``height`` metres."""
    xz = (pair[0].path.xz + pair[1].path.xz) / 2
    return np.stack((xz[:, 0], np.full(len(xz), height), xz[:, 1]), axis=-1)


def between_heading(pair: tuple[Performer, Performer]) -> np.ndarray:
    """(T,) heading from A to B."""
    return heading_of(pair[1].path.xz - pair[0].path.xz)


def sides(hand: str) -> tuple[str, ...]:
    """The sides that "left", "right" or "both" stands for."""
    return SIDES if hand == "both" else (hand,)
