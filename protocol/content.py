"""A message's fields to JSON and raw array buffers, and back with every type, size and shape checked.

The content frame is ``{"fields": {...}, "arrays": [{"name", "type", "shape"}, ...]}``; the n-th array's numbers are the
n-th buffer, little-endian, in C order. A field that holds a `Motion` is ``{"fps": 30.0}``, with its arrays named after
the field: ``motion.root``, ``motion.rotations``, ``motion.offsets``.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from .errors import DuologueError
from .messages import Limits, Message
from .motion import Motion

MOTION_FRAMES_MAX = 36_000
"""Frames of one motion: 20 minutes at 30 fps."""
PERSONS_MAX = 8

_ARRAY_TYPES = {"float32": np.dtype("<f4")}
_MOTION_ARRAYS = ("root", "rotations", "offsets")
_DIMENSIONS_MAX = 4
_INTEGER_MAX = 2**63 - 1
_MESSAGES = {kind.TYPE: kind for kind in typing.get_args(Message)}


def encode(message: Message) -> tuple[bytes, list[bytes]]:
    """The content frame and the array buffers of a message."""
    fields: dict[str, Any] = {}
    arrays: list[dict[str, Any]] = []
    buffers: list[bytes] = []
    for field in dataclasses.fields(message):
        value = getattr(message, field.name)
        if isinstance(value, Motion):
            fields[field.name] = {"fps": value.fps}
            for part in _MOTION_ARRAYS:
                array = getattr(value, part)
                arrays.append({"name": f"{field.name}.{part}", "type": "float32", "shape": list(array.shape)})
                buffers.append(array.astype("<f4", copy=False).tobytes())
        else:
            fields[field.name] = dataclasses.asdict(value) if isinstance(value, Limits) else value
    return json.dumps({"fields": fields, "arrays": arrays}, allow_nan=False).encode(), buffers


def decode(type_name: str, frame: bytes, buffers: Sequence[bytes]) -> Message:
    """The message of type ``type_name`` in a content frame and its buffers; fields it does not know are ignored.

    Raises:
        DuologueError: ``wire_unknown_type``, ``wire_malformed``, ``wire_too_large``, or what `Motion` finds wrong.
    """
    kind = _MESSAGES.get(type_name)
    if kind is None:
        raise DuologueError(
            "wire_unknown_type",
            f"Messages of the type {type_name[:40]!r} are not known here.",
            "Update the older of the extension and the backend.",
        )
    content = parse_object(frame, "content")
    arrays = _read_arrays(content.get("arrays", []), buffers)
    return _read_dataclass(kind, content.get("fields"), type_name, arrays)


def parse_object(frame: bytes, what: str) -> dict[str, Any]:
    """The JSON object in a frame.

    Raises:
        DuologueError: ``wire_malformed`` if it is anything else, or holds NaN or infinity.
    """
    try:
        value = json.loads(bytes(frame).decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"its {what} is not JSON") from error
    if not isinstance(value, dict):
        raise _malformed(f"its {what} is not an object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _malformed(why: str) -> DuologueError:
    return DuologueError("wire_malformed", f"A message was refused: {why}.", "Update the program that sent it.")


def _read_arrays(entries: object, buffers: Sequence[bytes]) -> dict[str, np.ndarray]:
    if not isinstance(entries, list) or len(entries) != len(buffers):
        raise _malformed(f"it brings {len(buffers)} buffers, but does not describe as many arrays")
    arrays: dict[str, np.ndarray] = {}
    for entry, buffer in zip(entries, buffers, strict=True):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or entry["name"] in arrays:
            raise _malformed("an array has no name of its own")
        dtype = _ARRAY_TYPES.get(entry["type"]) if isinstance(entry.get("type"), str) else None
        shape = entry.get("shape")
        if dtype is None or not _is_shape(shape) or math.prod(shape) * dtype.itemsize != len(buffer):
            raise _malformed("an array's type, shape and number of bytes do not agree")
        arrays[entry["name"]] = np.frombuffer(buffer, dtype).reshape(shape)
    return arrays


def _is_shape(shape: object) -> typing.TypeGuard[list[int]]:
    return (
        isinstance(shape, list)
        and 1 <= len(shape) <= _DIMENSIONS_MAX
        and all(type(length) is int and 0 <= length <= _INTEGER_MAX for length in shape)
    )


@functools.cache
def _field_types(kind: type) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


def _read_dataclass(kind: Any, value: object, where: str, arrays: Mapping[str, np.ndarray]) -> Any:
    if not isinstance(value, dict):
        raise _malformed(f"{where} is not an object")
    found = {}
    for field in dataclasses.fields(kind):
        if field.name in value:
            found[field.name] = _read(_field_types(kind)[field.name], value[field.name], field.name, arrays)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise _malformed(f"{where} lacks {field.name}")
    return kind(**found)


def _read(kind: Any, value: object, where: str, arrays: Mapping[str, np.ndarray]) -> Any:
    """``value`` as ``kind``, which may be any type that the messages use; refuses everything else."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _read(_fitting(inner, value), value, where, arrays)
    if origin is list and isinstance(value, list):
        return [_read(inner[0], item, where, arrays) for item in value]
    if origin is dict and isinstance(value, dict):
        return {key: _read(inner[1], item, where, arrays) for key, item in value.items()}
    if kind is Motion:
        return _read_motion(value, where, arrays)
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, value, where, arrays)
    if kind is float and type(value) in (int, float) and math.isfinite(_as_float(value)):
        return _as_float(value)
    if kind is int and type(value) is int and abs(value) <= _INTEGER_MAX:
        return value
    if kind in (str, bool, type(None)) and type(value) is kind:
        return value
    raise _malformed(f"{where} is not of the right type")


def _fitting(kinds: tuple[Any, ...], value: object) -> Any:
    """The member of a union that ``value`` looks like: text, nothing, or the other one."""
    for kind in (str, type(None)):
        if kind in kinds and type(value) is kind:
            return kind
    return next(kind for kind in kinds if kind not in (str, type(None)))


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _read_motion(value: object, where: str, arrays: Mapping[str, np.ndarray]) -> Motion:
    fps = value.get("fps") if isinstance(value, dict) else None
    parts = {part: arrays.get(f"{where}.{part}") for part in _MOTION_ARRAYS}
    if type(fps) not in (int, float) or any(array is None for array in parts.values()):
        raise _malformed(f"{where} lacks its frame rate or one of its arrays")
    root = parts["root"]
    if root is not None and root.ndim == 3 and (root.shape[0] > MOTION_FRAMES_MAX or root.shape[1] > PERSONS_MAX):
        raise DuologueError(
            "wire_too_large",
            f"A motion of {root.shape[0]} frames and {root.shape[1]} persons is over the limit of "
            f"{MOTION_FRAMES_MAX} frames and {PERSONS_MAX} persons.",
            "Use a shorter frame range.",
        )
    return Motion(_as_float(fps), **parts)  # type: ignore[arg-type]
