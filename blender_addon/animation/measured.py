"""How a rig is built and which of its channels are keyed, found out before anything is written."""

from __future__ import annotations

from dataclasses import dataclass

from ..retarget.ik import LimbDrive, ik_controls, on_controls
from ..retarget.mapping import NO_MAP, BoneMap, Switch
from ..retarget.options import ON_HIPS, Options
from ..retarget.rest_pose import Calibration, calibrate
from ..retarget.rig import Rig
from ..retarget.root import Carrier
from ..retarget.transfer import Drive
from ..stubs import ArmatureObject
from .carrier import measured_carrier, rotation_mode
from .condition import check_keyable, check_present
from .ik import measured_limbs
from .own_map import corrections_of
from .rig import bone_map_of, measured_drive, read_rig

USUAL = Options()
"""What is taken where nobody chose."""


@dataclass(frozen=True, eq=False)
class Measured:
    """A rig as it is built, which takes a while to find out. Holds names and numbers, so it may wait for some ticks.

    Attributes:
        calibration: its T-pose, of the bones that play the joints.
        keyed: the same of the bones whose rotations are keyed: IK controls for limbs that are keyed on these.
        switches: what must be set for the keyed bones to drive it.
        drive: how these follow their channels.
        modes: rotation mode of each of the keyed bones.
        limbs: how its limbs follow their IK controls; empty where they are keyed on FK controls.
        carrier: what carries it through the world; None for its hips.
        carrier_mode: rotation mode of that.
    """

    calibration: Calibration
    keyed: Calibration
    switches: tuple[Switch, ...]
    drive: Drive
    modes: tuple[str, ...]
    limbs: tuple[LimbDrive, ...]
    carrier: Carrier | None
    carrier_mode: str


def measure(target: ArmatureObject, options: Options = USUAL) -> Measured:
    """Find out how a rig is built.

    Args:
        target: an armature object.
        options: whether it is keyed on IK controls, and what carries it.

    Raises:
        DuologueError: what `check_present`, `bone_map_of`, `check_keyable`, `ik_controls`, `measured_limbs` and
            `measured_carrier` raise.
    """
    check_present(target)
    bones = bone_map_of(target)
    rig = read_rig(target)
    controls = _controls(rig, options)
    check_keyable(target, bones, controls)
    calibration = calibrate(rig, bones.bones, corrections_of(target))
    keyed = on_controls(calibration, rig, controls.bones) if options.ik else calibration
    switches = switches_of(target, bones, controls)
    carrier = measured_carrier(target, rig, bones, options.root) if options.root != ON_HIPS else None
    return Measured(
        calibration,
        keyed,
        switches,
        measured_drive(target, keyed, switches),
        tuple(target.pose.bones[bone].rotation_mode for bone in keyed.bones),
        measured_limbs(target, calibration, keyed, bones, controls, switches) if options.ik else (),
        carrier,
        rotation_mode(target, carrier.bone) if carrier is not None else "",
    )


def check_keyed(target: ArmatureObject, options: Options) -> None:
    """See that keys can move a rig, which must be mapped; `measure` does so too.

    Raises:
        DuologueError: what `check_keyable` and `ik_controls` raise.
    """
    check_keyable(target, bone_map_of(target), _controls(read_rig(target), options))


def _controls(rig: Rig, options: Options) -> BoneMap:
    return ik_controls(rig) if options.ik else NO_MAP


def switches_of(target: ArmatureObject, bones: BoneMap, controls: BoneMap) -> tuple[Switch, ...]:
    """The properties that the rig has of those to be set; IK controls overrule FK controls."""
    wanted = {(one.bone, one.property): one for one in (*bones.switches, *controls.switches)}
    return tuple(one for one in wanted.values() if one.property in target.pose.bones[one.bone])
