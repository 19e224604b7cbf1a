"""The motion language model: who may see what, what it may say, and that its shortcuts change nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from backend.language.anticipation import Whereabouts
from backend.language.decode import Reader, motion_steps, words
from backend.language.layout import (
    MARKER,
    MOTION,
    PADDING,
    WORD,
    Batch,
    MotionBlock,
    Row,
    TextBlock,
    collate,
    row,
)
from backend.language.losses import losses
from backend.language.model import MotionLanguageModel, likeliest
from backend.language.sampling import Sampling
from backend.language.words import Words, normalized
from backend.tasks import ASK, DESCRIBE, GENERATE, LONE_PERSON, PERSON_A, PERSON_B, REACT, Marker
from tests.unit.tiny import tiny_model, tiny_tokenizer, tiny_words

LEVELS, CODES, STEPS = 3, 16, 5
GREEDY = Sampling(temperature=0)


@pytest.fixture(scope="module")
def vocabulary() -> Words:
    return tiny_words()


@pytest.fixture(scope="module")
def model(vocabulary: Words) -> MotionLanguageModel:
    return tiny_model(vocabulary, tiny_tokenizer())


def some_codes(persons: int = 2, steps: int = STEPS, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(CODES, size=(persons, steps, LEVELS))


def generation(
    slots: Sequence[int] = (2, 1, 0),
    codes: np.ndarray | None = None,
    scales: Sequence[float] = (1.0, 1.0),
    steps: int | None = None,
) -> Row:
    """A pair's motion that follows a script; an open one of ``steps`` latent steps, if that is given."""
    codes = some_codes(steps=0 if steps else STEPS) if codes is None else codes
    return row(GENERATE, [MotionBlock(codes, np.array(slots), GENERATE.learned_persons, steps=steps)], scales)


def description(text: Sequence[int], codes: np.ndarray) -> Row:
    """A motion with its caption; without one, if there are no words."""
    texts = [TextBlock(text, learned=True)] if text else []
    return row(DESCRIBE, [MotionBlock(codes, np.zeros(3, int), read=np.array([1, 2, 1]))], [1, 1][: len(codes)], texts)


def never() -> bool:
    return False


def all_logits(model: MotionLanguageModel, batch: Batch) -> torch.Tensor:
    """Logits of the codes of every position from the second on, (n - 1, D, K)."""
    with torch.no_grad():
        return model.code_logits(model.hidden(batch)[0, :-1], batch.targets[0, 1:])


def test_persons_take_turns_and_the_countdown_falls_with_every_latent_step() -> None:
    made = generation(scales=[1.0, 1.1])
    assert made.kind.tolist() == [MARKER, MARKER] + [MOTION] * 2 * STEPS + [MARKER]
    assert made.person[2:-1].tolist() == [PERSON_A, PERSON_B] * STEPS
    assert made.remaining[1:-1].tolist() == [5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0]
    assert made.codes[2].tolist() == some_codes()[0, 0].tolist()
    assert made.codes[3].tolist() == some_codes()[1, 0].tolist()
    assert made.learned.tolist() == [False] * 2 + [True] * 2 * STEPS + [False]


def test_a_reaction_sees_all_of_the_given_person_first_and_learns_the_partner_alone() -> None:
    codes = some_codes()
    lone = MotionBlock(codes[:1], np.zeros(3, int))
    made = row(REACT, [lone, MotionBlock(codes, np.array([1, 3, 0]), REACT.learned_persons)], [1.2, 1.0])
    assert made.person[2 : 2 + STEPS].tolist() == [LONE_PERSON] * STEPS
    assert made.symbol[2 + STEPS] == Marker.END_MOTION
    assert made.learned[4 + STEPS : -1].tolist() == [False, True] * STEPS
    assert not made.learned[: 4 + STEPS].any()
    assert made.block.tolist() == [0] * (3 + STEPS) + [1] * (2 + 2 * STEPS)
    assert made.present.tolist() == [[0, 0, 1], [1, 1, 0]]
    assert made.scales[LONE_PERSON] == pytest.approx(1.2)


def test_given_steps_are_not_learned() -> None:
    block = MotionBlock(some_codes(), np.zeros(3, int), GENERATE.learned_persons, given=2)
    assert row(GENERATE, [block], [1, 1]).learned[2:-1].tolist() == [False] * 4 + [True] * 6


def test_a_caption_follows_the_motion_it_describes_and_is_learned_with_its_end() -> None:
    made = description([7, 8], some_codes(persons=1))
    assert set(made.person[made.kind == MOTION]) == {LONE_PERSON}
    assert made.symbol[-4:].tolist() == [Marker.END_MOTION, 7, 8, Marker.END_TEXT]
    assert made.learned[-4:].tolist() == [False, True, True, True]


def test_a_question_is_given_and_its_answer_learned() -> None:
    block = MotionBlock(some_codes(), np.zeros(3, int))
    made = row(
        ASK,
        [block],
        [1, 1],
        [TextBlock([4, 5], False, Marker.ASK), TextBlock([6], learned=True, opening=Marker.ANSWER)],
    )
    assert made.symbol[-6:].tolist() == [Marker.ASK, 4, 5, Marker.ANSWER, 6, Marker.END_TEXT]
    assert made.kind[-6:].tolist() == [MARKER, WORD, WORD, MARKER, WORD, MARKER]
    assert made.learned[-6:].tolist() == [False] * 4 + [True, True]


