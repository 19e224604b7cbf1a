"""What an engine does not do, said before it begins."""

from __future__ import annotations

import math
from collections.abc import Collection

from protocol.errors import DuologueError
from protocol.messages import GUIDANCE_MAX, Limits
from protocol.motion import Motion

from .tokenizer.stream import FPS

LIMITS = Limits(prompt_characters=500, seconds_min=1.0, seconds_max=10.0, samples_max=8)
SHORTEST = 8
"""Frames at 30 fps of the shortest motion that is looked at."""


def check_learned(task: str, learned: Collection[str], checkpoint: str) -> None:
    """Refuse a task that a checkpoint has not learned.

    Raises:
        DuologueError: ``task_unlearned``.
    """
    if task not in learned:
        raise DuologueError(
            "task_unlearned",
            f"The checkpoint {checkpoint} has not learned the task {task}.",
            f"It can {', '.join(learned)}; for more, take another checkpoint.",
        )


def check_prompt(prompt: str, needed: bool = False) -> None:
    """Refuse a prompt that is too long, or empty though one is needed.

    Raises:
        DuologueError: ``prompt_empty`` or ``prompt_too_long``.
    """
    if needed and not prompt.strip():
        raise DuologueError("prompt_empty", "The prompt is empty.", "Say what the two characters should do.")
    if len(prompt) > LIMITS.prompt_characters:
        raise DuologueError(
            "prompt_too_long",
            f"The prompt has {len(prompt)} characters.",
            f"Shorten it to at most {LIMITS.prompt_characters}.",
        )


def check_guidance(guidance: float) -> None:
    """Refuse a share of guidance that cannot be followed.

    Raises:
        DuologueError: ``guidance_out_of_range``.
    """
    if not 0 <= guidance <= GUIDANCE_MAX:
        raise DuologueError(
            "guidance_out_of_range",
            f"A guidance of {guidance:g} cannot be followed.",
            f"Choose 0 to {GUIDANCE_MAX:g}; 1 is what suits the model best.",
        )


def check_scale(scale: float) -> None:
    """Refuse a body size that no body has.

    Raises:
        DuologueError: ``scale_out_of_range``.
    """
    if not 0 < scale < math.inf:  # also false for NaN
        raise DuologueError(
            "scale_out_of_range", f"No body is {scale:g} times as large as the usual one.", "Choose a size around 1."
        )


def check_seconds(seconds: float, scenes: int = 1) -> None:
    """Refuse a duration that a number of scenes cannot have.

    Raises:
        DuologueError: ``seconds_out_of_range``.
    """
    shortest, longest = LIMITS.seconds_min * scenes, LIMITS.seconds_max * scenes
    if not shortest <= seconds <= longest:  # also false for NaN
        raise DuologueError(
            "seconds_out_of_range",
            f"{seconds:g} seconds cannot be generated.",
            f"Choose between {shortest:g} and {longest:g} seconds.",
        )


def check_persons(motion: Motion, *allowed: int) -> None:
    """Refuse a motion of another number of persons than those allowed.

    Raises:
        DuologueError: ``motion_persons``.
    """
    if motion.persons not in allowed:
        wanted = " or ".join({1: "one person", 2: "two persons"}[count] for count in allowed)
        raise DuologueError(
            "motion_persons",
            f"The motion of {wanted} is needed, and this one has {motion.persons}.",
            "Choose the character, or both characters of the pair, that it is about.",
        )


def at_model_rate(motion: Motion, longest: float = LIMITS.seconds_max) -> Motion:
    """A motion at 30 fps.

    Args:
        motion: at any rate.
        longest: seconds that it may last.

    Raises:
        DuologueError: ``motion_too_short`` or ``motion_too_long``.
    """
    resampled = motion.resampled(FPS)
    if motion.frames < 2 or resampled.frames < SHORTEST:
        raise DuologueError(
            "motion_too_short",
            f"The motion lasts {motion.frames} frame{'s' * (motion.frames != 1)}.",
            f"Choose a range of at least {SHORTEST / FPS:.2f} seconds.",
        )
    if resampled.seconds > longest + 0.5 / FPS:
        raise DuologueError(
            "motion_too_long",
            f"The motion lasts {motion.seconds:.1f} seconds.",
            f"Choose a range of at most {longest:g} seconds.",
        )
    return resampled


def check_gap(gap: tuple[int, int], frames: int, longest: int) -> None:
    """Refuse a gap, in frames at 30 fps, that cannot be filled.

    Args:
        gap: first frame and the one after the last.
        frames: of the motion.
        longest: frames that a gap may have.

    Raises:
        DuologueError: ``gap_impossible``.
    """
    first, last = gap
    if not SHORTEST <= first <= frames or not 0 < last - first <= longest:
        raise DuologueError(
            "gap_impossible",
            f"The {(last - first) / FPS:.1f} seconds from second {first / FPS:.1f} on cannot be made anew.",
            f"Choose up to {longest / FPS:.1f} seconds, {SHORTEST / FPS:.1f} seconds or more after the start.",
        )
