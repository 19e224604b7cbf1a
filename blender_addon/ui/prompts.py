"""The menu beside the prompt: what was asked for before, and examples to begin with."""

from __future__ import annotations

from typing import Any

from bpy.types import Menu

from ..characters import active_pair
from ..examples import EXAMPLES
from ..operators.generate import DUOLOGUE_OT_use_prompt
from ..stubs import Context


class DUOLOGUE_MT_prompts(Menu):
    """Use a prompt of before, or an example"""

    bl_idname = "DUOLOGUE_MT_prompts"
    bl_label = "Prompts"

    def draw(self, context: Context) -> None:
        """Draw the latest prompts of this pair, then the families of examples."""
        layout: Any = self.layout
        for one in active_pair(context).history:
            layout.operator(DUOLOGUE_OT_use_prompt.bl_idname, text=one.name, icon="RECOVER_LAST").prompt = one.name
        if len(active_pair(context).history):
            layout.separator()
        for cls in _FAMILIES:
            layout.menu(cls.bl_idname)


class _Family(Menu):
    prompts: tuple[str, ...] = ()

    def draw(self, context: Context) -> None:
        """Draw the examples of one family."""
        layout: Any = self.layout
        for prompt in self.prompts:
            layout.operator(DUOLOGUE_OT_use_prompt.bl_idname, text=prompt, translate=False).prompt = prompt


def _family(number: int, name: str, prompts: tuple[str, ...]) -> type[_Family]:
    identifier = f"DUOLOGUE_MT_examples_{number}"
    return type(identifier, (_Family,), {"bl_idname": identifier, "bl_label": name, "prompts": prompts})


_FAMILIES = tuple(_family(number, name, prompts) for number, (name, prompts) in enumerate(EXAMPLES))
CLASSES = (*_FAMILIES, DUOLOGUE_MT_prompts)
