"""Scripts as numbers and back, and what fills a script that says little."""

from pathlib import Path

import numpy as np
import pytest

from backend.language.script_book import ScriptBook
from backend.language.slots import UNSAID, numbers, script_of, slots_of

SCRIPTS = (
    {"kind": "hug", "actor": "both", "walk_in": True, "degrees": 70},
    {"kind": "push", "actor": "A", "hand": "left", "count": 2},
    {"kind": "push", "actor": "B", "hand": "right", "count": 9},
)
SLOTS = slots_of(SCRIPTS)


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
    return ScriptBook(scripts, np.array([3.0, 4.0, 5.0]), np.arange(len(SCRIPTS) * 2 * 4).reshape(-1, 2, 4))


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


def test_a_book_comes_back_from_its_file(book: ScriptBook, tmp_path: Path) -> None:
    book.save(tmp_path)
    again = ScriptBook.load(tmp_path)
    assert np.array_equal(again.scripts, book.scripts)
    assert np.array_equal(again.seconds, book.seconds)
