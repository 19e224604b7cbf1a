import numpy as np
import torch

from backend.features import features
from backend.language.between import Between
from backend.tokenizer.local import PLACE, localized
from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import JOINT, neutral_offsets

OFFSETS = np.stack((neutral_offsets(1.0), neutral_offsets(0.9)))
_SEEN = ("pelvis", "left_wrist", "right_wrist", "head", "left_foot", "right_foot")


def pair(frames: int = 600) -> Motion:
    """Two persons who turn on the spot, bend and lift their arms."""
    rng = np.random.default_rng(0)
    turns = rng.normal(size=(frames, 2, 22, 4)).astype(np.float32) * 0.2
    turns[..., 0] = 1
    turns /= np.linalg.norm(turns, axis=-1, keepdims=True)
    angles = rng.uniform(-np.pi, np.pi, (frames, 2))
    turns[:, :, 0] = np.stack([[rot.about_y(float(angle)) for angle in row] for row in angles])
    root = rng.normal(size=(frames, 2, 3)).astype(np.float32)
    return Motion(30, root, turns, OFFSETS)


def fitted(local: torch.Tensor) -> tuple[Between, torch.Tensor]:
    """What lies between persons whose latents are their local features, so that reading them is exact."""
    between = Between(local.shape[-1], 16)
    between.fit(local.flatten(0, 1), local.flatten(0, 1))
    return between, local


def test_one_person_sees_the_other_where_they_are() -> None:
    motion = pair()
    between, local = fitted(localized(torch.from_numpy(features(motion))))
    seen = between.seen(local[:, 1], local[:, 0])
    positions = motion.positions()
    for frame in (0, 7, 30):
        back = rot.inverse(motion.rotations[frame, 0, 0])  # A only ever turns about the vertical
        ground = motion.root[frame, 0] * np.array([1, 0, 1], np.float32)
        wanted = [rot.rotate(back, positions[frame, 1, JOINT[name]] - ground) for name in _SEEN]
        assert np.allclose(seen[frame, 2:20].view(6, 3).numpy(), wanted, atol=2e-3)
        wrist = rot.rotate(back, positions[frame, 0, JOINT["right_wrist"]] - ground)
        reach = seen[frame, 20:].view(2, 3, 3)[0, 1].numpy()  # B's left wrist from A's right one
        assert np.allclose(reach, wanted[1] - wrist, atol=2e-3)


def test_it_is_the_same_wherever_the_pair_stands_and_faces() -> None:
    motion = pair()
    moved = motion.moved(rot.about_y(1.3).astype(np.float32), np.array([2.0, 0.0, 1.0], np.float32))
    one, other = (localized(torch.from_numpy(features(each))) for each in (motion, moved))
    between, _ = fitted(torch.cat((one, other)))
    assert torch.allclose(between.seen(one[:, 0], one[:, 1]), between.seen(other[:, 0], other[:, 1]), atol=5e-3)


def test_a_blurred_heading_still_has_unit_length() -> None:
    local = localized(torch.from_numpy(features(pair())))
    between, _ = fitted(local)
    blurred = local.clone()
    blurred[..., PLACE.start + 2 : PLACE.stop] *= 0.5
    exact, same = (between.joints(each[:, 0]) for each in (local, blurred))
    assert torch.allclose(exact[1], same[1], atol=1e-3)
