"""The choreographer: every kind shows what its name says, hands meet, feet stay, and scenes survive the disk."""

from dataclasses import replace

import numpy as np
import pytest

from backend.corpus.choreographer import quality, salsa
from backend.corpus.choreographer.beats import Score, Span, hands, legs, moves
from backend.corpus.choreographer.body import palms
from backend.corpus.choreographer.captions import KINDS as KIND_IDS
from backend.corpus.choreographer.families import FIRST_TWELVE
from backend.corpus.choreographer.feet import Gait, plan
from backend.corpus.choreographer.generate import Sources, generate, make_scene, performed, split_of
from backend.corpus.choreographer.kinds import KINDS
from backend.corpus.choreographer.library import Library, Stand, Walk
from backend.corpus.choreographer.path import moving, standing
from backend.corpus.choreographer.staging import Stage
from backend.corpus.cmu import Take
from backend.corpus.scene import Contact, read_scene_motion, read_scenes, write_index
from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.skeleton import JOINT, JOINT_COUNT

X, Y, Z = np.eye(3)


def hanging(frames: int) -> np.ndarray:
    rotations = np.tile(rot.IDENTITY.astype(float), (frames, JOINT_COUNT, 1))
    for side, sign in (("left", 1), ("right", -1)):
        rotations[:, JOINT[f"{side}_shoulder"]] = rot.from_axis_angle(Z, -sign * 1.3)
        rotations[:, JOINT[f"{side}_elbow"]] = rot.from_axis_angle(Y, -sign * 0.3)
    return rotations


@pytest.fixture(scope="module")
def library() -> Library:
    """Breathing and arm swings made up here, so that these tests need no data."""
    breath = np.sin(np.linspace(0, 2 * np.pi, 60))
    stand = hanging(60)
    stand[:, JOINT["spine2"]] = rot.from_axis_angle(X, 0.02 * breath)
    walk = hanging(32)
    swing = rot.from_axis_angle(X, 0.4 * np.sin(np.linspace(0, 2 * np.pi, 32, endpoint=False)))
    walk[:, JOINT["left_shoulder"]] = rot.multiply(swing, walk[:, JOINT["left_shoulder"]])
    walk[:, JOINT["right_shoulder"]] = rot.multiply(rot.inverse(swing), walk[:, JOINT["right_shoulder"]])
    sway = np.stack((0.01 * breath, 0 * breath, 0 * breath), axis=-1)
    return Library((Stand("breathing", stand, sway),), (Walk("swinging", walk, np.zeros((32, 3)), 1.2),))


@pytest.fixture(scope="module")
def sources(library) -> Sources:
    motion, _ = performed(KINDS["circle"](Stage(np.random.default_rng(3), library, 9.0)))
    takes = [Take("60_01", motion, "train", "salsa dance")]
    return Sources(library, {"train": takes, "validation": takes, "test": takes})


@pytest.fixture(scope="module")
def scenes(sources):
    """Two scenes of every one of the first kinds and one of the others, by kind."""
    return {
        kind: [make_scene(sources, 11, index, kind) for index in ((4, 17) if kind in FIRST_TWELVE else (4,))]
        for kind in KIND_IDS
    }


def root_distance(motion: Motion) -> np.ndarray:
    return np.linalg.norm((motion.root[:, 0] - motion.root[:, 1])[:, [0, 2]], axis=-1)


def problems_of(kind: str, library: Library, seconds: float, seed: int, draw: int) -> list[str]:
    performance = KINDS[kind](Stage(np.random.default_rng([seed, draw]), library, seconds))
    motion, planted = performed(performance)
    return quality.problems(kind, motion, performance.contacts, planted)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in FIRST_TWELVE])
def test_every_kind_meets_the_quality_bars_at_every_length(kind, library):
    for seed, seconds in enumerate((2.5, 4.0, 9.5)):
        assert sum(not problems_of(kind, library, seconds, seed, draw) for draw in range(4)) >= 3


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in FIRST_TWELVE])
def test_every_script_of_beats_fits_into_the_shortest_scene(kind, library):
    assert any(not problems_of(kind, library, 2.5, 0, draw) for draw in range(3))


@pytest.mark.parametrize("kind", ["handshake", "high_five", "pull"])
def test_palms_meet_in_every_contact_window(kind, scenes):
    for scene, motion in scenes[kind]:
        assert scene.contacts
        at = palms(motion)
        for contact in scene.contacts:
            window = contact.frames(motion.fps, motion.frames)
            hands = [0 if joint.startswith("left") else 1 for joint in (contact.joint_a, contact.joint_b)]
            gap = np.linalg.norm(at[window, 0, hands[0]] - at[window, 1, hands[1]], axis=-1)
            assert gap.max() < 0.03


