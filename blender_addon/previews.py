"""Pictures of motion on Actions: saved with the file, shown in lists, and what the Asset Browser shows of an asset."""

from __future__ import annotations

from typing import Any

import numpy as np
from bpy.types import Action

_ICON = 3
"""Pixels of the picture, in each direction, that a pixel of the small icon is the mean of."""


def attach(action: Action, picture: np.ndarray) -> None:
    """Give an action its picture.

    Args:
        action: of this file.
        picture: (H, W, 4) RGBA, 0 to 1, the lowest row first.
    """
    height, width = picture.shape[:2]
    small = picture.reshape(height // _ICON, _ICON, width // _ICON, _ICON, 4)
    # What is transparent must not darken the mean.
    alpha = small[..., 3:].mean((1, 3))
    color = (small[..., :3] * small[..., 3:]).mean((1, 3)) / np.maximum(alpha, 1e-6)
    preview: Any = action.preview_ensure()
    for kind, pixels in (("image", picture), ("icon", np.concatenate((color, alpha), axis=-1))):
        setattr(preview, f"{kind}_size", (pixels.shape[1], pixels.shape[0]))
        getattr(preview, f"{kind}_pixels_float").foreach_set(np.ascontiguousarray(pixels, np.float32).ravel())


def has(action: Action) -> bool:
    """Whether an action has a picture."""
    preview: Any = action.preview
    return preview is not None and preview.image_size[0] > 0


def icon_of(action: Action | None) -> int:
    """The number of an action's picture for layouts; 0 where it has none."""
    preview: Any = None if action is None else action.preview
    return preview.icon_id if action is not None and has(action) else 0
