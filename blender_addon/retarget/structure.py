"""A body found without names: legs, spine, arms and head from how bones hang together and where they rest.

Two pairs of limbs that are built alike, the one above the other on the trunk, are arms and legs where that makes a body
of human proportions; what is left over (tails, hair, skirts, props, twist bones) plays nothing. Which way is up,
forward and left, the body itself tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from protocol.errors import DuologueError

from .limb_search import Limb, Pair, Skeleton, pairs
from .mapping import BoneMap
from .rig import Rig

NAME = "Unnamed"
"""What a map that was found by structure is called."""
LEAST_SCORE = -4.0
"""Two pairs of limbs whose score is lower do not make a human body."""
ARM_TO_LEG, TRUNK_TO_LEG = 0.65, 0.60
"""Human proportions: shoulder to wrist, and hips to shoulders, over hip to ankle."""
HEAD_RISE = 0.60
"""The head joint is at most so high above the shoulders, as a share of hips to shoulders; what is higher is its tip."""
NECK_DROP = 0.12
"""The bone that carries the arms is the neck if it begins no further below the shoulders than this share."""
LONGEST_ARMS = 1.6
"""Arms longer than this share of the legs are wings; a gorilla's have 1.4."""
LEVEL_DEGREES = 45.0
"""A trunk nearer than this to the horizontal, over limbs that all stand upright, is that of an animal on four legs."""
BENT_DEGREES = 45.0
"""A trunk that leans further than this from the line of the legs is no person's at rest: birds have it so."""


@dataclass(frozen=True, eq=False)
class _Body:
    """Two pairs of limbs as legs and arms.

    Attributes:
        legs, arms: the pairs.
        pelvis: the bone that carries legs and spine.
        up: (3,) from the hips to the shoulders.
        trunk: metres from the hips to the shoulders.
        score: how human it looks; 0 is as good as it gets.
        level: whether limbs point the same way and across the trunk, as on four legs.
        upright: whether the trunk stands on the legs.
        winged: whether its arms are too long to be arms.
    """

    legs: Pair
    arms: Pair
    pelvis: int
    up: np.ndarray
    trunk: float
    score: float
    level: bool
    upright: bool
    winged: bool


def find(rig: Rig) -> BoneMap:
    """Map a rig by its structure alone.

    Raises:
        DuologueError: ``rig_on_all_fours``, ``rig_winged``, ``rig_two_heads``, or ``rig_not_humanoid`` if there is no
            human body.
    """
    skeleton = Skeleton.of(rig)
    bodies = sorted(_bodies(skeleton, pairs(skeleton)), key=lambda body: -body.score)
    for body in bodies:
        if not body.upright or body.winged or body.score < LEAST_SCORE:
            continue
        spine, neck, head = _upwards(skeleton, body, rig.name)
        if spine and head is not None:
            return _map(rig, skeleton, body, spine, neck, head)
    if bodies and bodies[0].level:
        raise on_all_fours(rig.name)
    if bodies and bodies[0].winged and bodies[0].score > LEAST_SCORE:
        raise DuologueError(
            "rig_winged",
            f"The rig “{rig.name}” has wings in the place of arms; Duologue moves people.",
            "Pick a humanoid armature, or choose its bones in the Duologue tab.",
        )
    raise DuologueError(
        "rig_not_humanoid",
        f"The rig “{rig.name}” has no human body: no two legs, spine, two arms and head were found.",
        "Pick a humanoid armature, or choose its bones in the Duologue tab.",
    )


def on_all_fours(rig: str) -> DuologueError:
    """The error for an animal on four legs."""
    return DuologueError(
        "rig_on_all_fours",
        f"The rig “{rig}” stands on four legs; Duologue moves people.",
        "Pick a humanoid armature.",
    )


def two_heads(rig: str) -> DuologueError:
    """The error for a rig with more heads than one."""
    return DuologueError(
        "rig_two_heads",
        f"The rig “{rig}” has two heads, and which of them leads cannot be told.",
        "Choose the bones of one of them in the Duologue tab.",
    )


def _bodies(skeleton: Skeleton, found: Sequence[Pair]) -> list[_Body]:
    bodies = []
    for legs in found:
        for arms in found:
            body = _body(skeleton, legs, arms)
            if body is not None:
                bodies.append(body)
    return bodies


