"""Rigs whose names mean nothing are understood by their structure, and what is no human body is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.retarget import mapping, structure
from blender_addon.retarget.rig import Rig
from protocol import rotations as rot
from protocol.errors import DuologueError
from tests.unit.rigs import Make, Sample, build, family, shuffled


def make(clutter: str = "", **options: object) -> Make:
    return Make(clutter=frozenset(clutter.split()), **options)  # type: ignore[arg-type]


HUMANOIDS = [
    ("SMPL", make(seed=1)),
    ("SMPL", make(seed=2, arms_down=45, toes=False, bent=8)),
    ("Mixamo", make("tips", seed=3, fingers=5, units=100)),
    ("Mixamo", make("tips face hair", seed=4, arms_down=50, spine=2, fingers=4)),
    ("Unreal mannequin", make("root ik", seed=5, arms_down=40, spine=3, neck=1, fingers=5, twists="beside", units=100)),
    ("Unreal mannequin", make("root ik props face", seed=6, arms_down=45, fingers=5, twists="beside")),
    ("VRM", make("root face hair skirt chest tips", seed=7, fingers=5, turned=180)),
    ("VRoid", make("root face hair skirt chest", seed=8, arms_down=5, fingers=5)),
    ("MPFB default", make("face chest", seed=9, arms_down=40, hip_joints=True, twists="within", fingers=5)),
    ("Rigify metarig", make("face chest", seed=10, arms_down=20, fingers=5)),
    ("Rigify deform bones", make("root chest", seed=11, arms_down=30, twists="within", fingers=5)),
    ("Daz Genesis 3 and 8", make("face chest", seed=12, split_pelvis=True, twists="within", fingers=5, units=100)),
    ("Daz Genesis 9", make("face chest tips", seed=13, arms_down=45, split_pelvis=True, twists="beside", fingers=5)),
    ("Character Creator", make("root face tips props", seed=14, arms_down=35, split_pelvis=True, fingers=5, units=100)),
    ("3ds Max Biped", make("root tail", seed=15, collars_on_neck=True, fingers=5, spine=3, neck=1, units=39.37)),
    ("CMU BVH", make("tips", seed=16, hip_joints=True, fingers=2)),
    ("MotionBuilder", make(seed=17, spine=4, neck=1, fingers=3, bent=15)),
    ("Rokoko", make("tips", seed=18, turned=90)),
    ("Xsens BVH", make(seed=19, bent=0)),
    ("Poser, Daz Genesis 1 and 2", make("hair tail props", seed=20, collars=False, toes=False, spine=2, turned=35)),
]


def sample(number: int) -> Sample:
    title, how = HUMANOIDS[number]
    return shuffled(build(family(title), how), number)


@pytest.mark.parametrize("number", range(len(HUMANOIDS)), ids=lambda number: f"{number} {HUMANOIDS[number][0]}")
def test_a_humanoid_with_shuffled_names_is_mapped_in_every_row(number: int) -> None:
    made = sample(number)

    assert mapping.rows_of(structure.find(made.rig)) == made.rows


def test_whichever_way_the_armature_lies_and_whatever_its_scale_the_rows_are_the_same() -> None:
    made, draw = sample(5), np.random.default_rng(3)
    for _ in range(5):
        world = np.eye(4)
        world[:3, :3] = rot.to_matrix(rot.normalize(draw.normal(size=4))) * draw.uniform(0.01, 50)
        world[:3, 3] = draw.normal(size=3) * 10

        assert mapping.rows_of(structure.find(replace(made.rig, world=world))) == made.rows


def test_left_is_left_whether_the_rig_faces_the_viewer_or_turns_its_back() -> None:
    for turned in (0, 90, 180, -90):
        made = shuffled(build(family("Mixamo"), make("tips", fingers=5, turned=turned)), 1)
        found = structure.find(made.rig)
        hips = [made.rig.heads()[made.rig.index(found.bones[f"{side}_hip"][0])] for side in ("left", "right")]

        left = rot.rotate(rot.from_axis_angle(np.array([0, 1.0, 0]), np.radians(turned)), np.array([1.0, 0, 0]))
        assert (hips[0] - hips[1]) @ left > 0.1


def refusal(rig: Rig) -> str:
    with pytest.raises(DuologueError) as caught:
        structure.find(rig)
    assert "“made”" in caught.value.message
    return caught.value.code


def without(made: Sample, *keys: str) -> Rig:
    """The rig without some bones and what hangs on them."""
    gone = {name for key in keys for name in made.bones[key]}
    rig = made.rig
    for bone, parent in zip(rig.bones, rig.parents, strict=True):
        if parent >= 0 and rig.bones[parent] in gone:
            gone.add(bone)
    kept = [number for number, bone in enumerate(rig.bones) if bone not in gone]
    return replace(
        rig,
        bones=tuple(rig.bones[number] for number in kept),
        parents=tuple(kept.index(rig.parents[number]) if rig.parents[number] >= 0 else -1 for number in kept),
        rest=rig.rest[kept],
        tails=rig.tails[kept],
    )


@pytest.mark.parametrize("keys", [("left_hip", "right_hip"), ("left_hip",), ("left_shoulder",), ("spine",)])
def test_a_body_that_lacks_a_limb_is_no_human_body(keys: tuple[str, ...]) -> None:
    assert refusal(without(sample(4), *keys)) == "rig_not_humanoid"


def test_a_headless_body_is_no_human_body() -> None:
    made = sample(0)
    assert refusal(without(made, "neck")) == "rig_not_humanoid"


def bent_over(made: Sample) -> Rig:
    """The trunk laid level and the arms straight down to the floor: an animal's skeleton."""
    rig, half_turn = made.rig, rot.from_axis_angle(np.array([1.0, 0, 0]), np.pi / 2)
    heads = rig.heads()
    hips = heads[rig.index(made.bones["pelvis"][0])]
    legs = {
        made.bones[f"{side}_{joint}"][0] for side in ("left", "right") for joint in ("hip", "knee", "ankle", "foot")
    }
    placed = {
        bone: head if bone in legs else hips + rot.rotate(half_turn, head - hips)
        for bone, head in zip(rig.bones, heads, strict=True)
    }
    for side in ("left", "right"):
        start = placed[made.bones[f"{side}_shoulder"][0]]
        for joint, below in (("elbow", 0.5), ("wrist", 0.95)):
            placed[made.bones[f"{side}_{joint}"][0]] = start * [1, 1 - below, 1]
    rest = rig.rest.copy()
    rest[:, :3, 3] = (np.array([placed[bone] for bone in rig.bones]) - rig.world[:3, 3]) @ np.linalg.inv(
        rig.world[:3, :3]
    ).T
    return replace(rig, rest=rest)


