"""What all tests share: where the open mocap is."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def cmu_folder() -> Path:
    """The folder with the CMU zips; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("DUOLOGUE_CMU", REPOSITORY.parent / "shared" / "data" / "cmu"))
    if not folder.is_dir():
        pytest.skip("the CMU zips are not here: set DUOLOGUE_CMU to their folder")
    return folder
