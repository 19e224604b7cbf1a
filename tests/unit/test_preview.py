"""Contact sheets: a row a motion, both persons in the picture and told apart."""

import numpy as np
from PIL import Image

from backend.corpus import preview
from backend.corpus.preview import contact_sheet
from protocol import rotations as rot
from protocol.motion import Motion
from protocol.skeleton import neutral_offsets


def standing(persons: int, frames: int = 90) -> Motion:
    root = np.zeros((frames, persons, 3))
    root[..., 0], root[..., 1] = np.arange(persons) * 1.2, 0.97
    root[..., 2] = np.linspace(0, 1, frames)[:, None]
    return Motion(30, root, np.tile(rot.IDENTITY, (frames, persons, 22, 1)), np.stack([neutral_offsets()] * persons))


def painted(path, colour: tuple[int, ...]) -> np.ndarray:
    """(H, W) bool: pixels of just this colour."""
    return (np.asarray(Image.open(path)) == colour).all(-1)


def test_a_sheet_has_a_row_for_every_motion_and_a_cell_for_every_pose(tmp_path):
    path = contact_sheet([("one", standing(1)), ("two", standing(2))], tmp_path / "new" / "sheet.png", poses=4)
    height = 2 * (preview.CELL_HEIGHT + preview.TITLE)
    assert Image.open(path).size == (4 * preview.CELL_WIDTH, height)
    cells = painted(path, preview.COLOURS[0])[preview.TITLE : preview.TITLE + preview.CELL_HEIGHT]
    assert all(cell.any() for cell in np.split(cells, 4, axis=1))


def test_both_persons_are_seen_whole_in_their_own_colours(tmp_path):
    path = contact_sheet([("pair", standing(2))], tmp_path / "sheet.png", poses=1)
    for colour in preview.COLOURS[:2]:
        pixels = painted(path, colour)
        assert pixels.sum() > 300
        assert not pixels[:, [0, -1]].any()
        assert not pixels[-1].any()


def test_left_limbs_are_darker_than_right_ones(tmp_path):
    path = contact_sheet([("one", standing(1))], tmp_path / "sheet.png", poses=1)
    dark = tuple(int(value * preview.LEFT_SHADE) for value in preview.COLOURS[0])
    left, right = painted(path, dark), painted(path, preview.COLOURS[0])
    assert left.any()
    assert np.argwhere(left)[:, 1].mean() > np.argwhere(right)[:, 1].mean()


def test_a_motion_of_one_frame_is_painted(tmp_path):
    path = contact_sheet([("still", standing(1, frames=1))], tmp_path / "sheet.png")
    assert painted(path, preview.COLOURS[0]).any()