def test_a_quadruped_is_told_that_it_stands_on_four_legs() -> None:
    assert refusal(bent_over(sample(0))) == "rig_on_all_fours"


def test_arms_of_a_birds_length_are_wings() -> None:
    made = build(family("Mixamo"), make(fingers=2))
    rig, rest = made.rig, made.rig.rest.copy()
    for side in ("left", "right"):
        wing = [
            number for number, _ in enumerate(rig.bones) if _hangs_on(rig, number, made.bones[f"{side}_shoulder"][0])
        ]
        start = rest[rig.index(made.bones[f"{side}_shoulder"][0]), :3, 3]
        rest[wing, :3, 3] = start + 3.2 * (rest[wing, :3, 3] - start)
    mixed = shuffled(Sample(replace(rig, rest=rest), made.bones), 3).rig

    assert refusal(mixed) == "rig_winged"


def _hangs_on(rig: Rig, bone: int, top: str) -> bool:
    while bone >= 0 and rig.bones[bone] != top:
        bone = rig.parents[bone]
    return bone >= 0


def test_two_heads_are_refused() -> None:
    made = build(family("Mixamo"), make())
    rig = made.rig
    neck, head = (rig.index(made.bones[key][0]) for key in ("neck", "head"))
    across = np.array([0.15, 0, 0])
    rest = np.concatenate((rig.rest, rig.rest[[neck, head]]))
    for bone, aside in ((neck, across), (head, across), (len(rig.bones), -across), (len(rig.bones) + 1, -across)):
        rest[bone, :3, 3] += aside
    twins = replace(
        rig,
        bones=(*rig.bones, "another neck", "another head"),
        parents=(*rig.parents, rig.parents[neck], len(rig.bones)),
        rest=rest,
        tails=np.concatenate((rig.tails, rig.tails[[neck, head]])),
    )

    assert refusal(twins) == "rig_two_heads"


@pytest.mark.parametrize("seed", range(6))
def test_a_tree_of_bones_at_random_is_no_human_body(seed: int) -> None:
    draw = np.random.default_rng(seed)
    count = 60
    parents = (-1, *(int(draw.integers(0, bone)) for bone in range(1, count)))
    rest = np.tile(np.eye(4), (count, 1, 1))
    for bone in range(1, count):
        rest[bone, :3, 3] = rest[parents[bone], :3, 3] + draw.normal(size=3) * 0.2
    names = tuple(f"b{bone}" for bone in range(count))

    assert refusal(Rig("made", names, parents, rest, rest[:, :3, 3] + [0, 0.1, 0], np.eye(4))) == "rig_not_humanoid"
