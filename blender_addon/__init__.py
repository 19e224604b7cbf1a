"""Duologue for Blender: two characters act out a sentence, react to each other, and are described in words.

Nothing here imports bpy before `register()`, so that plain Python can import the parts that need no Blender.
"""


def register() -> None:
    """Add everything to Blender; called when the extension is enabled."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Take everything out of Blender again and stop a backend that was started from here."""
    from . import registration

    registration.unregister()