def test_a_push_sends_the_partner_back_and_the_hands_are_on_the_chest(scenes):
    for scene, motion in scenes["push"]:
        actor = "AB".index(scene.script["actor"])
        chest = motion.positions()[:, 1 - actor, JOINT["spine3"]]
        hit = scene.contacts[0].frames(30, motion.frames)
        hands = palms(motion)[hit, actor]
        assert np.linalg.norm(hands - chest[hit, None], axis=-1).min(-1).max() < 0.25
        assert root_distance(motion)[hit.start :].max() - root_distance(motion)[hit.start] > 0.3


def test_a_pull_brings_them_closer(scenes):
    for _, motion in scenes["pull"]:
        assert root_distance(motion)[0] - root_distance(motion)[-1] > 0.4


def test_a_bow_pitches_the_torso_by_forty_degrees_and_more(scenes):
    for scene, motion in scenes["bow"]:
        p = motion.positions()
        trunk = p[:, :, JOINT["neck"]] - p[:, :, 0]
        pitch = np.degrees(np.arccos(trunk[..., 1] / np.linalg.norm(trunk, axis=-1))).max(0)
        for index, name in enumerate("AB"):
            assert (pitch[index] > 40) == (scene.script["actor"] in ("both", name))


def test_a_wave_is_above_the_shoulder_and_goes_to_and_fro(scenes):
    for scene, motion in scenes["wave"]:
        actor = max("AB".find(scene.script["actor"]), 0)
        hand = "left" if scene.script["hand"] == "left" else "right"
        p = motion.positions()[:, actor]
        wrist, shoulder = p[:, JOINT[f"{hand}_wrist"]], p[:, JOINT[f"{hand}_shoulder"]]
        up = wrist[:, 1] > shoulder[:, 1]
        sideways = np.diff((wrist - shoulder)[up, 0])
        assert (np.diff(np.sign(sideways)) != 0).sum() >= 2


def test_a_hug_brings_the_chests_together_and_a_hand_behind_the_other(scenes):
    for _, motion in scenes["hug"]:
        p = motion.positions()
        between = np.linalg.norm(p[:, 0, JOINT["spine3"]] - p[:, 1, JOINT["spine3"]], axis=-1)
        assert between.min() < 0.4
        at = int(between.argmin())
        away = rot.rotate(rot.about_y(rot.yaw(motion.rotations[at, 1, 0])), np.array([0, 0, -1.0]))
        assert ((palms(motion)[at, 0] - p[at, 1, JOINT["spine3"]]) @ away > 0.02).all()


def test_approaching_and_stepping_back_shrinks_the_distance_and_widens_it_again(scenes):
    for _, motion in scenes["approach_retreat"]:
        distance = root_distance(motion)
        assert distance[0] - distance.min() > 0.6
        assert distance[-1] - distance.min() > 0.5


def test_circling_goes_round_the_common_centre(scenes):
    for _, motion in scenes["circle"]:
        spoke = (motion.root[:, 0] - motion.root[:, 1])[:, [0, 2]]
        angle = np.unwrap(np.arctan2(spoke[:, 0], spoke[:, 1]))
        assert abs(angle[-1] - angle[0]) > np.radians(120)


@pytest.mark.parametrize(("direction", "sign"), [("counterclockwise", 1), ("clockwise", -1)])
def test_counterclockwise_is_seen_from_above(direction, sign, library):
    """From above with +Z away from the viewer +X is to the left, so counterclockwise turns +Z towards +X."""
    for seed in range(20):
        performance = KINDS["circle"](Stage(np.random.default_rng(seed), library, 3.0))
        if performance.script["direction"] == direction:
            spoke = performance.performers[0].path.xz - performance.performers[1].path.xz
            angle = np.unwrap(np.arctan2(spoke[:, 0], spoke[:, 1]))
            assert (angle[-1] - angle[0]) * sign > 0
            return
    pytest.fail("never drawn")


def test_walking_together_keeps_them_abreast(scenes):
    for _, motion in scenes["walk_together"]:
        gone = np.linalg.norm(motion.root[-1] - motion.root[0], axis=-1)
        assert gone.min() > 1.0
        assert np.ptp(root_distance(motion)) < 0.3


