"""The wire: everything sent arrives as it was, and nothing else is accepted."""

from __future__ import annotations

import json
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import content, wire
from protocol.messages import (
    PROTOCOL_VERSION,
    Accepted,
    Cancel,
    Heartbeat,
    Limits,
    Message,
    MotionPart,
    Progress,
    Result,
    Status,
    Submit,
    Welcome,
)
from protocol.motion import Motion
from protocol.skeleton import neutral_offsets
from protocol.wire import Refused, Seen, VersionMismatch, new_id, new_key, pack, pack_version_notice, unpack

KEY = new_key()
MAJOR = PROTOCOL_VERSION[0]

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
texts = st.text(max_size=60)


@st.composite
def motions(draw: st.DrawFn) -> Motion:
    frames, persons = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    rotations = random.normal(size=(frames, persons, 22, 4))
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    fps = draw(st.sampled_from([24.0, 29.97, 30.0, 120.0]))
    return Motion(fps, random.normal(size=(frames, persons, 3)), rotations, np.stack([neutral_offsets()] * persons))


SPECIAL = {
    Submit: st.builds(Submit, texts, texts, finite, st.integers(-(2**63) + 1, 2**63 - 1), st.integers(0, 9), motions()),
    MotionPart: st.builds(MotionPart, st.integers(0, 9), st.integers(0, 999), st.integers(0, 999), motions()),
    Welcome: st.builds(
        Welcome,
        texts,
        st.lists(texts, max_size=4),
        texts,
        texts,
        st.booleans(),
        st.builds(Limits, st.integers(0, 9), finite, finite, st.integers(0, 9)),
    ),
    Accepted: st.builds(Accepted, st.integers(0, 9)),
    Progress: st.builds(Progress, finite, texts),
    Status: st.builds(Status, st.booleans(), st.booleans(), st.integers(0, 9)),
    Result: st.builds(Result, texts, finite, st.dictionaries(texts, finite | texts, max_size=4)),
}
messages = st.one_of(st.builds(Submit, texts), *(SPECIAL.get(kind, st.builds(kind)) for kind in get_args(Message)))


def signed(header: Any, body: Any, buffers: tuple[bytes, ...] = ()) -> list[bytes]:
    """Frames with a signature that holds, whatever is in them."""
    texts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, body)]
    frames = [*texts, *buffers]
    return [wire._prefix(MAJOR), wire._sign(frames, KEY), *frames]


def header_of(kind: str) -> dict[str, object]:
    return {"id": new_id(), "type": kind, "parent": "", "version": list(PROTOCOL_VERSION)}


