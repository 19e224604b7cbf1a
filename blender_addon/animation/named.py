"""Objects by name: a name outlives undo, which replaces what a pointer points at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
from bpy.types import Object

from protocol.errors import DuologueError


@dataclass(frozen=True)
class Named:
    """An object by name.

    Attributes:
        name: its name.
        library: path of the library that it is linked from; None for one of this file.
    """

    name: str
    library: str | None

    @classmethod
    def of(cls, found: Object) -> Named:
        """The name of an object."""
        return cls(found.name, found.library.filepath if found.library else None)

    def find(self) -> Any:
        """The object of that name as it is now.

        Raises:
            DuologueError: ``character_gone``.
        """
        found = bpy.data.objects.get((self.name, self.library))
        if found is None:
            raise DuologueError(
                "character_gone",
                f"“{self.name}” was removed or renamed while Duologue worked on it.",
                "Undo that, or pick another character, and try again.",
            )
        return found
