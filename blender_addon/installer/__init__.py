"""Sets the backend up in an environment of its own, outside Blender's Python. Knows nothing of Blender."""
