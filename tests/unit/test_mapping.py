"""Bones find their joints: by names and hierarchy, whatever the prefix, or by a JSON bone map; rows show them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from blender_addon.retarget import detect, mapping
from protocol.errors import DuologueError
from tests.unit.hierarchies import HIERARCHIES
from tests.unit.rigs import Make, build, family, loose, shuffled
from tests.unit.synthetic_rigs import humanoid

CLUTTER = frozenset({"root", "tips", "face", "hair", "skirt", "tail", "props", "ik", "chest"})
MAKES = {
    "MPFB default": Make(hip_joints=True, twists="within", fingers=5, clutter=CLUTTER),
    "CMU BVH": Make(hip_joints=True, clutter=CLUTTER),
    "Daz Genesis 3 and 8": Make(split_pelvis=True, twists="within", fingers=5, clutter=CLUTTER),
    "Daz Genesis 9": Make(split_pelvis=True, twists="beside", fingers=5, clutter=CLUTTER),
    "Character Creator": Make(split_pelvis=True, twists="beside", fingers=5, clutter=CLUTTER),
    "3ds Max Biped": Make(collars_on_neck=True, twists="beside", fingers=5, clutter=CLUTTER),
}
"""Families whose bones hang together otherwise than the rest."""


def names_of(title: str) -> list[str]:
    return [name for names in family(title).bones.values() for name in names]


@pytest.mark.parametrize("bone_map", mapping.bone_maps(), ids=lambda one: one.name)
def test_every_family_is_mapped_in_every_row_among_twists_fingers_faces_and_props(bone_map: mapping.BoneMap) -> None:
    sample = build(bone_map, MAKES.get(bone_map.name, Make(twists="beside", fingers=5, clutter=CLUTTER)))

    found = detect.best_map(sample.rig)

    assert found.name == bone_map.name
    assert mapping.rows_of(found) == sample.rows
    there = sum(bool(bone) for row, bone in mapping.rows_of(found).items() if row in mapping.ROWS)
    assert there == (20 if bone_map.name == "MPFB default" else 22)  # MakeHuman has five toes and no bone for all


def test_unreal_4_has_fewer_bones_in_spine_and_neck_than_unreal_5() -> None:
    sample = build(family("Unreal mannequin"), Make(spine=3, neck=1, twists="beside", clutter=frozenset({"ik"})))

    assert mapping.rows_of(detect.best_map(sample.rig)) == sample.rows


@pytest.mark.parametrize("name", HIERARCHIES)
def test_skeletons_of_real_exports_are_mapped_in_every_row_and_to_no_helper(name: str) -> None:
    real = HIERARCHIES[name]
    rig = real.rig(name)

    found = detect.best_map(rig)

    rows = mapping.rows_of(found)
    helpers = ("share", "roll", "nub", "target", "tip", "pectoral", "ik_", "metatarsal")
    assert found.name == real.family
    # Short spines and necks leave rows of SMPL's empty; every bone that the family names and the rig has is played.
    named = {bone for names in found.bones.values() for bone in names}
    played = set(filter(None, rows.values()))
    assert played == named - {bone for key in ("location",) for bone in found.bones.get(key, ())}
    assert sum(bool(rows[row]) for row in mapping.ROWS) == 22
    for row, bone in rows.items():
        assert not any(helper in bone.lower() for helper in helpers), (row, bone)
        assert "twist" not in bone.lower() or row.startswith("neck")
        if row.startswith(("left", "right")):
            side = real.sides[row.startswith("right")]
            assert bone in {part for one in real.chains for part in one.replace("{s}", side).split(" > ")}
            assert bone not in {part for one in real.chains if "{s}" not in one for part in one.split(" > ")}


@pytest.mark.parametrize(
    ("rename", "title"),
    [
        (lambda name: name.replace("mixamorig:", "").upper(), "Mixamo"),
        (lambda name: f"Hero:Reference:{name}", "Rokoko"),
        (lambda name: f"Bip001 {name}", "3ds Max Biped"),
        (lambda name: f"Bip01_{name}".replace(" ", "_"), "3ds Max Biped"),
        (lambda name: f"m_avg_{name}", "SMPL"),
        (lambda name: name.replace("left_", "L_").replace("right_", "R_").title(), "SMPL"),
        (lambda name: f"{name}.001", "Xsens MVN"),
        (lambda name: name.replace(".L", "_l").replace(".R", "_r"), "Rigify metarig"),
    ],
)
def test_prefixes_namespaces_case_and_ways_to_write_a_side_do_not_matter(rename, title: str) -> None:
    sample = build(family(title), Make())
    renamed = replace(sample.rig, bones=tuple(map(rename, sample.rig.bones)))

    found = detect.best_map(renamed)

    assert found.name == title
    assert mapping.rows_of(found) == {row: bone and rename(bone) for row, bone in sample.rows.items()}


def test_numbers_that_an_exporter_puts_after_every_name_are_passed_over() -> None:
    sample = build(family("Mixamo"), Make(fingers=5))
    counted = {bone: f"{bone}_{number:02}" for number, bone in enumerate(sample.rig.bones)}

    found = detect.best_map(replace(sample.rig, bones=tuple(counted.values())))

    assert mapping.rows_of(found) == {row: bone and counted[bone] for row, bone in sample.rows.items()}


def test_names_that_contradict_the_hierarchy_are_not_believed() -> None:
    sample = build(family("Mixamo"), Make())
    swap = {"LeftLeg": "RightLeg", "RightLeg": "LeftLeg"}
    rig = replace(sample.rig, bones=tuple(swap.get(bone, bone) for bone in sample.rig.bones))

    found = detect.best_map(rig)

    assert found.name == "Unnamed"
    assert found.bones["left_knee"] == ("RightLeg",)  # the one on the left thigh


def test_a_bone_of_another_name_among_known_ones_is_found_by_structure() -> None:
    sample = build(family("Mixamo"), Make(fingers=5))
    rig = replace(sample.rig, bones=tuple("Paw" if bone == "LeftHand" else bone for bone in sample.rig.bones))

    assert detect.best_map(rig).bones["left_wrist"] == ("Paw",)


def test_a_second_head_is_not_chosen_by_chance() -> None:
    rig = build(family("Mixamo"), Make()).rig
    neck = rig.index("Neck")
    twins = replace(
        rig,
        bones=(*rig.bones, "Head.001"),
        parents=(*rig.parents, neck),
        rest=np.concatenate((rig.rest, rig.rest[[neck]])),
        tails=np.concatenate((rig.tails, rig.tails[[neck]])),
    )
    with pytest.raises(DuologueError, match="two heads"):
        detect.best_map(twins)


@pytest.mark.parametrize("prefix", ["mixamorig:", "mixamorig7:", "Hero_", "DEF-", "ns1:ns2:mixamorig:"])
def test_a_prefix_before_all_names_is_passed_over(prefix: str) -> None:
    found = detect.best_map(loose([prefix + name for name in names_of("Mixamo")]))

    assert found.bones["left_elbow"] == (f"{prefix}LeftForeArm",)
    assert found.bones["spine"] == (f"{prefix}Spine", f"{prefix}Spine1", f"{prefix}Spine2")


def test_case_and_separators_do_not_matter() -> None:
    found = detect.best_map(loose([name.replace(".", "_").upper() for name in names_of("Rigify metarig")]))

    assert found.bones["right_knee"] == ("SHIN_R",)


def test_a_generated_rigify_rig_is_taken_for_its_controls_although_it_holds_a_metarig_too() -> None:
    controls = [*names_of("Rigify"), "thigh_parent.L", "thigh_parent.R", "upper_arm_parent.L", "upper_arm_parent.R"]
    copies = [f"{kind}-{name}" for kind in ("ORG", "DEF") for name in names_of("Rigify metarig")]

    found = detect.best_map(loose([*copies, *controls]))

    assert found.bones["left_shoulder"] == ("upper_arm_fk.L",)
    assert found.bones["location"] == ("torso",)
    assert found.read["left_shoulder"] == ("ORG-upper_arm.L",)
    assert {switch.bone for switch in found.switches if switch.property == "IK_FK"} == set(controls[-4:])


def test_neck_collars_and_toes_may_be_missing_and_the_spine_may_be_short() -> None:
    optional = ("Neck", "Shoulder", "ToeBase", "Spine1", "Spine2")
    bones = [name for name in names_of("Mixamo") if not name.endswith(optional)]

    found = detect.best_map(loose(bones))

    assert found.bones["spine"] == ("Spine",)
    assert "neck" not in found.bones
    assert "left_collar" not in found.bones
    assert "right_foot" not in found.bones


def test_a_rig_without_legs_is_refused_with_the_joints_and_the_bones_that_it_lacks() -> None:
    bones = [name for name in names_of("Mixamo") if not name.endswith(("UpLeg", "Leg", "Foot", "ToeBase"))]

    with pytest.raises(DuologueError) as caught:
        detect.best_map(replace(loose(bones), name="Ghost"))

    assert caught.value.code == "rig_unmapped"
    assert "Ghost" in caught.value.message
    assert "left knee" in caught.value.message
    assert "right ankle" in caught.value.message
    assert "left elbow" not in caught.value.message
    assert "LeftLeg" in caught.value.hint


@pytest.mark.parametrize(
    "bones",
    [
        [],
        ["Bone"],
        [f"leg_{side}_{end}_{n}" for side in "lr" for end in ("front", "hind") for n in range(3)] + ["tail", "body"],
    ],
    ids=["no bones", "one bone", "four legs"],
)
def test_what_is_no_human_is_refused(bones: list[str]) -> None:
    with pytest.raises(DuologueError) as caught:
        detect.best_map(loose(bones))

    assert caught.value.code == "rig_not_humanoid"
    assert "no two legs" in caught.value.message


def own_map() -> dict:
    bones = {key: f"b_{key}" for key in mapping.KEYS if key not in ("location", "neck", "spine")}
    return {"name": "Studio rig", "bones": {**bones, "spine": ["b_low", "b_high"]}}


def test_a_json_map_serves_any_other_rig() -> None:
    text = json.dumps(own_map())
    bones = ["b_low", "b_high", *(f"b_{key}" for key in mapping.KEYS)]

    found = mapping.match(mapping.parse(text), bones, "rig")

    assert found.name == "Studio rig"
    assert found.bones["spine"] == ("b_low", "b_high")
    assert found.read["left_wrist"] == ("b_left_wrist",)


def test_a_json_map_whose_bones_are_not_there_is_refused_for_that_rig() -> None:
    with pytest.raises(DuologueError, match="left wrist") as caught:
        mapping.match(mapping.parse(json.dumps(own_map())), ["b_low", "b_pelvis"], "rig")

    assert caught.value.code == "rig_unmapped"


def changed(**changes: object) -> str:
    data = own_map()
    data["bones"] = {**data["bones"], **changes}
    return json.dumps({**data, "bones": {key: value for key, value in data["bones"].items() if value is not None}})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "bones"),
        ('{"bones": {}}', "pelvis"),
        (changed(left_knee=None), "left knee"),
        (changed(left_tail="x"), "left_tail"),
        (changed(left_knee=5), "left_knee"),
        (changed(left_knee=["a", "b"]), "takes one bone"),
        (changed(spine=[]), "spine"),
        (json.dumps({**own_map(), "read": []}), "read"),
        (json.dumps({**own_map(), "properties": [{"bone": "x"}]}), "properties"),
        (json.dumps({**own_map(), "properties": 5}), "properties"),
    ],
)
def test_a_faulty_json_map_is_refused_with_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(DuologueError) as caught:
        mapping.parse(text)

    assert caught.value.code == "bone_map_invalid"
    assert says in caught.value.message


def test_a_map_survives_as_json() -> None:
    for bone_map in mapping.bone_maps():
        assert mapping.parse(mapping.to_json(bone_map)) == bone_map


def test_a_map_has_22_rows_and_more_where_a_chain_is_longer_than_smpls() -> None:
    rows = mapping.rows_of(family("Unreal mannequin"))

    assert tuple(rows)[:22] == mapping.ROWS
    assert rows["spine2"] == "spine_02"
    assert {row: bone for row, bone in rows.items() if row not in mapping.ROWS} == {
        "spine4": "spine_04",
        "spine5": "spine_05",
        "neck2": "neck_02",
    }


def test_a_row_can_be_corrected_and_emptied() -> None:
    bone_map = family("Mixamo")

    assert mapping.rows_of(mapping.with_row(bone_map, "left_wrist", "Paw"))["left_wrist"] == "Paw"
    without = mapping.with_row(bone_map, "left_wrist", "")
    assert mapping.missing_keys(without) == ["left_wrist"]
    assert mapping.with_row(without, "left_wrist", "LeftHand").bones == bone_map.bones


@pytest.mark.parametrize("key", mapping.REQUIRED)
def test_a_map_that_lacks_a_joint_is_kept_as_a_draft_and_refused_as_a_map(key: str) -> None:
    data = json.loads(mapping.to_json(family("Mixamo")))
    del data["bones"][key]
    text = json.dumps(data)

    assert mapping.missing_keys(mapping.resolved(mapping.parse_draft(text), names_of("Mixamo"))) == [key]
    with pytest.raises(DuologueError, match="names no bone for"):
        mapping.parse(text)


def test_a_spine_bone_is_replaced_removed_or_put_on_top() -> None:
    bone_map = family("Mixamo")

    assert mapping.with_row(bone_map, "spine2", "x").bones["spine"] == ("Spine", "x", "Spine2")
    assert mapping.with_row(bone_map, "spine1", "").bones["spine"] == ("Spine1", "Spine2")
    assert mapping.with_row(bone_map, "spine4", "x").bones["spine"] == ("Spine", "Spine1", "Spine2", "x")
    assert "neck" not in mapping.with_row(bone_map, "neck", "").bones


def test_a_corrected_row_is_read_where_it_is_keyed() -> None:
    found = mapping.with_row(family("Rigify"), "left_wrist", "hand_ik.L")

    assert found.read["left_wrist"] == ("hand_ik.L",)
    assert found.read["left_elbow"] == ("ORG-forearm.L",)
    assert found.switches == family("Rigify").switches


def test_bones_that_are_chosen_by_hand_are_taken_by_their_very_name() -> None:
    chosen = mapping.with_row(family("Mixamo"), "left_wrist", "left hand")

    assert mapping.resolved(chosen, [*names_of("Mixamo"), "left hand"]).bones["left_wrist"] == ("left hand",)


def test_a_zero_length_thigh_is_named() -> None:
    sample = build(family("Mixamo"), Make())
    rest = sample.rig.rest.copy()
    rest[sample.rig.index("LeftLeg"), :3, 3] = rest[sample.rig.index("LeftUpLeg"), :3, 3]

    with pytest.raises(DuologueError) as caught:
        detect.check(replace(sample.rig, rest=rest), sample.bones)

    assert caught.value.code == "bone_zero_length"
    assert "“LeftUpLeg” and “LeftLeg” of “made”, its left hip and left knee" in caught.value.message


@pytest.mark.parametrize("scale", [(0.0, 0.0, 0.0), (1.0, 0.0, 1.0), (-1.0, 1.0, 1.0), (-2.0, -2.0, -2.0)])
def test_a_scale_that_leaves_no_rotation_is_refused(scale: tuple[float, float, float]) -> None:
    rig = humanoid(world=np.diag([*scale, 1.0]))
    found = detect.detect(humanoid())

    assert getattr(detect.checked(rig, found).error, "code", None) == "rig_mirrored"


def test_a_humanoid_on_all_fours_is_refused_although_its_names_are_known() -> None:
    sample = build(family("Mixamo"), Make())
    heads = sample.rig.heads()
    trunk = [sample.rig.index(name) for key in ("spine", "neck", "head") for name in sample.bones[key]]
    arms = {
        key: sample.rig.index(names[0])
        for key, names in sample.bones.items()
        if key.endswith(("collar", "shoulder", "elbow", "wrist"))
    }
    hips = heads[sample.rig.index("Hips")]
    for bone in (*trunk, *arms.values()):
        heads[bone] = hips + (heads[bone] - hips)[[0, 2, 1]]
    for key, bone in arms.items():
        if not key.endswith("collar"):
            heads[bone] = heads[arms[key.split("_")[0] + "_shoulder"]] * [
                1,
                {"shoulder": 1.0, "elbow": 0.5, "wrist": 0.02}[key.split("_")[1]],
                1,
            ]
    rest = sample.rig.rest.copy()
    rest[:, :3, 3] = heads @ np.linalg.inv(sample.rig.world[:3, :3]).T

    with pytest.raises(DuologueError, match="stands on four legs"):
        detect.check(replace(sample.rig, rest=rest), sample.bones)


def test_names_are_preferred_to_structure_and_a_shuffled_rig_is_still_mapped() -> None:
    sample = build(family("Mixamo"), Make(fingers=5))
    assert detect.best_map(sample.rig).name == "Mixamo"
    mixed = shuffled(sample, 1)
    assert mapping.rows_of(detect.best_map(mixed.rig)) == mixed.rows
