"""What must hold before a job is begun, each with one sentence and a next step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import bpy
from bpy.types import ArmatureModifier, Object, Scene

from protocol.errors import DuologueError
from protocol.messages import Limits

from .. import compat
from ..animation.condition import check_present, moved_by_others
from ..animation.measured import check_keyed
from ..animation.rig import bone_map_of
from ..characters import pair_with
from ..link import jobs
from ..retargeting import options_of
from ..stubs import Context

if TYPE_CHECKING:
    from ..properties import DUOLOGUE_PG_pair

_LIMITS = Limits(prompt_characters=500, seconds_min=1.0, seconds_max=10.0, samples_max=8)
"""What holds until a backend has said what it accepts; it checks again in any case."""


def prompt(text: str, *, needed: bool) -> str:
    """The prompt without surrounding space.

    Raises:
        DuologueError: ``prompt_empty`` (where one is needed) or ``prompt_too_long``.
    """
    text = text.strip()
    most = limits().prompt_characters
    if needed and not text:
        raise DuologueError(
            "prompt_empty", "The prompt is empty.", "Say what the two do, such as “two people shake hands”."
        )
    if len(text) > most:
        raise DuologueError(
            "prompt_too_long",
            f"The prompt has {len(text)} characters, {most} are allowed.",
            "Say it in fewer words.",
        )
    return text


def seconds(value: float) -> float:
    """The length of a motion to be made.

    Raises:
        DuologueError: ``seconds_out_of_range``.
    """
    known = limits()
    if not known.seconds_min <= value <= known.seconds_max:
        raise DuologueError(
            "seconds_out_of_range",
            f"{value:g} seconds cannot be made, only {known.seconds_min:g} to {known.seconds_max:g} seconds.",
            "Change Seconds in the Duologue tab.",
        )
    return value


def variations(count: int) -> int:
    """How many motions are to be made for one request.

    Raises:
        DuologueError: ``too_many_variations``.
    """
    most = limits().samples_max
    if count > most:
        raise DuologueError(
            "too_many_variations",
            f"This backend makes at most {most} variations at once.",
            "Lower Variations in the Duologue tab.",
        )
    return count


def characters(scene: Scene, pair: DUOLOGUE_PG_pair) -> tuple[Object, Object]:
    """Character A and character B of a pair.

    Raises:
        DuologueError: ``character_missing``, ``character_not_in_scene`` or ``character_twice``.
    """
    found = [_present(scene, name, character) for name, character in zip("AB", pair.characters(), strict=True)]
    if found[0] == found[1]:
        raise DuologueError(
            "character_twice",
            f"“{found[0].name}” is both character A and character B.",
            "Pick another armature for one of them in the Duologue tab.",
        )
    return found[0], found[1]


def partner_of(scene: Scene, character: Object) -> Object:
    """The other character of the pair that a character belongs to.

    Raises:
        DuologueError: ``not_in_pair`` if ``character`` is neither A nor B, or what `characters` raises.
    """
    pair = characters(scene, pair_with(scene, character))
    if character not in pair:
        raise DuologueError(
            "not_in_pair",
            f"“{character.name}” is neither character A nor character B.",
            "Pick it as one of them in the Duologue tab, so that its partner is known.",
        )
    return pair[1] if character == pair[0] else pair[0]


def armature_of(candidate: object) -> Object | None:
    """The armature that an object is or, for a mesh, is moved by; None for anything else."""
    if not isinstance(candidate, Object):
        return None
    if candidate.type == "ARMATURE":
        return candidate
    modified_by = [modifier.object for modifier in candidate.modifiers if isinstance(modifier, ArmatureModifier)]
    for owner in (*modified_by, candidate.parent):
        if owner is not None and owner.type == "ARMATURE":
            return owner
    return None


def chosen_armature(context: Context) -> Object:
    """The character that was clicked: the Outliner's row, else the active object.

    Raises:
        DuologueError: ``no_character``.
    """
    clicked = armature_of(getattr(context, "id", None)) or armature_of(context.object)
    if clicked is None:
        raise DuologueError(
            "no_character", "No character is active.", "Click an armature, or a mesh on one, and try again."
        )
    return clicked


def mapped(cast: Sequence[Object]) -> None:
    """See that the rigs of all characters are there and understood.

    Raises:
        DuologueError: what `bone_map_of` says about one that is not, such as ``rig_unmapped`` with its missing bones,
            or what `check_present` raises.
    """
    for character in cast:
        check_present(character)
        bone_map_of(character)


def keyable(cast: Sequence[Object]) -> None:
    """See that keys can move the characters, which must be mapped.

    Raises:
        DuologueError: what `check_keyed` raises.
    """
    context: Context = bpy.context
    for character in cast:
        check_keyed(character, options_of(pair_with(context.scene, character)))


def frames_to_read(scene: Scene, moving: list[Object]) -> tuple[int, int]:
    """First and last frame of an animation that is to be reacted to or described.

    That is the preview range if one is set, else from the first to the last key of the characters' actions, else (when
    they are moved by NLA strips) the scene's range.

    Raises:
        DuologueError: ``no_animation`` or ``one_frame``.
    """
    for character in moving:
        if not _is_animated(character):
            raise DuologueError(
                "no_animation",
                f"“{character.name}” has no animation.",
                "Animate it, or let Generate do so, and try again.",
            )
    ranges = [keyed_range(character) for character in moving]
    if scene.use_preview_range:
        first, last = scene.frame_preview_start, scene.frame_preview_end
    elif any(keyed is None for keyed in ranges):
        first, last = scene.frame_start, scene.frame_end
    else:
        keyed = [one for one in ranges if one is not None]
        first, last = min(one[0] for one in keyed), max(one[1] for one in keyed)
    if last <= first:
        raise DuologueError(
            "one_frame",
            f"The animation of “{moving[0].name}” is a single frame, frame {first}.",
            "Give it keys on more frames, or widen the preview range.",
        )
    return first, last


def is_animated(character: Object | None) -> bool:
    """Whether a character has something that could be read."""
    return character is not None and _is_animated(character)


def limits() -> Limits:
    """What the backend accepts, or what is usual until it has said so."""
    return jobs.session.welcome.limits if jobs.session.welcome else _LIMITS


def _present(scene: Scene, name: str, character: Object | None) -> Object:
    if character is None:
        raise DuologueError(
            "character_missing", f"Character {name} is not set.", "Pick an armature for it in the Duologue tab."
        )
    if character.name not in scene.objects:
        raise DuologueError(
            "character_not_in_scene",
            f"Character {name}, “{character.name}”, is not in this scene.",
            "Pick another armature for it in the Duologue tab, or bring it back.",
        )
    return character


def _is_animated(character: Object) -> bool:
    if moved_by_others(character):
        return True
    data = character.animation_data
    if data is None:
        return False
    return keyed_range(character) is not None or any(track.strips for track in data.nla_tracks)


def keyed_range(character: Object) -> tuple[int, int] | None:
    """First and last frame that a character's action has keys on; None without any."""
    data = character.animation_data
    if data is None or data.action is None or data.action_slot is None:
        return None
    curves = compat.fcurves_of(data.action, data.action_slot)
    times = [bound for curve in curves if curve.keyframe_points for bound in curve.range()]
    return (round(min(times)), round(max(times))) if times else None