def _body(skeleton: Skeleton, legs: Pair, arms: Pair) -> _Body | None:
    shared = [a for a, b in zip(skeleton.path(legs.hub), skeleton.path(arms.hub), strict=False) if a == b]
    if not shared or shared[-1] == arms.hub or len(skeleton.path(legs.hub)) > len(shared) + 1:
        return None
    if any(skeleton.is_above(_top(limb), arms.hub) for limb in legs.limbs):
        return None
    hips, ankles = _middle(skeleton, legs, 0), _middle(skeleton, legs, 2)
    shoulders, wrists = _middle(skeleton, arms, 0), _middle(skeleton, arms, 2)
    leg, arm = (sum(sum(limb.lengths) for limb in pair.limbs) / 2 for pair in (legs, arms))
    trunk = float(np.linalg.norm(shoulders - hips))
    if trunk < 0.1 * leg or np.linalg.norm(ankles - hips) < 0.3 * leg:
        return None
    up = (shoulders - hips) / trunk
    down, out = (ankles - hips) / np.linalg.norm(ankles - hips), wrists - shoulders
    hanging = float(down @ up)
    across = [_direction(skeleton, pair) for pair in (legs, arms)]
    feet = sum(_toe(skeleton, limb.joints[2], up) is not None for limb in legs.limbs) / 2
    score = (
        legs.score
        + arms.score
        - 1.5 * (1 + hanging)
        - 0.5 * abs(np.log(arm / leg / ARM_TO_LEG))
        - 0.5 * abs(np.log(trunk / leg / TRUNK_TO_LEG))
        - (1 - abs(float(across[0] @ across[1])))
        - abs(float(across[0] @ up))
        + 0.3 * feet
    )
    same_way = float(out @ down) > 0.7 * np.linalg.norm(out)
    level = abs(hanging) < np.sin(np.radians(LEVEL_DEGREES)) and same_way
    upright = -hanging > np.cos(np.radians(BENT_DEGREES))
    winged = arm > LONGEST_ARMS * leg
    return _Body(
        legs, arms, shared[-1], up, trunk, float(score), bool(level), bool(upright and not level), bool(winged)
    )


def _upwards(skeleton: Skeleton, body: _Body, rig: str) -> tuple[list[int], list[int], int | None]:
    """Spine bones, neck bones and head of a body; no head where nothing leads up from the shoulders.

    Raises:
        DuologueError: ``rig_two_heads``.
    """
    shoulders = _middle(skeleton, body.arms, 0)
    spine = skeleton.path(body.arms.hub)
    spine = spine[spine.index(body.pelvis) + 1 :]
    limbs = {_top(limb) for pair in (body.legs, body.arms) for limb in pair.limbs}
    for number in range(len(spine), 0, -1):
        branches = [child for child in skeleton.children[spine[number - 1]] if child not in {*limbs, *spine}]
        rising = [
            branch for branch in branches if _rise(skeleton, body, shoulders, _highest(skeleton, body, branch)) > 0.1
        ]
        if rising:
            spine = spine[:number]
            break
    else:
        return spine, [], None
    chain = _head_chain(skeleton, body, shoulders, _middlemost(skeleton, body, rising, rig))
    neck, head = chain[:-1], chain[-1]
    if not neck and len(spine) > 1 and _rise(skeleton, body, shoulders, spine[-1]) > -NECK_DROP:
        spine, neck = spine[:-1], spine[-1:]
    return spine, neck, head


def _head_chain(skeleton: Skeleton, body: _Body, shoulders: np.ndarray, top: int) -> list[int]:
    """The bones from the base of the neck to the head: up to where a face or hair begins, or the tip of the skull."""
    chain = [top]
    while True:
        near = 0.04 * body.trunk
        above = [
            child
            for child in skeleton.children[chain[-1]]
            if _rise(skeleton, body, shoulders, child) < HEAD_RISE
            and skeleton.distance(chain[-1], child) > near
            and skeleton.reach[child] >= 0.5 * skeleton.reach[chain[-1]] - skeleton.distance(chain[-1], child)
        ]
        if skeleton.branches[chain[-1]] > 1 or len(above) != 1:
            return chain
        if _rise(skeleton, body, shoulders, above[0]) <= _rise(skeleton, body, shoulders, chain[-1]):
            return chain
        chain += above


def _middlemost(skeleton: Skeleton, body: _Body, rising: Sequence[int], rig: str) -> int:
    """Of the bones that lead upwards from the shoulders, the one in the middle."""
    across = _direction(skeleton, body.arms)
    shoulders = _middle(skeleton, body.arms, 0)

    def aside(branch: int) -> float:
        # The mean of all that hangs on it, because faces and hair are symmetrical about their head.
        return float((skeleton.heads[list(skeleton.below(branch))].mean(0) - shoulders) @ across) / body.trunk

    def height(branch: int) -> float:
        return _rise(skeleton, body, shoulders, _highest(skeleton, body, branch))

    middle = [branch for branch in rising if abs(aside(branch)) < 0.08]
    if middle:
        return max(middle, key=height)
    best = max(rising, key=height)
    twin = [one for one in rising if aside(one) * aside(best) < 0 and height(one) > 0.8 * height(best)]
    if twin:
        raise two_heads(rig)
    return best


