"""What lies between two persons is read from their latents, and told the model wherever it moves somebody."""

import numpy as np
import torch

from backend.language.between import GOALS, HANDS, READ_JOINTS, Between
from protocol.skeleton import JOINT


def fitted(persons: torch.Tensor) -> tuple[Between, torch.Tensor]:
    """What lies between persons whose latents are a linear mixture of where their joints are: reading them is exact."""
    generator = torch.Generator().manual_seed(1)
    joints = persons.flatten(0, -3)
    mixed = torch.randn(3 * len(READ_JOINTS), 3 * len(READ_JOINTS), generator=generator)
    between = Between(3 * len(READ_JOINTS), 16)
    latents = joints.flatten(1) @ mixed
    between.fit(latents, joints)
    return between, latents.unflatten(0, persons.shape[:-2])


def persons() -> torch.Tensor:
    """Joints (200, 2, 5, 3) of pairs."""
    return torch.randn(200, 2, len(READ_JOINTS), 3, generator=torch.Generator().manual_seed(0))


def test_ways_lead_from_hands_to_what_they_reach_for() -> None:
    joints = persons()
    between, latents = fitted(joints)
    ways = between.ways(latents[:, 0], latents[:, 1])
    assert ways.shape == (200, 17, 3)
    at = {name: READ_JOINTS.index(JOINT[name]) for name in (*GOALS, "pelvis")}
    wanted = []
    for reacher, reached in ((0, 1), (1, 0)):
        for hand in HANDS:
            wanted += [joints[:, reached, at[goal]] - joints[:, reacher, at[hand]] for goal in GOALS]
    wanted.append(joints[:, 1, at["pelvis"]] - joints[:, 0, at["pelvis"]])
    np.testing.assert_allclose(ways.numpy(), torch.stack(wanted, 1).numpy(), atol=2e-3)


def test_a_new_model_is_told_nothing_yet() -> None:
    between, latents = fitted(persons())
    assert (between(latents[:, 0], latents[:, 1]) == 0).all()


def test_where_the_pair_stands_does_not_matter() -> None:
    joints = persons()
    moved = joints + torch.tensor([2.0, 0.0, -1.0])
    between, latents = fitted(torch.cat((joints, moved)))
    torch.nn.init.normal_(between.outer.weight)
    one, other = latents[:200], latents[200:]
    assert torch.allclose(between(one[:, 0], one[:, 1]), between(other[:, 0], other[:, 1]), atol=2e-2)
    assert not torch.allclose(between(one[:, 0], one[:, 1]), between(one[:, 1], one[:, 0]), atol=1e-1)
