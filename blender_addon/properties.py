"""What is stored in the .blend: the pairs of a scene, who A and B are in each, and what was last asked for."""

# Blender reads property definitions from annotations.
# pyright: reportInvalidTypeForm=false

from typing import Any

from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)
from bpy.types import Object, PropertyGroup, Scene

from protocol.messages import GUIDANCE_MAX

from .characters import correct, mapping_of
from .conversation import DUOLOGUE_PG_conversation
from .results import DUOLOGUE_PG_result
from .retarget import mapping
from .retargeting import DUOLOGUE_PG_retargeting

_BONE_ROWS = (
    *mapping.ROWS,
    *(
        f"{chain}{number}"
        for chain, least in (("spine", 4), ("neck", 2))
        for number in range(least, mapping.CHAIN_MAX[chain] + 1)
    ),
)

SEED_MAX = 2**31 - 8
"""Largest seed: variations take the numbers after it, and Blender's integers end at 2^31 - 1."""
VARIATIONS_MAX = 8


AT_STAND, AT_A, AT_CURSOR = "STAND", "A", "CURSOR"
_PLACES = (
    (AT_STAND, "Between", "Begin between A and B as they stand at the current frame", "SNAP_MIDPOINT", 0),
    (AT_A, "At A", "Begin where A stands at the current frame, facing where A faces", "EVENT_A", 1),
    (AT_CURSOR, "At Cursor", "Begin with A at the 3D cursor, facing its -Y", "PIVOT_CURSOR", 2),
)


def _is_armature(_group: PropertyGroup, candidate: Object) -> bool:
    return candidate.type == "ARMATURE"


def _bone_field(row: str) -> Any:
    """A text field that shows which bone plays a joint and corrects the armature's map when it is changed."""

    def shown(group: PropertyGroup) -> str:
        character = _character_of(group)
        return mapping.rows_of(mapping_of(character).bone_map).get(row, "") if character is not None else ""

    def changed(group: PropertyGroup, bone: str) -> None:
        character = _character_of(group)
        if character is not None and bone != shown(group):
            correct(character, row, bone)

    return StringProperty(
        name=mapping.listed([row]).capitalize(),
        description="Bone that plays this joint; empty if the rig has none",
        get=shown,
        set=changed,
    )


def _character_of(group: PropertyGroup) -> Object | None:
    scene: Any = group.id_data
    for pair in scene.duologue.pairs:
        if group == pair.bones_a:
            return pair.character_a
        if group == pair.bones_b:
            return pair.character_b
    return None


class DUOLOGUE_PG_bones(PropertyGroup):
    """A field for every row of a character's bone map; what they show and change is kept on the armature."""

    __annotations__ = {row: _bone_field(row) for row in _BONE_ROWS}


class DUOLOGUE_PG_prompt(PropertyGroup):
    """A prompt that was used before: its ``name``."""


class DUOLOGUE_PG_pair(PropertyGroup):
    """Two characters, the settings of their next generation, and their latest result; its ``name`` is in the list."""

    key: IntProperty(description="Tells the pair from the others of its scene, whatever it is called")
    character_a: PointerProperty(
        name="A",
        description="Armature of the first person, whom prompts call “the first person” or “A”",
        type=Object,
        poll=_is_armature,
    )
    character_b: PointerProperty(
        name="B",
        description="Armature of the second person, whom prompts call “the second person” or “B”",
        type=Object,
        poll=_is_armature,
    )
    bones_a: PointerProperty(type=DUOLOGUE_PG_bones)
    bones_b: PointerProperty(type=DUOLOGUE_PG_bones)
    show_bones_a: BoolProperty(name="Bones of A", description="Show which bone plays which joint")
    show_bones_b: BoolProperty(name="Bones of B", description="Show which bone plays which joint")
    prompt: StringProperty(
        name="Prompt",
        description="What the two of them do, in plain words",
        default="two people shake hands",
    )
    history: CollectionProperty(type=DUOLOGUE_PG_prompt)
    seconds: FloatProperty(
        name="Seconds",
        description="How long the motion is, in seconds, whatever the scene's frame rate",
        default=4.0,
        min=0.0,
        soft_min=1.0,
        soft_max=10.0,
        step=50,
        precision=1,
    )
    seed: IntProperty(
        name="Seed",
        description="The same prompt, length and seed give the same motion again",
        min=0,
        max=SEED_MAX,
    )
    new_seed: BoolProperty(
        name="New Seed Each Time",
        description="Draw another seed at every Generate and React",
        default=True,
    )
    variations: IntProperty(
        name="Variations",
        description="Make so many motions for the same prompt, one after the other, to choose from",
        default=1,
        min=1,
        max=VARIATIONS_MAX,
    )
    guidance: FloatProperty(
        name="Guidance",
        description="How strictly the motion follows the prompt: 1 suits the model best, less is freer",
        default=1.0,
        min=0.0,
        max=GUIDANCE_MAX,
        step=10,
        precision=2,
    )
    retargeting: PointerProperty(type=DUOLOGUE_PG_retargeting)
    place: EnumProperty(
        name="Place", description="Choose where on the floor a generated motion begins", items=_PLACES, default=AT_STAND
    )
    result: PointerProperty(type=DUOLOGUE_PG_result)
    conversation: PointerProperty(type=DUOLOGUE_PG_conversation)

    def characters(self) -> tuple[Object | None, Object | None]:
        """Character A and character B; None where none was picked."""
        return self.character_a, self.character_b


class DUOLOGUE_PG_pairs(PropertyGroup):
    """The pairs of a scene, of which one is being worked on."""

    pairs: CollectionProperty(type=DUOLOGUE_PG_pair)
    active: IntProperty(name="Pair", description="Click a pair to work on it", min=0)


CLASSES = (DUOLOGUE_PG_bones, DUOLOGUE_PG_prompt, DUOLOGUE_PG_pair, DUOLOGUE_PG_pairs)
_NAME = "duologue"


def register() -> None:
    """Attach the pairs to every scene; their classes must be registered."""
    setattr(Scene, _NAME, PointerProperty(type=DUOLOGUE_PG_pairs))


def unregister() -> None:
    """Take the pairs off the scenes again."""
    delattr(Scene, _NAME)
