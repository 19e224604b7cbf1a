"""Where the partner of a lone person is, expected from what that person does before and after.

A language model goes from the past to the future and tells a place by codes: who was to be hugged stood 10 to 35 cm
off. What one person does says where the other is to a few centimetres wherever they hold each other, and how much it
says elsewhere can be learned with it. So a small convolutional network, which looks both ways in time, expects where
hands, head, chest and hips of the partner are in every latent step, and how far it may be off.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from protocol import rotations as rot
from protocol.errors import DuologueError
from protocol.motion import Motion
from protocol.skeleton import JOINT, JOINT_COUNT

from ..features import body_scale
from ..tokenizer.config import STRIDE
from .between import READ_JOINTS
from .slots import Slot, numbers

CONFIG_FILE = "anticipation.json"
WEIGHTS_FILE = "anticipation.safetensors"

SEEN = 2 * 3 * JOINT_COUNT
"""What is seen of a person in a latent step: places and velocities of the joints."""

_SCALE_GAIN = 10
_SPREADS = (-6.0, 2.0)
"""Logarithms of the smallest and the largest spread that can be said, of metres."""
_AXIS = 2.0
"""Deviation along an axis of what decays exponentially in all directions, in its spreads."""
_VAGUE = 0.1
"""Metres of a spread that is vague. Without it some walked through those whom they should walk beside: seven times as
many contacts that should not be, in four walks."""
_ACROSS = (JOINT["left_hip"], JOINT["right_hip"])


@dataclass(frozen=True)
class AnticipationConfig:
    """What determines the network's shape.

    Attributes:
        slots: of the scripts that it knows.
        width: channels.
        dilations: latent steps between what each layer looks at, to either side.
    """

    slots: tuple[Slot, ...]
    width: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16)


class Whereabouts(NamedTuple):
    """Where the `READ_JOINTS` of somebody are, as means over the frames of each latent step.

    Attributes:
        places: (L, 5, 3) metres.
        spreads: (L, 5) metres by which they may be off.
    """

    places: np.ndarray
    spreads: np.ndarray

    @property
    def variances(self) -> np.ndarray:
        """Squares (L, 5) of how far off the places may be along an axis, m^2.

        Those of an expectation that is vague are widened once more: often the partner is on either side of it, and in
        the middle, where the mean is, for once not.
        """
        spreads = self.spreads.astype(np.float64)
        return (_AXIS * spreads) ** 2 * (1 + (spreads / _VAGUE) ** 2)


class Anticipation(nn.Module):
    """Expects where a partner is. Untrained until it is loaded.

    Args:
        config: its shape.
    """

    mean: Tensor
    std: Tensor
    slot_starts: Tensor

    def __init__(self, config: AnticipationConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.register_buffer("mean", torch.zeros(SEEN))
        self.register_buffer("std", torch.ones(SEEN))
        self.enter = nn.Linear(SEEN, width)
        sizes = [1 + len(slot.values) for slot in config.slots]  # the first number of each stands for nothing said
        self.register_buffer("slot_starts", torch.tensor([0, *sizes]).cumsum(0)[:-1], persistent=False)
        self.slots = nn.Embedding(sum(sizes), width)
        nn.init.normal_(self.slots.weight, std=0.2)  # there are many slots to add up
        self.sizes = nn.Linear(2, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in config.dilations)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation) for dilation in config.dilations
        )
        self.leave = nn.Linear(width, 4 * len(READ_JOINTS))

    def forward(self, seen: Tensor, scripts: Tensor, scales: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """What is expected of the partners of N persons.

        Args:
            seen: (N, L, `SEEN`) of the persons, as `watched` gives it.
            scripts: (N, S) what the two do, as numbers of the config's slots.
            scales: (N, 2) body sizes of the person and the partner, 1 for the neutral body's.
            there: (N, L) bool: which steps are any.

        Returns:
            places (N, L, 5, 3) of the `READ_JOINTS`, metres, as the person sees them; the logarithms (N, L, 5) of how
            far they may be off, metres.
        """
        shown = there[..., None].to(seen.dtype)
        said = self.slots(scripts + self.slot_starts).sum(1) + self.sizes((scales - 1) * _SCALE_GAIN)
        states = (self.enter((seen - self.mean) / self.std) + said[:, None]) * shown
        for norm, layer in zip(self.norms, self.layers, strict=True):
            around = layer((norm(states) * shown).mT).mT
            states = states + functional.silu(around)
        found = self.leave(states).unflatten(-1, (len(READ_JOINTS), 4))
        return found[..., :3], found[..., 3].clamp(*_SPREADS)

    @torch.inference_mode()
    def partner_of(self, motion: Motion, script: Mapping[str, Any], scale: float) -> Whereabouts:
        """Where the partner of a lone person is expected, in the world of the person's motion.

        Args:
            motion: of one person, at 30 fps.
            script: what the two do, the person being A, as far as it is known.
            scale: the partner's body size.
        """
        view = watched(motion)
        device = self.mean.device
        told = torch.from_numpy(numbers(self.config.slots, script))[None].to(device)
        scales = torch.tensor([[float(body_scale(motion.offsets)[0]), scale]], dtype=torch.float32, device=device)
        seen = torch.from_numpy(view.seen)[None].to(device)
        there = torch.ones(seen.shape[:2], dtype=torch.bool, device=device)
        places, spreads = self(seen, told, scales, there)
        return Whereabouts(view.in_world(places[0].cpu().numpy()), spreads[0].exp().cpu().numpy())

    def save(self, folder: Path) -> None:
        """Write shape and weights, the latter as float16, into a folder."""
        (folder / CONFIG_FILE).write_text(json.dumps(dataclasses.asdict(self.config), indent=1), encoding="utf-8")
        save_file({name: value.half().contiguous() for name, value in self.state_dict().items()}, folder / WEIGHTS_FILE)

    @classmethod
    def load(cls, folder: Path) -> Anticipation:
        """Read what `save` wrote, in evaluation mode, on the CPU.

        Raises:
            DuologueError: ``checkpoint_unreadable``.
        """
        try:
            told = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
            slots = tuple(Slot(slot["name"], tuple(slot["values"])) for slot in told["slots"])
            config = AnticipationConfig(slots, told["width"], tuple(told["dilations"]))
            network = cls(config)
            network.load_state_dict({name: value.float() for name, value in load_file(folder / WEIGHTS_FILE).items()})
        except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            raise DuologueError(
                "checkpoint_unreadable",
                f"What expects a partner's place in {folder} cannot be read: {error}.",
                "Download or package the checkpoint again.",
            ) from error
        return network.eval()


class View(NamedTuple):
    """A person's own view: the ground under the hips is its origin, and +Z is where they face.

    Attributes:
        seen: (L, `SEEN`) float32 of the person: places and velocities of the joints, metres and metres a step.
        origins: (L, 3) metres, on the floor.
        turns: (L, 4) unit quaternions about the vertical, from the view into the world.
    """

    seen: np.ndarray
    origins: np.ndarray
    turns: np.ndarray

    def of_world(self, places: np.ndarray) -> np.ndarray:
        """Places (L, J, 3) of the world, metres, as they are in the view."""
        return rot.rotate(rot.inverse(self.turns)[:, None], places - self.origins[:, None]).astype(np.float32)

    def in_world(self, places: np.ndarray) -> np.ndarray:
        """Places (L, J, 3) of the view, metres, as they are in the world."""
        return (rot.rotate(self.turns[:, None], places) + self.origins[:, None]).astype(np.float32)


def watched(motion: Motion) -> View:
    """The view of a lone person at 30 fps, in every latent step."""
    joints = step_means(motion.positions()[:, 0])
    left = joints[:, _ACROSS[0]] - joints[:, _ACROSS[1]]
    turns = rot.about_y(np.arctan2(-left[:, 2], left[:, 0])).astype(np.float32)
    view = View(np.empty(0), joints[:, 0] * np.array([1, 0, 1], np.float32), turns)
    places = view.of_world(joints)
    velocities = rot.rotate(rot.inverse(turns)[:, None], np.diff(joints, axis=0, append=joints[-1:]))
    return view._replace(seen=np.concatenate((places, velocities), 1).reshape(len(joints), SEEN).astype(np.float32))


def step_means(values: np.ndarray) -> np.ndarray:
    """Means (L, ...) over latent steps of values (T, ...) of frames, the last of which is held until a step is full."""
    steps = -(-len(values) // STRIDE)
    held = values[np.minimum(np.arange(steps * STRIDE), len(values) - 1)]
    return held.reshape(steps, STRIDE, *values.shape[1:]).mean(1)
