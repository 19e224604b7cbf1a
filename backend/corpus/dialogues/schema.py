"""What a dialogue is, and the file that holds many: ``dialogues.jsonl``, one a line, checked when it is read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from protocol.errors import DuologueError

from ..scene import Split

DIALOGUES = "dialogues.jsonl"
SCHEMA = ConfigDict(frozen=True, extra="forbid")


class Turn(BaseModel):
    """One thing that a person says, and what answers it.

    Attributes:
        task: ``edit``: change a motion; ``ask``: a question about one; ``story``: go on from where one ended.
        words: what the person says.
        source: id of the scene that is spoken of; None in a story's first turn.
        target: id of the scene that answers an edit or a story.
        changes: in an edit, the properties that were asked for and the values that they have now.
        question: in an answer, its kind, as `dialogues.questions.right` needs it.
        answer: in words.
        bridge: in a story, id of the scene of the folder ``bridges`` that shows how they get from source to target.
        lead: in a story, seconds at the target's beginning in which they still get there.
    """

    model_config = SCHEMA
    task: Literal["edit", "ask", "story"]
    words: str = Field(min_length=1)
    source: str | None = None
    target: str | None = None
    changes: dict[str, str] = Field(default_factory=dict)
    question: str = ""
    answer: str = ""
    bridge: str | None = None
    lead: float = Field(default=0.0, ge=0.0)

    @model_validator(mode="after")
    def _whole(self) -> Turn:
        needed = {
            "edit": self.source and self.target and self.changes,
            "ask": self.source and self.question and self.answer,
            "story": self.target,
        }
        if not needed[self.task]:
            raise ValueError(f"a turn of the task {self.task} lacks what belongs to it")
        return self


class Dialogue(BaseModel):
    """Turns about the same two persons.

    Attributes:
        id: its name.
        split: what it may be used for; all its scenes are of the same split.
        writer: who chose the words.
        turns: in order.
    """

    model_config = SCHEMA
    id: str = Field(min_length=1)
    split: Split
    writer: str = "grammar"
    turns: tuple[Turn, ...] = Field(min_length=1)


def write_dialogues(folder: Path, dialogues: Iterable[Dialogue]) -> None:
    """Write ``dialogues.jsonl``, whole or not at all."""
    partial = folder / f"{DIALOGUES}.part"
    with partial.open("w", encoding="utf-8") as lines:
        lines.writelines(dialogue.model_dump_json(exclude_defaults=True) + "\n" for dialogue in dialogues)
    partial.replace(folder / DIALOGUES)


def read_dialogues(folder: Path, tell: Callable[[str], object] | None = None) -> list[Dialogue]:
    """All dialogues of a folder.

    A broken line is skipped, but never silently: each is named with file and line number, and all are counted.

    Args:
        folder: that holds ``dialogues.jsonl``.
        tell: takes the sentences about what was skipped; None prints them to stderr.

    Raises:
        DuologueError: ``dialogues_missing`` if there are none, ``dialogues_broken`` if no line holds one.
    """
    path = folder / DIALOGUES
    if not path.is_file():
        raise DuologueError(
            "dialogues_missing", f"There are no dialogues in {folder}.", "Make some: duologue corpus dialogues --help"
        )
    say = tell or (lambda text: print(text, file=sys.stderr))
    found: list[Dialogue] = []
    skipped = 0
    lines = path.read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(Dialogue.model_validate_json(line))
        except ValidationError as error:
            skipped += 1
            say(f"{path}:{number}: skipped, for this is no dialogue: {_reason(error)}.")
    if skipped:
        say(f"{path}: {skipped} of {skipped + len(found)} lines were skipped.")
    if not found:
        raise DuologueError("dialogues_broken", f"{path} holds no dialogue at all.", "Make the dialogues again.")
    return found


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])


def write_facts(folder: Path, facts: dict[str, object]) -> None:
    """Note in ``dialogues.json`` what the dialogues were made from."""
    (folder / "dialogues.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
