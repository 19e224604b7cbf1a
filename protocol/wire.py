"""Messages to ZeroMQ frames and back: version, signature, size and shape limits.

The frames of a message (protocol/README.md is the specification)::

    magic + major | HMAC-SHA256 over everything after it | header JSON | content JSON | array buffer | array buffer ...

`unpack` refuses in this order: sizes, magic, major version, signature (in constant time), replay. Only a message that
passed all five is parsed at all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import struct
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from . import content
from .errors import DuologueError
from .messages import PROTOCOL_VERSION, Message

MAGIC = b"DUOL"
NOTICE_MAJOR = 0
"""Major that marks a version notice, the one message whose form no version may change."""

KEY_BYTES = 32
HEADER_BYTES_MAX = 4 * 1024
CONTENT_BYTES_MAX = 1024 * 1024
BUFFER_BYTES_MAX = 64 * 1024 * 1024
"""Largest array buffer, and also the largest sum of all buffers of a message."""
BUFFERS_MAX = 8

_FIXED_FRAMES = 4
FRAMES_MAX = _FIXED_FRAMES + BUFFERS_MAX
_NOTICE_FRAMES = 3


class Refused(DuologueError):  # noqa: N818
    """A message that was not accepted.

    Attributes:
        parent: id of the refused message, for the answer's ``parent``; empty when its signature did not hold, because
            then nothing in it is known and it gets no answer.
    """

    def __init__(self, code: str, message: str, hint: str = "", parent: str = "") -> None:
        super().__init__(code, message, hint)
        self.parent = parent


class VersionMismatch(Refused):
    """The peer speaks another major version of the protocol; answer it with `pack_version_notice`.

    Attributes:
        notice: True when the peer has told us so itself, which must not be answered (or the two would never stop).
    """

    def __init__(self, theirs: int, notice: bool = False) -> None:
        super().__init__(
            "version_mismatch",
            f"The Duologue extension and its backend do not fit together: one speaks version {theirs} of their "
            f"protocol, the other version {PROTOCOL_VERSION[0]}.",
            "Update the older of the two, then restart the backend.",
        )
        self.theirs = theirs
        self.notice = notice


@dataclass(frozen=True)
class Header:
    """Who a message is and what it answers.

    Attributes:
        id: unique name of this message.
        type: the message's ``TYPE``.
        parent: id of the message that this one answers or reports on; empty for a first word.
        version: (major, minor) of the sender.
    """

    id: str
    type: str
    parent: str
    version: tuple[int, int]


@dataclass(frozen=True)
class Envelope:
    """A message that was accepted, with its header."""

    header: Header
    message: Message


class Seen:
    """Remembers the signatures of the most recent messages, so that a recorded one cannot be sent again."""

    def __init__(self, capacity: int = 1 << 16) -> None:
        self._capacity = capacity
        self._signatures: OrderedDict[bytes, None] = OrderedDict()

    def add(self, signature: bytes) -> bool:
        """Remember ``signature``; False if it was known already."""
        if signature in self._signatures:
            return False
        self._signatures[signature] = None
        if len(self._signatures) > self._capacity:
            self._signatures.popitem(last=False)
        return True


def new_key() -> bytes:
    """A fresh random key for signing: 32 bytes."""
    return secrets.token_bytes(KEY_BYTES)


def new_id() -> str:
    """A fresh message id: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def pack(message: Message, key: bytes, *, id: str | None = None, parent: str = "") -> list[bytes]:
    """The frames of a message, ready for ``send_multipart``.

    Args:
        message: what to say.
        key: the connection file's key.
        id: from `new_id`, for a sender that must know it (a job's id is that of its `Submit`); made here if not given.
        parent: id of the message that this one answers.

    Raises:
        Refused: ``wire_too_large`` if the message is over the limits that the receiver would apply.
    """
    text, buffers = content.encode(message)
    header = {"id": id or new_id(), "type": message.TYPE, "parent": parent, "version": list(PROTOCOL_VERSION)}
    body = [json.dumps(header).encode(), text, *buffers]
    frames = [_prefix(PROTOCOL_VERSION[0]), _sign(body, key), *body]
    _check_sizes(frames)
    return frames


