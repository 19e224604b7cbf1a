"""Captions say what a script holds, in words that are kept apart for training and evaluation."""

import json
import re

import pytest

from backend.corpus.choreographer import captions as c
from backend.corpus.choreographer.families import FAMILIES, FIRST_TWELVE, family_of

LEFT = {"hand": "left", "speed": "slow", "direction": "clockwise", "style": "facing", "dodge": "duck", "depth": "deep"}
RIGHT = {"hand": "right", "speed": "fast", "direction": "counterclockwise", "dodge": "back", "walk_in": True}
BOTH = {"hand": "both", "speed": "normal", "steps_back": True, "steps_in": True, "dodge": "side"}
WITH_ROLES = tuple(kind for kind in c.KINDS if "each" not in c.phrases(kind))


def with_every_detail(details: dict) -> dict:
    """The details, and the first value of all else that names.json has words for."""
    known = json.loads((c.PHRASES / "names.json").read_text(encoding="utf-8"))["details"].values()
    told = {detail["of"]: next(value for value in detail if value != "of") for detail in known}
    return {key: value for key, value in told.items() if key not in ("walk_in", "steps_in", "steps_back")} | details


SCRIPTS = [
    {"actor": actor, **details}
    for actor in ("A", "B", "both")
    for details in (with_every_detail(LEFT), with_every_detail(RIGHT), BOTH)
]


def every_text(kind: str, split: c.Split) -> set[str]:
    told = [s for s in SCRIPTS if s["actor"] != "both"] if kind in WITH_ROLES else SCRIPTS
    pair = {text for script in told for text in c.captions(kind, script, split)}
    return pair | {
        t for script in told for person in ("A", "B") for t in c.person_captions(kind, script, person, split)
    }


@pytest.mark.parametrize("kind", c.KINDS)
def test_a_kind_has_enough_phrases_and_none_twice(kind):
    known = c.phrases(kind)
    assert len(set(known["train"])) == len(known["train"]) >= 14
    assert len(set(known["held_out"])) == len(known["held_out"]) == 8
    roles = [known[role] for role in ("actor", "partner", "each") if role in known]
    assert roles
    for role in roles:
        assert len(set(role["train"])) >= 6
        assert len(set(role["held_out"])) == 3
    lengths = [len(text.split()) for text in known["train"]]
    assert min(lengths) <= 7
    assert max(lengths) >= 10


def test_every_kind_is_in_one_family_and_the_first_twelve_come_first():
    assert sorted(kind for kinds in FAMILIES.values() for kind in kinds) == sorted(c.KINDS)
    assert c.KINDS[:12] == FIRST_TWELVE
    assert family_of("slap") == "combat"
    assert len(c.KINDS) >= 48


def test_no_held_out_text_is_ever_seen_in_training():
    seen = {re.sub(r"\W+", " ", text.lower()) for kind in c.KINDS for text in every_text(kind, "train")}
    for kind in c.KINDS:
        held_out = {re.sub(r"\W+", " ", text.lower()) for text in every_text(kind, "held_out")}
        assert not held_out & seen


@pytest.mark.parametrize("kind", c.KINDS)
@pytest.mark.parametrize("split", ["train", "held_out"])
def test_every_phrase_fills_for_some_script_and_nothing_is_left_open(kind, split):
    texts = every_text(kind, split)
    assert texts
    assert not [text for text in texts if re.search(r"[{}]|  | ,|^ | $", text)]
    for template in c.phrases(kind)[split]:
        assert any(c.fillings(template, script, split) for script in SCRIPTS), template


@pytest.mark.parametrize("kind", c.KINDS)
def test_every_person_has_something_to_be_told(kind):
    script = {"actor": "A" if kind in WITH_ROLES else "both", "hand": "none", "speed": "normal"}
    for person in ("A", "B"):
        assert len(c.person_captions(kind, script, person, "train")) >= 8, person


@pytest.mark.parametrize(
    ("actor", "said", "unsaid"),
    [
        ("A", "one person pushes the other", "the other pushes one person"),
        ("B", "one person is pushed by the other", "one person pushes the other"),
        ("B", "the second person pushes the first person", "the first person pushes the second person"),
        ("B", "B pushes A", "A pushes B"),
        ("A", "person B is pushed by person A", "person A is pushed by person B"),
    ],
)
def test_who_pushes_whom_is_told_right(actor, said, unsaid):
    texts = c.captions("push", {"actor": actor, "hand": "both", "speed": "normal"}, "train")
    assert said in texts
    assert unsaid not in texts


