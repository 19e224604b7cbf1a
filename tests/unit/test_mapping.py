"""Bones find their joints: by name, whatever the prefix, or by a JSON bone map."""

import json

import pytest

from blender_addon.retarget import mapping
from protocol.errors import DuologueError


def names_of(title: str) -> list[str]:
    bone_map = next(one for one in mapping.bone_maps() if one.name == title)
    return [name for names in bone_map.bones.values() for name in names]


@pytest.mark.parametrize("bone_map", mapping.bone_maps(), ids=lambda one: one.name)
def test_every_shipped_map_recognises_its_own_rig(bone_map: mapping.BoneMap) -> None:
    bones = [name for names in bone_map.bones.values() for name in names]

    found = mapping.best_map([*bones, "Camera target", "jacket.001"], "rig")

    assert found.bones == bone_map.bones
    assert found.name == bone_map.name


@pytest.mark.parametrize("prefix", ["mixamorig:", "mixamorig7:", "Hero_", "DEF-", "ns1:ns2:mixamorig:"])
def test_a_prefix_before_all_names_is_passed_over(prefix: str) -> None:
    found = mapping.best_map([prefix + name for name in names_of("Mixamo")], "Hero")

    assert found.bones["left_elbow"] == (f"{prefix}LeftForeArm",)
    assert found.bones["spine"] == (f"{prefix}Spine", f"{prefix}Spine1", f"{prefix}Spine2")


def test_case_and_separators_do_not_matter() -> None:
    found = mapping.best_map([name.replace(".", "_").upper() for name in names_of("Rigify metarig")], "rig")

    assert found.bones["right_knee"] == ("SHIN_R",)


def test_a_generated_rigify_rig_is_taken_for_its_controls_although_it_holds_a_metarig_too() -> None:
    controls = [*names_of("Rigify"), "thigh_parent.L", "thigh_parent.R", "upper_arm_parent.L", "upper_arm_parent.R"]
    copies = [f"{kind}-{name}" for kind in ("ORG", "DEF") for name in names_of("Rigify metarig")]

    found = mapping.best_map([*copies, *controls], "rig")

    assert found.bones["left_shoulder"] == ("upper_arm_fk.L",)
    assert found.bones["location"] == ("torso",)
    assert found.read["left_shoulder"] == ("ORG-upper_arm.L",)
    assert {switch.bone for switch in found.switches if switch.property == "IK_FK"} == set(controls[-4:])


def test_neck_collars_and_toes_may_be_missing_and_the_spine_may_be_short() -> None:
    optional = ("Neck", "Shoulder", "ToeBase", "Spine1", "Spine2")
    bones = [name for name in names_of("Mixamo") if not name.endswith(optional)]

    found = mapping.best_map(bones, "rig")

    assert found.bones["spine"] == ("Spine",)
    assert "neck" not in found.bones
    assert "left_collar" not in found.bones
    assert "right_foot" not in found.bones


def test_a_rig_without_legs_is_refused_with_the_joints_and_the_bones_that_it_lacks() -> None:
    bones = [name for name in names_of("Mixamo") if not name.endswith(("UpLeg", "Leg", "Foot", "ToeBase"))]

    with pytest.raises(DuologueError) as caught:
        mapping.best_map(bones, "Ghost")

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
        mapping.best_map(bones, "Thing")

    assert caught.value.code == "rig_unmapped"
    assert "left hip" in caught.value.message


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
