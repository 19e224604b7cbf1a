"""The demo from end to end: an installed extension, a backend process, two characters, and what they leave behind."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import build


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    zips = sorted((build.HERE / "dist").glob("duologue-*-blender-4.5-5.0.zip"))
    assert zips, "dist/ holds no extension zip: run `python build.py extension` first"
    out = tmp_path_factory.mktemp("demo")
    command = [sys.executable, build.HERE / "tests/e2e/demo.py", "--out", out, "--extension", zips[-1]]
    ended = subprocess.run(command, cwd=build.HERE, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    assert str(out / "report.json") in ended.stdout
    return out


def test_report_tells_what_was_asked_made_and_said(demo: Path) -> None:
    report = json.loads((demo / "report.json").read_text())
    assert report["prompt"]
    assert report["caption"]
    assert {"generate", "react", "describe"} <= set(report["steps"])
    assert report["steps"]["generate"]["first_motion_seconds"] < report["steps"]["generate"]["seconds"]
    assert report["versions"]["blender"].startswith("4.5")


def test_both_characters_can_be_seen_and_move(demo: Path) -> None:
    frames = sorted((demo / "frames" / "generate").glob("*.png"))
    assert len(frames) > 20
    first, middle = (
        np.asarray(Image.open(frame).convert("RGB"), float) for frame in (frames[0], frames[len(frames) // 2])
    )
    assert first.std() > 10
    assert np.abs(first - middle).mean() > 1


def test_the_file_and_the_pictures_are_there(demo: Path) -> None:
    assert (demo / "demo.blend").stat().st_size > 100_000
    assert (demo / "preview.mp4").stat().st_size > 10_000
    assert Image.open(demo / "contact_sheet.png").width > 1000
