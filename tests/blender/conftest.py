"""Blender tests: the built zip, not the source tree, is installed into a Blender of its own and enabled."""

import importlib
import os
import sys
import tempfile
from collections.abc import Callable
from types import ModuleType
from typing import Any

# Set before bpy is imported below: tests must never touch the user's own Blender settings.
os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="duologue-blender-")

import bpy
import pytest

import build
from tests.blender.stage import backend, cast_file, stage

__all__ = ["backend", "cast_file", "stage"]

PACKAGE = "bl_ext.user_default.duologue"


@pytest.fixture(scope="session")
def extension() -> str:
    """Install the built zip for this Blender's Python, enable it and return its package name."""
    name = "blender-4.5-5.0" if sys.version_info < (3, 12) else "blender-5.1-up"
    zips = sorted((build.HERE / "dist").glob(f"duologue-*-{name}.zip"))
    if not zips:
        pytest.fail("dist/ holds no extension zip: run `python build.py extension` first")
    bpy.ops.extensions.package_install_files(repo="user_default", filepath=str(zips[-1]), enable_on_install=True)
    preferences: Any = bpy.context.preferences
    assert PACKAGE in preferences.addons
    return PACKAGE


@pytest.fixture
def addon(extension: str, empty_file: None) -> Callable[[str], ModuleType]:
    """Import a module of the installed extension by its name within it, such as ``"animation.apply"``."""
    return lambda name: importlib.import_module(f"{extension}.{name}")


@pytest.fixture
def empty_file() -> None:
    """Every test starts from an empty file; preferences and enabled extensions stay."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End at once: bpy 4.5 can hang for ever in its own exit."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(getattr(config, "duologue_exit_status", 1)))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how the run ended for the hook above."""
    session.config.duologue_exit_status = int(exitstatus)  # type: ignore[attr-defined]
