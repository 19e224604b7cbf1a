"""Skeletons of real rig families: every line hangs bones on each other by their true names, ``{s}`` being the side.

With the twist bones, extra spine bones, share bones, targets and fingers that stand between and beside the joints, and
whatever is oddly parented. Most names were looked up in exports, importers and renaming scripts of public repositories;
those of Rokoko, some helper bones of Auto-Rig Pro and HumanIK are from general knowledge, and no file confirmed them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blender_addon.retarget.rig import Rig


@dataclass(frozen=True)
class Hierarchy:
    """One family's skeleton.

    Attributes:
        family: title of the bone map that fits it.
        sides: what stands for ``{s}`` on the left and on the right.
        chains: bones by parent, each line beginning with one that is there already.
    """

    family: str
    sides: tuple[str, str]
    chains: tuple[str, ...]

    def rig(self, name: str) -> Rig:
        """The skeleton as a rig, every head at another place that means nothing."""
        parents: dict[str, str | None] = {}
        for chain in self.chains:
            for side in self.sides if "{s}" in chain else ("",):
                above = None
                for bone in chain.replace("{s}", side).split(" > "):
                    parents.setdefault(bone, above)
                    above = bone
        bones = sorted(parents, key=lambda bone: _depth(bone, parents))
        rest = np.tile(np.eye(4), (len(bones), 1, 1))
        rest[:, :3, 3] = np.random.default_rng(0).normal(size=(len(bones), 3))
        above = [parents[bone] for bone in bones]
        indices = tuple(bones.index(parent) if parent else -1 for parent in above)
        return Rig(name, tuple(bones), indices, rest, rest[:, :3, 3], np.eye(4))


def _depth(bone: str, parents: dict[str, str | None]) -> int:
    above = parents[bone]
    return 1 + _depth(above, parents) if above else 0


HIERARCHIES = {
    "Unreal 4 mannequin": Hierarchy(
        "Unreal mannequin",
        ("l", "r"),
        (
            "root > pelvis > spine_01 > spine_02 > spine_03 > neck_01 > head",
            "spine_03 > clavicle_{s} > upperarm_{s} > lowerarm_{s} > hand_{s} > index_01_{s} > index_02_{s}",
            "upperarm_{s} > upperarm_twist_01_{s}",
            "lowerarm_{s} > lowerarm_twist_01_{s}",
            "pelvis > thigh_{s} > calf_{s} > foot_{s} > ball_{s}",
            "thigh_{s} > thigh_twist_01_{s}",
            "calf_{s} > calf_twist_01_{s}",
            "root > ik_foot_root > ik_foot_{s}",
            "root > ik_hand_root > ik_hand_gun > ik_hand_{s}",
        ),
    ),
    "Unreal 5 Manny": Hierarchy(
        "Unreal mannequin",
        ("l", "r"),
        (
            "root > pelvis > spine_01 > spine_02 > spine_03 > spine_04 > spine_05 > neck_01 > neck_02 > head",
            "spine_05 > clavicle_{s} > upperarm_{s} > lowerarm_{s} > hand_{s} > index_metacarpal_{s} > index_01_{s}",
            "upperarm_{s} > upperarm_twist_01_{s}",
            "upperarm_{s} > upperarm_twist_02_{s}",
            "lowerarm_{s} > lowerarm_twist_02_{s}",
            "lowerarm_{s} > lowerarm_twist_01_{s}",
            "pelvis > thigh_{s} > calf_{s} > foot_{s} > ball_{s}",
            "calf_{s} > calf_twist_02_{s}",
            "root > ik_foot_root > ik_foot_{s}",
            "root > ik_hand_root > ik_hand_gun > ik_hand_{s}",
            "root > interaction",
            "root > center_of_mass",
        ),
    ),
    "VRoid": Hierarchy(
        "VRoid",
        ("L", "R"),
        (
            "Root > J_Bip_C_Hips > J_Bip_C_Spine > J_Bip_C_Chest > J_Bip_C_UpperChest > J_Bip_C_Neck > J_Bip_C_Head",
            "J_Bip_C_Head > J_Adj_{s}_FaceEye",
            "J_Bip_C_Head > J_Sec_Hair1_01 > J_Sec_Hair2_01",
            "J_Bip_C_UpperChest > J_Sec_{s}_Bust1 > J_Sec_{s}_Bust2",
            "J_Bip_C_UpperChest > J_Bip_{s}_Shoulder > J_Bip_{s}_UpperArm > J_Bip_{s}_LowerArm > J_Bip_{s}_Hand",
            "J_Bip_{s}_Hand > J_Bip_{s}_Thumb1 > J_Bip_{s}_Thumb2 > J_Bip_{s}_Thumb3",
            "J_Bip_C_Hips > J_Bip_{s}_UpperLeg > J_Bip_{s}_LowerLeg > J_Bip_{s}_Foot > J_Bip_{s}_ToeBase",
        ),
    ),
    "VRM": Hierarchy(
        "VRM",
        ("left", "right"),
        (
            "Root > hips > spine > chest > upperChest > neck > head > jaw",
            "head > {s}Eye",
            "upperChest > {s}Shoulder > {s}UpperArm > {s}LowerArm > {s}Hand > {s}IndexProximal > {s}IndexIntermediate",
            "{s}Hand > {s}ThumbMetacarpal > {s}ThumbProximal",
            "hips > {s}UpperLeg > {s}LowerLeg > {s}Foot > {s}Toes",
        ),
    ),
    "Daz Genesis 8": Hierarchy(
        "Daz Genesis 3 and 8",
        ("l", "r"),
        (
            "Genesis8Female > hip > pelvis > {s}ThighBend > {s}ThighTwist > {s}Shin > {s}Foot > {s}Metatarsals",
            "{s}Foot > {s}Toe > {s}BigToe > {s}BigToe_2",
            "hip > abdomenLower > abdomenUpper > chestLower > chestUpper > neckLower > neckUpper > head",
            "head > upperFaceRig > {s}BrowInner",
            "head > {s}Eye",
            "chestLower > {s}Pectoral",
            "chestUpper > {s}Collar > {s}ShldrBend > {s}ShldrTwist > {s}ForearmBend > {s}ForearmTwist > {s}Hand",
            "{s}Hand > {s}Carpal1 > {s}Index1 > {s}Index2",
        ),
    ),
    "Daz Genesis 9": Hierarchy(
        "Daz Genesis 9",
        ("l", "r"),
        (
            "Genesis9 > hip > pelvis > {s}_thigh > {s}_shin > {s}_foot > {s}_metatarsal",
            "{s}_foot > {s}_toes > {s}_bigtoe1 > {s}_bigtoe2",
            "{s}_thigh > {s}_thightwist1",
            "{s}_thigh > {s}_thightwist2",
            "hip > spine1 > spine2 > spine3 > spine4 > neck1 > neck2 > head > {s}_eye",
            "spine3 > {s}_pectoral",
            "spine4 > {s}_shoulder > {s}_upperarm > {s}_forearm > {s}_hand > {s}_indexmetacarpal > {s}_index1",
            "{s}_upperarm > {s}_upperarmtwist1",
            "{s}_upperarm > {s}_upperarmtwist2",
            "{s}_forearm > {s}_forearmtwist1",
            "{s}_hand > {s}_hand_anchor",
        ),
    ),
    "Character Creator": Hierarchy(
        "Character Creator",
        ("L", "R"),
        (
            "CC_Base_BoneRoot > CC_Base_Hip > CC_Base_Pelvis > CC_Base_{s}_Thigh > CC_Base_{s}_Calf > CC_Base_{s}_Foot",
            "CC_Base_{s}_Foot > CC_Base_{s}_ToeBase > CC_Base_{s}_BigToe1",
            "CC_Base_{s}_Foot > CC_Base_{s}_ToeBaseShareBone",
            "CC_Base_{s}_Calf > CC_Base_{s}_CalfTwist01 > CC_Base_{s}_CalfTwist02",
            "CC_Base_{s}_Calf > CC_Base_{s}_KneeShareBone",
            "CC_Base_{s}_Thigh > CC_Base_{s}_ThighTwist01 > CC_Base_{s}_ThighTwist02",
            "CC_Base_Hip > CC_Base_Waist > CC_Base_Spine01 > CC_Base_Spine02 > CC_Base_NeckTwist01",
            "CC_Base_NeckTwist01 > CC_Base_NeckTwist02 > CC_Base_Head > CC_Base_FacialBone > CC_Base_{s}_Eye",
            "CC_Base_Spine02 > CC_Base_{s}_RibsTwist > CC_Base_{s}_Breast",
            "CC_Base_Spine02 > CC_Base_{s}_Clavicle > CC_Base_{s}_Upperarm > CC_Base_{s}_Forearm > CC_Base_{s}_Hand",
            "CC_Base_{s}_Upperarm > CC_Base_{s}_UpperarmTwist01 > CC_Base_{s}_UpperarmTwist02",
            "CC_Base_{s}_Forearm > CC_Base_{s}_ElbowShareBone",
            "CC_Base_{s}_Forearm > CC_Base_{s}_ForearmTwist01 > CC_Base_{s}_ForearmTwist02",
            "CC_Base_{s}_Hand > CC_Base_{s}_Index1 > CC_Base_{s}_Index2",
        ),
    ),
    "Auto-Rig Pro export": Hierarchy(
        "Auto-Rig Pro export",
        ("l", "r"),
        (
            "root.x > spine_01.x > spine_02.x > spine_03.x > neck.x > head.x",
            "root.x > thigh_twist.{s} > thigh_stretch.{s} > leg_stretch.{s} > foot.{s} > toes_01.{s}",
            "leg_stretch.{s} > leg_twist.{s}",
            "spine_03.x > shoulder.{s} > arm_stretch.{s} > forearm_stretch.{s} > hand.{s} > index1.{s}",
            "arm_stretch.{s} > arm_twist.{s}",
            "forearm_stretch.{s} > forearm_twist.{s}",
        ),
    ),
    "3ds Max Biped": Hierarchy(
        "3ds Max Biped",
        ("L", "R"),
        (
            "Bip001 > Bip001 Pelvis > Bip001 Spine > Bip001 Spine1 > Bip001 Spine2 > Bip001 Neck > Bip001 Head",
            "Bip001 Head > Bip001 HeadNub",
            "Bip001 > Bip001 Footsteps",
            "Bip001 Neck > Bip001 {s} Clavicle > Bip001 {s} UpperArm > Bip001 {s} Forearm > Bip001 {s} Hand",
            "Bip001 {s} Hand > Bip001 {s} Finger0 > Bip001 {s} Finger01 > Bip001 {s} Finger0Nub",
            "Bip001 {s} UpperArm > Bip001 {s}UpArmTwist",
            "Bip001 Spine > Bip001 {s} Thigh > Bip001 {s} Calf > Bip001 {s} Foot > Bip001 {s} Toe0",
            "Bip001 {s} Toe0 > Bip001 {s} Toe0Nub",
        ),
    ),
    "Xsens MVN": Hierarchy(
        "Xsens MVN",
        ("Left", "Right"),
        (
            "Pelvis > L5 > L3 > T12 > T8 > Neck > Head",
            "T8 > {s}Shoulder > {s}UpperArm > {s}ForeArm > {s}Hand",
            "Pelvis > {s}UpperLeg > {s}LowerLeg > {s}Foot > {s}Toe",
        ),
    ),
    "Xsens BVH": Hierarchy(
        "Xsens BVH",
        ("Left", "Right"),
        (
            "Hips > Chest > Chest2 > Chest3 > Chest4 > Neck > Head",
            "Chest4 > {s}Collar > {s}Shoulder > {s}Elbow > {s}Wrist",
            "Hips > {s}Hip > {s}Knee > {s}Ankle > {s}Toe",
        ),
    ),
    "Rokoko": Hierarchy(
        "Rokoko",
        ("Left", "Right"),
        (
            "Root > Hips > Spine1 > Spine2 > Spine3 > Spine4 > Neck > Head",
            "Spine4 > {s}Shoulder > {s}Arm > {s}ForeArm > {s}Hand > {s}Finger1Metacarpal > {s}Finger1Proximal",
            "Hips > {s}Thigh > {s}Shin > {s}Foot > {s}Toe > {s}ToeTip",
        ),
    ),
    "HumanIK with a character's prefix": Hierarchy(
        "MotionBuilder",
        ("Left", "Right"),
        (
            "Character1_Reference > Character1_Hips > Character1_Spine > Character1_Spine1 > Character1_Spine2",
            "Character1_Spine2 > Character1_Spine3 > Character1_Neck > Character1_Neck1 > Character1_Head",
            "Character1_Spine3 > Character1_{s}Shoulder > Character1_{s}Arm > Character1_{s}ForeArm",
            "Character1_{s}ForeArm > Character1_{s}Hand",
            "Character1_{s}Arm > Character1_{s}ArmRoll",
            "Character1_Hips > Character1_{s}UpLeg > Character1_{s}Leg > Character1_{s}Foot > Character1_{s}ToeBase",
            "Character1_{s}UpLeg > Character1_{s}UpLegRoll",
        ),
    ),
    "SMPL-X": Hierarchy(
        "SMPL",
        ("left", "right"),
        (
            "root > pelvis > spine1 > spine2 > spine3 > neck > head > jaw",
            "head > {s}_eye_smplhf",
            "spine3 > {s}_collar > {s}_shoulder > {s}_elbow > {s}_wrist > {s}_index1 > {s}_index2 > {s}_index3",
            "{s}_wrist > {s}_thumb1 > {s}_thumb2",
            "pelvis > {s}_hip > {s}_knee > {s}_ankle > {s}_foot",
        ),
    ),
}
"""By what people call the skeleton."""
