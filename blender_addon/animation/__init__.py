"""Blender's rigs and keys on one side, `protocol.motion.Motion` on the other.

Blender's world is Z up, that of `Motion` Y up; here, and nowhere else, one becomes the other.
"""
