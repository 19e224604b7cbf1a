"""Which tasks the connected backend's checkpoint has learned: what is offered, and why something is not."""

from __future__ import annotations

from typing import Any

from protocol.errors import DuologueError
from protocol.messages import ASK, COMPLETE, EDIT, STORY

from ..link import jobs
from ..stubs import Context

_DOING = {
    EDIT: "change a motion by words",
    ASK: "answer questions",
    STORY: "tell stories",
    COMPLETE: "continue a motion or fill a gap in it",
}


def lacking(*tasks: str) -> list[str]:
    """Those of the tasks that the backend has said it cannot do; none before it has loaded its checkpoint."""
    welcome = jobs.session.welcome
    return [task for task in tasks if welcome is not None and welcome.ready and task not in welcome.tasks]


def why_not(*tasks: str) -> str:
    """One sentence on what the checkpoint cannot do of these tasks; empty where it can do all of them."""
    welcome, missing = jobs.session.welcome, lacking(*tasks)
    if welcome is None or not missing:
        return ""
    return f"{welcome.checkpoint} has not learned to " + ", nor to ".join(_DOING[task] for task in missing) + "."


def check(task: str) -> None:
    """See that the backend can do a task, as far as it has said.

    Raises:
        DuologueError: ``task_unsupported``.
    """
    reason = why_not(task)
    if reason:
        raise DuologueError("task_unsupported", reason, "Choose another checkpoint in the add-on's preferences.")


class Offered:
    """Poll of the operators that need a task: greyed out, with the reason in the tooltip, where it was not learned."""

    task = ""

    @classmethod
    def poll(cls: Any, context: Context) -> bool:
        """Whether there is a scene, nothing runs, and the task is known."""
        reason = why_not(cls.task)
        if reason:
            cls.poll_message_set(reason)
            return False
        if jobs.running():
            cls.poll_message_set("Duologue is still at work on the last thing.")
            return False
        return context.scene is not None