def test_a_dodged_head_is_not_where_the_fist_goes(scenes):
    for scene, motion in scenes["punch_dodge"]:
        actor = "AB".index(scene.script["actor"])
        head = motion.positions()[:, 1 - actor, JOINT["head"]]
        fist = palms(motion)[:, actor, 0 if scene.script["hand"] == "left" else 1]
        assert np.linalg.norm(fist - head[0], axis=-1).min() < 0.25
        assert np.linalg.norm(head - head[0], axis=-1).max() > 0.2
        assert np.linalg.norm(fist - head, axis=-1).min() > 0.1


def test_planted_feet_do_not_move_at_all():
    steps = plan(moving(np.linspace([0, 0], [0, 3], 90), np.zeros(90)), 1.0, Gait())
    for foot in range(2):
        still = steps.planted[1:, foot] & steps.planted[:-1, foot]
        assert np.abs(np.diff(steps.ankle[:, foot], axis=0))[still].max() == 0
        assert (~steps.planted[:, foot]).sum() > 20
    assert steps.planted.any(-1).all()


def test_who_stands_still_takes_no_step():
    assert plan(standing(np.zeros(2), 0.0, 60), 1.0, Gait()).planted.all()


def test_a_scene_depends_on_seed_and_index_alone(sources):
    first, second, other = (make_scene(sources, seed, 5) for seed in (1, 1, 2))
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1].rotations, second[1].rotations)
    assert first[0].script != other[0].script


def test_the_pair_starts_with_a_over_the_origin_facing_forward(scenes):
    for made in scenes.values():
        for _, motion in made:
            np.testing.assert_allclose(motion.root[0, 0, [0, 2]], 0, atol=1e-5)
            assert abs(rot.yaw(motion.rotations[0, 0, 0])) < 1e-4


def test_every_scene_has_captions_and_prompts(scenes):
    for made in scenes.values():
        for scene, _ in made:
            assert len(scene.captions) >= 4
            assert min(len(scene.reaction_prompts[person]) for person in "AB") >= 2


def test_every_kind_has_all_splits_nine_tenths_being_for_training():
    for turn in range(len(KIND_IDS)):
        splits = [split_of(index) for index in range(turn, 200 * len(KIND_IDS), len(KIND_IDS))]
        assert (splits.count("validation"), splits.count("test"), len(splits)) == (10, 10, 200)


def test_a_corpus_survives_the_disk(sources, tmp_path):
    done = []
    scenes = generate(sources, tmp_path, 12, 7, 1, lambda count, _: done.append(count))
    assert done[-1] == 12
    assert read_scenes(tmp_path) == scenes
    for index, scene in enumerate(scenes):
        motion = read_scene_motion(tmp_path, scene)
        np.testing.assert_array_equal(motion.root, make_scene(sources, 7, index)[1].root)
        assert motion.frames == scene.frames


def test_a_corpus_of_some_hours_ends_with_a_whole_round_of_its_kinds(sources, tmp_path):
    scenes = generate(sources, tmp_path, None, 7, 1, lambda *_: None, ("bow", "wave", "salute"), hours=0.006)
    seconds = [scene.frames / 30 for scene in scenes]
    assert len(scenes) % 3 == 0
    assert sum(seconds) >= 0.006 * 3600 > sum(seconds[:-3])
    assert {scene.kind for scene in scenes} == {"bow", "wave", "salute"}


def test_a_change_touches_what_it_asks_for_and_leaves_the_rest(sources):
    first, before = make_scene(sources, 3, 8, "kiss_hand")
    other = "left" if first.script["hand"] == "right" else "right"
    second, after = make_scene(sources, 3, 8, "kiss_hand", changes={"hand": other})
    same = ("actor", "speed", "mood", "sizes", "walk_in")
    assert second.script["hand"] == other
    assert {name: second.script[name] for name in same} == {name: first.script[name] for name in same}
    assert before.frames == after.frames
    with pytest.raises(DuologueError, match="cannot be 'third'"):
        make_scene(sources, 3, 8, "kiss_hand", changes={"hand": "third"})


def test_a_script_of_beats_tells_what_happens_when(scenes):
    for kind, made in scenes.items():
        if kind in FIRST_TWELVE:
            continue
        for scene, motion in made:
            events = scene.script["events"]
            assert events, kind
            assert all(0 <= event["start"] < event["end"] <= motion.seconds + 0.05 for event in events)
            assert {event["actor"] for event in events} <= {"A", "B"}


def played(library: Library, beats) -> tuple[Motion, Score]:
    score = Score(Stage(np.random.default_rng(2), library, 4.0))
    moves.place(score, 1.4, 0.0)
    beats(score)
    return performed(score.perform("A"))[0], score


