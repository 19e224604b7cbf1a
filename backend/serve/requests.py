"""What a request must look like before it may wait for the model, each obstacle with one sentence and a next step."""

from __future__ import annotations

from collections.abc import Sequence

from protocol.errors import DuologueError
from protocol.messages import (
    ASK,
    COMPLETE,
    DESCRIBE,
    EDIT,
    REACT,
    SCENES_MAX,
    SCRIPT_CHARACTERS_MAX,
    STORY,
    TASKS,
    Limits,
    Submit,
)
from protocol.motion import Motion

_WITH_MOTION = (REACT, DESCRIBE, EDIT, ASK, COMPLETE)
_PERSONS = {EDIT: (2,), ASK: (1, 2), STORY: (2,), COMPLETE: (2,)}


def check(submit: Submit, limits: Limits) -> None:
    """See that a job can be meant; what only the model can judge is left to the model.

    Raises:
        DuologueError: ``task_unknown``, ``samples_out_of_range``, ``motion_missing``, ``motion_persons``,
            ``prompt_empty``, ``prompt_too_long``, ``script_too_long``, ``scenes_out_of_range``,
            ``seconds_out_of_range``, ``gap_out_of_range`` or ``gap_too_long``.
    """
    if submit.task not in TASKS:
        raise DuologueError("task_unknown", f"This backend knows no task {submit.task[:40]!r}.", "Update it.")
    if not 1 <= submit.samples <= limits.samples_max:
        raise DuologueError(
            "samples_out_of_range",
            f"{submit.samples} variations cannot be made at once.",
            f"Choose 1 to {limits.samples_max}.",
        )
    if submit.task in _WITH_MOTION and submit.motion is None:
        raise DuologueError("motion_missing", f"The task {submit.task} needs a motion.", "Send one with it.")
    if submit.motion is not None and submit.task in _PERSONS:
        _check_persons(submit.task, submit.motion)
    if submit.task in (EDIT, ASK):
        _check_text(submit.prompt, limits)
    if len(submit.script) > SCRIPT_CHARACTERS_MAX:
        raise DuologueError(
            "script_too_long",
            f"A script of {len(submit.script)} characters is over the limit of {SCRIPT_CHARACTERS_MAX}.",
            "Send the script of an earlier result, or none.",
        )
    if submit.task == STORY:
        _check_story(submit, limits)
    if submit.task == COMPLETE and submit.motion is not None:
        _check_gap(submit.gap, submit.motion, limits)


def unsupported(task: str, checkpoint: str) -> DuologueError:
    """The error for a task that the backend knows and the loaded checkpoint cannot do."""
    return DuologueError(
        "task_unsupported",
        f"The checkpoint {checkpoint} has not learned the task {task}.",
        "Load a checkpoint that has.",
    )


def _check_persons(task: str, motion: Motion) -> None:
    allowed = _PERSONS[task]
    if motion.persons not in allowed:
        persons = " or ".join(str(count) for count in allowed)
        raise DuologueError(
            "motion_persons",
            f"The task {task} needs a motion of {persons} persons, and this one has {motion.persons}.",
            "Choose both characters.",
        )


def _check_text(text: str, limits: Limits) -> None:
    if not text.strip():
        raise DuologueError("prompt_empty", "The prompt is empty.", "Say in words what is wanted.")
    if len(text) > limits.prompt_characters:
        raise DuologueError(
            "prompt_too_long",
            f"The prompt has {len(text)} characters.",
            f"Shorten it to at most {limits.prompt_characters}.",
        )


def _check_story(submit: Submit, limits: Limits) -> None:
    scenes = len(submit.prompts)
    if not 1 <= scenes <= SCENES_MAX:
        raise DuologueError(
            "scenes_out_of_range", f"A story of {scenes} scenes cannot be told.", f"Write 1 to {SCENES_MAX} scenes."
        )
    for prompt in submit.prompts:
        _check_text(prompt, limits)
    least, most = scenes * limits.seconds_min, scenes * limits.seconds_max
    if not least <= submit.seconds <= most:  # also false for NaN
        raise DuologueError(
            "seconds_out_of_range",
            f"{submit.seconds:g} seconds do not suit {scenes} scene{'s' * (scenes != 1)}.",
            f"Choose between {least:g} and {most:g} seconds.",
        )


def _check_gap(gap: Sequence[int], motion: Motion, limits: Limits) -> None:
    first, end = gap if len(gap) == 2 else (0, 0)
    continues = first == motion.frames
    if not 0 <= first < end or first > motion.frames or (not continues and end > motion.frames):
        raise DuologueError(
            "gap_out_of_range",
            f"{list(gap)[:4]} is no stretch of a motion of {motion.frames} frames.",
            "Give its first frame and the one after its last, within the motion or from its end on.",
        )
    if first == 0 and end == motion.frames:
        raise DuologueError(
            "gap_out_of_range",
            "Nothing of the motion is left outside the stretch that is to be made anew.",
            "Choose a shorter stretch, or generate the whole.",
        )
    if (end - first) / motion.fps > limits.seconds_max + 0.5 / motion.fps:
        raise DuologueError(
            "gap_too_long",
            f"The stretch to be made lasts {(end - first) / motion.fps:.1f} seconds.",
            f"Choose one of at most {limits.seconds_max:g} seconds.",
        )
