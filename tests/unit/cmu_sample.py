"""A few of the CMU trials as a folder of their own, so that unit tests need not read them all."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path


def sample_texts(cmu_folder: Path, names: Sequence[str]) -> dict[str, str]:
    """The BVH text of each of the trials named."""
    found = {}
    for archive in sorted(cmu_folder.glob("*.zip")):
        with zipfile.ZipFile(archive) as opened:
            present = set(opened.namelist())
            found |= {name: opened.read(f"{name}.bvh").decode() for name in names if f"{name}.bvh" in present}
    return found


def sample_folder(cmu_folder: Path, names: Sequence[str], folder: Path) -> Path:
    """``folder`` as a CMU folder that holds only the trials named, with their descriptions."""
    with zipfile.ZipFile(folder / "sample.zip", "w") as archive:
        for name, text in sample_texts(cmu_folder, names).items():
            archive.writestr(f"{name}.bvh", text)
    descriptions = json.loads((cmu_folder / "trials.json").read_text())
    (folder / "trials.json").write_text(json.dumps({name: descriptions[name] for name in names}))
    return folder