def refusal(frames: list[bytes], seen: Seen | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        unpack(frames, KEY, seen or Seen())
    return caught.value


def assert_same(left: object, right: object) -> None:
    if isinstance(left, Motion):
        assert isinstance(right, Motion)
        assert left.fps == right.fps
        for name in ("root", "rotations", "offsets"):
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    else:
        assert left == right


@given(messages)
@settings(max_examples=150, deadline=None)
def test_every_message_arrives_as_it_was_sent(message: Message):
    envelope = unpack(pack(message, KEY, id="x", parent="y"), KEY, Seen())
    assert (envelope.header.id, envelope.header.parent, envelope.header.version) == ("x", "y", PROTOCOL_VERSION)
    assert type(envelope.message) is type(message)
    for name, value in vars(message).items():
        assert_same(value, getattr(envelope.message, name))


def test_a_sent_motion_takes_four_bytes_a_number():
    motion = Motion(30, np.zeros((300, 2, 3)), np.tile([1.0, 0, 0, 0], (300, 2, 22, 1)), np.zeros((2, 22, 3)))
    assert sum(map(len, pack(MotionPart(0, 0, 300, motion), KEY))) < 300 * 2 * (3 + 22 * 4) * 4 + 2 * 66 * 4 + 1000


@given(messages, st.data())
@settings(max_examples=150, deadline=None)
def test_a_flipped_bit_anywhere_is_refused(message: Message, data: st.DataObject):
    frames = pack(message, KEY)
    place = data.draw(st.integers(0, len(frames) - 1))
    bit = data.draw(st.integers(0, len(frames[place]) * 8 - 1))
    damaged = bytearray(frames[place])
    damaged[bit // 8] ^= 1 << bit % 8
    frames[place] = bytes(damaged)
    assert refusal(frames).code in {"wire_signature", "wire_not_duologue", "version_mismatch"}


@given(messages, st.data())
@settings(max_examples=60, deadline=None)
def test_a_truncated_message_is_refused(message: Message, data: st.DataObject):
    frames = pack(message, KEY)
    if data.draw(st.booleans()):
        frames = frames[: data.draw(st.integers(0, len(frames) - 1))]
    else:
        frames[-1] = frames[-1][: data.draw(st.integers(0, len(frames[-1]) - 1))]
    assert refusal(frames).code in {"wire_truncated", "wire_signature"}


def test_bytes_moved_between_frames_are_refused():
    frames = pack(Heartbeat(), KEY)
    frames[2], frames[3] = frames[2] + frames[3][:1], frames[3][1:]
    assert refusal(frames).code == "wire_signature"


def test_the_same_message_is_accepted_once():
    frames, seen = pack(Heartbeat(), KEY), Seen()
    unpack(frames, KEY, seen)
    assert refusal(frames, seen).code == "wire_replayed"


def test_equal_messages_are_no_replay():
    seen = Seen()
    for _ in range(3):
        unpack(pack(Heartbeat(), KEY), KEY, seen)


def test_an_unsigned_message_is_not_remembered_as_seen():
    frames, seen = pack(Heartbeat(), KEY), Seen()
    refusal([*frames[:3], frames[3] + b" "], seen)
    unpack(frames, KEY, seen)


def test_memory_of_seen_messages_is_bounded():
    seen = Seen(capacity=3)
    assert [seen.add(bytes([number])) for number in (0, 1, 2, 3)] == [True] * 4
    assert not seen.add(bytes([3]))
    assert seen.add(bytes([0]))


def test_an_eavesdropper_without_the_key_cannot_submit():
    overheard = pack(Submit("generate", "wave"), KEY)
    forged = pack(Submit("generate", "kick"), new_key())
    for frames in (forged, [*overheard[:2], *forged[2:]], [*overheard[:3], forged[3]]):
        refused = refusal(frames)
        assert refused.code == "wire_signature"
        assert refused.parent == ""


@pytest.mark.parametrize(
    "frames",
    [
        [b"DUOL\x01\x00", b"", b"x" * (wire.HEADER_BYTES_MAX + 1), b""],
        [b"DUOL\x01\x00", b"", b"", b"x" * (wire.CONTENT_BYTES_MAX + 1)],
        [b"DUOL\x01\x00", b"", b"", b"", bytes(wire.BUFFER_BYTES_MAX // 2), bytes(wire.BUFFER_BYTES_MAX // 2 + 1)],
        [b"DUOL\x01\x00", b"", b"", b"", *[b""] * (wire.BUFFERS_MAX + 1)],
    ],
)
def test_oversize_is_refused_before_anything_is_computed(frames: list[bytes], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "_sign", lambda *_: pytest.fail("signed something over the limits"))
    assert refusal(frames).code == "wire_too_large"


def test_the_sender_learns_that_a_message_is_over_the_limits():
    with pytest.raises(Refused) as caught:
        pack(Submit("generate", "x" * wire.CONTENT_BYTES_MAX), KEY)
    assert caught.value.code == "wire_too_large"


def test_what_is_not_duologue_is_refused():
    assert refusal([b"HTTP/1", b"", b"", b""]).code == "wire_not_duologue"


def test_another_major_version_is_an_error_of_its_own_even_unsigned():
    mismatch = refusal([b"DUOL\x07\x00", b"whatever", b"that", b"signs"])
    assert isinstance(mismatch, VersionMismatch)
    assert (mismatch.theirs, mismatch.notice) == (7, False)
    assert "version 7" in mismatch.message
    assert mismatch.hint


def test_a_version_notice_is_understood_by_every_version(monkeypatch: pytest.MonkeyPatch):
    notice = pack_version_notice(KEY)
    monkeypatch.setattr(wire, "PROTOCOL_VERSION", (9, 9))
    mismatch = refusal(notice)
    assert isinstance(mismatch, VersionMismatch)
    assert (mismatch.theirs, mismatch.notice) == (MAJOR, True)


def test_a_forged_version_notice_is_refused():
    assert refusal(pack_version_notice(new_key())).code == "wire_signature"


def test_unknown_fields_and_arrays_of_a_newer_minor_version_are_ignored():
    body = {
        "fields": {"job": "j", "why": "impatient"},
        "arrays": [{"name": "mood", "type": "float32", "shape": [1]}],
        "more": 1,
    }
    envelope = unpack(signed(header_of("cancel"), body, (bytes(4),)), KEY, Seen())
    assert envelope.message == Cancel("j")


def test_an_unknown_message_type_is_named():
    header = header_of("dance")
    refused = refusal(signed(header, {"fields": {}, "arrays": []}))
    assert refused.code == "wire_unknown_type"
    assert "dance" in refused.message
    assert refused.parent == header["id"]


NAN = json.dumps({"fields": {"fraction": float("nan"), "stage": ""}}).encode()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("cancel", {"fields": {}}),
        ("cancel", {"fields": {"job": 7}}),
        ("cancel", {"fields": []}),
        ("cancel", []),
        ("cancel", b"\xff"),
        ("cancel", b"[" * 100_000),
        ("submit", {"fields": {"task": "generate", "seed": 2**64}}),
        ("submit", {"fields": {"task": "generate", "seed": True}}),
        ("submit", {"fields": {"task": "generate", "seed": 1.0}}),
        ("submit", {"fields": {"task": "generate", "motion": {"fps": 30}}}),
        ("progress", NAN),
        ("progress", b'{"fields": {"fraction": 1e999, "stage": ""}}'),
        ("welcome", {"fields": {"limits": None}}),
    ],
)
def test_fields_of_the_wrong_type_are_refused(kind: str, body: object):
    assert refusal(signed(header_of(kind), body)).code == "wire_malformed"


@pytest.mark.parametrize(
    "header",
    [{}, [], {"id": "", "type": "heartbeat", "parent": "", "version": [1, 0]}, header_of("heartbeat") | {"version": 1}],
)
def test_a_header_that_is_not_whole_is_refused(header: object):
    assert refusal(signed(header, {"fields": {}})).code == "wire_malformed"


def motion_frames(
    shapes: dict[str, list[int]], numbers: np.ndarray | None = None, type_: str = "float32"
) -> list[bytes]:
    arrays = [{"name": f"motion.{name}", "type": type_, "shape": shape} for name, shape in shapes.items()]
    buffers = []
    for shape in shapes.values():
        array = np.zeros([abs(length) for length in shape], "<f4") if numbers is None else numbers
        if len(shape) == 4:
            array[..., 0] = 1
        buffers.append(array.tobytes())
    return signed(
        header_of("submit"), {"fields": {"task": "react", "motion": {"fps": 30.0}}, "arrays": arrays}, tuple(buffers)
    )


GOOD = {"root": [5, 1, 3], "rotations": [5, 1, 22, 4], "offsets": [1, 22, 3]}


def test_arrays_that_fit_make_a_motion():
    message = unpack(motion_frames(GOOD), KEY, Seen()).message
    assert isinstance(message, Submit)
    assert message.motion is not None
    assert message.motion.frames == 5


@pytest.mark.parametrize(
    ("shapes", "code"),
    [
        (GOOD | {"root": [5, 2, 3]}, "motion_shape"),
        (GOOD | {"root": [0, 1, 3]}, "motion_shape"),
        (GOOD | {"offsets": [22, 3]}, "motion_shape"),
        (GOOD | {"root": [-5, -1, 3]}, "wire_malformed"),
        (GOOD | {"root": [1, 1, 1, 5, 3]}, "wire_malformed"),
        ({"root": [5, 1, 3], "rotations": [5, 1, 22, 4]}, "wire_malformed"),
        (GOOD | {"root": [content.MOTION_FRAMES_MAX + 1, 1, 3]}, "wire_too_large"),
        (GOOD | {"root": [5, content.PERSONS_MAX + 1, 3]}, "wire_too_large"),
    ],
)
def test_shapes_are_checked_before_they_are_used(shapes: dict[str, list[int]], code: str):
    assert refusal(motion_frames(shapes)).code == code


def test_an_array_type_that_numpy_would_run_code_for_is_refused():
    assert refusal(motion_frames(GOOD, type_="object")).code == "wire_malformed"


def test_a_shape_that_does_not_match_the_bytes_is_refused():
    frames = signed(
        header_of("submit"),
        {"fields": {"task": "react"}, "arrays": [{"name": "motion.root", "type": "float32", "shape": [2**62, 4]}]},
        (bytes(16),),
    )
    assert refusal(frames).code == "wire_malformed"


def test_nan_in_a_motion_is_refused():
    shapes, frames = GOOD, motion_frames(GOOD)
    body = json.loads(frames[3])
    root = np.full(shapes["root"], np.nan, "<f4").tobytes()
    assert refusal(signed(header_of("submit"), body, (root, *frames[5:]))).code == "motion_not_finite"
