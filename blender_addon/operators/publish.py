"""What becomes of finished motion elsewhere in Blender: strips to arrange, assets to use again."""

from __future__ import annotations

import re
from typing import Any

from bpy.types import Action, Object

from protocol.errors import DuologueError

from .. import captions, compat, figures, previews, results
from ..animation.nla import push_down
from ..animation.place import standing
from ..characters import pair_with
from ..stubs import Context
from .onpair import CastOperator, check_local

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


class DUOLOGUE_OT_push_to_nla(CastOperator):
    """Move what both characters of the pair play onto aligned strips of the Nonlinear Animation editor"""

    bl_idname = "duologue.push_to_nla"
    bl_label = "Push Pair to NLA"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: Context, cast: list[Any]) -> str:
        """Make the strips; a result that was not accepted yet is."""
        for one in cast:
            _check_editable(one)
        results.accept(pair_with(context.scene, cast[0]).result)
        text = captions.of_pair(cast[0]) or captions.read(cast[0]) or cast[0].animation_data.action.name
        first, last = push_down(cast, captions.cut(text, compat.NAME_BYTES))
        names = " and ".join(one.name for one in cast)
        return f"{names}: strips from frame {first} to {last}."


class DUOLOGUE_OT_mark_asset(CastOperator):
    """Put what the pair plays into the Asset Browser, with its caption, its words as tags, and a picture of it"""

    bl_idname = "duologue.mark_asset"
    bl_label = "Mark Motion as Asset"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: Context, cast: list[Any]) -> str:
        """Mark the actions; the assets of those that are marked already are described anew."""
        actions: list[Any] = list(dict.fromkeys(one.animation_data.action for one in cast))
        for action in actions:
            check_local(action)
        for action in actions:
            _mark(action, [one for one in cast if one.animation_data.action == action])
        return " and ".join(f"“{action.name}”" for action in actions) + " can be found as an asset."


CLASSES = (DUOLOGUE_OT_push_to_nla, DUOLOGUE_OT_mark_asset)


def tags_of(caption: str) -> list[str]:
    """The words of a caption by which its motion may be looked for, in lower case and in their order."""
    words = re.findall(r"\w+", caption.lower())
    telling = [word for word in words if len(word) >= _TAG_LETTERS and word not in _COMMON]
    return list(dict.fromkeys(telling))[:_TAGS_MAX]


def _mark(action: Action, cast: list[Object]) -> None:
    caption = captions.read_action(action) or action.name
    if not previews.has(action):
        _picture(action, cast)
    action.asset_mark()
    data: Any = action.asset_data
    data.description = caption
    persons = "two characters" if len(action.slots) > 1 else "one character"
    for tag in ("Duologue", persons, *tags_of(caption)):
        data.tags.new(tag, skip_if_exists=True)


def _picture(action: Action, cast: list[Object]) -> None:
    """Draw the characters as they stand at the current frame; rigs that are not understood go without a picture."""
    try:
        previews.attach(action, figures.picture(standing(cast)))
    except DuologueError:
        return


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
