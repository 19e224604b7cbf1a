"""A backend that follows a script: it speaks the wire as the real one does, and plays back motion made up for tests."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import numpy as np
import zmq

from protocol import rotations as rot
from protocol.connection import Connection
from protocol.messages import (
    ASK,
    COMPLETE,
    DESCRIBE,
    EDIT,
    SCRIPT,
    STORY,
    TASKS,
    Accepted,
    Heartbeat,
    Hello,
    Limits,
    Message,
    MotionPart,
    Progress,
    Result,
    Shutdown,
    Status,
    StatusRequest,
    Submit,
    TextPart,
    Welcome,
)
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets
from protocol.wire import Envelope, Seen, new_key, pack, unpack

LIMITS = Limits(500, 1.0, 10.0, 8)
WELCOME = Welcome("0.1.0", list(TASKS), "duologue-small", "cpu", True, LIMITS)
Answer = Callable[["FakeBackend", bytes, Envelope], None]


class FakeBackend:
    """A ROUTER socket in a thread that answers as its script says."""

    def __init__(self, answer: Answer | None = None, welcome: Welcome = WELCOME) -> None:
        self.key = new_key()
        self.received: list[Message] = []
        self._answer, self._welcome = answer, welcome
        self.silent = threading.Event()
        self.ended = threading.Event()
        self._stop = threading.Event()
        self.socket = zmq.Context.instance().socket(zmq.ROUTER)
        self.socket.linger = 0
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.connection = Connection(f"tcp://127.0.0.1:{port}", self.key, os.getpid())
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def say(self, to: bytes, message: Message, parent: str = "") -> None:
        self.socket.send_multipart([to, *pack(message, self.key, parent=parent)])

    def close(self) -> None:
        self._stop.set()
        self.ended.set()
        self._thread.join(2)
        self.socket.close()

    def _run(self) -> None:
        seen = Seen()
        while not self._stop.is_set():
            if not self.socket.poll(20):
                continue
            identity, *frames = self.socket.recv_multipart()
            if self.silent.is_set():
                continue
            envelope = unpack(frames, self.key, seen)
            self.received.append(envelope.message)
            match envelope.message:
                case Hello():
                    self.say(identity, self._welcome, envelope.header.id)
                case Heartbeat():
                    self.say(identity, Heartbeat(), envelope.header.id)
                case StatusRequest():
                    self.say(identity, Status(True, False, 0), envelope.header.id)
                case Shutdown():
                    self.ended.set()
                case _ if self._answer is not None:
                    self._answer(self, identity, envelope)
                case _:
                    pass


def two_wave(frames: int = 60, persons: int = 2) -> Motion:
    """People who stand a metre apart, face each other and raise the right arm, at 30 fps."""
    rotations = np.zeros((frames, persons, 22, 4), np.float32)
    rotations[..., 0] = 1
    root = np.zeros((frames, persons, 3), np.float32)
    root[..., 1] = 0.97
    swing = np.linspace(0, 1.2, frames, dtype=np.float32)
    forward = np.array([0.0, 0.0, 1.0], np.float32)
    for person in range(persons):
        root[:, person, 2] = person
        rotations[:, person, 0] = rot.about_y(np.array(np.pi * person))
        rotations[:, person, JOINT["right_shoulder"]] = rot.from_axis_angle(forward, swing)
    return Motion(30, root, rotations, np.stack([neutral_offsets()] * persons))


def waving_on(motion: Motion, at: int, frames: int) -> Motion:
    """The pose of one frame of a motion, held for so many frames while the right arms go up from where they are."""
    held = motion.slice(at, at + 1)
    root, rotations = (np.repeat(array, frames, axis=0) for array in (held.root, held.rotations))
    raised = rot.from_axis_angle(np.array([0.0, 0.0, 1.0], np.float32), np.linspace(0, 0.8, frames, dtype=np.float32))
    shoulder = JOINT["right_shoulder"]
    rotations[:, :, shoulder] = rot.multiply(raised[:, None], rotations[:, :, shoulder])
    return Motion(motion.fps, root, rotations, motion.offsets)


def answer_in_motion(submit: Submit) -> Motion:
    """What a job is answered with: the whole motion, or the gap's frames."""
    motion = submit.motion
    if motion is None:
        return two_wave(round(submit.seconds * 30))
    if submit.task == EDIT:
        return waving_on(motion, 0, motion.frames)
    if submit.task == STORY:
        return waving_on(motion, motion.frames - 1, round(submit.seconds * 30))
    if submit.task == COMPLETE:
        first, end = submit.gap
        return waving_on(motion, first - 1 if first else end, end - first)
    return two_wave(motion.frames).person(1)


def play(backend: FakeBackend, to: bytes, envelope: Envelope, pieces: int = 4) -> None:
    """Do a job at once and well: motion in equal pieces with a script, or two words at a time where words are asked."""
    job, submit = envelope.header.id, envelope.message
    if not isinstance(submit, Submit):
        return
    backend.say(to, Accepted(0), job)
    if submit.task not in (DESCRIBE, ASK):
        made = answer_in_motion(submit)
        size = -(-made.frames // pieces)
        for sample in range(submit.samples):
            for start in range(0, made.frames, size):
                part = made.slice(start, min(start + size, made.frames))
                done = (sample + start / made.frames) / submit.samples
                backend.say(to, Progress(done, "Generating"), job)
                backend.say(to, MotionPart(sample, start, made.frames, part), job)
        understood = "; ".join(text for text in (submit.script, submit.prompt, *submit.prompts) if text)
        backend.say(to, Result(compute_seconds=0.1, details={SCRIPT: understood}), job)
        return
    words = ("two people ", "wave") if submit.task == DESCRIBE else ("Both ", "of them.")
    for piece in words:
        backend.say(to, TextPart(piece), job)
    backend.say(to, Result(text="".join(words), compute_seconds=0.1), job)
