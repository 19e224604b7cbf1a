"""What a description becomes: a caption on the actions of those who were described."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
from bpy.types import Object, Scene

from protocol.errors import DuologueError

from .. import captions, markers
from ..animation.named import Named
from .said import TextOutcome


class CaptionOutcome(TextOutcome):
    """Words about the animation that characters have."""

    def __init__(self, described: Sequence[Object], scene: Scene, marker_frame: int | None) -> None:
        """Remember whom the words are about, and where in the scene a marker shall say them; None for no marker."""
        super().__init__(
            DuologueError(
                "no_caption", "The backend found no words for this motion.", "Try a longer or clearer stretch of it."
            )
        )
        self._described = [Named.of(character) for character in described]
        self._scene, self._marker_frame = scene.name, marker_frame

    def keep(self) -> str:
        """Write the caption onto the actions."""
        if not self.said:
            return ""
        captions.write([character.find() for character in self._described], self.said)
        names = " and ".join(character.name for character in self._described)
        if self._marker_frame is not None:
            markers.mark(bpy.data.scenes[self._scene], self._marker_frame, names, self.said)
        return f"{names}: {self.said}"
