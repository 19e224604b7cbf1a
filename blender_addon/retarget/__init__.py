"""Motion to rig and rig to Motion, as arithmetic on arrays: standard library and NumPy, no bpy.

Everything here lives in the space of `protocol.motion.Motion`: metres, Y up. `blender_addon.animation` converts.
"""