def test_the_pusher_pushes_and_the_partner_staggers():
    script = {"actor": "B", "hand": "both", "speed": "normal"}
    assert "pushes the other" in c.person_captions("push", script, "B", "train")
    assert "staggers backwards" in c.person_captions("push", script, "A", "train")


def test_the_other_is_never_mentioned_before_one_person():
    for kind in c.KINDS:
        for split in ("train", "held_out"):
            for script in SCRIPTS:
                for text in c.captions(kind, script, split):
                    one, other = text.find("one person"), re.search(r"\bthe other\b", text)
                    assert one < 0 or other is None or one < other.start(), text


def test_hands_speeds_and_directions_are_mentioned_only_when_true():
    plain = " ".join(
        text
        for kind in c.KINDS
        for text in c.captions(kind, {"actor": "A", "hand": "both", "speed": "normal"}, "train")
    )
    assert not re.search(r"\b(left|slowly|gently|fast|clockwise)\b", plain.replace("fast steps", ""))
    left = " ".join(c.captions("handshake", {"actor": "both", "hand": "left", "speed": "fast"}, "train"))
    assert "left" in left
    assert "right" not in left
    assert "quickly" in left
    assert "slowly" not in left


def test_an_approach_by_one_person_is_not_told_as_one_by_both():
    texts = c.captions("approach_retreat", {"actor": "B", "hand": "none", "speed": "normal"}, "train")
    assert "B approaches A and steps back" in texts
    assert not [text for text in texts if text.startswith("they") or "each other" in text]


def test_where_phrases_know_no_roles_both_persons_act():
    script = {"hand": "none", "speed": "normal"}
    assert c.captions("hug", script | {"actor": "A"}, "train") == c.captions("hug", script | {"actor": "both"}, "train")


def test_how_a_punch_is_dodged_is_told_as_the_script_has_it():
    script = {"actor": "A", "hand": "right", "speed": "normal", "dodge": "duck"}
    texts = c.captions("punch_dodge", script, "train")
    assert "B ducks as A throws a punch" in texts
    assert not [text for text in texts if "leans" in text]


def test_swapping_the_persons_twice_changes_nothing_and_once_changes_who_acts():
    script = {"kind": "push", "actor": "A", "hand": "left", "step_a": 0.2, "step_b": 0.4, "hands": {"A": "left"}}
    assert c.swapped(script) == {
        "kind": "push", "actor": "B", "hand": "left", "step_b": 0.2, "step_a": 0.4, "hands": {"B": "left"},
    }  # fmt: skip
    assert c.swapped(c.swapped(script)) == script


def test_mirroring_twice_changes_nothing_and_once_changes_the_sides():
    script = {"hand": "left", "direction": "clockwise", "joints": ["left_wrist", "right_wrist"], "speed": "fast"}
    once = c.mirrored(script)
    assert once == {
        "hand": "right", "direction": "counterclockwise", "joints": ["right_wrist", "left_wrist"], "speed": "fast",
    }  # fmt: skip
    assert c.mirrored(once) == script


def test_some_captions_are_drawn_from_different_phrases_and_repeat_with_the_seed():
    script = {"actor": "both", "hand": "right", "speed": "normal"}
    drawn = c.some_captions("hug", script, "train", 10, seed=3)
    assert drawn == c.some_captions("hug", script, "train", 10, seed=3)
    assert drawn != c.some_captions("hug", script, "train", 10, seed=4)
    assert set(drawn) <= set(c.captions("hug", script, "train"))
    assert len(set(drawn)) == 10


def test_held_out_prompts_name_both_actors():
    for kind in c.KINDS:
        prompts = c.held_out_prompts(kind)
        assert len({prompt.text for prompt in prompts}) == 8
        actors = {prompt.actor for prompt in prompts}
        assert actors == ({"A", "B"} if kind in WITH_ROLES else {"A", "B", "both"} & actors)


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError, match="juggle"):
        c.phrases("juggle")