def test_a_later_code_changes_nothing_before_it(model: MotionLanguageModel) -> None:
    batch = collate([generation()])
    place = 9
    codes = batch.codes.clone()
    codes[0, place] = (codes[0, place] + 1) % CODES
    before, after = all_logits(model, batch), all_logits(model, replace(batch, codes=codes))
    assert torch.equal(before[:place], after[:place])
    assert not torch.allclose(before[place], after[place])


def test_a_later_word_changes_nothing_before_it(model: MotionLanguageModel) -> None:
    ours, theirs = (collate([description([4, word], some_codes())]) for word in (5, 6))
    with torch.no_grad():
        same = model.hidden(ours)[0] == model.hidden(theirs)[0]
    assert same[:-2].all()
    assert not same[-2].all()


@pytest.mark.parametrize(
    "change",
    [{"slots": [1, 1, 0]}, {"slots": [2, 1, 1]}, {"scales": [1.0, 1.2]}, {"scales": [1.2, 1.0]}, {"steps": 21}],
)
def test_what_is_asked_for_reaches_the_motion(model: MotionLanguageModel, change: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"codes": some_codes(), "steps": 20}
    ours, theirs = generation(**usual), generation(**(usual | change))
    assert not torch.allclose(all_logits(model, collate([ours]))[2:], all_logits(model, collate([theirs]))[2:])


def test_reading_step_by_step_with_the_cache_equals_reading_all_at_once(model: MotionLanguageModel) -> None:
    codes = some_codes()
    with torch.no_grad():
        whole = model.hidden(collate([generation(codes=codes, scales=[1, 1.1])]))[0]
        opening = generation(scales=[1, 1.1], steps=STEPS)
        reader = Reader(model, [opening], never)
        stepped, last = [reader.hidden()[0]], None
        for step in range(STEPS):
            for person, scale in ((PERSON_A, 1.0), (PERSON_B, 1.1)):
                known = torch.from_numpy(codes[person, step])[None]
                remaining = torch.tensor([STEPS - 1 - step])
                vectors = model.embed_motion(known, torch.tensor([person]), remaining, torch.tensor([scale]))
                reader.feed_motion(vectors if last is None else vectors + model.meeting(known, last))
                last = known
                stepped.append(reader.hidden()[0])
    torch.testing.assert_close(torch.stack(stepped), whole[1:-1], atol=1e-5, rtol=1e-4)


def test_rows_read_side_by_side_equal_rows_read_alone(model: MotionLanguageModel) -> None:
    rows = [
        generation(slots, some_codes(steps=given), steps=STEPS) for slots, given in (([2, 1, 1], 3), ([0, 0, 0], 1))
    ]
    vector = torch.randn(1, model.config.width)
    with torch.no_grad():
        together = Reader(model, rows, never)
        alone = [Reader(model, [one], never) for one in rows]
        for _ in range(2):
            states = together.hidden()
            torch.testing.assert_close(states, torch.cat([one.hidden() for one in alone]), atol=1e-5, rtol=1e-4)
            for reader in (together, *alone):
                reader.feed_motion(vector)


def test_the_head_level_by_level_equals_teacher_forcing(model: MotionLanguageModel) -> None:
    hidden, codes = torch.randn(4, model.config.width), torch.from_numpy(some_codes(1, 4)[0])
    with torch.no_grad():
        forced = model.code_logits(hidden, codes)
        begun, partial = model.head.begin(hidden), torch.zeros(4, model.config.latent_width)
        for level in range(LEVELS):
            torch.testing.assert_close(model.head.level(begun, level, partial), forced[:, level], atol=1e-5, rtol=1e-4)
            partial = partial + model.code_vectors[level, codes[:, level]]


def test_code_vectors_add_up_to_the_tokenizers_latents(model: MotionLanguageModel) -> None:
    tokenizer, codes = tiny_tokenizer(), torch.from_numpy(some_codes())
    ours, theirs = model.latents(codes), tokenizer.latents(codes)
    factor = ours.norm(dim=(0, 1)) / theirs.norm(dim=(0, 1))  # each channel is brought to unit spread
    torch.testing.assert_close(ours, theirs * factor)


def test_decoding_feeds_back_what_it_drew(model: MotionLanguageModel) -> None:
    """The most likely codes of a finished motion are the motion itself."""
    opening = generation(steps=STEPS)
    made = torch.cat(list(motion_steps(model, [opening], STEPS, GREEDY, torch.Generator(), never))).numpy()
    made = made.swapaxes(0, 1)
    assert made.shape == (2, STEPS, LEVELS)
    logits = all_logits(model, collate([generation(codes=made)]))[1:-1]
    assert logits.argmax(-1).tolist() == made.transpose(1, 0, 2).reshape(-1, LEVELS).tolist()


