import numpy as np
import torch

from backend.features import features
from backend.kinematics import matrix_from_sixd
from backend.tokenizer.local import HEIGHT, LOCAL_ROTATIONS, PLACE, globalized, localized
from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import neutral_offsets

OFFSETS = np.stack((neutral_offsets(1.0), neutral_offsets(0.9)))


def restless_pair(frames: int = 12) -> Motion:
    rng = np.random.default_rng(0)
    turns = rng.normal(size=(frames, 2, 22, 4)).astype(np.float32) * 0.3
    turns[..., 0] = 1
    turns /= np.linalg.norm(turns, axis=-1, keepdims=True)
    root = rng.normal(size=(frames, 2, 3)).astype(np.float32)
    return Motion(30, root, turns, OFFSETS)


def test_what_is_taken_apart_comes_together_again() -> None:
    whole = torch.from_numpy(features(restless_pair()))
    local = localized(whole)
    root, sixd = globalized(local[..., PLACE], local[..., HEIGHT], local[..., LOCAL_ROTATIONS])
    assert torch.allclose(root, whole[..., :3], atol=1e-6)
    assert torch.allclose(sixd.flatten(-2), whole[..., 132:264], atol=1e-5)


def test_whoever_turns_and_moves_with_the_floor_keeps_their_pose() -> None:
    motion = restless_pair()
    moved = motion.moved(rot.about_y(2.0).astype(np.float32), np.array([1.0, 0.0, -3.0], np.float32))
    before, after = (localized(torch.from_numpy(features(m))) for m in (motion, moved))
    assert torch.allclose(before[..., PLACE.stop :], after[..., PLACE.stop :], atol=1e-4)
    heading = [torch.atan2(local[..., 2], local[..., 3]) for local in (before, after)]
    turned = torch.remainder(heading[1] - heading[0], 2 * torch.pi)
    assert torch.allclose(turned, torch.full_like(turned, 2.0), atol=1e-4)


def test_the_headings_length_does_not_matter() -> None:
    local = localized(torch.from_numpy(features(restless_pair())))
    place = local[..., PLACE] * torch.tensor([1.0, 1.0, 0.5, 0.5])
    one, other = (globalized(p, local[..., HEIGHT], local[..., LOCAL_ROTATIONS])[1] for p in (local[..., PLACE], place))
    assert torch.allclose(matrix_from_sixd(one), matrix_from_sixd(other), atol=1e-5)
