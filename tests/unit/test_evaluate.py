"""The protocols: a model that plays back the truth scores all, one that plays something else scores nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.checks import WITH_ACTOR
from backend.cli import app
from backend.corpus.choreographer import captions as c
from backend.corpus.scene import Scene
from backend.evaluate import benchmark as bench
from backend.evaluate import held_out, m2t, physics, react, t2m
from backend.evaluate.card import BEGIN, card_tables, write_card
from backend.evaluate.words import caption_actor, caption_kind
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion, joined_as_persons
from protocol.skeleton import JOINT, neutral_offsets
from tests.unit.tiny import tiny_checkpoint

FRAMES = 60
KINDS = ("bow", "approach_retreat")
ASKED = [prompt for kind in KINDS for prompt in c.held_out_prompts(kind)]
PAIRS = [(kind, actor) for kind in KINDS for actor in ("A", "B", "both")]


def quiet(done: float, stage: str) -> None:
    assert 0 <= done <= 1
    assert stage


def performed(kind: str, actor: str) -> Motion:
    """A bow or an approach with a step back, made by hand so that no data is needed."""
    there_and_back = np.sin(np.linspace(0, np.pi, FRAMES))
    persons = []
    for name, z, heading in (("A", 0.0, 0.0), ("B", 2.2, np.pi)):
        amount = there_and_back * {name: 1.0, "both": 0.8}.get(actor, 0.0)
        rotations = np.tile(rot.IDENTITY, (FRAMES, 1, 22, 1))
        for side, sign in (("left", -1), ("right", 1)):
            rotations[:, :, JOINT[f"{side}_shoulder"]] = rot.from_axis_angle(np.array([0.0, 0, 1]), sign * 1.35)
        lean = rot.from_axis_angle(np.array([1.0, 0, 0]), amount * (kind == "bow"))
        rotations[:, 0, 0] = rot.multiply(rot.about_y(heading), lean)
        come = 0.6 * amount * (kind == "approach_retreat") * (1 if name == "A" else -1)
        aside = 0 * come + 0.01 * (kind == "bow")  # tells one standing A from the other
        root = np.stack((aside, 0 * come + 0.97, z + come), axis=-1)[:, None]
        persons.append(Motion(30.0, root, rotations, neutral_offsets()[None]))
    return joined_as_persons(persons)


@dataclass(frozen=True)
class Piece:
    motion: Motion
    start: int = 0

    @property
    def raw(self) -> Motion:
        return self.motion


@dataclass
class Playback:
    """A model that plays ``performed`` scenes: the right ones, or those of the other kind."""

    truthful: bool
    asked: list[str] = field(default_factory=list)

    def generate(self, prompt: str, seconds: float, seed: int = 0) -> Iterator[Piece]:
        self.asked.append(prompt)
        motion = performed(self._told(str(caption_kind(prompt))), caption_actor(prompt) or "both")
        for start in range(0, FRAMES, 30):
            yield Piece(motion.slice(start, start + 30), start)

    def react(self, motion: Motion, prompt: str = "", seed: int = 0, *, scale: float = 1.0) -> Iterator[Piece]:
        self.asked.append(prompt)
        kind, actor = self._recognised(motion)
        partner = performed(kind, actor).person(1)
        yield Piece(partner if self.truthful else partner.moved(rot.IDENTITY, np.array([30.0, 0, 0])))

    def describe(self, motion: Motion, *, seed: int = 0) -> Iterator[str]:
        kind, actor = self._recognised(motion)
        kind = self._told(kind)
        said = {"bow": "bow{} to {}", "approach_retreat": "walk{0} up to {1} and step{0} back"}[kind]
        if actor == "both":
            yield from ("Two people ", said.format("", "each other"))
        else:
            yield from ("Person ", actor, " ", said.format("s", "BA"["AB".index(actor)]), ".")

    def _told(self, kind: str) -> str:
        return kind if self.truthful else KINDS[1 - KINDS.index(kind)]

    def _recognised(self, motion: Motion) -> tuple[str, str]:
        for kind, actor in PAIRS:
            known = performed(kind, actor)
            same_roots = np.allclose(known.root[:, : motion.persons], motion.root, atol=1e-3)
            if same_roots and np.allclose(known.rotations[:, : motion.persons], motion.rotations, atol=1e-3):
                return kind, actor
        raise AssertionError("an unknown motion")


@dataclass(frozen=True)
class Shelf(held_out.Corpus):
    """A corpus whose motions are performed on demand."""

    def motion(self, scene: Scene) -> Motion:
        return performed(scene.kind, scene.script["actor"])


@pytest.fixture
def shelf() -> Shelf:
    scenes = []
    for split in ("train", "test"):
        for kind, actor in PAIRS:
            script = {"actor": actor, "hand": "none", "speed": "normal"}
            texts = tuple(c.captions(kind, script, "train"))
            prompts = {"B": tuple(c.person_captions(kind, script, "B", "train"))}
            scenes.append(Scene(f"{kind}-{actor}-{split}", kind, split, "choreographed", texts, prompts, script))
    return Shelf(Path(), tuple(scenes), KINDS)


def by_kind_alone(texts) -> np.ndarray:
    """Sentence vectors that know the kind and nothing else."""
    return np.array([[caption_kind(text) == kind for kind in KINDS] for text in texts], float)


def test_blind_prompts_are_new_sentences_and_none_for_a_kind_without_any():
    for kind in ("handshake", "bow", "salsa"):
        prompts = t2m.blind_prompts(kind)
        assert len({prompt.text for prompt in prompts}) == 9
        assert not {prompt.text for prompt in prompts} & {prompt.text for prompt in c.held_out_prompts(kind)}
        assert {prompt.actor for prompt in prompts} <= ({"A", "B", "both"} if kind in WITH_ACTOR else {"both"})
    assert t2m.blind_prompts("juggling") == []


def test_text_to_motion_gives_all_to_the_truth_and_nothing_to_another_kind(shelf: Shelf):
    model = Playback(truthful=True)
    found = t2m.text_to_motion(model, shelf, ASKED, by_kind_alone, quiet)
    assert found["prompts"] == 16
    assert found["found"] == found["found_kind"] == found["truth"] == 1
    assert model.asked == [prompt.text for kind in KINDS for prompt in c.held_out_prompts(kind)]
    assert 0 < found["retrieval"] < 1  # the kind that is looked up is right, but often done by another person
    assert t2m.text_to_motion(Playback(truthful=False), shelf, ASKED, by_kind_alone, quiet)["found_kind"] == 0


def test_text_to_motion_counts_the_wrong_person_as_wrong(shelf: Shelf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(f"{__name__}.caption_actor", lambda text: "A")
    found = t2m.text_to_motion(Playback(truthful=True), shelf, ASKED, by_kind_alone, quiet)
    assert found["found_kind"] == 1
    asked_for_a = [prompt for kind in KINDS for prompt in c.held_out_prompts(kind) if prompt.actor == "A"]
    assert found["found"] == len(asked_for_a) / 16


def test_motion_to_text_reads_kind_and_person_from_captions(shelf: Shelf):
    found = m2t.motion_to_text(Playback(truthful=True), shelf, 8, None, quiet)
    assert found["scenes"] == 6
    assert found["kind"] == found["kind_choreographed"] == found["actor"] == 1
    assert np.isnan(found["kind_real"])
    assert set(found["captions"]) == {"generated", "truth"}  # no evaluator, so no nearest motion
    wrong = m2t.motion_to_text(Playback(truthful=False), shelf, 8, None, quiet)
    assert wrong["kind"] == 0
    assert wrong["captions"]["generated"]["train"]["cider"] < found["captions"]["generated"]["train"]["cider"]


def test_reaction_keeps_the_kind_with_the_true_partner_and_loses_it_with_one_far_away(shelf: Shelf):
    model = Playback(truthful=True)
    found = react.reaction(model, shelf, 8, by_kind_alone, None, quiet)
    assert found["with_prompt"] == found["without_prompt"] == found["truth"] == 1
    assert found["still"] < 1  # where B acts, B is missed
    assert model.asked[1] == ""
    assert model.asked[0] in c.person_captions("bow", {"actor": "A"}, "B", "held_out")
    assert found["near"]["with_prompt"]["joint_mm"] == pytest.approx(0, abs=0.1)
    wrong = react.reaction(Playback(truthful=False), shelf, 8, by_kind_alone, None, quiet)
    assert wrong["by_kind"]["approach_retreat"]["with_prompt"] < 1
    assert wrong["near"]["with_prompt"]["joint_mm"] == pytest.approx(30_000, rel=0.01)
    assert wrong["near"]["with_prompt"]["pose_mm"] == pytest.approx(0, abs=0.1)


def test_a_corpus_without_test_scenes_is_refused(shelf: Shelf):
    with pytest.raises(DuologueError, match="no validation scene of bow"):
        shelf.of("validation", "bow")


def test_physics_sees_sliding_penetration_hovering_and_jerks():
    still = performed("bow", "nobody")
    ground = still.positions()[..., 1].min()
    still = still.moved(rot.IDENTITY, np.array([0, -ground, 0], np.float32))
    clean = physics.physics([still])
    none = ("skate_mps", "toe_mps", "penetration_cm", "worst_cm", "floor_cm", "jerk_mps3")
    assert clean == pytest.approx({"planted": 1.0} | dict.fromkeys(none, 0), abs=1e-3)
    slide = Motion(
        30, still.root + np.linspace(0, 0.4, FRAMES)[:, None, None] * [1, 0, 0], still.rotations, still.offsets
    )
    assert physics.physics([slide])["skate_mps"] == pytest.approx(0.2, abs=0.01)
    assert physics.physics([slide])["toe_mps"] == pytest.approx(0.2, abs=0.01)
    lifted = still.moved(rot.IDENTITY, np.array([0, 0.05, 0], np.float32))
    assert physics.physics([lifted])["floor_cm"] == pytest.approx(5, abs=0.01)
    inside = joined_as_persons([still.person(0), still.person(0).moved(rot.about_y(0.0), np.array([0.12, 0, 0]))])
    assert physics.physics([inside])["penetration_cm"] == pytest.approx(10, abs=1.5)
    assert physics.physics([inside])["worst_cm"] == pytest.approx(10, abs=1.5)
    shaking = still.root + 0.01 * np.random.default_rng(0).standard_normal(still.root.shape)
    assert physics.physics([Motion(30, shaking, still.rotations, still.offsets)])["jerk_mps3"] > 100


@pytest.mark.parametrize("split", ["train", "held_out"])
@pytest.mark.parametrize("kind", c.KINDS)
def test_kind_and_person_are_read_from_captions(kind: str, split: c.Split):
    details = {"speed": "slow", "direction": "clockwise", "style": "facing", "dodge": "duck", "walk_in": True}
    details |= {"depth": "deep", "steps_back": True, "steps_in": True}
    right, told = 0, 0
    for actor in ("A", "B", "both") if "each" in c.phrases(kind) else ("A", "B"):
        script = {"actor": actor, "hand": "left", **details}
        for text in c.captions(kind, script, split)[::7]:
            assert caption_kind(text) == kind, text
            if kind in WITH_ACTOR and any(name in text for name in ("A", "B", "one ", "first", "someone")):
                right += caption_actor(text) == actor
                told += 1
        for person in ("A", "B"):
            for text in c.person_captions(kind, script, person, split)[::5]:
                assert caption_kind(text) == kind, text
    assert right >= 0.9 * told


@pytest.mark.parametrize(
    ("text", "kind", "actor"),
    [
        ("A pushes B.", "push", "A"),
        ("The second person shoves the first one.", "push", "B"),
        ("One person is being pulled along by the other.", "pull", "B"),
        ("B throws a punch and A dodges it", "punch_dodge", "B"),
        ("A push by B sends A staggering", "push", "B"),
        ("Two people shake hands.", "handshake", "both"),
        ("They have a long conversation", None, None),
    ],
)
def test_captions_are_read_as_people_write_them(text: str, kind: str | None, actor: str | None):
    assert (caption_kind(text), caption_actor(text)) == (kind, actor)


FIGURES = {
    "t2m": {
        "prompts": 96, "seconds": 5.0, "found": 0.8, "found_kind": 0.9, "first": 0.5, "truth": 0.99, "retrieval": 0.7,
        "kinds": {"hug": {"found": 0.75, "found_kind": 0.75, "first": 0.5, "truth": 1.0, "retrieval": None}},
    },
    "physics": {"generated": {"skate_mps": 0.0123, "penetration_cm": 1, "floor_cm": None, "jerk_mps3": 99.6}},
}  # fmt: skip


def test_the_card_holds_what_was_measured_and_can_be_written_again(tmp_path: Path):
    card = tmp_path / "README.md"
    card.write_text("# Model\n\nBefore.\n")
    write_card(card, FIGURES)
    once = card.read_text()
    assert "| hug | 75 % | 75 % | 50 % | 100 % | – |" in once
    assert "| **all** | **80 %** |" in once
    assert "0.012" in once
    card.write_text(once + "\nAfter.\n")
    write_card(card, {"t2m": FIGURES["t2m"] | {"found": 0.81}})
    again = card.read_text()
    assert again.count(BEGIN) == 1
    assert again.startswith("# Model\n\nBefore.")
    assert again.endswith("After.\n")
    assert "81 %" in again
    assert "0.012" not in again
    assert card_tables({}) == ""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny")


def test_evaluating_without_a_corpus_says_how_to_make_one(checkpoint: Path, tmp_path: Path):
    run = CliRunner().invoke(app, ["evaluate", "--checkpoint", str(checkpoint), "--corpus", str(tmp_path), "--json"])
    assert run.exit_code == 1
    error = json.loads(run.stdout)["error"]
    assert error["code"] == "corpus_missing"
    assert "duologue corpus choreograph" in error["hint"]


def test_the_benchmark_measures_a_checkpoint_and_adds_to_the_figures(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bench, "import_seconds", lambda: 3.0)  # importing torch anew takes too long for a unit test
    monkeypatch.setattr(bench, "_CANCEL_AFTER", (0.02, 0.05))
    monkeypatch.setattr(bench, "_SCENE_SECONDS", 1.0)
    out = tmp_path / "figures.json"
    out.write_text(json.dumps({"m2t": {"kind": 0.5}}))
    arguments = ["benchmark", "--checkpoint", str(checkpoint), "--seconds", "1", "--repeats", "1", "--out", str(out)]
    run = CliRunner().invoke(app, [*arguments, "--json"])
    assert run.exit_code == 0, run.output
    known = json.loads(out.read_text())
    assert known["m2t"] == {"kind": 0.5}
    found = known["benchmark"]
    assert found["idle"]["realtime_factor"] > 0
    assert found["flattened_factor"] > 0
    assert 0 < found["story_slowdown"] < 5
    assert 0 <= found["cancel_s"]["median"] <= found["cancel_s"]["largest"] < 5
    assert 0 < found["idle"]["first_piece_s"] < found["seconds"] / found["idle"]["realtime_factor"] + 0.1
