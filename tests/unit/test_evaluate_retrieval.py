"""The evaluator learns which sentence goes with which motion, and the protocol gives the truth all that can be had."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from backend.cli import app
from backend.corpus.choreographer import captions as c
from backend.corpus.scene import Scene, write_index, write_motion
from backend.evaluate import held_out, m2t, react, retrieval
from backend.evaluate.card import card_tables
from backend.evaluate.evaluator import Evaluator, EvaluatorConfig, contrastive_loss, pair_features
from backend.evaluate.metrics import r_precision
from backend.evaluate.words import caption_actor, caption_kind
from backend.train.evaluator import EvaluatorRecipe, fit_evaluator
from backend.train.pairs import Pairs, mirrored_features, read_pairs, swapped_features
from backend.train.recipe import read_recipe
from backend.train.run import Run
from protocol.errors import DuologueError
from protocol.motion import Motion
from tests.unit.test_evaluate import KINDS, PAIRS, Playback, Shelf, by_kind_alone, performed, quiet
from tests.unit.test_train_run import dance
from tests.unit.tiny import tiny_checkpoint, tiny_words

TINY = EvaluatorRecipe(
    steps=70,
    model=EvaluatorConfig(width=24, heads=2, feed_forward=32, layers=1, embedding=8, dropout=0.0),
    wording=0.2,
    batch=4,
    learning_rate=3e-3,
    warmup=5,
)
SHIPPED = Path(__file__).parents[2] / "backend" / "train" / "recipes" / "evaluator.yaml"


def written_corpus(folder: Path, pairs: Sequence[tuple[str, str]], splits: Sequence[str]) -> Path:
    """A corpus folder that holds one performed scene for every split, kind and actor."""
    (folder / "motions").mkdir(parents=True)
    scenes = []
    for split in splits:
        for kind, actor in pairs:
            script = {"actor": actor, "hand": "right", "speed": "normal"}
            motion = performed("bow" if kind in ("bow", "hug") else "approach_retreat", actor)
            texts = tuple(c.captions(kind, script, "train")[:3])
            prompts = {person: tuple(c.person_captions(kind, script, person, "train")[:3]) for person in ("A", "B")}
            name = f"{kind}-{actor}-{split}"
            scenes.append(
                Scene(name, kind, split, "choreographed", texts, prompts, script, frames=motion.frames)  # type: ignore
            )
            write_motion(folder, name, motion)
    write_index(folder, scenes)
    return folder


def tiny_evaluator() -> Evaluator:
    torch.manual_seed(0)
    return Evaluator(replace(TINY.model, word_width=12), tiny_words()).eval()


def test_variants_of_features_are_those_of_the_motions_variants() -> None:
    motion = dance(frames=24)
    features = pair_features(motion).reshape(motion.frames, 2, -1)
    for made, expected in (
        (mirrored_features(features), motion.mirrored()),
        (swapped_features(features), motion.swapped()),
        (mirrored_features(swapped_features(features)), motion.swapped().mirrored()),
    ):
        assert np.allclose(made.reshape(motion.frames, -1), pair_features(expected), atol=1e-5)
        assert not np.allclose(made, features, atol=1e-2)


class FourScenes(Pairs):
    """Four sentences, each with a motion of its own."""

    texts = ("one person hugs", "one person pushes", "one person waves", "one person bows")

    def __init__(self) -> None:
        self._known = [pair_features(performed(kind, actor)) for kind, actor in PAIRS[:2] + PAIRS[3:5]]

    def __len__(self) -> int:
        return len(self.texts)

    def motion(self, scene: int, swap: bool, mirror: bool) -> np.ndarray:
        return self._known[scene]

    def text(self, scene: int, swap: bool, mirror: bool, wording_share: float, rng: np.random.Generator) -> str:
        return self.texts[scene]


def test_an_evaluator_learns_what_belongs_together_and_can_be_loaded(tmp_path: Path) -> None:
    run = Run(tmp_path, TINY, False)
    scenes = FourScenes()
    evaluator = fit_evaluator(run, TINY, scenes, scenes, tiny_words())
    losses = [line["loss"] for line in run.read_log() if "loss" in line]
    assert losses[-1] < 0.3 * losses[0]
    evaluator.save(tmp_path)
    loaded = Evaluator.load(tmp_path)
    motions = loaded.embed_motions([performed(kind, actor) for kind, actor in PAIRS[:2] + PAIRS[3:5]])
    assert r_precision(loaded.embed_texts(FourScenes.texts), motions, 4)[0] == 1
    assert np.allclose(np.linalg.norm(motions, axis=-1), abs(float(loaded.scale.detach())), atol=1e-4)


def test_the_evaluator_trains_on_the_training_split_alone(tmp_path: Path) -> None:
    pairs = [("bow", "A"), ("approach_retreat", "B")]
    train, validation = read_pairs(written_corpus(tmp_path / "corpus", pairs, ("train", "test", "validation")))
    assert (len(train), len(validation)) == (2, 2)


def test_swapped_scenes_are_told_of_the_other_person(tmp_path: Path) -> None:
    scene = Scene("a", "push", "train", "choreographed", (), {}, {"actor": "A", "hand": "left", "speed": "normal"})
    (tmp_path / "motions").mkdir()
    write_motion(tmp_path, "a", performed("bow", "A"))
    pairs = Pairs(tmp_path, [scene])
    rng = np.random.default_rng(0)
    for swap in (False, True):
        actors = {caption_actor(pairs.text(0, swap, False, 0.0, rng)) for _ in range(20)}
        assert actors - {None} == {"B" if swap else "A"}
    mirrored = {pairs.text(0, False, True, 0.0, rng) for _ in range(40)}
    assert not any("left" in text for text in mirrored)


def test_embeddings_do_not_depend_on_the_batch_or_the_place_in_the_world() -> None:
    evaluator = tiny_evaluator()
    short, long = performed("bow", "A").slice(0, 21), performed("approach_retreat", "B")
    together = evaluator.embed_motions([short, long])
    elsewhere = short.moved(np.array([0.0, 0, 1, 0]), np.array([3.0, 0.5, -2], np.float32))
    assert np.allclose(together[0], evaluator.embed_motions([elsewhere])[0], atol=1e-3)
    assert not np.allclose(together[0], evaluator.embed_motions([short.swapped()])[0], atol=1e-2)
    texts = evaluator.embed_texts(["two people", "one person pushes the other", ""])
    assert np.allclose(texts[0], evaluator.embed_texts(["two people"])[0], atol=1e-4)
    with pytest.raises(DuologueError, match="not 1"):
        pair_features(short.person(0))


def test_the_same_words_are_no_wrong_answer() -> None:
    embeddings = 5 * torch.eye(3)[[0, 0, 1]]  # scenes 0 and 1 have one and the same caption, and the same motion
    alike = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.bool)
    assert contrastive_loss(embeddings, embeddings, alike) < 1e-6
    assert contrastive_loss(embeddings, embeddings, torch.eye(3, dtype=torch.bool)) == pytest.approx(
        2 / 3 * np.log(2), abs=1e-6
    )


def test_a_missing_or_damaged_evaluator_is_named(tmp_path: Path) -> None:
    with pytest.raises(DuologueError, match="no trained evaluator") as missing:
        Evaluator.load(tmp_path)
    assert "duologue train evaluator" in missing.value.hint
    tiny_evaluator().save(tmp_path)
    (tmp_path / "evaluator.json").write_text('{"layers": 7}')
    with pytest.raises(DuologueError, match="cannot be read"):
        Evaluator.load(tmp_path)


def test_a_corpus_without_training_scenes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DuologueError, match="no training scene"):
        read_pairs(written_corpus(tmp_path / "corpus", [("bow", "A")], ("test",)))


def test_the_shipped_recipe_can_be_read() -> None:
    assert read_recipe(SHIPPED, EvaluatorRecipe).steps > 0


class Oracle:
    """Knows what every sentence says and every motion shows."""

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        return self._rows([(str(caption_kind(text)), str(caption_actor(text))) for text in texts])

    def embed_motions(self, motions: Sequence[Motion]) -> np.ndarray:
        return self._rows([Playback(True)._recognised(motion) for motion in motions])

    def _rows(self, found: Sequence[tuple[str, str]]) -> np.ndarray:
        return np.array([[one == known for known in PAIRS] for one in found], float)


@pytest.fixture
def shelf() -> Shelf:
    scenes = []
    for split in ("train", "test"):
        for kind, actor in PAIRS:
            script = {"actor": actor, "hand": "none", "speed": "normal"}
            texts = [text for text in c.captions(kind, script, "train") if caption_actor(text) == actor][:2]
            prompts = {"B": tuple(c.person_captions(kind, script, "B", "train"))}
            scene = Scene(f"{kind}-{actor}-{split}", kind, split, "choreographed", tuple(texts), prompts, script)
            scenes.append(replace(scene, frames=60))
    return Shelf(Path(), tuple(scenes), KINDS)


def test_retrieval_gives_all_to_the_truth_and_little_to_another_kind(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "POOLS", (6, 7))
    asked = Playback(truthful=True)
    found = retrieval.retrieval(asked, shelf, Oracle(), by_kind_alone, 3, 2, quiet)
    assert (found["texts"], found["repeats"], len(asked.asked)) == (6, 2, 12)
    for source in ("truth", "generated"):
        assert found[source]["r1_6"] == (1, 0)
        assert found[source]["mm_dist"] == (0, 0)
        assert found[source]["fid"][0] == pytest.approx(0, abs=1e-6)
        assert np.isnan(found[source]["r1_7"][0])  # there are not as many texts
    assert found["r3_of_truth"] == 1
    assert found["generated"]["multimodality"] == (0, 0)
    assert np.isnan(found["truth"]["multimodality"][0])
    assert 0 < found["retrieval"]["r1_6"][0] < 0.7  # the kind that is looked up is right, but hardly who does it
    wrong = retrieval.retrieval(Playback(truthful=False), shelf, Oracle(), by_kind_alone, 3, 1, quiet)
    assert wrong["generated"]["r1_6"][0] == 0
    assert wrong["generated"]["mm_dist"][0] == pytest.approx(np.sqrt(2))
    assert np.isnan(wrong["generated"]["multimodality"][0])


def test_the_evaluator_adds_baselines_and_fid(shelf: Shelf) -> None:
    found = m2t.motion_to_text(Playback(truthful=True), shelf, 1, Oracle(), quiet)
    assert found["captions"]["retrieval"]["train"]["bleu1"] > 0.9  # the nearest training scene shows the same
    near = react.reaction(Playback(truthful=True), shelf, 1, by_kind_alone, LastPlaces(), quiet)["near"]
    assert near["with_prompt"]["fid"] == near["truth"]["fid"]
    assert not np.isnan(near["still"]["fid"])


class LastPlaces(Oracle):
    """Embeds a pair as where its persons are in the end."""

    def embed_motions(self, motions: Sequence[Motion]) -> np.ndarray:
        return np.stack([motion.root[-1].ravel() for motion in motions]).astype(float)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny")


def test_only_kinds_that_the_checkpoint_knows_are_evaluated(checkpoint: Path, tmp_path: Path) -> None:
    kinds = held_out.known_kinds(checkpoint)
    assert kinds == ("hug", "push")
    folder = written_corpus(tmp_path / "corpus", [("hug", "both"), ("push", "A"), ("bow", "A")], ("test",))
    corpus = held_out.Corpus.read(folder, kinds)
    assert [scene.kind for scene in corpus.held_out(8)] == ["hug", "push"]
    (tmp_path / "language.json").write_text('{"slots": [{"name": "kind", "values": ["juggle"]}]}')
    with pytest.raises(DuologueError, match="no kind of interaction"):
        held_out.known_kinds(tmp_path)


def test_retrieval_on_the_command_line(checkpoint: Path, tmp_path: Path) -> None:
    corpus = written_corpus(tmp_path / "corpus", [("hug", "both"), ("push", "A")], ("train", "test"))
    tables = tmp_path / "README.md"
    arguments = ["evaluate", "--task", "retrieval", "--checkpoint", str(checkpoint), "--corpus", str(corpus)]
    arguments += ["--repeats", "2", "--card", str(tables), "--evaluator", str(tmp_path / "evaluator"), "--json"]
    refused = CliRunner().invoke(app, arguments)
    assert json.loads(refused.stdout)["error"]["code"] == "evaluator_missing"
    (tmp_path / "evaluator").mkdir()
    tiny_evaluator().save(tmp_path / "evaluator")
    run = CliRunner().invoke(app, arguments)
    assert run.exit_code == 0, run.output
    found = json.loads(run.stdout)["retrieval"]
    assert found["texts"] == 2
    assert found["generated"]["fid"][0] > 0
    assert found["generated"]["r3_32"] == [None, None]
    assert found["r3_of_truth"] is None
    assert "| nearest training caption | – |" in tables.read_text(encoding="utf-8")


def test_the_card_has_rows_for_the_model_the_truth_and_the_baselines() -> None:
    measures = ("r1_32", "r2_32", "r3_32", "r1_96", "r2_96", "r3_96", "mm_dist", "fid", "diversity", "multimodality")
    row = {name: [0.5, 0.0625] for name in measures}
    scored = {"bleu1": 0.5, "bleu4": 0.25, "rouge_l": 1, "meteor": 1, "cider": 2}
    scores = {"train": scored, "held_out": scored}
    near = {name: {"joint_mm": 691.2, "pose_mm": 80, "contact_f1": 0.875, "fid": None} for name in react.PARTNERS}
    text = card_tables(
        {
            "retrieval": {"texts": 96, "repeats": 20, "r3_of_truth": 0.95}
            | {"truth": row, "retrieval": row, "generated": row | {"r1_32": [0.25, 0.0]}},
            "captions": {"generated": scores, "truth": scores},
            "react": {"scenes": 96, "near": near, **dict.fromkeys(react.PARTNERS, 0.75)},
        }
    )
    assert "| held-out truth | 0.500 ± 0.062 |" in text
    assert "| generated | 0.250 | 0.500 ± 0.062 |" in text
    assert "R@3 of 32 is 95 % of truth's" in text
    assert "| model | phrasings of training | 50.0 | 25.0 | 100.0 | 100.0 | 2.00 |" in text
    assert "nearest training motion" not in text  # there was no evaluator to look it up
    assert "| generated from A alone | 75 % | 0.88 | 691 | 80 | – |" in text