def test_a_hand_that_reaches_is_on_its_target_while_it_holds(library):
    span = Span(0.5, 1.0, 2.5, 3.0)
    still, _ = played(library, lambda score: None)
    motion, score = played(library, lambda score: hands.reach(score, 0, "right", hands.between(0.8, 0.3), span))
    shoulders = min(body.shoulder_height for body in score.stage.bodies)
    palm, hanging_palm = (palms(one)[:, 0, 1] for one in (motion, still))
    assert np.abs(palm[30:75, 1] - 0.8 * shoulders).max() < 0.03
    np.testing.assert_allclose(palm[:14], hanging_palm[:14], atol=0.01)
    assert [event["beat"] for event in score.events] == ["reach"]


def test_a_jump_leaves_the_floor_as_gravity_has_it_and_nobody_sinks_into_it(library):
    motion, score = played(library, lambda score: legs.jump(score, 0, 1.5, 0.2))
    toes = motion.positions()[:, 0, [JOINT["left_foot"], JOINT["right_foot"]], 1].min(-1)
    assert toes.max() == pytest.approx(0.2 * score.stage.bodies[0].scale, abs=0.03)
    assert toes.min() > -0.02
    assert toes[:44].max() < 0.03


def test_who_kneels_has_a_knee_on_the_floor_and_who_kicks_a_foot_in_the_air(library):
    def beats(score: Score) -> None:
        legs.kneel(score, 0, Span(0.2, 1.2, 3.0, 3.8), "left")
        legs.kick(score, 1, "right", 2.0)

    motion, _ = played(library, beats)
    heights = motion.positions()[..., 1]
    assert heights[60, 0, JOINT["left_knee"]] < 0.12
    assert heights[:, 0].min() > -0.02
    assert heights[60, 1, JOINT["right_ankle"]] > 0.5


def test_a_mood_is_seen_in_the_posture(library):
    def leaning(mood: str) -> float:
        score = Score(Stage(np.random.default_rng(2), library, 3.0, {"mood": mood}))
        moves.place(score, 1.4, 0.0)
        motion, _ = performed(score.perform("A", ("proud", "sad")))
        return float((motion.positions()[:, 0, JOINT["neck"]] - motion.positions()[:, 0, 0]).mean(0)[2])

    assert leaning("proud") < leaning("neutral") < leaning("sad")


def test_a_missing_corpus_says_how_to_make_one(tmp_path):
    with pytest.raises(DuologueError, match="duologue corpus choreograph"):
        read_scenes(tmp_path)


def test_a_broken_index_and_a_missing_motion_are_told(sources, tmp_path):
    (tmp_path / "scenes.jsonl").write_text('{"id": 3}\n')
    with pytest.raises(DuologueError, match="does not hold a scene"):
        read_scenes(tmp_path)
    scene, _ = make_scene(sources, 1, 0)
    write_index(tmp_path, [scene])
    with pytest.raises(DuologueError, match="cannot be read"):
        read_scene_motion(tmp_path, scene)


def test_the_quality_bars_can_be_missed(library):
    performance = KINDS["handshake"](Stage(np.random.default_rng(0), library, 4.0))
    motion, planted = performed(performance)
    assert quality.problems("handshake", motion, performance.contacts, planted) == []

    def missed(broken: Motion) -> str:
        return " ".join(quality.problems("handshake", broken, performance.contacts, planted))

    apart, near, high, jumping, sliding = (motion.root.copy() for _ in range(5))
    apart[:, 1, 0] += 0.1
    near[:, 1, [0, 2]] = near[:, 0, [0, 2]]
    high[..., 1] += 0.1
    jumping[50:, :, 0] += 1
    sliding[..., 0] += np.linspace(0, 0.5, motion.frames, dtype=np.float32)[:, None]
    assert "palms" in missed(replace(motion, root=apart))
    assert "torsos" in missed(replace(motion, root=near))
    assert "lowest" in missed(replace(motion, root=high))
    assert "moves at" in missed(replace(motion, root=jumping))
    assert "slide" in missed(replace(motion, root=sliding))


def test_salsa_is_cut_from_the_takes_and_says_from_where(sources):
    motion, script = salsa.window(sources.dances["train"], np.random.default_rng(0))
    assert 4.0 <= motion.seconds <= 8.0
    assert script["take"] == "60_01"


def test_contact_frames_lie_within_the_window():
    assert Contact("right_wrist", "right_wrist", 1.0, 1.5).frames(30, 100) == slice(30, 46)
    assert Contact("right_wrist", "right_wrist", 1.0, 9.0).frames(30, 100) == slice(30, 100)
