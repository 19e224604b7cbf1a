"""The tasks as data: which marker opens them, what is given and what the model makes.

A sample is a row of blocks: motion, and text. Each block of motion has a script of its own, which may be left open.

    generate   motion of both
    react      lone motion of A, given | motion of both, A given
    complete   what comes after, given | motion of both, its beginning given
    edit       motion of both, given   | motion of both
    describe   motion of one or both   | caption
    ask        motion of one or both   | question, given | answer
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

PERSON_A, PERSON_B, LONE_PERSON = range(3)
"""Roles of a motion position: the two of a pair, or a person alone."""


class Marker(IntEnum):
    """Learned tokens beside words and motion."""

    GENERATE = 0
    REACT = 1
    DESCRIBE = 2
    BEGIN_MOTION = 3
    END_MOTION = 4
    END_TEXT = 5
    COMPLETE = 6
    EDIT = 7
    ASK = 8
    ANSWER = 9


@dataclass(frozen=True)
class Task:
    """One row: a task of the model."""

    name: str
    marker: Marker
    """Opens the sequence."""
    learned_persons: tuple[int, ...]
    """Persons whose codes the model learns to predict in the last block of motion; all others are given."""
    open_share: float
    """Share of training samples whose script is left open: for guidance, and for prompts that a person leaves out."""


PAIR = (PERSON_A, PERSON_B)

GENERATE = Task("generate", Marker.GENERATE, PAIR, 0.1)
REACT = Task("react", Marker.REACT, (PERSON_B,), 0.15)
COMPLETE = Task("complete", Marker.COMPLETE, PAIR, 0.3)
EDIT = Task("edit", Marker.EDIT, PAIR, 0.1)
DESCRIBE = Task("describe", Marker.DESCRIBE, (*PAIR, LONE_PERSON), 1.0)
ASK = Task("ask", Marker.ASK, (), 1.0)

TASKS = {task.name: task for task in (GENERATE, REACT, COMPLETE, EDIT, DESCRIBE, ASK)}
"""Task by name."""


def roles(persons: int) -> tuple[int, ...]:
    """The roles of the persons of a motion, in order: A and B of a pair, or one alone."""
    return PAIR if persons == 2 else (LONE_PERSON,)
