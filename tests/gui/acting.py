"""What the scripted backend plays where people look at the pictures: two persons who give each other the hand."""

from __future__ import annotations

import time

import numpy as np

from backend.corpus.choreographer.ik import two_bone
from protocol import rotations as rot
from protocol.messages import (
    ASK,
    DESCRIBE,
    EDIT,
    GENERATE,
    REACT,
    Accepted,
    MotionPart,
    Progress,
    Result,
    Submit,
    TextPart,
)
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets
from protocol.wire import Envelope
from tests.fake_backend import Answer, FakeBackend, play

FPS = 30
APART = 0.84
"""Metres between the two."""
HANDSHAKE = 1.02
"""Metres above the floor at which hands meet."""
SAID = {
    1: "A person reaches out the right hand, shakes it and lets go.",
    2: "Two people face each other and shake hands.",
}
"""Captions by the number of persons."""
_PELVIS, _HANGING = 0.97, np.radians(78)
_PALM_BEFORE_WRIST = 0.07
_SHAKES_HERTZ, _SHAKE = 2.0, 0.035
_DOWN_AND_OUT, _FORWARD, _HINGE = np.array([-0.4, -1.0, -0.2]), np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])


def handshake(frames: int, height: float = HANDSHAKE) -> Motion:
    """Two persons who stand face to face, meet with their right hands at a height (metres), shake them and let go."""
    offsets = neutral_offsets()
    rotations = np.tile(rot.IDENTITY, (frames, 2, len(offsets), 1)).astype(np.float32)
    upper, lower = offsets[JOINT["right_elbow"]], offsets[JOINT["right_wrist"]]
    collar = sum(offsets[JOINT[name]] for name in ("spine1", "spine2", "spine3", "right_collar"))
    shoulder = collar + offsets[JOINT["right_shoulder"]] + (0, _PELVIS, 0)
    hanging = rot.from_axis_angle(_FORWARD, _HANGING)
    rests = shoulder + rot.rotate(hanging, upper + 0.97 * lower) + (0, 0, 0.05)

    seconds = np.arange(frames) / FPS
    length = frames / FPS
    share = np.clip(np.minimum(seconds / 0.3, (length - seconds) / 0.25) / length, 0, 1)[:, None]
    share = share * share * (3 - 2 * share)
    meets = np.array([0.0, height, APART / 2 - _PALM_BEFORE_WRIST]) * np.ones((frames, 1))
    meets[:, 1] += _SHAKE * np.sin(2 * np.pi * _SHAKES_HERTZ * seconds)
    wrist = rests + share * (meets - rests)
    arm, forearm = two_bone(shoulder * np.ones((frames, 1)), wrist, _DOWN_AND_OUT, upper, lower, _HINGE)
    rotations[..., JOINT["left_shoulder"], :] = rot.inverse(hanging)
    rotations[..., JOINT["right_shoulder"], :] = arm[:, None]
    rotations[..., JOINT["right_elbow"], :] = rot.multiply(rot.inverse(arm), forearm)[:, None]
    rotations[:, 1, 0] = rot.about_y(np.array(np.pi))
    root = np.zeros((frames, 2, 3), np.float32)
    root[..., 1], root[:, 1, 2] = _PELVIS, APART
    return Motion(FPS, root, rotations, np.stack([offsets] * 2))


def shaking_hands(pause: float) -> Answer:
    """A backend that shakes hands whatever it is asked for, every variation higher up, with the left if told so.

    Args:
        pause: seconds between the pieces of a motion.
    """

    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        submit, job = envelope.message, envelope.header.id
        if not isinstance(submit, Submit) or submit.task not in (GENERATE, REACT, EDIT, DESCRIBE, ASK):
            play(server, to, envelope)
            return
        server.say(to, Accepted(0), job)
        if submit.task in (DESCRIBE, ASK):
            persons = submit.motion.persons if submit.motion is not None else 2
            text = SAID[persons] if submit.task == DESCRIBE else "Both use the left hand."
            server.say(to, TextPart(text), job)
            server.say(to, Result(text=text, compute_seconds=0.1), job)
            return
        for sample in range(submit.samples):
            made = _answered(submit, HANDSHAKE + 0.2 * sample)
            middle = 2 * made.frames // 3
            for start, stop in ((0, middle), (middle, made.frames)):
                done = (sample + start / made.frames + 0.2) / submit.samples
                server.say(to, Progress(min(done, 1.0), "Generating"), job)
                server.say(to, MotionPart(sample, start, made.frames, made.slice(start, stop)), job)
                time.sleep(pause)
        server.say(to, Result(compute_seconds=1.0), job)

    return answer


def _answered(submit: Submit, height: float) -> Motion:
    given = submit.motion
    made = handshake(round(submit.seconds * FPS) if given is None else given.frames, height)
    made = made.mirrored() if "left" in submit.prompt else made
    if given is not None:
        # Where the first of the given persons begins, and turned as that one is.
        made = made.moved(rot.about_y(rot.yaw(given.rotations[0, 0, 0])), given.root[0, 0] * (1, 0, 1))
    return made.person(1) if submit.task == REACT else made
