"""Training prompts in wider words: true of the script, grammatical enough, and none of the held-out ones."""

import json
import re

import numpy as np
import pytest

from backend.corpus.choreographer.captions import KINDS, held_out_prompts, phrases
from backend.train.wording import SENTENCES, VOCABULARY, inflected, wording

WITH_ROLES = tuple(kind for kind in KINDS if "each" not in phrases(kind))


def worded(kind: str, actor: str, count: int = 400, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [wording(kind, {"actor": actor}, rng)[0] for _ in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_many_wordings_without_a_slot_left_open(kind: str) -> None:
    texts = worded(kind, "A" if kind in WITH_ROLES else "both")
    assert len(set(texts)) > 200
    assert not any("{" in text or "}" in text for text in texts)


@pytest.mark.parametrize("kind", KINDS)
def test_no_held_out_prompt_is_ever_trained(kind: str) -> None:
    held_out = {prompt.text.lower() for prompt in held_out_prompts(kind)}
    for actor in ("A", "B", "both"):
        if actor == "both" and kind in WITH_ROLES:
            continue
        assert not held_out & {text.lower() for text in worded(kind, actor, 150)}


@pytest.mark.parametrize("actor", ["A", "B"])
@pytest.mark.parametrize("kind", ["push", "pull"])
def test_the_one_who_acts_is_the_one_of_the_script(kind: str, actor: str) -> None:
    other = "B" if actor == "A" else "A"
    texts = worded(kind, actor, 2000)
    verbs = json.loads(VOCABULARY.read_text(encoding="utf-8"))["kinds"][kind]["slots"][kind]
    does = "|".join(inflected(verb, "s") for verb in verbs)
    active = [match for text in texts if (match := re.match(rf"([AB]) (?:{does}) [AB]\b", text))]
    passive = [match for text in texts if (match := re.match(r"([AB]) (?:is|gets) .*by ([AB])\b", text))]
    assert len(active) > 5  # of 2000: most say more, or other names
    assert {match[1] for match in active} == {actor}
    assert passive
    assert {match.groups() for match in passive} == {(other, actor)}


@pytest.mark.parametrize("kind", ["bow", "wave", "approach_retreat"])
def test_both_act_only_if_the_script_says_so(kind: str) -> None:
    assert not any(text.startswith(("they ", "A and B ")) for text in worded(kind, "A"))
    assert any(text.startswith(("they ", "A and B ")) for text in worded(kind, "both"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_many_sentences_with_the_names_left_open(kind: str) -> None:
    sentences = json.loads(SENTENCES.read_text(encoding="utf-8"))[kind]
    assert len(set(sentences)) == len(sentences) >= 80
    named = [set(re.findall(r"\{(\w+)\}", text)) for text in sentences]
    assert all(names <= {"actor", "partner", "they", "them", "first", "second"} for names in named)
    assert not any(names & {"actor", "partner"} and names - {"actor", "partner"} for names in named)
    if kind in WITH_ROLES:
        assert sum("{partner}" in text.split("{actor}")[0] for text in sentences) > 30, "who acts is not always first"


def test_the_same_seed_words_the_same() -> None:
    assert worded("hug", "both", seed=3) == worded("hug", "both", seed=3)


def test_details_are_told_in_words_and_named() -> None:
    rng = np.random.default_rng(0)
    script = {"actor": "A", "hand": "left", "speed": "slow", "mood": "angry", "count": 2}
    drawn = [wording("push", script, rng) for _ in range(400)]
    phrases = json.loads(VOCABULARY.read_text(encoding="utf-8"))["details"]
    for name, value in (("hand", "left"), ("speed", "slow"), ("mood", "angry"), ("count", "2")):
        telling = [text for text, told in drawn if name in told]
        assert len(telling) > 40
        assert all(any(phrase in text for phrase in phrases[name][value]) for text in telling)


@pytest.mark.parametrize(
    ("verb", "form", "expected"),
    [
        ("push", "s", "pushes"),
        ("draw back", "ing", "drawing back"),
        ("hurry", "s", "hurries"),
        ("hurry", "ed", "hurried"),
        ("tug", "ed", "tugged"),
        ("dodge", "ing", "dodging"),
        ("bow", "ed", "bowed"),
        ("drive back", "ed", "driven back"),
        ("hug", "", "hug"),
    ],
)
def test_verbs_are_inflected(verb: str, form: str, expected: str) -> None:
    assert inflected(verb, form) == expected


def test_the_vocabulary_tells_where_its_words_come_from() -> None:
    vocabulary = json.loads(VOCABULARY.read_text(encoding="utf-8"))
    assert "WordNet" in vocabulary["_source"]
    assert set(vocabulary["kinds"]) == set(KINDS)