def test_a_reaction_keeps_the_given_person_and_answers_to_it(model: MotionLanguageModel) -> None:
    opening = row(REACT, [MotionBlock(some_codes(steps=0), np.zeros(3, int), steps=STEPS)], [1, 1])
    partners = []
    for seed in (1, 2):
        given = some_codes(seed=seed)[0]
        steps = motion_steps(model, [opening], STEPS, GREEDY, torch.Generator(), never, given)
        made = torch.cat(list(steps)).transpose(0, 1)
        assert made[0].tolist() == given.tolist()
        partners.append(made[1].tolist())
    assert partners[0] != partners[1]


def test_a_partner_is_drawn_where_they_are_expected_and_the_given_person_is_not(model: MotionLanguageModel) -> None:
    opening = row(REACT, [MotionBlock(some_codes(steps=0), np.zeros(3, int), steps=STEPS)], [1, 1])
    given, aim = some_codes(seed=1)[0], model.between.joints(model.latents(torch.from_numpy(some_codes(seed=2)[1])))
    expected = Whereabouts(aim.numpy(), np.full(aim.shape[:2], 1e-3, np.float32))
    far = []
    for whereabouts in (None, expected):
        steps = motion_steps(model, [opening], STEPS, Sampling(), torch.Generator(), never, given, whereabouts, 4)
        made = torch.stack(list(steps), 2)  # (4, 2, L, D)
        assert (made[:, 0] == torch.from_numpy(given)).all()
        joints = model.between.joints(model.latents(made[:, 1]).flatten(0, 1)).unflatten(0, (4, -1))
        far.append(float((joints - aim).norm(dim=-1).mean()))
    assert far[1] < 0.5 * far[0]


def test_only_words_of_the_captions_are_said(model: MotionLanguageModel, vocabulary: Words) -> None:
    opening = description([], some_codes())
    said = set()
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        said.update(words(model, opening, Sampling(temperature=3), generator, never))
    assert len(said) > 5
    assert said <= set(model.config.spoken)
    assert len(model.config.spoken) < vocabulary.vectors.shape[0]


def test_padding_counts_neither_as_input_nor_in_the_loss(model: MotionLanguageModel) -> None:
    short, long = (generation(codes=some_codes(steps=steps)) for steps in (2, 6))
    with torch.no_grad():
        alone, padded = collate([short]), collate([short, long])
        assert (padded.kind[0] == PADDING).sum() == 8
        assert torch.allclose(model.hidden(padded)[0, :7], model.hidden(alone)[0], atol=1e-5)
        parts = [float(losses(model, collate([one]), [1, 1, 1])["motion"]) for one in (short, long)]
        together = float(losses(model, padded, [1, 1, 1])["motion"])
    assert together == pytest.approx((4 * parts[0] + 12 * parts[1]) / 16, rel=1e-4)


def test_the_model_learns_motion_from_scripts_and_words_and_scripts_from_motion(vocabulary: Words) -> None:
    model = tiny_model(vocabulary, tiny_tokenizer()).train()
    texts = [vocabulary.encode(text) for text in ("two people shake hands", "one person hugs the other")]
    scripts, motions = ([1, 3, 1], [2, 1, 2]), [some_codes(seed=seed) for seed in (1, 2)]
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    described = [
        row(DESCRIBE, [MotionBlock(codes, np.zeros(3, int), read=np.array(script))], [1, 1], [TextBlock(text, True)])
        for codes, script, text in zip(motions, scripts, texts, strict=True)
    ]
    batch = collate([generation(*pair) for pair in zip(scripts, motions, strict=True)] + described)
    for _ in range(120):
        optimizer.zero_grad()
        torch.stack(list(losses(model, batch, [1, 1, 1]).values())).sum().backward()
        optimizer.step()
    model.eval()
    for script, text, codes in zip(scripts, texts, motions, strict=True):
        opening = generation(script, steps=STEPS)
        made = torch.cat(list(motion_steps(model, [opening], STEPS, GREEDY, torch.Generator(), never))).transpose(0, 1)
        assert np.mean(made.numpy() == codes) > 0.9
        shown = description([], codes)
        assert list(words(model, shown, GREEDY, torch.Generator(), never)) == text
        with torch.no_grad():
            assert likeliest(model.motion_logits(model.hidden(collate([shown]))[:, -1])).tolist() == script


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("  Two people   shake hands. ", "two people shake hands"),
        ("A hugs B", "A hugs B"),
        ("SHAKE HANDS!", "shake hands"),
        ("", ""),
    ],
)
def test_sentences_are_read_alike_however_they_are_typed(typed: str, read: str) -> None:
    assert normalized(typed) == read


def test_the_script_is_added_to_every_motion_position(model: MotionLanguageModel) -> None:
    codes = np.zeros((2, STEPS, LEVELS), np.int64)
    rows = [generation(slots, codes) for slots in ([1, 1, 0], [2, 1, 0])]
    with torch.no_grad():
        first, second = model.embed(collate(rows))
    differs = (first != second).any(-1).numpy()
    assert differs[rows[0].kind == MOTION].all()
    assert not differs[-1], "END_MOTION is told nothing: what is read there is read from the motion"
