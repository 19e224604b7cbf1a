"""What the extension and the backend both speak: motions, messages and the wire.

Standard library and NumPy only, because the extension carries a copy of this package into Blender.
"""
