"""Everything that Blender is told about, in the order in which it must be told."""

import bpy

from . import calibrating, conversation, preferences, properties, results, retargeting, versioning
from .link import install, jobs
from .operators import (
    backend,
    calibration,
    converse,
    describe,
    export,
    fill,
    generate,
    pairs,
    publish,
    react,
    reduce,
    remedies,
    result,
    rig_setup,
    setup,
    story,
    turns,
)
from .ui import conversation as conversation_panel
from .ui import menus, outliner, prompts, sidebar
from .ui import result as result_panel
from .ui import retargeting as retargeting_panel
from .ui import setup as setup_panel

CLASSES = (
    *preferences.CLASSES,
    *results.CLASSES,
    *conversation.CLASSES,
    *retargeting.CLASSES,
    *calibrating.CLASSES,
    *properties.CLASSES,
    *pairs.CLASSES,
    *generate.CLASSES,
    *react.CLASSES,
    *describe.CLASSES,
    *converse.CLASSES,
    *fill.CLASSES,
    *story.CLASSES,
    *turns.CLASSES,
    *result.CLASSES,
    *publish.CLASSES,
    *export.CLASSES,
    *reduce.CLASSES,
    *rig_setup.CLASSES,
    *calibration.CLASSES,
    *backend.CLASSES,
    *setup.CLASSES,
    *remedies.CLASSES,
    *setup_panel.CLASSES,
    *prompts.CLASSES,
    *sidebar.CLASSES,
    *result_panel.CLASSES,
    *retargeting_panel.CLASSES,
    *conversation_panel.CLASSES,
    *menus.CLASSES,
)
_ATTACHED = (properties, calibrating, versioning, jobs, install, menus, outliner)


def register() -> None:
    """Register the classes, then what hangs on them."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for module in _ATTACHED:
        module.register()


def unregister() -> None:
    """Undo `register`, last things first."""
    for module in reversed(_ATTACHED):
        module.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
