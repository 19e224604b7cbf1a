"""Jobs and stretches, the parts of the extension's job that need no Blender."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.link.job import Job, Phase, Request
from blender_addon.link.stretches import Stretches
from protocol.errors import DuologueError
from protocol.messages import MotionPart, Result, Submit
from tests.fake_backend import two_wave


class Nothing:
    """An outcome that makes nothing."""

    on_rigs = False

    def motion(self, part: MotionPart) -> None:
        pass

    def text(self, piece: str) -> None:
        pass

    def work(self) -> bool:
        return False

    def finish(self, result: Result) -> None:
        pass

    def keep(self) -> str:
        return ""

    def discard(self) -> None:
        pass

    def renew(self) -> None:
        pass


def job(count: int) -> Job:
    return Job("Describe All", [Request(f"“{name}”", Submit("describe"), Nothing()) for name in "ABC"[:count]])


def test_small_parts_are_joined_and_a_large_one_is_cut() -> None:
    motion, stretches = two_wave(100), Stretches(100)
    for start, stop in ((0, 4), (4, 8), (8, 100)):
        stretches.push(motion.slice(start, stop), start)
    taken = []
    while stretches.waiting:
        taken.append(stretches.take(40))
    assert [(start, part.frames) for start, part in taken] == [(0, 40), (40, 40), (80, 20)]
    np.testing.assert_array_equal(np.concatenate([part.rotations for _, part in taken]), motion.rotations)


def test_rewound_stretches_begin_anew() -> None:
    stretches = Stretches(20)
    stretches.push(two_wave(20), 0)
    stretches.take(20)
    assert stretches.waiting == 0
    stretches.rewind()
    assert stretches.take(5)[0] == 0


def test_cut_stretches_go_on_from_there_and_hand_on_all_of_it_again() -> None:
    motion = two_wave(20)
    better = replace(motion, root=motion.root + 1)
    stretches = Stretches(20)
    stretches.push(motion, 0)
    stretches.take(15)
    stretches.cut(8)
    assert (stretches.received, stretches.waiting) == (8, 8)
    stretches.push(better.slice(8, 20), 8)
    start, whole = stretches.take(99)
    assert start == 0
    np.testing.assert_array_equal(whole.root, np.concatenate((motion.root[:8], better.root[8:])))
    stretches.cut(0)
    assert stretches.received == 0


@pytest.mark.parametrize(("start", "frames"), [(3, 4), (0, 21)])
def test_a_gap_or_too_much_is_refused(start: int, frames: int) -> None:
    with pytest.raises(DuologueError) as caught:
        Stretches(20).push(two_wave(frames), start)
    assert caught.value.code == "motion_gap"


def test_progress_of_several_requests_is_that_of_the_whole() -> None:
    several = job(2)
    several.at(0.5, "Describing")
    assert (several.fraction, several.stage) == (0.25, "1 of 2: Describing")
    assert several.next()
    several.at(2.0, "Describing")
    assert (several.fraction, several.stage) == (1.0, "2 of 2: Describing")
    assert not several.next()


def test_one_request_needs_no_count() -> None:
    single = job(1)
    single.at(0.5, "Generating")
    assert (single.fraction, single.stage) == (0.5, "Generating")


def test_the_summary_names_what_was_passed_over_and_why() -> None:
    several = job(2)
    several.phase = Phase.DONE
    several.requests[0].kept = "A: waves"
    several.requests[1].refused = DuologueError("no_animation", "“B” does not move.", "Animate it.")
    assert several.summary() == "Describe All: 1 of 2 done. “B” was passed over: “B” does not move."


def test_a_cancelled_job_that_kept_nothing_says_that_all_is_as_it_was() -> None:
    single = job(1)
    single.phase = Phase.CANCELLED
    assert single.summary() == "Describe All was cancelled; everything is as it was."
