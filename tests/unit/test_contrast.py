"""A prompt is told from others by the motion that it belongs to."""

import numpy as np
import pytest
import torch

from backend.evaluate.words import caption_actor, caption_kind
from backend.language.layout import collate
from backend.train.codes import Example
from backend.train.contrast import Contrast, contrast_loss, contrast_rows
from tests.unit.tiny import tiny_model, tiny_tokenizer, tiny_words

LEVELS, CODES, STEPS = 3, 16, 12


def example(kind: str, actor: str, seed: int) -> Example:
    codes = np.random.default_rng(seed).integers(0, CODES, (2, STEPS, LEVELS))
    return Example(kind, {"kind": kind, "actor": actor, "hand": "none", "speed": "normal"}, codes, np.ones(2))


EXAMPLES = [example("push", "A", 0), example("hug", "both", 1), example("pull", "B", 2), example("circle", "both", 3)]


class ReadableWords:
    """Remembers the texts that were encoded, so that a test can read them."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, text: str) -> list[int]:
        self.texts.append(text)
        return [1, 2, 3]


def test_one_prompt_is_true_of_the_motion_and_the_other_is_not() -> None:
    for seed in range(20):
        words = ReadableWords()
        own, other = contrast_rows(EXAMPLES, words, Contrast(rows=4, steps=8), np.random.default_rng(seed))  # type: ignore[arg-type]
        assert len(own) == len(other) == 4
        for one, true, false in zip(EXAMPLES, words.texts[::2], words.texts[1::2], strict=True):
            assert true != false
            if caption_kind(false) == one.kind:
                said = [actor for actor in (caption_actor(true), caption_actor(false)) if actor]
                assert one.script["actor"] != "both"
                assert len(said) < 2 or said[0] != said[1], (true, false)


def test_rows_are_the_beginnings_of_motions_whose_full_length_is_told() -> None:
    own, _ = contrast_rows(EXAMPLES, tiny_words(), Contrast(rows=1, steps=8), np.random.default_rng(0))
    motion = own[0].learned
    assert motion.sum() == 2 * 8
    assert own[0].remaining[motion][0] == STEPS - 1


def test_motions_of_one_kind_without_an_actor_have_nothing_to_be_told_from() -> None:
    same = [example("hug", "both", seed) for seed in range(3)]
    assert contrast_rows(same, tiny_words(), Contrast(), np.random.default_rng(0)) == ([], [])


def test_training_on_the_contrast_makes_prompts_matter() -> None:
    torch.manual_seed(0)
    words, model = tiny_words(), tiny_model(tiny_words(), tiny_tokenizer())
    rng = np.random.default_rng(0)
    own, other = contrast_rows(EXAMPLES, words, Contrast(rows=4, steps=8), rng)
    batch, weights = collate(own + other), [1.0] * LEVELS
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-2)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = contrast_loss(model, batch, weights)
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[0] == pytest.approx(0.69, abs=0.5)
    assert losses[-1] < losses[0] / 3
    assert model.training
