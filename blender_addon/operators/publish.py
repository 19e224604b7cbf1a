"""What becomes of finished motion elsewhere in Blender: strips to arrange, assets to use again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bpy.types import Action, Object, Operator

from protocol.errors import DuologueError

from .. import captions, compat, results
from ..animation.nla import push_down
from ..characters import active_pair, pair_with
from ..link import jobs
from ..stubs import Context
from . import checks

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

_TAGS_MAX = 8
_TAG_LETTERS = 4
"""Shorter words make poor tags."""
_COMMON = frozenset(
    {
        "about",
        "after",
        "again",
        "away",
        "both",
        "each",
        "from",
        "into",
        "left",
        "other",
        "others",
        "over",
        "people",
        "person",
        "persons",
        "right",
        "second",
        "slowly",
        "that",
        "their",
        "them",
        "then",
        "they",
        "this",
        "together",
        "towards",
        "two",
        "while",
        "with",
    }
)
"""Words that most captions have."""


class DUOLOGUE_OT_push_to_nla(Operator):
    """Move what both characters of the pair play onto aligned strips of the Nonlinear Animation editor"""

    bl_idname = "duologue.push_to_nla"
    bl_label = "Push Pair to NLA"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Not while a job writes onto the characters."""
        return not jobs.running()

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Make the strips; a result that was not accepted yet is."""
        try:
            cast = playing_cast(context)
            for one in cast:
                _check_editable(one)
        except DuologueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        results.accept(pair_with(context.scene, cast[0]).result)
        text = captions.of_pair(cast[0]) or captions.read(cast[0]) or cast[0].animation_data.action.name
        first, last = push_down(cast, captions.cut(text, compat.NAME_BYTES))
        names = " and ".join(one.name for one in cast)
        self.report({"INFO"}, f"{names}: strips from frame {first} to {last}.")
        return {"FINISHED"}


class DUOLOGUE_OT_mark_asset(Operator):
    """Put what the pair plays into the Asset Browser, described by its caption and found by the words of it"""

    bl_idname = "duologue.mark_asset"
    bl_label = "Mark Motion as Asset"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Not while a job writes onto the characters."""
        return not jobs.running()

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Mark the actions; the assets of those that are marked already are described anew."""
        try:
            actions: list[Any] = list(dict.fromkeys(one.animation_data.action for one in playing_cast(context)))
            for action in actions:
                check_local(action)
        except DuologueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        for action in actions:
            _mark(action)
        self.report({"INFO"}, " and ".join(f"“{action.name}”" for action in actions) + " can be found as an asset.")
        return {"FINISHED"}


CLASSES = (DUOLOGUE_OT_push_to_nla, DUOLOGUE_OT_mark_asset)


def tags_of(caption: str) -> list[str]:
    """The words of a caption by which its motion may be looked for, in lower case and in their order."""
    words = re.findall(r"\w+", caption.lower())
    telling = [word for word in words if len(word) >= _TAG_LETTERS and word not in _COMMON]
    return list(dict.fromkeys(telling))[:_TAGS_MAX]


def _mark(action: Action) -> None:
    caption = captions.read_action(action) or action.name
    action.asset_mark()
    data: Any = action.asset_data
    data.description = caption
    persons = "two characters" if len(action.slots) > 1 else "one character"
    for tag in ("Duologue", persons, *tags_of(caption)):
        data.tags.new(tag, skip_if_exists=True)


def playing_cast(context: Context) -> list[Any]:
    """Those of the active character's pair that play an action; itself where it is of none.

    Raises:
        DuologueError: ``no_animation``.
    """
    chosen = checks.armature_of(context.object)
    found = active_pair(context) if chosen is None else pair_with(context.scene, chosen)
    pair = [one for one in found.characters() if one is not None]
    cast = pair if chosen is None or chosen in pair else [chosen]
    playing = [one for one in cast if _plays(one) and one.name in context.scene.objects]
    if not playing:
        raise DuologueError(
            "no_animation",
            "Neither character plays an action." if len(cast) != 1 else f"“{cast[0].name}” plays no action.",
            "Generate or animate something first.",
        )
    return playing


def _plays(character: Object) -> bool:
    data = character.animation_data
    return data is not None and data.action is not None and data.action_slot is not None


def _check_editable(character: Any) -> None:
    if character.library is not None:
        raise DuologueError(
            "rig_linked",
            f"“{character.name}” is linked from another file, and its strips cannot be changed here.",
            "Make a library override of it (Object > Library Override > Make) and try again.",
        )
    if character.animation_data.use_tweak_mode:
        raise DuologueError(
            "rig_in_tweak_mode",
            f"An NLA strip of “{character.name}” is being tweaked.",
            "Leave tweak mode in the Nonlinear Animation editor (Tab) and try again.",
        )


def check_local(action: Action) -> None:
    """See that an action can be changed in this file.

    Raises:
        DuologueError: ``action_linked``.
    """
    if action.library is not None:
        raise DuologueError(
            "action_linked",
            f"The Action “{action.name}” is linked from another file and cannot be changed here.",
            "Change it in its own file, or make it local (Object > Relations > Make Local) first.",
        )
