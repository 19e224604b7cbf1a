"""The engine: exact durations, streams, seeds, cancellation, world frames, and refusals."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.engine import LIMITS, Cancelled, Engine, MotionPiece
from backend.filling import Gap, joined_at_both_ends
from backend.making import kept, pieces
from backend.understanding import Understanding
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion, joined_in_time
from protocol.skeleton import neutral_offsets
from tests.unit.tiny import tiny_checkpoint, tiny_tokenizer

PROMPT = "Two people shake hands."


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.load(tiny_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny"), device="cpu")


def walker(frames: int = 60, persons: int = 1, fps: float = 30.0) -> Motion:
    """Persons who glide ahead while their left arm swings."""
    time = np.arange(frames, dtype=np.float32) / fps
    rotations = np.zeros((frames, persons, 22, 4), np.float32)
    rotations[..., 0] = 1
    rotations[:, :, 16] = rot.from_axis_angle(np.array([0, 0, 1.0], np.float32), np.sin(3 * time))[:, None]
    root = np.zeros((frames, persons, 3), np.float32)
    root[..., 1] = 0.96
    root[..., 2] = time[:, None]
    root[..., 0] = np.arange(persons)
    return Motion(fps, root, rotations, np.stack([neutral_offsets()] * persons))


def joined(pieces: list[MotionPiece]) -> Motion:
    return joined_in_time([piece.motion for piece in kept(pieces)])


@pytest.mark.parametrize("seconds", [1.0, 2.37, 10.0])
def test_pieces_join_to_exactly_the_seconds_asked_for(engine: Engine, seconds: float) -> None:
    pieces = kept(engine.generate(PROMPT, seconds))
    total = round(seconds * 30)
    assert {piece.total for piece in pieces} == {total}
    assert [piece.start for piece in pieces] == np.cumsum([0] + [p.motion.frames for p in pieces[:-1]]).tolist()
    motion = joined(pieces)
    assert (motion.frames, motion.persons, motion.fps) == (total, 2, 30.0)


def test_the_first_frames_leave_long_before_the_last_are_made(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.orders.finds", lambda *_: True)
    steps = 0

    def counting() -> bool:
        nonlocal steps
        steps += 1
        return False

    stream = engine.generate(PROMPT, 10.0, cancelled=counting)
    assert next(stream).motion.frames <= 16
    assert steps <= 24, "0.8 s of motion, of which the clean-up keeps most back"
    list(stream)
    assert steps == 2 * 74, "the opening is not made"


def test_streaming_changes_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    streamed = joined(list(engine.generate(PROMPT, 3.0)))
    for ends in ("_ends_piece", "_ends_long_piece"):
        monkeypatch.setattr(f"backend.making.{ends}", lambda _: False)
    whole = kept(engine.generate(PROMPT, 3.0))
    assert len(whole) <= 3  # what the decoder, its end and the clean-up hold back
    np.testing.assert_allclose(streamed.positions(), joined(whole).positions(), atol=1e-4)


def test_seeds_reproduce_and_differ(engine: Engine) -> None:
    first, again, other = (joined(list(engine.generate(PROMPT, 1.0, seed))).root for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("task", ["generate", "react", "describe"])
def test_cancel_stops_before_the_next_step_of_the_model(engine: Engine, task: str) -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    start: dict[str, Callable[[], object]] = {
        "generate": lambda: list(engine.generate(PROMPT, 5.0, cancelled=cancelled)),
        "react": lambda: list(engine.react(walker(), cancelled=cancelled)),
        "describe": lambda: list(engine.describe(walker(persons=2), cancelled=cancelled)),
    }
    with pytest.raises(Cancelled):
        start[task]()
    assert asked == 4


def test_a_reaction_is_the_partner_alone_as_long_as_the_input(engine: Engine) -> None:
    motion = walker(frames=63)
    partner = joined(list(engine.react(motion, "hugs")))
    assert (partner.frames, partner.persons, partner.fps) == (63, 1, 30.0)


@pytest.mark.parametrize(("scale", "made"), [(0.9, 0.9), (2.5, 1.5)])
def test_a_reaction_is_on_a_body_as_large_as_asked_or_the_nearest_known(engine: Engine, scale: float, made: float):
    partner = joined(list(engine.react(walker(), scale=scale)))
    np.testing.assert_allclose(partner.offsets[0], neutral_offsets(made), atol=1e-6)


def test_a_reaction_stays_in_the_world_of_its_input(engine: Engine) -> None:
    motion = walker()
    turn, shift = rot.about_y(2.0), np.array([5.0, 0.3, -3.0], np.float32)
    here = joined(list(engine.react(motion, seed=3)))
    there = joined(list(engine.react(motion.moved(turn, shift), seed=3)))
    np.testing.assert_allclose(here.moved(turn, shift).positions(), there.positions(), atol=1e-2)


def test_any_frame_rate_is_accepted(engine: Engine) -> None:
    partner = joined(list(engine.react(walker(frames=48, fps=24.0))))
    assert (partner.frames, partner.fps) == (60, 30.0)


@pytest.mark.parametrize("persons", [1, 2])
def test_a_description_is_one_sentence_in_pieces(engine: Engine, persons: int) -> None:
    pieces = list(engine.describe(walker(persons=persons)))
    text = "".join(pieces)
    assert len(pieces) > 1
    assert text[0].isupper()
    assert text.endswith(".")
    assert text == "".join(engine.describe(walker(persons=persons)))


def test_limits_are_those_of_the_model_card(engine: Engine) -> None:
    assert engine.limits == LIMITS
    assert (engine.name, engine.device) == ("tiny", "cpu")


def long(seconds: float) -> Motion:
    return walker(frames=round(seconds * 30))


REFUSALS: dict[str, tuple[Callable[[Engine], object], str]] = {
    "an empty prompt": (lambda e: e.generate("  ", 2.0), "prompt_empty"),
    "an over-long prompt": (lambda e: e.generate("a" * 501, 2.0), "prompt_too_long"),
    "an over-long prompt for a reaction": (lambda e: e.react(walker(), "a" * 501), "prompt_too_long"),
    "too short a time": (lambda e: e.generate(PROMPT, 0.9), "seconds_out_of_range"),
    "too long a time": (lambda e: e.generate(PROMPT, 10.1), "seconds_out_of_range"),
    "no number of seconds": (lambda e: e.generate(PROMPT, float("nan")), "seconds_out_of_range"),
    "a guidance below nothing": (lambda e: e.generate(PROMPT, 2.0, guidance=-0.1), "guidance_out_of_range"),
    "a guidance beyond all measure": (lambda e: e.generate(PROMPT, 2.0, guidance=4.5), "guidance_out_of_range"),
    "a partner without size": (lambda e: e.react(walker(), scale=0.0), "scale_out_of_range"),
    "a partner of no known size": (lambda e: e.react(walker(), scale=float("nan")), "scale_out_of_range"),
    "a reaction to two": (lambda e: e.react(walker(persons=2)), "motion_persons"),
    "a description of three": (lambda e: e.describe(walker(persons=3)), "motion_persons"),
    "a range of one frame": (lambda e: e.describe(walker(frames=1)), "motion_too_short"),
    "one frame of a very slow film": (lambda e: e.react(walker(frames=1, fps=1.0)), "motion_too_short"),
    "less than eight frames": (lambda e: e.react(walker(frames=7)), "motion_too_short"),
    "more than ten seconds": (lambda e: e.react(long(10.2)), "motion_too_long"),
    "more than ten seconds to describe": (lambda e: e.describe(long(11)), "motion_too_long"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_refused_at_once_with_a_sentence_and_the_next_step(engine: Engine, what: str) -> None:
    ask, code = REFUSALS[what]
    with pytest.raises(DuologueError) as caught:
        ask(engine)
    assert caught.value.code == code
    assert caught.value.message
    assert caught.value.hint


def test_limits_themselves_are_accepted(engine: Engine) -> None:
    engine.generate("a" * 500, 1.0)
    engine.generate(PROMPT, 10.0)
    engine.react(long(10))
    engine.describe(walker(frames=8))


def test_a_missing_gpu_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(DuologueError, match="CUDA") as caught:
        Engine.load(tiny_checkpoint(tmp_path), device="cuda")
    assert caught.value.code == "device_missing"


def test_a_better_attempt_takes_the_place_of_one_that_does_not_show_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[np.ndarray] = []
    judged: list[Motion] = []

    def ranked(_self: Understanding, wanted: np.ndarray, scales: Sequence[float], codes: np.ndarray) -> np.ndarray:
        asked.append(codes)
        return np.array([3, 0, 2, 1, *range(4, len(codes))])

    def only_the_third_does(motion: Motion, kind: str, actor: str | None) -> bool:
        judged.append(motion)
        return len(judged) == 3

    monkeypatch.setattr(Understanding, "ranked", ranked)
    monkeypatch.setattr("backend.orders.finds", only_the_third_does)
    pieces = list(engine.generate(PROMPT, 2.0, seed=5))
    assert [piece.start for piece in pieces].count(0) == 2
    first, better = pieces[: next(n for n, piece in enumerate(pieces) if n and piece.start == 0)], kept(pieces)
    assert joined(first).frames == joined(better).frames == 60
    assert len(judged) == 3, "the first, then the likeliest two of the others"
    assert np.array_equal(joined(better).root, judged[2].root)
    (codes,) = asked
    assert codes.shape[:2] == (4, 2)
    assert (codes[:, :, 0] == codes[0, :, 0]).all(), "all attempts open alike"
    assert len({each.tobytes() for each in codes}) == 4

    monkeypatch.setattr("backend.orders.finds", lambda *_: True)
    assert joined(list(engine.generate(PROMPT, 2.0, seed=5))).frames == 60, "nothing is sent twice"

    monkeypatch.setattr("backend.orders.finds", lambda *_: False)
    likeliest = kept(engine.generate(PROMPT, 2.0, seed=5))
    assert np.array_equal(joined(likeliest).root, judged[1].root), "where none shows it, the likeliest stands"
    assert [len(codes) for codes in asked[1:]] == [4, 8], (
        "each round is drawn by another script, and the best of all is taken"
    )


def test_attempts_that_nobody_watches_can_be_cancelled(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = 0

    def finds(*_: object) -> bool:
        nonlocal judged
        judged += 1
        return False

    monkeypatch.setattr("backend.orders.finds", finds)
    with pytest.raises(Cancelled):
        list(engine.generate(PROMPT, 2.0, cancelled=lambda: judged == 2))
    assert judged == 2, "no other attempt is finished"


def test_of_several_motions_the_one_that_shows_the_script_comes_first(engine: Engine) -> None:
    understanding = engine._understanding
    codes = np.random.default_rng(0).integers(0, 16, (6, 2, 12, 3))
    for number in (1, 4):
        shown = understanding.shown(codes[number], (1.0, 1.0))
        others = [understanding.shown(each, (1.0, 1.0)).tolist() for each in codes]
        if others.count(shown.tolist()) == 1:
            assert understanding.ranked(shown, (1.0, 1.0), codes)[0] == number
    assert understanding.ranked(understanding.open, (1.0, 1.0), codes).tolist() == [*range(6)]


def goes_on(made: Motion, before: Motion) -> bool:
    """Whether a motion begins where another one ends, as far as the wild moves of random weights let one tell."""
    jump = np.linalg.norm(made.root[0] - before.root[-1], axis=-1).max()
    return bool(jump <= np.linalg.norm(np.diff(made.root, axis=0), axis=-1).max())


def test_a_story_goes_on_where_the_scene_before_it_ended(engine: Engine) -> None:
    pieces = kept(engine.story([PROMPT, "one person pushes the other", PROMPT], 6.0, seed=2))
    assert [piece.start for piece in pieces] == np.cumsum([0] + [p.motion.frames for p in pieces[:-1]]).tolist()
    motion = joined(pieces)
    assert motion.frames == 180
    root = np.linalg.norm(np.diff(motion.root, axis=0), axis=-1).max(-1)
    seams, inside = root[[59, 119]], np.delete(root, [59, 119])
    assert seams.max() < inside.max(), "no jump where one scene follows another"


def test_a_story_goes_on_from_a_motion_in_its_world(engine: Engine) -> None:
    before = walker(frames=45, persons=2).moved(rot.about_y(1.0), np.array([3.0, 0, 2.0], np.float32))
    motion = joined(list(engine.story([PROMPT], 2.0, motion=before)))
    assert motion.frames == 60
    assert goes_on(motion, before)


@pytest.mark.parametrize("gap", [(30, 61), (33, 70), (24, 48), (50, 99)])
def test_a_gap_is_filled_to_the_frame(engine: Engine, gap: tuple[int, int]) -> None:
    made = joined(list(engine.complete(walker(frames=100, persons=2), gap, seed=1)))
    assert made.frames == gap[1] - gap[0]


def test_what_fills_a_gap_begins_and_ends_as_is_there() -> None:
    motion = walker(frames=100, persons=2)
    gap = Gap.of(motion, 30, 61, tiny_tokenizer())
    away = motion.moved(rot.about_y(0.3), np.array([0.2, 0, 0.1], np.float32)).slice(gap.start, 96)
    filled = joined_at_both_ends(gap, away)
    assert filled.frames == 31
    for ours, there in ((filled.slice(0, 1), 29), (filled.slice(30, 31), 61)):
        apart = np.linalg.norm(ours.positions() - motion.slice(there, there + 1).positions(), axis=-1)
        assert apart.max() < 0.08, "no farther than a frame's way"


def test_a_gap_at_the_end_continues_the_motion(engine: Engine) -> None:
    motion = walker(frames=60, persons=2)
    made = joined(list(engine.complete(motion, (60, 105))))
    assert made.frames == 45
    assert goes_on(made, motion)


@pytest.mark.parametrize("gap", [(2, 30), (30, 30), (40, 30), (80, 100), (30, 600)])
def test_gaps_that_cannot_be_filled_are_refused(engine: Engine, gap: tuple[int, int]) -> None:
    with pytest.raises(DuologueError) as caught:
        engine.complete(walker(frames=70, persons=2), gap)
    assert caught.value.code == "gap_impossible"


def test_every_piece_says_what_was_understood(engine: Engine) -> None:
    script = json.loads(next(engine.generate(PROMPT, 1.0)).script)
    assert script["kind"] in ("hug", "push")
    assert script["actor"] in ("A", "B", "both")


def test_an_edit_is_as_long_as_the_motion_and_stays_in_its_world(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    motion = walker(frames=63, persons=2)
    script = json.dumps({"kind": "push", "actor": "A", "hand": "left"})
    wanted = np.array([0, 2, 0])
    monkeypatch.setattr(engine._understanding._reader, "read_edit", lambda _ids, _before: wanted)
    pieces = list(engine.edit(motion, "B does it", script=script))
    assert json.loads(pieces[0].script) == {"kind": "push", "actor": "B", "hand": "left"}
    here = joined(pieces)
    assert (here.frames, here.persons) == (63, 2)
    turn, shift = rot.about_y(2.0), np.array([5.0, 0.3, -3.0], np.float32)
    there = joined(list(engine.edit(motion.moved(turn, shift), "B does it", script=script)))
    np.testing.assert_allclose(here.moved(turn, shift).positions(), there.positions(), atol=1e-2)


def test_the_model_is_not_asked_where_exchanging_the_persons_is_all_of_an_edit(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = json.dumps({"kind": "push", "actor": "A", "hand": "left"})
    monkeypatch.setattr(engine._understanding._reader, "read_edit", lambda _ids, _before: np.array([0, 2, 0]))
    first, second = engine._orders.edit(walker(frames=63, persons=2), "B does it", 1, script)
    assert first.given.shape[1] == first.steps
    assert second.given.shape[1] == 1
    alone = replace(first, score=lambda _motion: 1.0)
    monkeypatch.setattr("backend.making.motion_steps", lambda *_args: iter(()))
    made = joined(list(pieces([alone], engine._model, engine._tokenizer, 0, lambda: False)))
    assert (made.frames, made.persons) == (63, 2)


def test_another_kind_takes_over_what_a_script_of_it_has(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    script = json.dumps({"kind": "hug", "actor": "B", "hand": "right"})
    monkeypatch.setattr(engine._understanding._reader, "read_edit", lambda _ids, _before: np.array([2, 0, 0]))
    piece = next(engine.edit(walker(persons=2), "push instead", script=script))
    assert json.loads(piece.script) == {"kind": "push", "actor": "B", "hand": "right"}


def test_an_instruction_that_changes_nothing_is_refused(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine._understanding._reader, "read_edit", lambda _ids, _before: np.zeros(3, int))
    with pytest.raises(DuologueError) as caught:
        engine.edit(walker(persons=2), "mumble")
    assert caught.value.code == "edit_unclear"


@pytest.mark.parametrize("text", ["nonsense", "[1, 2]"])
def test_a_script_that_is_none_is_refused(engine: Engine, text: str) -> None:
    with pytest.raises(DuologueError) as caught:
        engine.edit(walker(persons=2), "slower", script=text)
    assert caught.value.code == "script_unreadable"


@pytest.mark.parametrize("persons", [1, 2])
def test_an_answer_is_one_sentence(engine: Engine, persons: int) -> None:
    answer = "".join(engine.ask(walker(persons=persons), "who leads?"))
    assert answer.endswith(".")


def test_what_a_checkpoint_has_not_learned_is_refused(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine.tasks == ("generate", "react", "complete", "edit", "describe", "ask", "story")
    monkeypatch.setattr(engine, "tasks", ("generate",))
    calls: list[Callable[[], object]] = [
        lambda: engine.edit(walker(persons=2), "slower"),
        lambda: engine.ask(walker(), "who leads?"),
        lambda: engine.story([PROMPT], 2.0),
        lambda: engine.complete(walker(persons=2), (20, 40)),
    ]
    for call in calls:
        with pytest.raises(DuologueError) as caught:
            call()
        assert caught.value.code == "task_unlearned"
