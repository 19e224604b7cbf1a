"""Blender's context and armatures, typed so that a type checker can live with them.

The stubs for Blender 4.5 take every property of a context for a method, and cannot know what a context holds where, nor
that an object's data are an armature.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    ArmatureObject = Any
    Context = Any
else:
    from bpy.types import Context
    from bpy.types import Object as ArmatureObject

__all__ = ["ArmatureObject", "Context"]
