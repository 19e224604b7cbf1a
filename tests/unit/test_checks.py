"""The checks see what two bodies do: on scenes of the choreographer, on real takes, and on motions made by hand."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.checks import CHECKS, finds, judge
from backend.checks.view import FPS, View, longest_run
from backend.corpus.choreographer import salsa
from backend.corpus.choreographer.families import FIRST_TWELVE, KINDS
from backend.corpus.choreographer.generate import Sources, make_scene
from backend.corpus.choreographer.library import library_of
from backend.corpus.cmu import Take, load_takes
from backend.corpus.scene import Scene
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion, joined_as_persons
from protocol.skeleton import JOINT, neutral_offsets
from tests.unit.cmu_sample import sample_folder

BEATS = [kind for kind in KINDS if kind not in FIRST_TWELVE]
TRIALS = ("18_01", "19_01", "60_01", "61_01", "60_12", "61_12", "10_01", "02_02", "07_01")
FRAMES = 90
ACROSS = np.array([1.0, 0.0, 0.0], np.float32)
ALONG = np.array([0.0, 0.0, 1.0], np.float32)


def standing(x: float, z: float, heading: float, frames: int = FRAMES) -> Motion:
    """One person who stands with hanging arms."""
    rotations = np.tile(rot.IDENTITY, (frames, 1, 22, 1))
    rotations[:, :, 0] = rot.about_y(heading)
    for side, sign in (("left", -1), ("right", 1)):
        rotations[:, :, JOINT[f"{side}_shoulder"]] = rot.from_axis_angle(ALONG, sign * 1.35)
    root = np.tile(np.array([x, 0.97, z], np.float32), (frames, 1, 1))
    return Motion(FPS, root, rotations, neutral_offsets()[None])


def changed(motion: Motion, root: np.ndarray | None = None, **joints: np.ndarray) -> Motion:
    """The same with some (T, 3) added to the root, and joints turned by (T, 4) on top of how they were."""
    rotations = motion.rotations.copy()
    for name, turn in joints.items():
        rotations[:, 0, JOINT[name]] = rot.multiply(rotations[:, 0, JOINT[name]], turn.astype(np.float32))
    shift = 0 if root is None else root[:, None]
    return Motion(motion.fps, motion.root + shift, rotations, motion.offsets)


def face_to_face(gap: float) -> tuple[Motion, Motion]:
    return standing(0, 0, 0), standing(0, gap, np.pi)


def there_and_back() -> np.ndarray:
    return np.sin(np.linspace(0, np.pi, FRAMES))


def passed(motion: Motion) -> set[str]:
    return {kind for kind, result in judge(motion).items() if result.passed}


@pytest.fixture(scope="module")
def takes(cmu_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Take]:
    """The real handshake, two dances, and a little standing and walking."""
    return load_takes(sample_folder(cmu_folder, TRIALS, tmp_path_factory.mktemp("cmu")))


@pytest.fixture(scope="module")
def sources(takes: list[Take]) -> Sources:
    return Sources(library_of(takes), salsa.dances(takes))


def test_every_kind_has_a_check():
    assert set(CHECKS) == set(KINDS)


def test_two_persons_who_only_stand_do_nothing():
    for gap in (0.5, 1.0, 2.0):
        assert passed(joined_as_persons(face_to_face(gap))) == set()


def test_bodies_that_shake_at_random_do_nothing():
    draw = np.random.default_rng(0)
    for gap in (0.8, 1.2):
        people = []
        for one in face_to_face(gap):
            turns = rot.normalize(one.rotations + 0.25 * draw.standard_normal(one.rotations.shape).astype(np.float32))
            people.append(Motion(FPS, one.root + 0.05 * draw.standard_normal(one.root.shape), turns, one.offsets))
        assert passed(joined_as_persons(people)) == set()


def test_one_person_alone_cannot_be_judged():
    with pytest.raises(DuologueError, match="two persons"):
        judge(standing(0, 0, 0))


def test_a_torso_that_bends_and_rises_is_a_bow_and_who_bows_is_told():
    first, second = face_to_face(1.6)
    bend = rot.from_axis_angle(ACROSS, 1.0 * there_and_back())
    assert judge(joined_as_persons((changed(first, pelvis=bend), second)))["bow"].actor == "A"
    assert judge(joined_as_persons((first, changed(second, pelvis=bend))))["bow"].actor == "B"
    both = joined_as_persons((changed(first, pelvis=bend), changed(second, pelvis=bend)))
    assert judge(both)["bow"].actor == "both"
    assert passed(both) == {"bow"}


def test_a_nod_of_ten_degrees_and_a_squat_are_no_bows():
    first, second = face_to_face(1.6)
    nod = rot.from_axis_angle(ACROSS, 0.17 * there_and_back())
    down = -0.35 * there_and_back()[:, None] * np.array([0, 1, 0])
    lean = rot.from_axis_angle(ACROSS, 0.6 * there_and_back())
    assert not finds(joined_as_persons((changed(first, pelvis=nod), second)), "bow")
    assert not finds(joined_as_persons((changed(first, down, pelvis=lean), second)), "bow")


def test_a_raised_forearm_that_swings_is_a_wave_and_one_held_still_is_none():
    first, second = face_to_face(2.0)
    up = np.tile(rot.from_axis_angle(ALONG, -1.6), (FRAMES, 1))
    swing = 0.4 * np.sin(np.linspace(0, 8 * np.pi, FRAMES))
    raised = changed(first, right_shoulder=up, right_elbow=rot.from_axis_angle(ALONG, -1.2 + swing))
    still = changed(first, right_shoulder=up, right_elbow=rot.from_axis_angle(ALONG, -1.2 + 0 * swing))
    assert judge(joined_as_persons((raised, second)))["wave"].actor == "A"
    assert not finds(joined_as_persons((still, second)), "wave")


def test_two_abreast_walk_together_and_two_in_a_row_or_apart_do_not():
    way = np.linspace(0, 3, FRAMES)[:, None] * ALONG
    abreast = (standing(0, 0, 0), standing(0.7, 0, 0))
    assert finds(joined_as_persons([changed(one, way) for one in abreast]), "walk_together")
    in_a_row = (standing(0, 0, 0), standing(0.1, 1.0, 0))
    assert not finds(joined_as_persons([changed(one, way) for one in in_a_row]), "walk_together")
    apart = (changed(abreast[0], way), changed(abreast[1], -way))
    assert not finds(joined_as_persons(apart), "walk_together")


def test_who_comes_and_goes_is_told_from_who_waits():
    first, second = face_to_face(2.2)
    come = 1.2 * there_and_back()[:, None] * ALONG
    assert judge(joined_as_persons((changed(first, come), second)))["approach_retreat"].actor == "A"
    assert judge(joined_as_persons((first, changed(second, -come))))["approach_retreat"].actor == "B"
    meeting = joined_as_persons((changed(first, come / 2), changed(second, -come / 2)))
    assert judge(meeting)["approach_retreat"].actor == "both"


def test_coming_without_going_and_being_driven_off_are_no_approach_and_retreat():
    first, second = face_to_face(2.2)
    come = 1.2 * np.linspace(0, 1, FRAMES)[:, None] * ALONG
    flight = 1.2 * np.clip(np.linspace(-1, 1, FRAMES), 0, 1)[:, None] * ALONG
    assert not finds(joined_as_persons((changed(first, come), second)), "approach_retreat")
    chased = joined_as_persons((changed(first, np.minimum(come * 2, 1.2 * ALONG)), changed(second, flight)))
    assert not finds(chased, "approach_retreat")


def test_a_pair_that_turns_about_its_middle_circles_and_one_that_turns_on_the_spot_does_not():
    angle = np.linspace(0, 2.5, FRAMES)
    spoke = np.stack((np.sin(angle), 0 * angle, np.cos(angle)), axis=-1) - ALONG
    first, second = standing(0, 1.0, np.pi), standing(0, -1.0, 0)
    turn = rot.about_y(angle.astype(np.float32))
    orbit = joined_as_persons((changed(first, spoke, pelvis=turn), changed(second, -spoke, pelvis=turn)))
    assert passed(orbit) == {"circle"}
    on_the_spot = joined_as_persons((changed(first, pelvis=turn), changed(second, pelvis=turn)))
    assert not finds(on_the_spot, "circle")


@pytest.mark.parametrize("kind", FIRST_TWELVE)
def test_choreographed_scenes_of_a_kind_pass_its_check_and_seldom_another(sources: Sources, kind: str):
    scenes = [make_scene(sources, 77, FIRST_TWELVE.index(kind) + 12 * n, kind) for n in range(5)]
    seen = Counter[str]()
    for scene, motion in scenes:
        results = judge(motion)
        seen.update(name for name, result in results.items() if result.passed)
        if kind in ("push", "pull", "punch_dodge", "approach_retreat") and results[kind].passed:
            assert results[kind].actor == scene.script["actor"]
    assert seen[kind] >= 4
    assert all(count <= 2 for name, count in seen.items() if name != kind), seen


@pytest.fixture(scope="module")
def seen(sources: Sources) -> dict[str, tuple[Scene, View]]:
    """A scene of every kind that is made of beats."""
    made = {kind: make_scene(sources, 5, 0, kind) for kind in BEATS}
    return {kind: (scene, View.of(motion)) for kind, (scene, motion) in made.items()}


@pytest.mark.parametrize("kind", BEATS)
def test_a_scene_of_beats_passes_its_check_which_tells_who_acts(seen: dict[str, tuple[Scene, View]], kind: str):
    scene, view = seen[kind]
    result = CHECKS[kind](view)
    assert result.passed, result.measured
    assert result.actor == scene.script["actor"]


@pytest.mark.parametrize("kind", BEATS)
def test_a_check_passes_few_scenes_of_other_kinds(seen: dict[str, tuple[Scene, View]], kind: str):
    passing = [name for name, (_, view) in seen.items() if name != kind and CHECKS[kind](view).passed]
    assert len(passing) <= 2, passing


def test_swapping_the_persons_of_a_push_swaps_who_pushes_and_a_mirror_changes_nothing(sources: Sources):
    scene, motion = make_scene(sources, seed=77, index=3, kind="push")
    other = {"A": "B", "B": "A"}[str(scene.script["actor"])]
    assert finds(motion, "push", str(scene.script["actor"]))
    assert not finds(motion, "push", other)
    assert finds(motion.swapped(), "push", other)
    assert finds(motion.mirrored(), "push", str(scene.script["actor"]))
    assert finds(motion.resampled(60), "push", str(scene.script["actor"]))


def test_a_motion_that_is_torn_between_two_frames_shows_nothing(sources: Sources):
    _, motion = make_scene(sources, seed=77, index=0, kind="handshake")
    root = motion.root.copy()
    root[-3:] += np.array([0.5, 0.0, 0.0], np.float32)  # both persons, well after their hands have met
    torn = replace(motion, root=root)
    assert finds(motion, "handshake")
    assert not finds(torn, "handshake")
    assert judge(torn)["handshake"].measured["fastest_mps"] > 12


def test_a_handshake_with_one_person_taken_half_a_metre_away_is_none(sources: Sources):
    _, motion = make_scene(sources, seed=77, index=0, kind="handshake")
    assert finds(motion, "handshake")
    away = motion.person(1).moved(rot.IDENTITY, np.array([0.0, 0.0, 0.5], np.float32))
    assert not finds(joined_as_persons((motion.person(0), away)), "handshake")


def test_the_real_handshake_is_one_and_nothing_else(takes: list[Take]):
    real = next(take.motion for take in takes if take.name == "18_01")
    assert passed(real) == {"handshake"}


def test_real_salsa_is_mostly_found(takes: list[Take]):
    dances = [
        take.motion.slice(start, start + 180) for take in takes if take.name[:2] == "60" for start in (300, 480, 620)
    ]
    assert len(dances) == 6
    assert sum(finds(dance, "salsa") for dance in dances) >= 5
    assert sum(finds(dance, "handshake") for dance in dances) <= 1


def test_runs_bridge_short_holes_only():
    mask = np.zeros(40, bool)
    mask[5:10] = mask[12:20] = mask[30:34] = True
    assert longest_run(mask) == slice(5, 20)
    assert longest_run(np.zeros(5, bool)) == slice(0, 0)


def test_a_view_measures_distance_pitch_and_facing():
    view = View.of(joined_as_persons(face_to_face(1.5)))
    assert np.allclose(view.distance, 1.5, atol=1e-5)
    assert np.allclose(view.faces_other, 1, atol=1e-5)
    assert abs(view.pitch).max() < 5
