"""The score of a scene: who does what when. Beats are noted on it, and played on two performers at the end.

Where persons go is written down at once, into their tracks; what trunk, legs and hands do is kept as effects, because
it needs the performers, and hands that reach for the other need the other's trunk. So effects are played in layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from protocol.skeleton import JOINT

from ...scene import Contact
from ..blend import pulse
from ..body import world_pose
from ..feet import plan
from ..path import direction, leftward, moving
from ..performer import Performer
from ..staging import Performance, Stage
from .moods import assume

TRUNK, HANDS = 0, 1
NAMES = "AB"
Persons = int | tuple[int, ...]
Effect = Callable[["Cast"], None]


@dataclass(frozen=True)
class Span:
    """When something rises, holds and falls, in seconds."""

    start: float
    on: float
    off: float
    end: float

    def curve(self, t: np.ndarray) -> np.ndarray:
        """(T,) 0 outside of the span, 1 while it holds, eased in between."""
        return pulse(t, self.start, self.on, self.off, self.end)

    def later(self, seconds: float) -> Span:
        """The same, ``seconds`` later."""
        return Span(self.start + seconds, self.on + seconds, self.off + seconds, self.end + seconds)


@dataclass(eq=False)
class Cast:
    """Both performers while the score is played, and where their joints are so far."""

    stage: Stage
    pair: tuple[Performer, Performer]

    def __post_init__(self) -> None:
        for one in self.pair:
            one.steps = plan(one.path, one.body.scale, one.gait)
        self._posed: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def changed(self) -> None:
        """Forget where joints are: somebody does something more."""
        self._posed.clear()

    def pose(self, who: int) -> tuple[np.ndarray, np.ndarray]:
        """World positions (T, 22, 3) and rotations (T, 22, 4) of a person, all effects played so far included."""
        if who not in self._posed:
            one = self.pair[who]
            root, rotations = one.above(one.planned())
            self._posed[who] = world_pose(root, rotations, one.body.offsets)
        return self._posed[who]

    def joint(self, who: int, name: str) -> np.ndarray:
        """World positions (T, 3) of a joint."""
        return self.pose(who)[0][:, JOINT[name]]


class Score:
    """Beats on the time line of one scene; persons are 0 (A) and 1 (B).

    Attributes:
        stage: the clock, the dice and the bodies.
        xz: (T, 2) each person's track over the floor, metres; B starts in front of A.
        heading: (T,) each person's heading, radians; 0 looks along +Z.
        events: what was noted, in the order of the script.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.xz = [np.zeros((stage.frames, 2)) for _ in NAMES]
        self.heading = [np.zeros(stage.frames), np.full(stage.frames, np.pi)]
        self.events: list[dict[str, Any]] = []
        self._contacts: list[Contact] = []
        self._effects: list[tuple[int, Effect]] = []
        self._gait: list[dict[str, float]] = [{}, {}]

    @property
    def t(self) -> np.ndarray:
        """(T,) seconds."""
        return self.stage.t

    @property
    def seconds(self) -> float:
        """Length of the scene."""
        return self.stage.seconds

    def span(self, on: float, hold: float, rise: float = 0.55, fall: float = 0.7) -> Span:
        """A span that holds from ``on`` for ``hold`` seconds; rise and fall are as long as the pace makes them."""
        pace = self.stage.pace
        return Span(on - rise / pace, on, on + hold, on + hold + fall / pace)

    def from_start(self, off: float, fall: float = 0.7) -> Span:
        """A span that holds already when the scene begins."""
        return Span(-2.0, -1.0, off, off + fall / self.stage.pace)

    def to_end(self, on: float, rise: float = 0.55) -> Span:
        """A span that still holds when the scene ends."""
        return Span(on - rise / self.stage.pace, on, self.seconds + 5, self.seconds + 6)

    def opening(self, needed: float, least: float = 0.1, most: float = 1.6) -> float:
        """Seconds of doing nothing before what takes ``needed`` seconds: a part of what the scene has to spare."""
        spare = max(0.0, self.seconds - needed - least)
        return least + min(spare * self.stage.uniform(0.05, 0.45), most)

    def repeats(self, start: float, cycle: float, most: int = 6, after: float = 0.6) -> int:
        """How often something of ``cycle`` seconds is done from ``start`` on: as often as fits, or less."""
        possible = int(np.clip((self.seconds - start - after) // cycle, 1, most))
        return self.stage.times(max(1 + int(self.stage.rng.integers(possible)), possible - 1), possible)

    def actor(self) -> tuple[str, int, int]:
        """Who acts: the name, the actor's index, the partner's index."""
        name = self.stage.draw("actor", NAMES)
        return name, NAMES.index(name), 1 - NAMES.index(name)

    def actors(self) -> tuple[str, tuple[int, ...]]:
        """Who acts where both may: the name ("A", "B" or "both"), and the indices."""
        name = self.stage.draw("actor", ("both", "both", "A", "B"))
        return name, (0, 1) if name == "both" else (NAMES.index(name),)

    def note(self, beat: str, who: Persons, start: float, end: float, **details: object) -> None:
        """Write down an event, cut to the scene; what begins after its end is left out."""
        end = min(end, self.seconds)
        if start >= end:
            return
        for person in (who,) if isinstance(who, int) else who:
            times = {"start": round(max(start, 0.0), 2), "end": round(end, 2)}
            self.events.append({"beat": beat, "actor": NAMES[person]} | times | details)

    def trunk(self, effect: Effect) -> None:
        """Have an effect played on the performers before any hand reaches."""
        self._effects.append((TRUNK, effect))

    def hand(self, effect: Effect) -> None:
        """Have an effect played after all trunks, in the order of the script."""
        self._effects.append((HANDS, effect))

    def touch(self, who: int, joint: str, partners: str, start: float, end: float) -> None:
        """Write down that a joint of ``who`` is on a joint of the other from ``start`` to ``end`` seconds."""
        pair = (joint, partners) if who == 0 else (partners, joint)
        self._contacts.append(Contact(*pair, start, end))

    def gait(self, who: Persons, **gait: float) -> None:
        """Have persons step as a `Gait` with these values."""
        for person in (who,) if isinstance(who, int) else who:
            self._gait[person] |= gait

    def direction(self, who: int, at: float) -> tuple[np.ndarray, np.ndarray]:
        """The unit floor vectors ahead of a person and to the left, at ``at`` seconds."""
        frame = int(np.clip(round(at * 30), 0, self.stage.frames - 1))
        return direction(self.heading[who][frame]), leftward(self.heading[who][frame])

    def perform(self, actor: str, moods: Sequence[str] = (), **told: object) -> Performance:
        """Play all beats, and tell the script.

        Args:
            actor: "A", "B" or "both".
            moods: moods in which it may be done, beside none.
            told: what else the script knows, such as hand="left".
        """
        mood = self.stage.draw("mood", ("neutral",) * 4 + tuple(moods)) if moods else "neutral"
        moody = (0, 1) if actor == "both" else (NAMES.index(actor),)
        if mood != "neutral":
            self.note(f"{mood} posture", moody, 0.0, self.seconds)
        pair = tuple(
            self.stage.performer(person, moving(self.xz[person], self.heading[person], 7), **self._gait[person])
            for person in range(2)
        )
        self.stage.look_at_each_other(pair)  # type: ignore[arg-type]
        for person in moody:
            assume(pair[person], mood, float(person))
        cast = Cast(self.stage, pair)  # type: ignore[arg-type]
        for _, effect in sorted(self._effects, key=lambda entry: entry[0]):
            effect(cast)
            cast.changed()
        script = {"actor": actor, "hand": "none", "speed": self.stage.speed, "mood": mood} | told
        events = tuple(sorted(self.events, key=lambda event: event["start"]))
        return Performance(cast.pair, script, tuple(self._contacts), events)