def unpack(frames: Sequence[bytes], key: bytes, seen: Seen) -> Envelope:
    """The message in ``frames`` (without ZeroMQ's identity), once it has passed every check.

    Raises:
        VersionMismatch: the peer speaks another major version.
        Refused: ``wire_truncated``, ``wire_too_large``, ``wire_not_duologue``, ``wire_signature``, ``wire_replayed``,
            ``wire_malformed``, ``wire_unknown_type``, or what `Motion` finds wrong with the motion inside.
    """
    _check_sizes(frames)
    major = _major(frames[0])
    if major not in (PROTOCOL_VERSION[0], NOTICE_MAJOR):
        raise VersionMismatch(major)
    signature, body = bytes(frames[1]), frames[2:]
    if not hmac.compare_digest(signature, _sign(body, key)):
        raise Refused(
            "wire_signature",
            "A message whose signature does not hold was refused.",
            "Restart the backend and connect again: the connection file may be of an earlier run.",
        )
    if major == NOTICE_MAJOR:
        raise VersionMismatch(_noticed_major(body[0]), notice=True)
    if len(frames) < _FIXED_FRAMES:
        raise _truncated(len(frames))
    if not seen.add(signature):
        raise Refused("wire_replayed", "A message that had been received before was refused.")
    parent = ""
    try:
        header = _read_header(body[0])
        parent = header.id
        return Envelope(header, content.decode(header.type, body[1], body[2:]))
    except DuologueError as error:
        raise Refused(error.code, error.message, error.hint, parent) from error


def pack_version_notice(key: bytes) -> list[bytes]:
    """The answer to a peer of another major version, in the form that all versions understand."""
    body = [json.dumps({"version": list(PROTOCOL_VERSION)}).encode()]
    return [_prefix(NOTICE_MAJOR), _sign(body, key), *body]


def _prefix(major: int) -> bytes:
    return MAGIC + struct.pack("<H", major)


def _major(prefix: bytes) -> int:
    if len(prefix) != len(MAGIC) + 2 or prefix[: len(MAGIC)] != MAGIC:
        raise Refused(
            "wire_not_duologue",
            "Something that is not Duologue spoke on this connection.",
            "Check that the connection file's address is that of a Duologue backend.",
        )
    return struct.unpack("<H", prefix[len(MAGIC) :])[0]


def _sign(body: Sequence[bytes], key: bytes) -> bytes:
    # Each frame goes in with its length, or bytes could be moved from one frame to the next unnoticed.
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for frame in body:
        digest.update(struct.pack("<Q", len(frame)))
        digest.update(frame)
    return digest.digest()


def _check_sizes(frames: Sequence[bytes]) -> None:
    if len(frames) < _NOTICE_FRAMES:
        raise _truncated(len(frames))
    sizes = [len(frame) for frame in frames]
    header, text, buffers = sizes[2], sum(sizes[3:4]), sum(sizes[4:])
    fits = header <= HEADER_BYTES_MAX and text <= CONTENT_BYTES_MAX and buffers <= BUFFER_BYTES_MAX
    if len(frames) > FRAMES_MAX or not fits:
        raise Refused(
            "wire_too_large",
            f"A message of {len(frames)} frames and {sum(sizes) / 1e6:.1f} MB is over the limits.",
            "Use a shorter frame range or a shorter text.",
        )


def _truncated(count: int) -> Refused:
    return Refused("wire_truncated", f"A message of {count} frames is incomplete.", "Connect again.")


def _read_header(frame: bytes) -> Header:
    fields = content.parse_object(frame, "header")
    texts = [fields.get(name) for name in ("id", "type", "parent")]
    version = fields.get("version")
    whole = isinstance(version, list) and len(version) == 2 and all(type(part) is int and part >= 0 for part in version)
    if not (all(isinstance(text, str) for text in texts) and fields["id"] and whole):
        raise Refused("wire_malformed", "A message's header lacks its id, type, parent or version.")
    return Header(fields["id"], fields["type"], fields["parent"], tuple(fields["version"]))


def _noticed_major(frame: bytes) -> int:
    try:
        return int(content.parse_object(frame, "version notice")["version"][0])
    except (DuologueError, LookupError, TypeError, ValueError) as error:
        raise Refused("wire_malformed", "A version notice names no version.") from error
