"""A Python that is none: it makes environments and downloads packages as its script says, without any network."""

from __future__ import annotations

import json
import sys
from pathlib import Path

FAKE_PYTHON = """#!{real}
import json, pathlib, sys, time
home = pathlib.Path(__file__).resolve().parent
script = json.loads((home / "script.json").read_text())
words = sys.argv[1:]
with open(home / "said.txt", "a") as said:
    said.write(" ".join(words) + "\\n")
if words[:2] == ["-I", "-c"]:
    print(json.dumps([*script["version"], 64, __file__]))
elif words[:2] == ["-m", "venv"]:
    target = pathlib.Path(words[2], "bin", "python")
    target.parent.mkdir(parents=True)
    target.symlink_to(pathlib.Path(__file__).resolve())
elif words[:3] == ["-m", "pip", "--version"]:
    print("pip 26.0 from somewhere (python 3.12)")
elif words[:2] == ["-m", "pip"] and any(word.startswith("torch==") for word in words):
    cache = pathlib.Path(words[words.index("--cache-dir") + 1])
    cache.mkdir(exist_ok=True)
    here = pathlib.Path(__file__).parent
    names = ("torch",) if "--no-deps" in words else ("numpy", "torch")
    for name in names:
        if (here / f"has-{{name}}").exists():
            print("Requirement already satisfied: " + name)
            continue
        if (cache / name).exists():
            print(f"Using cached {{name}}-1-py3-none-any.whl (10.0 MB)")
            continue
        print(f"Downloading {{name}}-1-py3-none-any.whl (10.0 MB)", flush=True)
        for part in range(0, 11):
            print(f"Progress {{part * 1000000}} of 10000000", flush=True)
            if name == script["hangs"] and part == 5:
                time.sleep(60)
        if name == script["fails"]:
            print("ERROR: No space left on device")
            sys.exit(1)
        (cache / name).touch()
    print("Installing collected packages: " + ", ".join(names))
    for name in names:
        (here / f"has-{{name}}").touch()
elif words[0] == "-c":
    print(json.dumps(["1", False]))
elif words == ["-m", "backend", "--version"]:
    sys.exit(not pathlib.Path("backend/__main__.py").is_file())
"""


class FakePython:
    """A Python of 3.12 whose pip does as it is told, and what it was called with."""

    def __init__(self, folder: Path, real: str = sys.executable) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "python3.12"
        self.path.write_text(FAKE_PYTHON.format(real=real))
        self.path.chmod(0o755)
        self._folder = folder
        self.tell()

    def tell(self, *, hangs: str = "", fails: str = "", version: tuple[int, int, int] = (3, 12, 1)) -> None:
        script = {"hangs": hangs, "fails": fails, "version": version}
        (self._folder / "script.json").write_text(json.dumps(script))

    def said(self, word: str) -> int:
        """How often it was called with a word among its arguments."""
        lines = (self._folder / "said.txt").read_text().splitlines()
        return sum(word in line.split() for line in lines)
