"""The tasks as data: what is given, what the model makes, and in which order it reads them.

A new task is a new row here; the layout, the training and the decoding read these rows.
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


@dataclass(frozen=True)
class Task:
    """One row: a task of the model."""

    name: str
    marker: Marker
    """Opens the sequence."""
    text_first: bool
    """True: a given prompt comes before the motion. False: the text comes after it and is written by the model."""
    learned_persons: tuple[int, ...]
    """Persons whose codes the model learns to predict; the others are given. Text after the motion is learned too."""
    prompt_dropout: float
    """Share of training samples without their prompt: for guidance, and for prompts that a person leaves out."""


GENERATE = Task("generate", Marker.GENERATE, True, (PERSON_A, PERSON_B), 0.1)
REACT = Task("react", Marker.REACT, True, (PERSON_B,), 0.5)
DESCRIBE = Task("describe", Marker.DESCRIBE, False, (PERSON_A, PERSON_B, LONE_PERSON), 0.0)

TASKS = {task.name: task for task in (GENERATE, REACT, DESCRIBE)}
"""Task by name."""


def roles(persons: int) -> tuple[int, ...]:
    """The roles of the persons of a motion, in order: A and B of a pair, or one alone."""
    return (PERSON_A, PERSON_B) if persons == 2 else (LONE_PERSON,)