def _map(rig: Rig, skeleton: Skeleton, body: _Body, spine: list[int], neck: list[int], head: int) -> BoneMap:
    left = np.cross(body.up, _forward(rig, skeleton, body, neck, head))
    bones = {"pelvis": [body.pelvis], "spine": spine, "head": [head]} | ({"neck": neck} if neck else {})
    for pair, names in ((body.legs, ("hip", "knee", "ankle")), (body.arms, ("shoulder", "elbow", "wrist"))):
        sides = sorted(pair.limbs, key=lambda limb: -float(skeleton.heads[list(limb.joints)].sum(0) @ left))
        for side, limb in zip(("left", "right"), sides, strict=True):
            bones |= {f"{side}_{name}": [joint] for name, joint in zip(names, limb.joints, strict=True)}
            toe = _toe(skeleton, limb.joints[2], body.up)
            if pair is body.legs and toe is not None:
                bones[f"{side}_foot"] = [toe]
            if pair is body.arms and limb.before:
                bones[f"{side}_collar"] = [limb.before[0]]
    named = {key: tuple(rig.bones[bone] for bone in found) for key, found in bones.items()}
    return BoneMap(NAME, named, dict(named))


def _forward(rig: Rig, skeleton: Skeleton, body: _Body, neck: list[int], head: int) -> np.ndarray:
    """(3,) the way that the body faces: where toes point, knees bend, elbows do not, and the face is.

    What these leave open, the armature's axes decide: characters face -Y where Z is up, and Z where Y is up.
    """
    tails = rig.to_world(rig.tails)
    evidence = np.zeros(3)
    for limb in body.legs.limbs:
        hip, knee, ankle = (skeleton.heads[joint] for joint in limb.joints)
        foot = [bone for bone in skeleton.below(limb.joints[2]) if bone != limb.joints[2]]
        leg = sum(limb.lengths)
        if foot:
            evidence += 4 * (skeleton.heads[foot].mean(0) - ankle) / leg
        evidence += 0.05 * (tails[limb.joints[2]] - ankle) / leg
        evidence += _bend(hip, knee, ankle) / leg
    for limb in body.arms.limbs:
        evidence -= 0.5 * _bend(*(skeleton.heads[joint] for joint in limb.joints)) / sum(limb.lengths)
    face = [child for child in skeleton.children[head] if not skeleton.children[child]]
    if face:
        evidence += 0.5 * (skeleton.heads[face].mean(0) - skeleton.heads[head]) / body.trunk
    if neck:
        evidence += 0.3 * (skeleton.heads[head] - skeleton.heads[neck[-1]]) / body.trunk
    axes = rig.world[:3, :3] / np.linalg.norm(rig.world[:3, :3], axis=0)
    evidence += 0.03 * (axes[:, 2] - axes[:, 1])
    across = _direction(skeleton, body.legs)
    evidence -= body.up * (evidence @ body.up)
    evidence -= across * (evidence @ across)
    return evidence / max(float(np.linalg.norm(evidence)), 1e-12)


def _bend(upper: np.ndarray, middle: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """(3,) from the line between a limb's ends to its middle joint, metres."""
    line = (lower - upper) / np.linalg.norm(lower - upper)
    return (middle - upper) - line * ((middle - upper) @ line)


def _toe(skeleton: Skeleton, ankle: int, up: np.ndarray) -> int | None:
    """The bone that the toes hang on: it lies well off the vertical through the ankle; single toes are not it."""
    if skeleton.branches[ankle] >= 3 or len(skeleton.children[ankle]) >= 4:
        return None
    best, furthest = None, 0.03 * skeleton.extent
    for child in skeleton.children[ankle]:
        step = skeleton.heads[child] - skeleton.heads[ankle]
        level = float(np.linalg.norm(step - up * (step @ up)))
        if level > furthest:
            best, furthest = child, level
    return best


def _rise(skeleton: Skeleton, body: _Body, shoulders: np.ndarray, bone: int) -> float:
    """How far a bone begins above the shoulders, as a share of hips to shoulders."""
    return float((skeleton.heads[bone] - shoulders) @ body.up) / body.trunk


def _highest(skeleton: Skeleton, body: _Body, top: int) -> int:
    return max(skeleton.below(top), key=lambda bone: float(skeleton.heads[bone] @ body.up))


def _top(limb: Limb) -> int:
    """The first bone that a limb has of its own."""
    return (*limb.before, limb.joints[0])[0]


def _middle(skeleton: Skeleton, pair: Pair, joint: int) -> np.ndarray:
    """(3,) halfway between the same joint of both limbs."""
    return skeleton.heads[[limb.joints[joint] for limb in pair.limbs]].mean(0)


def _direction(skeleton: Skeleton, pair: Pair) -> np.ndarray:
    """(3,) unit vector from the one limb's first joint to the other's."""
    first, second = (skeleton.heads[limb.joints[0]] for limb in pair.limbs)
    return (second - first) / max(float(np.linalg.norm(second - first)), 1e-12)
