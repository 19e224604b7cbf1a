"""`Rig`: an armature as plain arrays, as `blender_addon.animation.rig` reads it out of Blender."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from protocol import rotations as rot
from protocol.errors import DuologueError


@dataclass(frozen=True, eq=False)
class Rig:
    """The bones of an armature in their rest pose; equal to another that is built in the same way.

    Attributes:
        name: what people call the rig, for messages.
        bones: B bone names, parents before children.
        parents: B indices of the parent bone, -1 for none.
        rest: (B, 4, 4) rest matrices in armature space; the columns are the bone's axes and its head.
        tails: (B, 3) bone tails in armature space.
        world: (4, 4) armature space to the world of `Motion`: metres, Y up; may turn, shift and scale.
        connected: bones whose head is glued to the parent's tail and which therefore take no location keys.
    """

    name: str
    bones: tuple[str, ...]
    parents: tuple[int, ...]
    rest: np.ndarray
    tails: np.ndarray
    world: np.ndarray
    connected: frozenset[str] = field(default_factory=frozenset)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rig) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> tuple[object, ...]:
        arrays = (self.rest.tobytes(), self.tails.tobytes(), self.world.tobytes())
        return self.name, self.bones, tuple(self.parents), self.connected, *arrays

    def index(self, bone: str) -> int:
        """Index of the bone of that name."""
        return self.bones.index(bone)

    def hangs(self, bone: str, other: str) -> bool:
        """Whether a bone is carried by another, directly or through more bones."""
        above = self.parents[self.index(bone)]
        while above >= 0 and self.bones[above] != other:
            above = self.parents[above]
        return above >= 0

    def heads(self) -> np.ndarray:
        """(B, 3) bone heads in the world."""
        return self.to_world(self.rest[:, :3, 3])

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of armature space in the world."""
        return points @ self.world[:3, :3].T + self.world[:3, 3]

    def rest_rotations(self) -> np.ndarray:
        """(B, 4) world rotations of the bones at rest.

        Raises:
            DuologueError: ``rig_mirrored`` if the object's scale turns it inside out.
        """
        self.check_scale()
        matrices = self.world[:3, :3] @ self.rest[:, :3, :3]
        return rot.from_matrix(orthonormal(matrices))

    def check_scale(self) -> None:
        """See that the object's scale leaves bones their rotation.

        Raises:
            DuologueError: ``rig_mirrored`` if it is zero or turns the rig inside out.
        """
        if not np.linalg.det(self.world[:3, :3]) > 0:
            raise DuologueError(
                "rig_mirrored",
                f"The rig “{self.name}” has a negative or zero scale, so its bones have no rotation to copy.",
                "Apply or undo the scale of the object, then try again.",
            )


def orthonormal(matrices: np.ndarray) -> np.ndarray:
    """The rotations (..., 3, 3) nearest to matrices that may also scale: their polar factors."""
    u, _, vt = np.linalg.svd(matrices)
    return u @ vt
