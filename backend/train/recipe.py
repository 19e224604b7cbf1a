"""Recipes: a YAML file into a frozen dataclass, with errors that name the field."""

from __future__ import annotations

import dataclasses
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

import yaml

from protocol.errors import DuologueError

RECIPES = Path(__file__).parent / "recipes"
"""Shipped ones, each called ``NAME.STAGE.yaml``."""
_SHARES = "duologue-small"
"""Whose recipes of shared stages stand for those that another name lacks."""

Recipe = TypeVar("Recipe")


def read_recipe(path: Path, kind: type[Recipe]) -> Recipe:
    """Read a YAML file into the frozen dataclass ``kind``.

    Its fields may be dataclasses themselves, tuples, one of some words (``Literal``), or left out (``| None``).

    Raises:
        DuologueError: ``recipe_missing`` or ``recipe_invalid``, naming the field that is unknown, lacking or mistyped.
    """
    if not path.is_file():
        raise DuologueError("recipe_missing", f"There is no recipe at {path}.", "Shipped ones: backend/train/recipes.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return _build(kind, content, "the recipe")
    except (yaml.YAMLError, ValueError) as error:
        raise DuologueError("recipe_invalid", f"{path.name}: {error}.", "Correct the file and start again.") from error


def _build(kind: Any, content: Any, where: str) -> Any:
    if not isinstance(content, dict):
        raise ValueError(f"{where} should be a list of names and values")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(content) - set(fields))
    if unknown:
        raise ValueError(f"{where} has an unknown entry {unknown[0]!r}; it may have {', '.join(fields)}")
    required = [f.name for f in fields.values() if f.default is f.default_factory is dataclasses.MISSING]
    lacking = sorted(set(required) - set(content))
    if lacking:
        raise ValueError(f"{where} lacks {lacking[0]!r}")
    types = typing.get_type_hints(kind)
    return kind(**{name: _value(types[name], value, name) for name, value in content.items()})


def _value(kind: Any, value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _build(kind, value, repr(name))
    if isinstance(kind, types.UnionType):
        return None if value is None else _value(typing.get_args(kind)[0], value, name)
    if typing.get_origin(kind) is typing.Literal:
        if value not in typing.get_args(kind):
            raise ValueError(f"{name!r} should be one of {', '.join(typing.get_args(kind))}, not {value!r}")
        return value
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{name!r} should be a list, not {value!r}")
        return tuple(_value(typing.get_args(kind)[0], item, name) for item in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{name!r} should be {kind.__name__}, not {value!r}")
    return value


def recipe_of(name: str, stage: str, *, shared: bool = False) -> Path:
    """The shipped recipe of a stage; duologue-small's where a name has none and the stage may be ``shared``.

    Raises:
        DuologueError: ``recipe_missing``.
    """
    for owner in (name, _SHARES) if shared else (name,):
        recipe = RECIPES / f"{owner}.{stage}.yaml"
        if recipe.is_file():
            return recipe
    known = sorted(path.name.removesuffix(".instruct.yaml") for path in RECIPES.glob("*.instruct.yaml"))
    raise DuologueError(
        "recipe_missing", f"There is no recipe {name}.{stage}.yaml.", f"There are all recipes of {', '.join(known)}."
    )
