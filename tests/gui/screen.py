"""Runs a script in the window of a Blender on PATH, on a virtual screen of its own: ``screen.py SCRIPT FOLDER``.

The script finds the folder as ``$OUT``, and ``$LIMIT`` is the most seconds that it may take. Needs Xvfb besides what
`kit` needs; preferences and extensions are those of a fresh Blender, in the folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

NEEDED = ("blender", "Xvfb", "xdotool", "import")
"""Commands that must be on PATH."""
OLDEST = (5, 1)
_WIDTH, _HEIGHT = 1600, 900
_SCREENS = range(90, 120)


def lacking() -> str:
    """Why no window can be had; empty where one can."""
    absent = [name for name in NEEDED if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)} not on PATH"
    said = subprocess.run(["blender", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"Blender (\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < OLDEST:
        return f"the Blender on PATH is older than {OLDEST[0]}.{OLDEST[1]}"
    return ""


def main(script: str, folder: str) -> int:
    """Run the script; returns Blender's exit code, or 124 where it took too long."""
    screen = next(number for number in _SCREENS if not Path(f"/tmp/.X11-unix/X{number}").exists())
    size = f"{_WIDTH}x{_HEIGHT}x24"
    xvfb = ["Xvfb", f":{screen}", "-screen", "0", size, "-nolisten", "tcp"]
    server = subprocess.Popen(xvfb, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    out = Path(folder).resolve()
    environment = {
        **os.environ,
        "DISPLAY": f":{screen}",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "OUT": str(out),
        "BLENDER_USER_RESOURCES": str(out / "blender"),
    }
    command = ["blender", "--factory-startup", "-noaudio", "--window-geometry", "0", "0", str(_WIDTH), str(_HEIGHT)]
    (out / "blender").mkdir(exist_ok=True)
    try:
        while not Path(f"/tmp/.X11-unix/X{screen}").exists() and server.poll() is None:
            time.sleep(0.1)
        with (out / "blender.log").open("wb") as log:
            return subprocess.run(
                [*command, "--python-exit-code", "3", "--python", str(Path(script).resolve())],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=float(os.environ["LIMIT"]),
                check=False,
            ).returncode
    except subprocess.TimeoutExpired:
        return 124
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
