"""Bad input, and what changes in mid-job, in a real Blender window; pictures in out/gui."""

from __future__ import annotations

from pathlib import Path

from protocol.messages import GENERATE, MotionPart, Result, Submit
from protocol.wire import Envelope
from tests.fake_backend import FakeBackend, play
from tests.gui.acting import FPS, handshake
from tests.gui.test_window import folder, runner, walk_scripted

__all__ = ["folder", "runner"]

PICTURES = (
    *("prompt_empty", "prompt_too_long", "3-another-script", "4-deleted"),
    *("5-renamed", "6-other-scene", "7-other-file", "8-removed"),
)


def test_what_is_wrong_or_changes_meanwhile_is_told_and_nothing_is_lost(runner: list[str], folder: Path) -> None:
    walk_scripted(slowly, runner, folder, "bad_input.py", PICTURES)


def slowly(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
    """Shake hands in pieces, so far apart that there is time for a lot in between."""
    submit, job = envelope.message, envelope.header.id
    if not isinstance(submit, Submit) or submit.task != GENERATE:
        play(server, to, envelope)
        return
    made = handshake(round(submit.seconds * FPS))
    piece = made.frames // 6
    for start in range(0, made.frames, piece):
        if server.ended.is_set():
            return
        server.say(to, MotionPart(0, start, made.frames, made.slice(start, start + piece)), job)
        server.ended.wait(1.0)
    server.say(to, Result(), job)
