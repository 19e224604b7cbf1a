"""Scripts as numbers and back, and what fills a script that says little."""

from pathlib import Path

import numpy as np
import pytest

from backend.language.script_book import ScriptBook
from backend.language.slots import UNSAID, numbers, script_of, slots_of, value_of, value_text

SCRIPTS = (
    {"kind": "hug", "actor": "both", "walk_in": True, "degrees": 70},
    {"kind": "push", "actor": "A", "hand": "left", "count": 2},
    {"kind": "push", "actor": "B", "hand": "right", "count": 9},
)
SLOTS = slots_of(SCRIPTS)
EVENTS = (
    [],
    [{"beat": "push", "actor": "A", "start": 0}, {"beat": "stagger back", "actor": "B", "start": 1}],
    [{"beat": "push", "actor": "B", "start": 0}],
)


def test_measures_are_no_slots_and_values_are_text() -> None:
    assert [slot.name for slot in SLOTS] == ["kind", "actor", "hand", "count", "walk_in"]
    assert SLOTS[3].values == ("2", "6")
    assert SLOTS[4].values == ("true",)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_comes_back_from_its_numbers(script: dict[str, object]) -> None:
    back = script_of(SLOTS, numbers(SLOTS, script))
    assert back["kind"] == script["kind"]
    assert set(back) == set(script) - {"degrees"}


def test_only_what_is_told_is_filled() -> None:
    told = numbers(SLOTS, SCRIPTS[1], {"kind", "hand"})
    assert script_of(SLOTS, told) == {"kind": "push", "hand": "left"}


def test_a_value_that_no_slot_knows_is_left_open() -> None:
    assert not numbers(SLOTS, {"kind": "juggle"}).any()


@pytest.fixture
def book() -> ScriptBook:
    scripts = np.stack([numbers(SLOTS, script) for script in SCRIPTS])
    openings = np.arange(len(SCRIPTS) * 2 * 4).reshape(-1, 2, 4)
    manners = np.array([[2.0, 0.5], [4.0, -0.5], [6.0, 0.1]])
    return ScriptBook.of(scripts, np.array([3.0, 4.0, 5.0]), openings, manners, EVENTS)


def test_what_is_left_open_comes_from_a_script_that_agrees(book: ScriptBook) -> None:
    told = numbers(SLOTS, {"kind": "push", "hand": "right"})
    filled = script_of(SLOTS, book.filled(told, 4.0, np.random.default_rng(0)))
    assert filled == {"kind": "push", "actor": "B", "hand": "right", "count": "6"}


def test_what_is_told_stays_even_if_no_script_has_it(book: ScriptBook) -> None:
    told = numbers(SLOTS, {"kind": "hug", "hand": "left"})
    filled = script_of(SLOTS, book.filled(told, 4.0, np.random.default_rng(0)))
    assert filled == {"kind": "hug", "hand": "left", "actor": "both", "walk_in": "true"}


def test_without_a_kind_nothing_is_filled_and_nothing_opens(book: ScriptBook) -> None:
    told = np.full(len(SLOTS), UNSAID)
    assert book.filled(told, 4.0, np.random.default_rng(0)).tolist() == told.tolist()
    assert book.opening(told, 4.0, np.random.default_rng(0)).shape == (2, 0, 4)


@pytest.mark.parametrize("number", range(len(SCRIPTS)))
def test_a_motion_opens_as_the_scene_did_that_is_most_like_it(book: ScriptBook, number: int) -> None:
    opening = book.opening(book.scripts[number], 9.0, np.random.default_rng(0))
    assert opening.tolist() == book.openings[number][:, None].tolist()


def test_what_happens_is_what_happens_in_the_scene_that_is_most_like_it(book: ScriptBook) -> None:
    for script, events in zip(SCRIPTS, EVENTS, strict=True):
        assert book.events(numbers(SLOTS, script)) == events
    assert book.events(numbers(SLOTS, {"kind": "push", "actor": "A", "hand": "right"})) == EVENTS[1], "who acts counts"


def test_how_a_script_is_done_is_how_the_scenes_of_its_kind_are(book: ScriptBook) -> None:
    for script in book.scripts:
        same = book.manners[book.scripts[:, 0] == script[0]]
        assert book.manner(script) == tuple(np.median(same, axis=0))


@pytest.mark.parametrize("value", [True, False, 3, "left", "both"])
def test_a_value_comes_back_from_its_text(value: object) -> None:
    back = value_of(value_text(value))
    assert back == value
    assert type(back) is type(value)


def test_a_book_comes_back_from_its_file(book: ScriptBook, tmp_path: Path) -> None:
    book.save(tmp_path)
    again = ScriptBook.load(tmp_path)
    assert np.array_equal(again.scripts, book.scripts)
    assert np.array_equal(again.seconds, book.seconds)
    assert np.allclose(again.manners, book.manners, atol=0.01)
    assert [again.events(script) for script in again.scripts] == list(EVENTS)
