"""Blender's context, typed so that a type checker can live with it.

The stubs for Blender 4.5 take every property of a context for a method, and cannot know what a context holds where.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Context = Any
else:
    from bpy.types import Context

__all__ = ["Context"]
